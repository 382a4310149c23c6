package sdk

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder keeps every registration.
type recorder struct {
	seen map[string]pulumi.MockResourceArgs
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.seen[args.TypeToken] = args
	return args.Name + "-id", args.Inputs, nil
}

func (*recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) { return args.Args, nil }

func declare(t *testing.T, program pulumi.RunFunc) map[string]pulumi.MockResourceArgs {
	t.Helper()
	r := &recorder{seen: map[string]pulumi.MockResourceArgs{}}
	require.NoError(t, pulumi.RunErr(program, pulumi.WithMocks("site", "prod", r)))
	return r.seen
}

func TestFleet(t *testing.T) {
	two := 2
	seen := declare(t, func(ctx *pulumi.Context) error {
		release := Release{Application: pulumi.String("site"), DeploymentGroup: pulumi.String("site-group")}
		identity, err := NewIdentity(ctx, "web", IdentityArgs{Key: "site/prod/web", Release: release, LaunchTemplateID: pulumi.String("lt-1")})
		if err != nil {
			return err
		}
		_, err = NewFleet(ctx, "web", FleetArgs{
			Key: identity.Key, Release: release, LaunchTemplateID: pulumi.String("lt-1"), MinSize: pulumi.Int(0),
			TargetTracking: []TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 50}},
			Schedules:      []Schedule{{Name: "night", Recurrence: "0 22 * * *", DesiredCapacity: &two}},
		})
		return err
	})
	assert.Equal(t, resource.NewPropertyMapFromMap(map[string]any{
		"key": "site/prod/web", "application": "site", "deploymentGroup": "site-group", "launchTemplateId": "lt-1",
	}), seen[identityToken].Inputs)
	assert.Equal(t, resource.NewPropertyMapFromMap(map[string]any{
		"key": "site/prod/web", "application": "site", "deploymentGroup": "site-group", "launchTemplateId": "lt-1", "minSize": 0,
		"targetTracking": []any{map[string]any{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 50, "disableScaleIn": false}},
		"schedules":      []any{map[string]any{"name": "night", "recurrence": "0 22 * * *", "timeZone": "", "desiredCapacity": 2}},
	}), seen[fleetToken].Inputs, "what is nil is left to the provider")
	assert.True(t, seen[fleetToken].RegisterRPC.GetDeleteBeforeReplace(), "a replacement made first would adopt what is deleted next")
	for _, token := range []string{identityToken, fleetToken} {
		assert.Equal(t, []string{"key"}, seen[token].RegisterRPC.GetIgnoreChanges(), "a stack may be renamed")
		assert.Empty(t, seen[token].RegisterRPC.GetVersion(), "Pulumi.yaml names the plugin without a version")
	}
	assert.Contains(t, seen[fleetToken].RegisterRPC.GetDependencies(), "urn:pulumi:prod::site::bluegreen:index:Identity::web", "the identity is there first and goes last")
}

func TestProvider(t *testing.T) {
	seen := declare(t, func(ctx *pulumi.Context) error {
		_, err := NewProvider(ctx, "fleet", ProviderArgs{Region: pulumi.String("us-east-2")})
		return err
	})
	assert.Equal(t, resource.NewPropertyMapFromMap(map[string]any{"region": "us-east-2"}), seen["pulumi:providers:bluegreen"].Inputs)
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := NewProvider(ctx, "fleet", ProviderArgs{})
		assert.EqualError(t, err, "provider fleet: region: required, got none")
		return nil
	}, pulumi.WithMocks("site", "prod", &recorder{seen: map[string]pulumi.MockResourceArgs{}})))
}

// The program links this package, so it must stay light.
func TestImportsOnlyThePulumiSDK(t *testing.T) {
	listed, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	require.Contains(t, string(listed), "github.com/pulumi/pulumi/sdk/v3/go/pulumi\n")
	for _, name := range strings.Fields(string(listed)) {
		for _, heavy := range []string{"github.com/aws/", "github.com/pulumi/pulumi-go-provider", "github.com/pulumi/pulumi/pkg/"} {
			assert.False(t, strings.HasPrefix(name, heavy), name)
		}
	}
}
