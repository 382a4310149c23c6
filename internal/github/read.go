package github

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"bluegreen/internal/preview"
)

// largestPreview is how much of a preview is read, in bytes: that of a stack of
// a thousand resources has some 10 MB. A fork's may be anything.
const largestPreview = 32 << 20

// ReadPreview reads a preview of a stack, which may come from somebody who means
// harm: it is bounded, and every name in it is one. Errors: another file, or a
// preview of another stack.
func ReadPreview(file, stackName string) (preview.Digest, error) {
	info, err := os.Stat(file)
	if err != nil {
		return preview.Digest{}, err
	}
	if info.Size() > largestPreview {
		return preview.Digest{}, fmt.Errorf("%s: %d bytes, want at most %d", file, info.Size(), largestPreview)
	}
	digest, err := preview.ParseFile(file)
	if err != nil {
		return preview.Digest{}, err
	}
	if !wellFormed(&digest) {
		return preview.Digest{}, fmt.Errorf("%s: a resource without a valid URN; want what pulumi preview --json prints", file)
	}
	if of := digest.Stack(); of != "" && of != stackName {
		return preview.Digest{}, fmt.Errorf("%s: a preview of stack %q, and --stack is %s", file, of, stackName)
	}
	return digest, nil
}

// wellFormed tells whether every URN can be taken apart, which Pulumi's own code
// panics over. A message about nothing that exists is about nothing.
func wellFormed(digest *preview.Digest) bool {
	for i := range digest.Diagnostics {
		if said := &digest.Diagnostics[i]; !said.URN.IsValid() {
			said.URN = ""
		}
	}
	for _, step := range digest.Steps {
		if !step.URN.IsValid() {
			return false
		}
		for _, state := range []*preview.State{step.OldState, step.NewState} {
			if state == nil {
				continue
			}
			// The state is of the same resource, whatever it says.
			state.URN = step.URN
			names := slices.Concat(slices.Collect(maps.Values(state.PropertyDependencies))...)
			for _, name := range names {
				if !name.IsValid() {
					return false
				}
			}
		}
	}
	return true
}
