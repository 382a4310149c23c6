package release

import (
	"fmt"
	"time"

	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// longestPatience is ours: CodeDeploy keeps original instances for two days at
// most, but nobody watches an update for that long.
const longestPatience = 24 * 60

// checkPatience reads how this stack and its releases keep out of each other's
// way.
func (s Spec) checkPatience() error {
	if s.WaitForDeploymentMinutes < 0 || s.WaitForDeploymentMinutes > longestPatience {
		return fmt.Errorf("waitForDeploymentMinutes: want 0 to %d, got %d", longestPatience, s.WaitForDeploymentMinutes)
	}
	return nil
}

// Tie is how the fleet and the deployment group hang together, for those that
// have to keep out of a running release's way.
func (s Spec) Tie(application, deploymentGroup string) sdk.Release {
	return sdk.Release{
		Application: pulumi.String(application), DeploymentGroup: pulumi.String(deploymentGroup),
		WaitForDeployment:      pulumi.String((time.Duration(s.WaitForDeploymentMinutes) * time.Minute).String()),
		StopDeploymentOnDelete: pulumi.Bool(s.StopOnDestroy),
	}
}

// newGuard is deleted before the deployment group, and waits for a running
// deployment, stops it or refuses.
func newGuard(ctx *pulumi.Context, name string, args Args, group *codedeploy.DeploymentGroup, own pulumi.ResourceOption) error {
	_, err := sdk.NewGuard(ctx, name+"-release", sdk.GuardArgs{
		Release:           args.Tie(args.Site.Application(), args.Site.DeploymentGroup()),
		DeploymentGroupID: group.ID(),
	}, own)
	return err
}
