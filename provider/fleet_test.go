package provider

import (
	"errors"
	"fmt"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// up is create, then a deployment group on the new group.
func up(t *testing.T) *engine {
	t.Helper()
	e := start(t)
	require.NoError(t, e.create(program()))
	e.cloud.exists, e.cloud.named = true, []string{e.groupName()}
	return e
}

func TestCreate(t *testing.T) {
	e := start(t)
	require.NoError(t, e.create(program()))
	assert.Equal(t, "site/prod/web", e.id)
	assert.Equal(t, bootstrapName("site/prod/web"), e.groupName())
	g := e.cloud.groups[e.groupName()]
	assert.Equal(t, "site/prod/web", g.Key)
	assert.Equal(t, map[string]string{"Project": "site"}, g.Tags)
	assert.Equal(t, "price-capacity-optimized", g.SpotAllocationStrategy)
	assert.Len(t, g.Instances, 2)
	assert.Equal(t, []TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 50}}, e.cloud.scaling[g.Name].TargetTracking)
	assert.Equal(t, []Schedule{{Name: "night", Recurrence: "0 22 * * *", DesiredCapacity: number(2)}}, e.cloud.scaling[g.Name].Schedules)
	e.unchanged(program())
	require.NoError(t, e.refresh())
	e.unchanged(program())
}

func TestBootstrapNameIsReadAtCreationOnly(t *testing.T) {
	e := start(t)
	require.NoError(t, e.create(program(map[string]any{"bootstrapName": "site-prod-EC2AutoScalingGroup"})))
	assert.Equal(t, "site-prod-EC2AutoScalingGroup", e.groupName())
	e.unchanged(program(map[string]any{"bootstrapName": "another"}))
	require.NoError(t, e.refresh())
	e.unchanged(program())
}

func TestPreviewOfCreationKnowsNothingOfTheGroup(t *testing.T) {
	e := start(t)
	made, err := e.server.Create(p.CreateRequest{Urn: fleetURN, Properties: e.check(program()), DryRun: true})
	require.NoError(t, err)
	assert.True(t, made.Properties.Get("groupName").IsComputed())
	assert.Empty(t, e.cloud.calls)
}

func TestPreviewOfUpdateKeepsTheGroupName(t *testing.T) {
	e := up(t)
	e.cloud.calls = nil
	news := e.check(program(map[string]any{"maxSize": 8.0}))
	updated, err := e.server.Update(p.UpdateRequest{ID: e.id, Urn: fleetURN, State: e.state, OldInputs: e.inputs, Inputs: news, DryRun: true})
	require.NoError(t, err)
	assert.Equal(t, e.state.Get("groupName"), updated.Properties.Get("groupName"))
	assert.Empty(t, e.cloud.calls)
}

// A killed engine has made the group and written nothing down.
func TestCreateTakesOverWhatAKilledOneMade(t *testing.T) {
	for _, hidden := range []int{0, 3} {
		t.Run(fmt.Sprintf("listed after %d looks", hidden), func(t *testing.T) {
			e := start(t)
			e.cloud.hidden = hidden
			e.cloud.fail["PutTargetTracking"] = errors.New("killed")
			e.cloud.once = true
			require.Error(t, e.create(program()))
			e.id, e.inputs, e.state = "", property.Map{}, property.Map{}

			for name := range e.cloud.groups {
				e.cloud.unseen[name] = hidden
			}
			require.NoError(t, e.create(program()))
			assert.Len(t, e.cloud.groups, 1)
			assert.Len(t, e.cloud.scaling[e.groupName()].TargetTracking, 1)
			e.unchanged(program())
		})
	}
}

func TestCreateWaitsForTheFormerGroupsEnd(t *testing.T) {
	e := up(t)
	e.cloud.groups[e.groupName()].Deleting = true
	e.cloud.linger = 3
	require.NoError(t, e.create(program()))
	assert.False(t, e.cloud.groups[e.groupName()].Deleting)
}

func TestCreateRefusesAForeignGroupOfItsName(t *testing.T) {
	e := start(t)
	e.cloud.add(Group{Name: bootstrapName("site/prod/web"), Key: "other/prod/web"})
	err := e.create(program())
	require.EqualError(t, err, `the Auto Scaling group site-prod-web-ed8cbbfb exists and its tag bluegreen:fleet is "other/prod/web"; if it is this fleet's, set the tag to site/prod/web, else rename or delete the group`)
}

func TestCreateTellsWhyNoInstanceStarts(t *testing.T) {
	e := start(t)
	e.cloud.barren = true
	err := e.create(program())
	require.Error(t, err)
	assert.Equal(t, bootstrapName("site/prod/web"), e.groupName(), "the state knows the group all the same")
	made, _ := e.server.Create(p.CreateRequest{Urn: fleetURN, Properties: e.check(program())})
	require.NotNil(t, made.PartialState)
}

func TestReleases(t *testing.T) {
	for _, test := range []struct {
		name string
		what copied
		lost int
	}{
		{"all is copied", copied{}, 0},
		{"no tags", copied{noTags: true}, 2},
		{"no target groups", copied{noTargetGroups: true}, 1},
		{"no policies", copied{noPolicies: true}, 2},
		{"no mixed instances policy", copied{noMix: true}, 3},
		{"nothing", copied{true, true, true, true}, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := up(t)
			for n := range 10 {
				e.cloud.release(fmt.Sprintf("d-%d", n), test.what)
				e.unchanged(program())
				if n%2 == 0 {
					require.NoError(t, e.refresh())
					e.unchanged(program())
					assert.Equal(t, fmt.Sprintf("CodeDeploy_site-group_d-%d", n), e.groupName())
					assert.Len(t, e.strings("lost"), test.lost, "%v", e.strings("lost"))
				}
			}
			// From a state that never saw the last release, an edit reaches the live group whole.
			edited := program(map[string]any{"maxSize": 8.0, "instanceTypes": []any{"m7i.large"}})
			assert.True(t, e.diff(edited).HasChanges)
			require.NoError(t, e.update(edited))
			assert.Equal(t, "CodeDeploy_site-group_d-9", e.groupName())
			g := e.cloud.groups[e.groupName()]
			assert.Equal(t, 8, g.MaxSize)
			assert.Equal(t, []string{"m7i.large"}, g.InstanceTypes)
			assert.Equal(t, "site/prod/web", g.Key)
			assert.Equal(t, map[string]string{"Project": "site"}, g.Tags)
			assert.Equal(t, []string{targetGroup}, g.TargetGroupARNs)
			assert.Len(t, e.cloud.scaling[g.Name].TargetTracking, 1)
			assert.Len(t, e.cloud.scaling[g.Name].Schedules, 1)
			require.NoError(t, e.refresh())
			assert.Empty(t, e.strings("lost"))
			e.unchanged(edited)

			require.NoError(t, e.delete())
			assert.Empty(t, e.cloud.groups)
		})
	}
}

func TestLossesAreADifferenceOnRequest(t *testing.T) {
	e := up(t)
	e.cloud.release("d-1", copied{noTags: true, noTargetGroups: true})
	require.NoError(t, e.refresh())
	wanted := program(map[string]any{"copyLosses": "repair"})
	require.True(t, e.diff(wanted).HasChanges)
	require.NoError(t, e.update(wanted))
	assert.Equal(t, []string{targetGroup}, e.cloud.groups[e.groupName()].TargetGroupARNs)
	e.unchanged(wanted)
	require.NoError(t, e.refresh())
	e.unchanged(wanted)
}

func TestRefresh(t *testing.T) {
	t.Run("a change by hand", func(t *testing.T) {
		e := up(t)
		e.cloud.groups[e.groupName()].MaxSize = 9
		require.NoError(t, e.refresh())
		assert.Contains(t, e.diff(program()).DetailedDiff, "maxSize")
		require.NoError(t, e.update(program()))
		assert.Equal(t, 4, e.cloud.groups[e.groupName()].MaxSize)
	})
	// Somebody gave the group a plain launch template, or an older group was
	// put in the deployment group's place.
	t.Run("no instance types", func(t *testing.T) {
		e := up(t)
		live := e.cloud.groups[e.groupName()]
		live.Mixed, live.InstanceTypes = false, nil
		require.NoError(t, e.refresh())
		require.NoError(t, e.refresh(), "the state is still readable")
		assert.Contains(t, e.diff(program()).DetailedDiff, "instanceTypes")
		require.NoError(t, e.update(program()))
		assert.Equal(t, []string{"t3.micro", "t3a.micro"}, live.InstanceTypes)
		require.NoError(t, e.refresh())
		e.unchanged(program())
		live.InstanceTypes = nil
		require.NoError(t, e.refresh())
		require.NoError(t, e.delete())
	})
	t.Run("scaled out", func(t *testing.T) {
		e := up(t)
		e.cloud.groups[e.groupName()].DesiredCapacity = 4
		require.NoError(t, e.refresh())
		e.unchanged(program())
	})
	t.Run("deleted by hand", func(t *testing.T) {
		e := up(t)
		require.NoError(t, e.cloud.DeleteGroup(t.Context(), e.groupName()))
		require.NoError(t, e.refresh())
		assert.Empty(t, e.id)
	})
	t.Run("during a release", func(t *testing.T) {
		e := up(t)
		blue := e.groupName()
		e.cloud.begin("d-1", copied{})
		e.cloud.groups[blue].TargetGroupARNs, e.cloud.groups[blue].MaxSize = nil, 1
		require.NoError(t, e.refresh())
		assert.Equal(t, blue, e.groupName())
		assert.Empty(t, e.strings("leftovers"))
		e.unchanged(program())
	})
	t.Run("after a failed release", func(t *testing.T) {
		e := up(t)
		green := e.cloud.begin("d-1", copied{})
		e.cloud.end("d-1", "Failed")
		require.NoError(t, e.refresh())
		assert.Equal(t, bootstrapName("site/prod/web"), e.groupName())
		assert.Equal(t, []string{green}, e.strings("leftovers"))
		e.unchanged(program())
	})
	t.Run("deployment group deleted by hand", func(t *testing.T) {
		e := up(t)
		e.cloud.release("d-1", copied{})
		e.cloud.exists, e.cloud.named = false, nil
		require.NoError(t, e.refresh())
		assert.Equal(t, "CodeDeploy_site-group_d-1", e.groupName())
		e.unchanged(program())
	})
	for _, method := range []string{"DeploymentGroup", "Running", "Groups", "Scaling", "Deployment "} {
		t.Run("unreadable "+method, func(t *testing.T) {
			e := up(t)
			e.cloud.release("d-1", copied{})
			e.cloud.fail[method] = errors.New("AccessDenied")
			assert.ErrorContains(t, e.refresh(), "AccessDenied")
		})
	}
}
