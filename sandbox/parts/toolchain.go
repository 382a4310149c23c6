package parts

import (
	"context"
	"errors"
	"fmt"
	"go/version"
	"os/exec"
	"strings"
	"time"
)

// minimumGo is the oldest Go that the parts build with: the go directive of
// tools/go.mod and sandbox/awsplugin/go.mod.
const minimumGo = "go1.26.0"

// interruptGrace is how long an interrupted command may take to clean up.
const interruptGrace = 10 * time.Second

// goEnvironment keeps a go.work file above the checkout out of the builds.
var goEnvironment = []string{"GOWORK=off"}

// needsGo checks the Go toolchain.
func needsGo(ctx context.Context) error {
	const advice = "install Go %s or newer, and put it on PATH"
	want := strings.TrimSuffix(strings.TrimPrefix(minimumGo, "go"), ".0")
	binary, err := exec.LookPath("go")
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("go is not on PATH, and the sandbox builds parts with it: "+advice, want)
	} else if err != nil {
		return fmt.Errorf("go: %w", err)
	}
	out, err := exec.CommandContext(ctx, binary, "env", "GOVERSION").Output() // #nosec G204 -- the user's go
	if err != nil {
		return fmt.Errorf("%s env GOVERSION: %w", binary, err)
	}
	got := strings.TrimSpace(string(out))
	if version.Compare(got, minimumGo) < 0 {
		return fmt.Errorf("%s is %s, and the sandbox's parts need %s: "+advice, binary, got, minimumGo, want)
	}
	return nil
}
