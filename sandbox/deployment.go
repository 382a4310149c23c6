package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// deployment reads the stack's state with its secrets encrypted; the Automation
// API's own export would decrypt them.
func (s *Sandbox) deployment(ctx context.Context, record server) (apitype.DeploymentV3, error) {
	stdout, stderr, _, err := s.cli(record).Run(ctx, s.path(workspaceFolder), nil, nil, nil, nil, "stack", "export", "--stack", s.Stack)
	if err != nil {
		return apitype.DeploymentV3{}, fmt.Errorf("read the state: %w: %s", err, stderr)
	}
	var exported struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal([]byte(stdout), &exported); err != nil {
		return apitype.DeploymentV3{}, fmt.Errorf("read the state: %w", err)
	}
	return exported.Deployment, nil
}

// secretText stands for a secret value wherever outputs are shown.
const secretText = "[secret]"

// outputs are the stack's outputs, secrets concealed.
func outputs(state apitype.DeploymentV3) map[string]any {
	for _, r := range state.Resources {
		if r.Type == "pulumi:pulumi:Stack" {
			shown := make(map[string]any, len(r.Outputs))
			for name, value := range r.Outputs {
				shown[name] = conceal(value)
			}
			return shown
		}
	}
	return map[string]any{}
}

// conceal replaces what the state marks as secret, at any depth.
func conceal(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if v[resource.SigKey] == resource.SecretSig {
			return secretText
		}
		shown := make(map[string]any, len(v))
		for key, inner := range v {
			shown[key] = conceal(inner)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i, inner := range v {
			shown[i] = conceal(inner)
		}
		return shown
	default:
		return value
	}
}

// Component is a part of the platform and what it is made of.
type Component struct {
	Name      string         `json:"name"`
	Resources int            `json:"resources"`
	Types     map[string]int `json:"types"` // how many of each type
}

// components counts the resources of each component: the children of the stack.
// What has no component above it counts for the stack.
func components(state apitype.DeploymentV3) []Component {
	parents := map[resource.URN]resource.URN{}
	for _, r := range state.Resources {
		parents[r.URN] = r.Parent
	}
	all := map[string]*Component{}
	for _, r := range state.Resources {
		if !r.Custom || r.Delete || strings.HasPrefix(string(r.Type), "pulumi:") {
			continue
		}
		name := componentOf(r.URN, parents)
		if all[name] == nil {
			all[name] = &Component{Name: name, Types: map[string]int{}}
		}
		all[name].Resources++
		all[name].Types[string(r.Type)]++
	}
	list := make([]Component, 0, len(all))
	for _, c := range all {
		list = append(list, *c)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// componentOf climbs to the resource below the stack and says what it is.
func componentOf(at resource.URN, parents map[resource.URN]resource.URN) string {
	for parent := parents[at]; parent != "" && parent.Type() != "pulumi:pulumi:Stack"; parent = parents[parent] {
		at = parent
	}
	if _, known := parents[at]; !known || strings.Contains(string(at.Type()), "/") {
		return "(stack)" // a resource of a provider, such as aws:ec2/vpc:Vpc
	}
	return strings.ToLower(at.Type().Name().String())
}

func total(list []Component) (resources int) {
	for _, c := range list {
		resources += c.Resources
	}
	return resources
}
