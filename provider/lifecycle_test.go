package provider

import (
	"context"
	"errors"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUpdateDuringARelease(t *testing.T) {
	edited := program(map[string]any{"maxSize": 8.0})
	t.Run("refused when it lasts", func(t *testing.T) {
		e := up(t)
		e.cloud.begin("d-1", copied{})
		e.cloud.calls = nil
		require.EqualError(t, e.update(edited), "deployment d-1 (InProgress) of site-group still runs after 20ms, and the update would pull the fleet from under it; wait for its end and run again, raise waitForDeployment (release.waitForDeploymentMinutes of the stack), or stop it with: aws deploy stop-deployment --deployment-id d-1")
		assert.Empty(t, e.cloud.changes())
	})
	t.Run("patience that changes with it counts", func(t *testing.T) {
		e := up(t)
		require.NoError(t, e.update(program(map[string]any{"waitForDeployment": "24h"})))
		e.cloud.begin("d-1", copied{})
		require.ErrorContains(t, e.update(program(map[string]any{"maxSize": 8.0, "waitForDeployment": "0s"})), "still runs after 0s")
	})
	t.Run("waits for its end", func(t *testing.T) {
		e := up(t)
		green := e.cloud.begin("d-1", copied{})
		time.AfterFunc(5*time.Millisecond, func() {
			e.cloud.lock.Lock()
			defer e.cloud.lock.Unlock()
			e.cloud.named = []string{green}
			e.cloud.end("d-1", "Succeeded")
		})
		require.NoError(t, e.update(program(map[string]any{"maxSize": 8.0, "waitForDeployment": "20ms"})))
		assert.Equal(t, green, e.groupName())
		assert.Equal(t, 8, e.cloud.groups[green].MaxSize)
	})
	t.Run("settings of the deployment group wait, and get the name of the day", func(t *testing.T) {
		e := up(t)
		green := e.cloud.begin("d-1", copied{})
		changed := map[string]any{"releaseSettings": "terminationWait 11"}
		require.ErrorContains(t, e.update(program(changed)), "deployment d-1 (InProgress) of site-group still runs")
		e.cloud.named = []string{green}
		e.cloud.end("d-1", "Succeeded")
		require.NoError(t, e.update(program(changed)))
		assert.Equal(t, green, e.groupName())
		e.unchanged(program(changed))
	})
	t.Run("what does not touch AWS does not wait", func(t *testing.T) {
		e := up(t)
		e.cloud.begin("d-1", copied{})
		e.cloud.calls = nil
		require.NoError(t, e.update(program(map[string]any{"stopDeploymentOnDelete": true})))
		assert.Empty(t, e.cloud.calls)
		assert.True(t, e.state.Get("stopDeploymentOnDelete").AsBool())
	})
}

func TestUpdateTakesAwayAPartOfASchedule(t *testing.T) {
	e := up(t)
	night := func(size string) property.Map {
		return program(map[string]any{"schedules": []any{map[string]any{"name": "night", "recurrence": "0 22 * * *", size: 3.0}}})
	}
	require.NoError(t, e.update(night("minSize")))
	require.NoError(t, e.update(night("maxSize")))
	assert.Equal(t, []Schedule{{Name: "night", Recurrence: "0 22 * * *", MaxSize: number(3)}}, e.cloud.scaling[e.groupName()].Schedules)
	require.NoError(t, e.refresh())
	e.unchanged(night("maxSize"))
}

func TestUpdateTakesAwayWhatIsDeclaredNoMore(t *testing.T) {
	e := up(t)
	g := e.cloud.groups[e.groupName()]
	g.Tags["cost"] = "42"
	e.cloud.scaling[g.Name].TargetTracking = append(e.cloud.scaling[g.Name].TargetTracking, TargetTracking{Name: "theirs"})
	require.NoError(t, e.update(program(map[string]any{
		"tags": map[string]any{"Team": "web"}, "targetTracking": []any{}, "schedules": []any{}, "targetGroupArns": []any{},
	})))
	assert.Equal(t, map[string]string{"Team": "web", "cost": "42"}, g.Tags)
	assert.Equal(t, []TargetTracking{{Name: "theirs"}}, e.cloud.scaling[g.Name].TargetTracking)
	assert.Empty(t, e.cloud.scaling[g.Name].Schedules)
	assert.Empty(t, g.TargetGroupARNs)
	require.NoError(t, e.refresh())
	e.unchanged(program(map[string]any{"tags": map[string]any{"Team": "web"}, "targetTracking": []any{}, "schedules": []any{}, "targetGroupArns": []any{}}))
}

func TestUpdateMakesAVanishedGroupAgain(t *testing.T) {
	e := up(t)
	e.cloud.release("d-1", copied{})
	require.NoError(t, e.cloud.DeleteGroup(t.Context(), "CodeDeploy_site-group_d-1"))
	require.NoError(t, e.update(program(map[string]any{"maxSize": 8.0})))
	assert.Equal(t, bootstrapName("site/prod/web"), e.groupName())
}

// The deployment group's name changes after the fleet's update: until then
// AWS knows the old one.
func TestUpdateLooksWithTheNamesThatAWSKnows(t *testing.T) {
	e := up(t)
	e.cloud.release("d-1", copied{noTags: true})
	require.NoError(t, e.update(program(map[string]any{"deploymentGroup": "renamed"})))
	assert.Equal(t, "CodeDeploy_site-group_d-1", e.groupName())
	assert.Equal(t, "site/prod/web", e.cloud.groups[e.groupName()].Key)
}

func TestDelete(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*engine)
		err     string
	}{
		{"the first group", func(*engine) {}, ""},
		{"nothing left", func(e *engine) { clear(e.cloud.groups) }, ""},
		{"deployment group gone, as in a destroy", func(e *engine) { e.cloud.exists, e.cloud.named = false, nil }, ""},
		{"straight after a release", func(e *engine) { e.cloud.release("d-1", copied{}) }, ""},
		{"after a release that copied nothing", func(e *engine) { e.cloud.release("d-1", copied{true, true, true, true}) }, ""},
		{"with leftovers", func(e *engine) {
			e.cloud.begin("d-1", copied{})
			e.cloud.end("d-1", "Failed")
			e.cloud.begin("d-2", copied{noTags: true})
			e.cloud.end("d-2", "Stopped")
		}, ""},
		{"slowly", func(e *engine) { e.cloud.linger = 4 }, ""},
		{"instances that outlive their group", func(e *engine) { e.cloud.outlive = 5 }, ""},
		{"a group that is busy at first", func(e *engine) { e.cloud.fail["DeleteGroup"], e.cloud.once = ErrGroupBusy, true }, ""},
		{
			"during a release", func(e *engine) { e.cloud.begin("d-1", copied{}) },
			"deployment d-1 (InProgress) of site-group still runs after 20ms, and the deletion would pull the fleet from under it; wait for its end and run again, raise waitForDeployment (release.waitForDeploymentMinutes of the stack), or stop it with: aws deploy stop-deployment --deployment-id d-1",
		},
		{"stopping a release", func(e *engine) {
			e.cloud.begin("d-1", copied{})
			require.NoError(e.t, e.update(program(map[string]any{"stopDeploymentOnDelete": true})))
		}, ""},
		{"denied", func(e *engine) { e.cloud.fail["DeleteGroup"] = errors.New("AccessDenied") }, "delete group site-prod-web-ed8cbbfb: AccessDenied"},
		{"never done", func(e *engine) { e.cloud.linger = 1 << 20 }, "after 80ms there still are groups (site-prod-web-ed8cbbfb) and instances (i-1-0, i-1-1) of fleet site/prod/web; run again, or look at the groups' activity in the console"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := up(t)
			test.prepare(e)
			e.cloud.add(Group{Name: "theirs", Key: "other/prod/web"})
			e.cloud.add(Group{Name: "CodeDeploy_site-group_d-0", Shape: Shape{LaunchTemplateID: "lt-99"}})
			err := e.delete()
			if test.err != "" {
				require.EqualError(t, err, test.err)
				assert.NotEmpty(t, e.cloud.groups[bootstrapName("site/prod/web")])
				return
			}
			require.NoError(t, err)
			assert.Len(t, e.cloud.groups, 2, "only what belongs to others is left")
			assert.Zero(t, e.cloud.outlive, "what the instances use is free")
			require.NoError(t, e.delete(), "again")
		})
	}
}

func TestCancelEndsAWait(t *testing.T) {
	e := up(t)
	e.cloud.linger = 1 << 20
	slow := quick
	slow.Cleared = time.Hour
	e.server = serve(t, func(context.Context, Config) (Cloud, error) { return e.cloud, nil }, slow)
	time.AfterFunc(20*time.Millisecond, func() { assert.NoError(t, e.server.Cancel()) })
	assert.ErrorIs(t, e.delete(), context.Canceled)
}

// An engine that is killed during the first creation leaves a group that the
// state does not know; the identity is in the state already.
func TestIdentitySweepsWhatTheStateDoesNotKnow(t *testing.T) {
	e := start(t)
	inputs := properties(map[string]any{
		"key": "site/prod/web", "application": "site", "deploymentGroup": "site-group", "launchTemplateId": "lt-01", "deleteBefore": []any{"subnet-a"},
	})
	checked, err := e.server.Check(p.CheckRequest{Urn: identityURN, Inputs: inputs})
	require.NoError(t, err)
	require.Empty(t, checked.Failures)
	made, err := e.server.Create(p.CreateRequest{Urn: identityURN, Properties: checked.Inputs})
	require.NoError(t, err)
	assert.Equal(t, "site/prod/web", made.ID)
	assert.Empty(t, e.cloud.calls, "nothing is made in AWS")

	require.NoError(t, e.create(program()))
	moved, err := e.server.Diff(p.DiffRequest{
		ID: made.ID, Urn: identityURN, State: made.Properties, OldInputs: checked.Inputs,
		Inputs: checked.Inputs.Set("deleteBefore", property.New([]property.Value{property.New("subnet-c")})),
	})
	require.NoError(t, err)
	assert.False(t, moved.HasChanges, "what only sets the order is no difference")

	require.NoError(t, e.server.Delete(p.DeleteRequest{ID: made.ID, Urn: identityURN, Properties: made.Properties}))
	assert.Empty(t, e.cloud.groups)
}

func TestImport(t *testing.T) {
	args := arguments()
	for _, test := range []struct {
		name string
		id   string
		key  string
		err  string
	}{
		{"marked", "site/site-group/site/prod/web", "site/prod/web", ""},
		{"not marked", "site/site-group/site/prod/web", "", "deployment group site-group names the Auto Scaling group by-hand, which has no tag bluegreen:fleet; if it is this fleet's, add the tag with the value site/prod/web"},
		{"malformed", "by-hand", "", `import id: want application/deployment-group/project/stack/name, got "by-hand"; the group must carry the tag bluegreen:fleet with the last three as its value`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t)
			g := Group{Name: "by-hand", Key: test.key, Shape: args.Shape, DesiredCapacity: 2}
			g.LaunchTemplateID = "lt-01"
			e.cloud.add(g)
			e.cloud.groups["by-hand"].Tags["aws:made"] = "by AWS"
			e.cloud.exists, e.cloud.named = true, []string{"by-hand"}
			read, err := e.server.Read(p.ReadRequest{ID: test.id, Urn: fleetURN})
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
			e.id, e.inputs, e.state = read.ID, read.Inputs, read.Properties
			assert.Equal(t, test.id, e.id, "with another one, an import option that is left in the program would replace the fleet")
			assert.Equal(t, "site/prod/web", e.state.Get("key").AsString())
			assert.Equal(t, "by-hand", e.groupName())
			wanted := program(map[string]any{"tags": map[string]any{"Project": "site", "Name": "web"}, "waitForDeployment": "30m"})
			e.unchanged(wanted)
			require.NoError(t, e.update(program()))
			assert.Len(t, e.cloud.groups, 1)
		})
	}
}

func TestOnlyAnotherKeyReplaces(t *testing.T) {
	e := up(t)
	for name, value := range map[string]any{
		"maxSize": 9.0, "launchTemplateId": "lt-02", "subnetIds": []any{"subnet-z"}, "application": "other", "deploymentGroup": "other", "healthCheckType": "ELB",
	} {
		different := e.diff(program(map[string]any{name: value}))
		assert.True(t, different.HasChanges, name)
		assert.Equal(t, p.PropertyDiff{Kind: p.Update, InputDiff: true}, different.DetailedDiff[name], name)
	}
	different := e.diff(program(map[string]any{"key": "site/new/web"}))
	assert.Equal(t, p.UpdateReplace, different.DetailedDiff["key"].Kind)
	assert.True(t, different.DeleteBeforeReplace)
}

func TestProviderConfigurationNeverReplaces(t *testing.T) {
	e := up(t)
	configured := func(values map[string]any) property.Map {
		checked, err := e.server.CheckConfig(p.CheckRequest{Inputs: properties(values)})
		require.NoError(t, err)
		require.Empty(t, checked.Failures)
		return checked.Inputs
	}
	old := configured(map[string]any{"region": "us-east-2", "endpoint": "http://127.0.0.1:1"})
	for _, test := range []struct {
		name string
		news property.Map
		want bool
	}{
		{"nothing", old, false},
		{"plugin version", old.Set("version", property.New("9.9.9")).Set("__pulumi-go-provider-version", property.New("2.0.0")), false},
		{"endpoint", configured(map[string]any{"region": "us-east-2", "endpoint": "http://127.0.0.1:2"}), true},
		{"profile", old.Set("profile", property.New("ops")), true},
		{"region", old.Set("region", property.New("eu-west-1")), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			different, err := e.server.DiffConfig(p.DiffRequest{State: old.Set("version", property.New("1.0.0")), Inputs: test.news})
			require.NoError(t, err)
			assert.Equal(t, test.want, different.HasChanges)
			for name, detail := range different.DetailedDiff {
				assert.Equal(t, p.Update, detail.Kind, name)
			}
		})
	}
	require.NoError(t, e.server.Configure(p.ConfigureRequest{Args: properties(map[string]any{"region": "eu-west-1"})}))
	const refused = "the fleet is in us-east-2, the provider is configured for eu-west-1; set the region back, or destroy the fleet there first"
	assert.EqualError(t, e.refresh(), refused)
	assert.EqualError(t, e.delete(), refused)
	assert.EqualError(t, e.update(program(map[string]any{"maxSize": 9.0})), refused)
}

func TestSchema(t *testing.T) {
	e := start(t)
	schema, err := e.server.GetSchema(p.GetSchemaRequest{})
	require.NoError(t, err)
	for _, token := range []string{"bluegreen:index:Fleet", "bluegreen:index:Identity", "bluegreen:index:Guard"} {
		assert.Contains(t, schema.Schema, `"`+token+`"`)
	}
}
