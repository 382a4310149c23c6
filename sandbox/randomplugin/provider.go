package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// provider answers the engine. It keeps nothing: what was drawn is in the state.
type provider struct {
	plugin.UnimplementedProvider
}

func (*provider) Pkg() tokens.Package { return "random" }

// Handshake declines secrets as inputs, so that the engine itself keeps outputs
// secret whose inputs are.
func (*provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{}, nil
}

func (*provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v := semver.MustParse(version)
	return plugin.PluginInfo{Version: &v}, nil
}

func (*provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: []byte(`{"name":"random"}`)}, nil
}

func (*provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (*provider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffConfigResponse{Changes: plugin.DiffNone}, nil
}

func (*provider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (*provider) SignalCancellation(context.Context) error { return nil }

func (*provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	k, err := kindOf(req.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	answer := plugin.CheckResponse{Properties: req.News}
	if !req.News.ContainsUnknowns() {
		if _, err := k.parse(k.complete(req.News)); err != nil {
			answer.Failures = []plugin.CheckFailure{{Reason: err.Error()}}
		}
	}
	return answer, nil
}

// Diff replaces on every change: a value that was drawn for other inputs is not
// a value for these.
func (*provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	k, err := kindOf(req.Type)
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	changes := k.complete(req.OldInputs).Diff(k.complete(req.NewInputs))
	if changes == nil {
		return plugin.DiffResponse{Changes: plugin.DiffNone}, nil
	}
	keys := slices.DeleteFunc(changes.ChangedKeys(), func(key resource.PropertyKey) bool {
		return slices.Contains(req.IgnoreChanges, string(key))
	})
	if len(keys) == 0 {
		return plugin.DiffResponse{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResponse{Changes: plugin.DiffSome, ChangedKeys: keys, ReplaceKeys: keys}, nil
}

func (*provider) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	k, err := kindOf(req.Type)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	state := k.complete(req.Properties)
	if req.Preview {
		for _, key := range k.results {
			state[key] = k.seal(resource.MakeComputed(resource.NewStringProperty("")))
		}
		return plugin.CreateResponse{Properties: state}, nil
	}
	inputs, err := k.parse(state)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	id, results, err := inputs.draw()
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	for key, value := range results {
		state[key] = k.seal(value)
	}
	return plugin.CreateResponse{ID: id, Properties: state}, nil
}

// Read returns what the state has; there is nothing else to look at.
func (*provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	k, err := kindOf(req.Type)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if len(req.State) == 0 {
		return plugin.ReadResponse{}, fmt.Errorf("%s: import: this stand-in of the random plugin cannot import; use the official plugin", req.URN.Name())
	}
	for _, key := range k.results {
		req.State[key] = k.seal(req.State[key])
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}}, nil
}

func (*provider) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, nil
}
