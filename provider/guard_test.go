package provider

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const guardURN = resource.URN("urn:pulumi:prod::site::bluegreen:index:Guard::web")

// guarded is a Guard's checked inputs and its state.
func guarded(t *testing.T, e *engine, changes map[string]any) (inputs, state property.Map) {
	t.Helper()
	values := map[string]any{"application": "site", "deploymentGroup": "site-group", "waitForDeployment": "20ms", "deploymentGroupId": "id-1"}
	for name, value := range changes {
		values[name] = value
	}
	checked, err := e.server.Check(p.CheckRequest{Urn: guardURN, Inputs: properties(values)})
	require.NoError(t, err)
	require.Empty(t, checked.Failures)
	made, err := e.server.Create(p.CreateRequest{Urn: guardURN, Properties: checked.Inputs})
	require.NoError(t, err)
	return checked.Inputs, made.Properties
}

func TestGuardKeepsARunningDeployment(t *testing.T) {
	e := up(t)
	_, state := guarded(t, e, nil)
	e.cloud.begin("d-1", copied{})
	e.cloud.calls = nil
	err := e.server.Delete(p.DeleteRequest{ID: "site/site-group", Urn: guardURN, Properties: state})
	require.ErrorContains(t, err, "deployment d-1 (InProgress) of site-group still runs after 20ms")
	assert.Empty(t, e.cloud.changes())

	e.cloud.end("d-1", "Failed")
	require.NoError(t, e.server.Delete(p.DeleteRequest{ID: "site/site-group", Urn: guardURN, Properties: state}))
	assert.Empty(t, e.cloud.changes(), "it only looks")
}

func TestGuardStopsARunningDeploymentWhenToldTo(t *testing.T) {
	e := up(t)
	_, state := guarded(t, e, map[string]any{"stopDeploymentOnDelete": true})
	e.cloud.begin("d-1", copied{})
	require.NoError(t, e.server.Delete(p.DeleteRequest{ID: "site/site-group", Urn: guardURN, Properties: state}))
	assert.Equal(t, "Stopped", e.cloud.deployments["d-1"].Status)
}

func TestGuardFollowsItsDeploymentGroupInPlace(t *testing.T) {
	e := up(t)
	inputs, state := guarded(t, e, nil)
	for _, test := range []struct {
		change map[string]any
		want   map[string]p.PropertyDiff
	}{
		{map[string]any{"deploymentGroupId": "id-2"}, map[string]p.PropertyDiff{}},
		{map[string]any{"deploymentGroup": "other"}, map[string]p.PropertyDiff{"deploymentGroup": {Kind: p.Update, InputDiff: true}}},
	} {
		wanted, _ := guarded(t, e, test.change)
		different, err := e.server.Diff(p.DiffRequest{ID: "site/site-group", Urn: guardURN, State: state, OldInputs: inputs, Inputs: wanted})
		require.NoError(t, err)
		assert.Equal(t, test.want, different.DetailedDiff)
		assert.False(t, different.DeleteBeforeReplace)
	}
}
