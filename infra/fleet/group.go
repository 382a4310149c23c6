package fleet

import (
	"errors"
	"fmt"
	"slices"

	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// Group is what makes the instances of Spec one Auto Scaling group that stays
// the same resource while CodeDeploy replaces the group at each release.
// Everything is required.
type Group struct {
	// Key is the fleet's identity, project/stack/name, which becomes a tag.
	Key string
	// BootstrapName is the name of the first group, before any release.
	BootstrapName string
	Release       sdk.Release
	// ReleaseSettings change with the deployment group's: the fleet then lets a
	// running release end, and gives the deployment group the name of that day.
	ReleaseSettings string

	SubnetIDs             pulumi.StringArrayInput
	TargetGroupARN        pulumi.StringInput
	TargetGroupARNSuffix  pulumi.StringInput // "targetgroup/<name>/<id>"
	LoadBalancerARNSuffix pulumi.StringInput // "app/<name>/<id>"
}

func (g Group) check() error {
	problems := []error{
		check(g.Key != "", "group: key: required, got none"),
		check(g.BootstrapName != "", "group: bootstrapName: required, got none"),
		check(g.ReleaseSettings != "", "group: releaseSettings: required, got none"),
	}
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"release", g.Release.Application == nil || g.Release.DeploymentGroup == nil},
		{"subnetIds", g.SubnetIDs == nil},
		{"targetGroupArn", g.TargetGroupARN == nil},
		{"targetGroupArnSuffix", g.TargetGroupARNSuffix == nil},
		{"loadBalancerArnSuffix", g.LoadBalancerARNSuffix == nil},
	} {
		problems = append(problems, check(!input.missing, "group: %s: required, got none", input.name))
	}
	return errors.Join(problems...)
}

// newGroup declares the group. Its name goes to the deployment group and to
// nothing else: it changes at each release, and whatever else took it would
// change along.
func newGroup(ctx *pulumi.Context, name string, args Args, template pulumi.StringInput, own pulumi.ResourceOption) (pulumi.StringOutput, error) {
	g := args.Group
	used := pulumi.StringArrayOutput(pulumix.Apply2(g.SubnetIDs.ToStringArrayOutput(), g.TargetGroupARN.ToStringOutput(), both))
	identity, err := sdk.NewIdentity(ctx, name+"-fleet", sdk.IdentityArgs{
		Key: g.Key, Release: g.Release, LaunchTemplateID: template,
		DeleteBefore: used,
	}, own)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	fleet := sdk.FleetArgs{
		Key: identity.Key, Release: g.Release, LaunchTemplateID: template,
		BootstrapName:                       pulumi.String(g.BootstrapName),
		InstanceTypes:                       pulumi.ToStringArray(args.InstanceTypes),
		OnDemandBaseCapacity:                pulumi.Int(args.OnDemandBaseCapacity),
		OnDemandPercentageAboveBaseCapacity: pulumi.Int(args.OnDemandPercentage),
		SpotAllocationStrategy:              pulumi.String(args.SpotAllocationStrategy),
		CapacityRebalance:                   pulumi.Bool(args.CapacityRebalance),
		SubnetIDs:                           g.SubnetIDs,
		TargetGroupARNs:                     pulumi.StringArray{g.TargetGroupARN},
		MinSize:                             pulumi.Int(args.MinSize),
		MaxSize:                             pulumi.Int(args.MaxSize),
		HealthCheckType:                     pulumi.String(args.HealthCheckType),
		HealthCheckGracePeriod:              pulumi.Int(args.HealthCheckGracePeriod),
		TerminationPolicies:                 pulumi.ToStringArray(args.TerminationPolicies),
		Tags:                                groupTags(args.instanceName(name), args.Tags),
		TargetTracking:                      args.tracking(),
		Schedules:                           args.schedules(),
		CopyLosses:                          pulumi.String(args.CopyLosses),
		ReleaseSettings:                     pulumi.String(g.ReleaseSettings),
	}
	if args.SpotAllocationStrategy == LowestPrice {
		fleet.SpotInstancePools = pulumi.Int(args.SpotInstancePools)
	}
	if args.DesiredSize != 0 {
		fleet.DesiredCapacity = pulumi.Int(args.DesiredSize)
	}
	made, err := sdk.NewFleet(ctx, name+"-fleet", fleet, own)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("group: %w", err)
	}
	return made.GroupName, nil
}

func both(subnets []string, targetGroup string) []string {
	return append(slices.Clone(subnets), targetGroup)
}

// groupTags are the tags of the group, which Auto Scaling hands on to its
// instances.
func groupTags(name string, tags map[string]string) pulumi.StringMap {
	all := pulumi.StringMap{}
	for key, value := range tags {
		all[key] = pulumi.String(value)
	}
	all["Name"] = pulumi.String(name)
	return all
}
