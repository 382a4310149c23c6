// Package preview reads the digest that "pulumi preview --json" prints: what the
// engine would do, resource by resource.
//
// A digest made with --show-sames lists unchanged resources too; only then Before
// and After are whole. bluegreen sandbox preview --digest makes such a one.
package preview

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// Op is what the engine does to a resource.
type Op string

// Operations that a digest names; the engine has more, which belong to these.
const (
	Same    Op = "same"
	Create  Op = "create"
	Update  Op = "update"
	Replace Op = "replace"
	Delete  Op = "delete"
	Read    Op = "read"
	Refresh Op = "refresh"
	Import  Op = "import"
)

// quiet are the operations that change nothing in the cloud.
var quiet = []Op{Same, Read, Refresh}

// halves are the parts of a replacement, which some engines report beside it.
var halves = []Op{"create-replacement", "delete-replaced", "read-replacement", "discard-replaced"}

// Digest is one preview.
type Digest struct {
	Config        map[string]string `json:"config,omitempty"` // secrets concealed
	Steps         []Step            `json:"steps"`
	Diagnostics   []Diagnostic      `json:"diagnostics,omitempty"`
	ChangeSummary map[Op]int        `json:"changeSummary"` // resources by operation, unchanged ones too
	MaybeCorrupt  bool              `json:"maybeCorrupt,omitempty"`
}

// Step is what would happen to one resource.
type Step struct {
	Op             Op                      `json:"op"`
	URN            urn.URN                 `json:"urn"`
	OldState       *State                  `json:"oldState,omitempty"` // nil where the resource is new
	NewState       *State                  `json:"newState,omitempty"` // nil where it goes
	DiffReasons    []string                `json:"diffReasons,omitempty"`
	ReplaceReasons []string                `json:"replaceReasons,omitempty"` // properties that cannot change without a replacement
	DetailedDiff   map[string]PropertyDiff `json:"detailedDiff,omitempty"`   // by property path, as in "rules[0].port"
}

// State is a resource as the engine knows it. Its values are JSON's; Known and
// Secret tell those that stand for something else.
type State struct {
	URN      urn.URN        `json:"urn"`
	Custom   bool           `json:"custom"`           // a provider's; components exist in Pulumi only
	Delete   bool           `json:"delete,omitempty"` // replaced already, waits for its deletion
	ID       string         `json:"id,omitempty"`
	Type     string         `json:"type"`
	Inputs   map[string]any `json:"inputs,omitempty"`
	Outputs  map[string]any `json:"outputs,omitempty"` // of a resource to be created: as far as they are known
	Parent   urn.URN        `json:"parent,omitempty"`
	Protect  bool           `json:"protect,omitempty"`
	External bool           `json:"external,omitempty"` // only looked up; somebody else's
	// PropertyDependencies are the resources that an input is made from: what a
	// value that is unknown yet will come from.
	PropertyDependencies map[string][]urn.URN `json:"propertyDependencies,omitempty"`
}

// PropertyDiff is how one property differs.
type PropertyDiff struct {
	Kind      string `json:"kind"`      // add, delete, update, or the same with "-replace" behind
	InputDiff bool   `json:"inputDiff"` // old and new inputs differ, rather than old state and new inputs
}

// Diagnostic is what engine, program or provider said.
type Diagnostic struct {
	URN      urn.URN `json:"urn"` // empty where it is about no resource
	Prefix   string  `json:"prefix"`
	Message  string  `json:"message"`
	Severity string  `json:"severity"` // info, warning, error, info#err
}

// Parse reads a digest.
//
// Errors: text that is no JSON, and JSON that is no digest.
func Parse(in io.Reader) (Digest, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return Digest{}, err
	}
	// A digest without steps and summary is what a preview prints that failed
	// before its program ran.
	var shape map[string]json.RawMessage
	if err := json.Unmarshal(text, &shape); err != nil {
		return Digest{}, fmt.Errorf("want what pulumi preview --json prints: %w", err)
	}
	known := []string{"config", "steps", "diagnostics", "changeSummary"}
	if !slices.ContainsFunc(known, func(key string) bool { return shape[key] != nil }) {
		return Digest{}, fmt.Errorf("want what pulumi preview --json prints, with at least one of %v; got JSON without", known)
	}
	var digest Digest
	if err := json.Unmarshal(text, &digest); err != nil {
		return Digest{}, fmt.Errorf("want what pulumi preview --json prints: %w", err)
	}
	return digest, nil
}

// ParseFile reads the digest in a file.
//
// Errors: those of Parse and of reading, with the file's name.
func ParseFile(name string) (Digest, error) {
	file, err := os.Open(name) // #nosec G304 -- the file that the caller names
	if err != nil {
		return Digest{}, err
	}
	defer file.Close()
	digest, err := Parse(file)
	if err != nil {
		return Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	return digest, nil
}
