package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// Mask stands where a secret was, as in what pulumi prints.
const Mask = "[secret]"

// stackType is the type of the resource that the stack itself is in its state.
const stackType = "pulumi:pulumi:Stack"

// In a state, a map with this key is no map but a special value, and with this
// value of it a secret (Pulumi, sdk/go/common/resource, SigKey and SecretSig).
const (
	signature       = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
)

// Resource is one resource of a stack's state.
type Resource struct {
	URN      string         `json:"urn"`
	Type     string         `json:"type"` // as in aws:rds/instance:Instance
	ID       string         `json:"id,omitempty"`
	Custom   bool           `json:"custom,omitempty"`   // a provider manages it; components are not custom
	External bool           `json:"external,omitempty"` // only read: it belongs to somebody else
	Delete   bool           `json:"delete,omitempty"`   // replaced already, and not deleted yet
	Protect  bool           `json:"protect,omitempty"`  // Pulumi refuses to delete it
	Parent   string         `json:"parent,omitempty"`   // URN
	Inputs   map[string]any `json:"inputs,omitempty"`   // what the program wanted, Mask in place of secrets
	Outputs  map[string]any `json:"outputs,omitempty"`  // what the provider answered, Mask in place of secrets
}

// state is the part of an exported state that is read here.
type state struct {
	Version    int `json:"version"`
	Deployment struct {
		Resources []Resource `json:"resources"`
	} `json:"deployment"`
}

// Export are the resources of a stack's state, in the state's order: a resource
// comes after those that it depends on. Errors: those of Outputs.
func Export(ctx context.Context, name string) ([]Resource, error) {
	s, err := export(ctx, name)
	return masked(s.Deployment.Resources), err
}

// ReadExport reads what pulumi stack export wrote to a file. Errors: the file
// cannot be read, or is something else.
func ReadExport(file string) ([]Resource, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator's own argument
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w; want what pulumi stack export prints", file, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w; want what pulumi stack export prints", file, err)
	}
	return masked(s.Deployment.Resources), nil
}

// export asks for the state with its secrets encrypted.
func export(ctx context.Context, name string) (s state, err error) {
	if err := ask(ctx, name, &s, "export"); err != nil {
		return state{}, err
	}
	if err := s.check(); err != nil {
		return state{}, fmt.Errorf("stack %s: pulumi stack export: %w", name, err)
	}
	return s, nil
}

// check refuses what is no state of the version that is read here.
func (s state) check() error {
	if s.Version < 3 || s.Version > 4 { // 4 adds features, none of which is read here
		return fmt.Errorf("state of version %d, want 3 or 4", s.Version)
	}
	return nil
}

func masked(resources []Resource) []Resource {
	for i := range resources {
		resources[i].Inputs, _ = mask(resources[i].Inputs).(map[string]any)
		resources[i].Outputs, _ = mask(resources[i].Outputs).(map[string]any)
	}
	return resources
}

// mask puts Mask in place of every secret.
func mask(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if isSecret(value) {
			return Mask
		}
		for key, inner := range value {
			value[key] = mask(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = mask(inner)
		}
	}
	return value
}

// hasSecret tells whether a value of a state is secret or has a secret inside.
func hasSecret(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		if isSecret(value) {
			return true
		}
		for _, inner := range value {
			if hasSecret(inner) {
				return true
			}
		}
	case []any:
		for _, inner := range value {
			if hasSecret(inner) {
				return true
			}
		}
	}
	return false
}

func isSecret(value map[string]any) bool { return value[signature] == secretSignature }
