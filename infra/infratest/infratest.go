// Package infratest runs components and stacks against recording mocks.
//
// The recorder answers every registration as a provider would, with an id and
// the outputs that later resources read, and keeps what was registered. Tests
// assert on the recorded graph.
package infratest

import (
	"sort"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Region and Account are where the mocks pretend to be.
const (
	Region  = "us-east-2"
	Account = "123456789012"
)

// Resource is one registration as the engine would have seen it.
type Resource struct {
	Type         string
	Name         string
	Inputs       resource.PropertyMap
	Custom       bool
	Parent       string // URN
	Provider     string
	Protect      bool
	Retain       bool
	Aliases      int
	Ignore       []string
	Dependencies []string // URNs
}

// Text returns a string input, secret or not, and "" if it is absent,
// unknown or of another type.
func (r Resource) Text(key resource.PropertyKey) string {
	value := plain(r.Inputs[key])
	if value.IsString() {
		return value.StringValue()
	}
	return ""
}

// Value returns an input with its secret wrapping taken off.
func (r Resource) Value(key resource.PropertyKey) resource.PropertyValue { return plain(r.Inputs[key]) }

func plain(v resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case v.IsSecret():
			v = v.SecretValue().Element
		case v.IsOutput():
			v = v.OutputValue().Element
		default:
			return v
		}
	}
}

// Call is one invocation of a provider function.
type Call struct {
	Token string
	Args  resource.PropertyMap
}

// Recorder is a pulumi.MockResourceMonitor. The zero value is ready.
type Recorder struct {
	// Fail, when set, is asked before each registration; an error it returns
	// is the registration's.
	Fail func(pulumi.MockResourceArgs) error
	// Withhold answers without ids and computed outputs, as a preview of a
	// stack that does not exist yet does, but for what secrets are made of.
	// Use it with Preview.
	Withhold bool

	mutex     sync.Mutex
	resources []Resource
	calls     []Call
}

// NewResource records a registration and answers it.
func (r *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if r.Fail != nil {
		if err := r.Fail(args); err != nil {
			return "", nil, err
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	rpc := args.RegisterRPC
	if rpc == nil { // a read of an existing resource
		rpc = &pulumirpc.RegisterResourceRequest{}
	}
	r.resources = append(r.resources, Resource{
		Type: args.TypeToken, Name: args.Name, Inputs: args.Inputs, Custom: args.Custom,
		Parent: rpc.GetParent(), Provider: args.Provider, Protect: rpc.GetProtect(),
		Retain: rpc.GetRetainOnDelete(), Aliases: len(rpc.GetAliases()),
		Ignore: rpc.GetIgnoreChanges(), Dependencies: rpc.GetDependencies(),
	})
	if r.Withhold {
		return "", withheld(args), nil
	}
	id := args.Name + "-id"
	return id, outputs(args, id), nil
}

// Resources returns what was registered, sorted by type and name:
// registration is concurrent, its order says nothing.
func (r *Recorder) Resources() []Resource {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	sorted := append([]Resource(nil), r.resources...)
	sort.Slice(sorted, func(i, j int) bool {
		if sorted[i].Type != sorted[j].Type {
			return sorted[i].Type < sorted[j].Type
		}
		return sorted[i].Name < sorted[j].Name
	})
	return sorted
}

// OfType returns the registrations of one type, sorted by name.
func (r *Recorder) OfType(token string) (found []Resource) {
	for _, res := range r.Resources() {
		if res.Type == token {
			found = append(found, res)
		}
	}
	return found
}

// Named returns the registration whose type and name fit, and whether there
// is one.
func (r *Recorder) Named(token, name string) (Resource, bool) {
	for _, res := range r.OfType(token) {
		if res.Name == name {
			return res, true
		}
	}
	return Resource{}, false
}

// Calls returns the provider functions that were called, sorted by token.
func (r *Recorder) Calls() []Call {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	sorted := append([]Call(nil), r.calls...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Token < sorted[j].Token })
	return sorted
}

// Run runs program as stack "test" of project "bluegreen".
func (r *Recorder) Run(program pulumi.RunFunc, options ...pulumi.RunOption) error {
	options = append([]pulumi.RunOption{pulumi.WithMocks("bluegreen", "test", r)}, options...)
	return pulumi.RunErr(program, options...)
}

// Preview makes a run a preview.
func Preview(info *pulumi.RunInfo) { info.DryRun = true }

// Root sets the folder that the program reads its own files from.
func Root(folder string) pulumi.RunOption {
	return func(info *pulumi.RunInfo) { info.RootDirectory = folder }
}

// Stack sets the stack's name and its configuration, keys with namespace, as
// in "bluegreen:project". Keys listed in secret are marked so.
func Stack(name string, config map[string]string, secret ...string) pulumi.RunOption {
	return func(info *pulumi.RunInfo) {
		info.Stack, info.Config, info.ConfigSecretKeys = name, config, secret
	}
}
