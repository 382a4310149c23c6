// Package celery declares the fleets of Celery beside the web fleet, in the
// modes that have them: for each an Auto Scaling group and a deployment group
// that releases in place.
//
// A release stops the old worker, which finishes its tasks, and starts the new
// one on the same instance. Nothing is copied or replaced, so an ordinary Auto
// Scaling group of Pulumi's does; and of beat there is never a second one, as
// there would be while two fleets stand side by side.
package celery

import (
	"errors"
	"fmt"

	"bluegreen/infra/naming"
	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the fleets of Celery.
const typeToken = "bluegreen:infra:Celery"

// Args is a Spec and what the rest of the platform supplies. Everything but
// SpotInstancePools, Rollback, FailureTopicARN and Tags is required.
type Args struct {
	Spec
	Site naming.Site
	// LaunchTemplateIDs are what instances start from, by the fleet's name.
	LaunchTemplateIDs map[string]pulumi.StringInput
	SubnetIDs         pulumi.StringArrayInput

	InstanceTypes          []string // of fleets that name none
	SpotAllocationStrategy string
	SpotInstancePools      int // with lowest-price only, 0 elsewhere
	HealthCheckGracePeriod int // seconds

	Application    pulumi.StringInput // name of the CodeDeploy application
	ServiceRoleARN pulumi.StringInput // what CodeDeploy works as, with its permissions in place
	Rollback       bool               // deploy the last good revision again when a deployment fails
	// FailureTopicARN is told of failed deployments; nil for nobody.
	FailureTopicARN pulumi.StringInput
	// Release is how an update keeps out of a running deployment's way. The
	// deployment group is filled in here.
	Release sdk.Release
	Tags    map[string]string // of the groups and their instances
}

func (a Args) check() error {
	problems := []error{a.Validate()}
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"site", a.Site == naming.Site{}},
		{"subnetIds", a.SubnetIDs == nil},
		{"instanceTypes", len(a.InstanceTypes) == 0},
		{"spotAllocationStrategy", a.SpotAllocationStrategy == ""},
		{"healthCheckGracePeriod", a.HealthCheckGracePeriod == 0},
		{"application", a.Application == nil},
		{"serviceRoleArn", a.ServiceRoleARN == nil},
		{"release", a.Release.Application == nil},
	} {
		problems = append(problems, check(!input.missing, "%s: required, got none", input.name))
	}
	for _, fleet := range a.Fleets() {
		problems = append(problems, check(a.LaunchTemplateIDs[fleet.Name] != nil, "launchTemplateIds.%s: required, got none", fleet.Name))
	}
	return errors.Join(problems...)
}

// Celery is the fleets of Celery.
type Celery struct {
	pulumi.ResourceState

	// DeploymentGroups are the names of their deployment groups, in the order
	// of a release.
	DeploymentGroups pulumi.StringArrayOutput
}

// New declares the fleets of Celery; none in the modes without.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (c *Celery, err error) {
	defer func() {
		if err != nil {
			c, err = nil, fmt.Errorf("celery %s: %w", name, err)
		}
	}()
	if err := args.check(); err != nil {
		return nil, err
	}
	c = &Celery{}
	if err := ctx.RegisterComponentResource(typeToken, name, c, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(c)
	names := pulumi.StringArray{}
	for _, fleet := range args.Fleets() {
		group, err := newGroup(ctx, fleet, args, own)
		if err != nil {
			return nil, err
		}
		deployments, err := newDeploymentGroup(ctx, fleet, args, group.Name, own)
		if err != nil {
			return nil, err
		}
		if err := newGuard(ctx, fleet, args, deployments, own); err != nil {
			return nil, err
		}
		names = append(names, deployments.DeploymentGroupName)
	}
	c.DeploymentGroups = names.ToStringArrayOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"deploymentGroups": c.DeploymentGroups})
}
