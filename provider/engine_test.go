package provider

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bluegreen/provider/sdk"
	"bluegreen/sandbox/parts/partstest"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declaration is a program with nothing but a fleet.
func (a *account) declaration(maxSize int) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		provider, err := sdk.NewProvider(ctx, "fleet", sdk.ProviderArgs{
			Region: pulumi.String("us-east-2"), Endpoint: pulumi.String(a.url),
			AllowedAccountIDs: pulumi.ToStringArray([]string{"123456789012"}),
		})
		if err != nil {
			return err
		}
		release := sdk.Release{Application: pulumi.String("site"), DeploymentGroup: pulumi.String("site-group"), WaitForDeployment: pulumi.String("1s")}
		identity, err := sdk.NewIdentity(ctx, "web", sdk.IdentityArgs{
			Key: ctx.Project() + "/" + ctx.Stack() + "/web", Release: release,
			LaunchTemplateID: pulumi.String(a.template), DeleteBefore: pulumi.ToStringArray(a.subnets),
		}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		night := 1
		fleet, err := sdk.NewFleet(ctx, "web", sdk.FleetArgs{
			Key: identity.Key, Release: release, LaunchTemplateID: pulumi.String(a.template),
			InstanceTypes:                       pulumi.ToStringArray([]string{"t3.micro", "t3a.micro"}),
			OnDemandPercentageAboveBaseCapacity: pulumi.Int(0),
			CapacityRebalance:                   pulumi.Bool(true),
			SubnetIDs:                           pulumi.ToStringArray(a.subnets),
			TargetGroupARNs:                     pulumi.ToStringArray([]string{a.targetGroup}),
			MinSize:                             pulumi.Int(1), MaxSize: pulumi.Int(maxSize),
			Tags:           pulumi.ToStringMap(map[string]string{"Project": "site"}),
			TargetTracking: []sdk.TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 50}},
			Schedules:      []sdk.Schedule{{Name: "night", Recurrence: "0 22 * * *", TimeZone: "Europe/Berlin", DesiredCapacity: &night}},
		}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		ctx.Export("group", fleet.GroupName)
		return nil
	}
}

// stack is a Pulumi stack on this machine, which finds the plugin as a fresh
// clone does.
func stack(t *testing.T, program pulumi.RunFunc) auto.Stack {
	t.Helper()
	launcher, err := filepath.Abs("../cmd/pulumi-resource-bluegreen/plugin")
	require.NoError(t, err)
	home := t.TempDir()
	created, err := auto.UpsertStackInlineSource(t.Context(), "prod", "site", program,
		auto.WorkDir(t.TempDir()), auto.PulumiHome(home),
		auto.Project(workspace.Project{
			Name: tokens.PackageName("site"), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + home},
			Plugins: &workspace.Plugins{Providers: []workspace.PluginOptions{{Name: Name, Path: launcher}}},
		}),
		auto.EnvVars(map[string]string{
			"PULUMI_CONFIG_PASSPHRASE": "test", "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		}))
	require.NoError(t, err)
	return created
}

func TestWithTheEngine(t *testing.T) {
	t.Setenv("PATH", filepath.Dir(partstest.Tools(t).Pulumi)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	a := emulated(t)
	s := stack(t, a.declaration(4))
	up := func() string {
		t.Helper()
		done, err := s.Up(t.Context())
		require.NoError(t, err)
		return done.Outputs["group"].Value.(string)
	}
	live := up()
	assert.Equal(t, bootstrapName("site/prod/web"), live)
	a.point(live)

	for n, whole := range []bool{true, false} {
		live = a.release(t, live, []string{"d-1", "d-2"}[n], whole)
		for _, options := range [][]optpreview.Option{{optpreview.ExpectNoChanges()}, {optpreview.ExpectNoChanges(), optpreview.Refresh()}} {
			seen, err := s.Preview(t.Context(), options...)
			require.NoError(t, err, seen.StdOut)
		}
		_, err := s.Up(t.Context(), optup.ExpectNoChanges(), optup.Refresh())
		require.NoError(t, err)
	}
	s.Workspace().SetProgram(a.declaration(6))
	assert.Equal(t, live, up())
	groups, _ := a.all(t)
	require.Len(t, groups, 1)
	assert.EqualValues(t, 6, *groups[0].MaxSize)
	assert.Equal(t, []string{a.targetGroup}, groups[0].TargetGroupARNs)

	forget(t, s, "bluegreen:index:Fleet")
	a.point("")
	_, err := s.Destroy(t.Context())
	require.NoError(t, err)
	groups, instances := a.all(t)
	assert.Empty(t, groups, "a destroy alone removes the group that the state had lost")
	assert.Zero(t, instances)
}

// forget takes the resources of a type out of the state, as if the engine had
// been killed before it wrote them down.
func forget(t *testing.T, s auto.Stack, token string) {
	t.Helper()
	exported, err := s.Export(t.Context())
	require.NoError(t, err)
	var state apitype.DeploymentV3
	require.NoError(t, json.Unmarshal(exported.Deployment, &state))
	before := len(state.Resources)
	state.Resources = slices.DeleteFunc(state.Resources, func(r apitype.ResourceV3) bool { return string(r.Type) == token })
	require.Len(t, state.Resources, before-1)
	exported.Deployment, err = json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, s.Import(t.Context(), exported))
}
