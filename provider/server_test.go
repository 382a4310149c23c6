package provider

import (
	"context"
	"testing"
	"time"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var quick = Pace{Poll: time.Millisecond, Start: 40 * time.Millisecond, Cleared: 80 * time.Millisecond}

const (
	fleetURN    = resource.URN("urn:pulumi:prod::site::bluegreen:index:Fleet::web")
	identityURN = resource.URN("urn:pulumi:prod::site::bluegreen:index:Identity::web")
)

// engine drives the provider as the Pulumi engine does, through its requests.
type engine struct {
	t      *testing.T
	cloud  *fakeCloud
	server integration.Server

	id     string
	inputs property.Map // as in the state
	state  property.Map
}

func start(t *testing.T) *engine {
	t.Helper()
	cloud := newFake()
	e := &engine{t: t, cloud: cloud}
	e.server = serve(t, func(context.Context, Config) (Cloud, error) { return cloud, nil }, quick)
	return e
}

func serve(t *testing.T, connect Connector, pace Pace) integration.Server {
	t.Helper()
	built, err := New(connect, pace)
	require.NoError(t, err)
	server, err := integration.NewServer(t.Context(), Name, semver.MustParse(Version), integration.WithProvider(built))
	require.NoError(t, err)
	require.NoError(t, server.Configure(p.ConfigureRequest{Args: properties(map[string]any{"region": "us-east-2"})}))
	return server
}

func properties(values map[string]any) property.Map {
	return resource.FromResourcePropertyMap(resource.NewPropertyMapFromMap(values))
}

// program is what the Go program declares.
func program(changes ...map[string]any) property.Map {
	values := map[string]any{
		"key": "site/prod/web", "application": "site", "deploymentGroup": "site-group", "waitForDeployment": "20ms",
		"launchTemplateId": "lt-01", "instanceTypes": []any{"t3.micro", "t3a.micro"}, "onDemandPercentageAboveBaseCapacity": 50.0,
		"subnetIds": []any{"subnet-b", "subnet-a"}, "targetGroupArns": []any{targetGroup}, "minSize": 2.0, "maxSize": 4.0, "capacityRebalance": true,
		"tags":           map[string]any{"Project": "site"},
		"targetTracking": []any{map[string]any{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 50.0}},
		"schedules":      []any{map[string]any{"name": "night", "recurrence": "0 22 * * *", "desiredCapacity": 2.0, "timeZone": "UTC"}},
	}
	for _, change := range changes {
		for name, value := range change {
			values[name] = value
		}
	}
	return properties(values)
}

func (e *engine) check(news property.Map) property.Map {
	e.t.Helper()
	checked, err := e.server.Check(p.CheckRequest{Urn: fleetURN, State: e.inputs, Inputs: news})
	require.NoError(e.t, err)
	require.Empty(e.t, checked.Failures)
	return checked.Inputs
}

func (e *engine) create(news property.Map) error {
	e.t.Helper()
	checked := e.check(news)
	made, err := e.server.Create(p.CreateRequest{Urn: fleetURN, Properties: checked})
	if err == nil || made.PartialState != nil {
		e.id, e.inputs, e.state = made.ID, checked, made.Properties
	}
	return err
}

func (e *engine) diff(news property.Map) p.DiffResponse {
	e.t.Helper()
	different, err := e.server.Diff(p.DiffRequest{ID: e.id, Urn: fleetURN, State: e.state, OldInputs: e.inputs, Inputs: e.check(news)})
	require.NoError(e.t, err)
	return different
}

func (e *engine) unchanged(news property.Map) {
	e.t.Helper()
	assert.False(e.t, e.diff(news).HasChanges, "%v", e.diff(news).DetailedDiff)
}

func (e *engine) refresh() error {
	e.t.Helper()
	read, err := e.server.Read(p.ReadRequest{ID: e.id, Urn: fleetURN, Properties: e.state, Inputs: e.inputs})
	if err == nil {
		e.id, e.inputs, e.state = read.ID, read.Inputs, read.Properties
	}
	return err
}

func (e *engine) update(news property.Map) error {
	e.t.Helper()
	checked := e.check(news)
	updated, err := e.server.Update(p.UpdateRequest{ID: e.id, Urn: fleetURN, State: e.state, OldInputs: e.inputs, Inputs: checked})
	if err == nil {
		e.inputs, e.state = checked, updated.Properties
	}
	return err
}

func (e *engine) delete() error {
	return e.server.Delete(p.DeleteRequest{ID: e.id, Urn: fleetURN, Properties: e.state})
}

func (e *engine) groupName() string { return e.state.Get("groupName").AsString() }

func (e *engine) strings(output string) (all []string) {
	value := e.state.Get(output)
	if !value.IsArray() {
		return nil
	}
	for _, one := range value.AsArray().All {
		all = append(all, one.AsString())
	}
	return all
}
