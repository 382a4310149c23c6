package pair

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const lowestPrice = "lowest-price"

// newGroup declares one of the two groups.
//
// An Auto Scaling group that has another minimum than it should is updated;
// one that has it is not, whatever the state says (see minimum). Both carry
// the size as a tag: an edit of it updates both, and so brings the state of
// both up to date.
func newGroup(ctx *pulumi.Context, key string, args Args, own pulumi.ResourceOption) (*autoscaling.Group, error) {
	name := args.Site.AutoScalingGroupOfPair(key)
	// How many instances are wanted is Auto Scaling's and the release's to
	// change, from the moment the group exists.
	ignored := []string{"desiredCapacity"}
	least, settled := minimum(key, args.Found, args.MinSize)
	if settled {
		ignored = append(ignored, "minSize")
	}
	group := &autoscaling.GroupArgs{
		Name:                   pulumi.String(name),
		MinSize:                pulumi.Int(least),
		MaxSize:                pulumi.Int(args.MaxSize),
		VpcZoneIdentifiers:     args.SubnetIDs,
		MixedInstancesPolicy:   mixedInstances(args),
		CapacityRebalance:      pulumi.Bool(args.CapacityRebalance),
		HealthCheckType:        pulumi.String(args.HealthCheckType),
		HealthCheckGracePeriod: pulumi.Int(args.HealthCheckGracePeriod),
		TerminationPolicies:    pulumi.ToStringArray(args.TerminationPolicies),
		// Spot capacity may take its time; an update of the stack does not.
		WaitForCapacityTimeout: pulumi.String("0"),
		ForceDelete:            pulumi.Bool(true),
		Tags:                   tags(name, args),
	}
	if least > 0 && args.DesiredSize > 0 {
		group.DesiredCapacity = pulumi.Int(args.DesiredSize)
	}
	return autoscaling.NewGroup(ctx, name, group, own, pulumi.IgnoreChanges(ignored))
}

// mixedInstances is the same for both groups.
func mixedInstances(args Args) *autoscaling.GroupMixedInstancesPolicyArgs {
	var overrides autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArray
	for _, kind := range args.InstanceTypes {
		overrides = append(overrides, &autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs{InstanceType: pulumi.String(kind)})
	}
	distribution := &autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs{
		OnDemandBaseCapacity:                pulumi.Int(args.OnDemandBaseCapacity),
		OnDemandPercentageAboveBaseCapacity: pulumi.Int(args.OnDemandPercentageAboveBaseCapacity),
		SpotAllocationStrategy:              pulumi.String(args.SpotAllocationStrategy),
	}
	if args.SpotAllocationStrategy == lowestPrice && args.SpotInstancePools > 0 {
		distribution.SpotInstancePools = pulumi.Int(args.SpotInstancePools)
	}
	return &autoscaling.GroupMixedInstancesPolicyArgs{
		InstancesDistribution: distribution,
		LaunchTemplate: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs{
			LaunchTemplateSpecification: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs{
				LaunchTemplateId: args.LaunchTemplateID.ToStringOutput(),
				Version:          pulumi.String("$Latest"),
			},
			Overrides: overrides,
		},
	}
}

// tags are those of the instances too, and what the release command reads. The
// provider's default tags reach neither.
func tags(name string, args Args) autoscaling.GroupTagArray {
	var all autoscaling.GroupTagArray
	add := func(key, value string, instances bool) {
		all = append(all, &autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(value), PropagateAtLaunch: pulumi.Bool(instances),
		})
	}
	for _, key := range slices.Sorted(maps.Keys(args.Tags)) {
		if key != "Name" { // an instance's is in the launch template
			add(key, args.Tags[key], true)
		}
	}
	add("Name", name, false)
	add(TagPair, args.Site.Application()+"/"+args.Site.DeploymentGroup(), false)
	add(TagSize, strconv.Itoa(args.MinSize), false)
	add(TagTerminationWait, strconv.Itoa(args.TerminationWaitMinutes), false)
	return all
}

// TargetTracking keeps a metric of a group at a value by adding and removing
// instances.
type TargetTracking struct {
	Name string // its identity in the group
	// Metric is ASGAverageCPUUtilization, ASGAverageNetworkIn or
	// ASGAverageNetworkOut: a group without instances has none of these, and
	// so stays without.
	Metric         string
	Target         float64 // the metric's value to keep
	DisableScaleIn bool
}

func tracked() []string {
	return []string{"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut"}
}

// newPolicies gives a group its scaling policies.
func newPolicies(ctx *pulumi.Context, key string, args Args, group *autoscaling.Group, own pulumi.ResourceOption) error {
	for _, policy := range args.TargetTracking {
		if _, err := autoscaling.NewPolicy(ctx, args.Site.AutoScalingGroupOfPair(key)+"-"+policy.Name, &autoscaling.PolicyArgs{
			Name:                 pulumi.String(policy.Name),
			AutoscalingGroupName: group.Name,
			PolicyType:           pulumi.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: &autoscaling.PolicyTargetTrackingConfigurationArgs{
				PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(policy.Metric),
				},
				TargetValue:    pulumi.Float64(policy.Target),
				DisableScaleIn: pulumi.Bool(policy.DisableScaleIn),
			},
		}, own); err != nil {
			return err
		}
	}
	return nil
}
