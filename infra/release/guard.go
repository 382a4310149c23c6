package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// Digest changes whenever the deployment group of a fleet of minSize instances
// does.
func (s Spec) Digest(minSize int) string {
	s.WaitForDeploymentMinutes, s.StopOnDestroy, s.Revision = 0, false, "" // no settings of the deployment group
	text, _ := json.Marshal(s)                                             // plain data always encodes
	sum := sha256.Sum256(fmt.Appendf(text, " %d", minSize))
	return hex.EncodeToString(sum[:8])
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
