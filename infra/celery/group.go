package celery

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newGroup declares the Auto Scaling group of a fleet. How many instances are
// wanted is Auto Scaling's to say, within the sizes.
func newGroup(ctx *pulumi.Context, fleet Fleet, args Args, own pulumi.ResourceOption) (*autoscaling.Group, error) {
	name := args.Site.CeleryDeploymentGroup(fleet.Name)
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		MinSize:                pulumi.Int(fleet.MinSize),
		MaxSize:                pulumi.Int(fleet.MaxSize),
		VpcZoneIdentifiers:     args.SubnetIDs,
		MixedInstancesPolicy:   mixedInstances(fleet, args),
		CapacityRebalance:      pulumi.Bool(fleet.capacityRebalance),
		HealthCheckType:        pulumi.String("EC2"), // no load balancer asks them
		HealthCheckGracePeriod: pulumi.Int(args.HealthCheckGracePeriod),
		// Spot capacity may take its time; an update of the stack does not.
		WaitForCapacityTimeout: pulumi.String("0"),
		ForceDelete:            pulumi.Bool(true),
		Tags:                   tags(name, args.Tags),
	}, own, pulumi.IgnoreChanges([]string{"desiredCapacity"}))
	if err != nil || fleet.cpuTarget == 0 {
		return group, err
	}
	_, err = autoscaling.NewPolicy(ctx, name+"-cpu", &autoscaling.PolicyArgs{
		Name:                 pulumi.String("cpu"),
		AutoscalingGroupName: group.Name,
		PolicyType:           pulumi.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: &autoscaling.PolicyTargetTrackingConfigurationArgs{
			PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
			},
			TargetValue: pulumi.Float64(fleet.cpuTarget),
		},
	}, own)
	return group, err
}

func mixedInstances(fleet Fleet, args Args) *autoscaling.GroupMixedInstancesPolicyArgs {
	types := fleet.InstanceTypes
	if len(types) == 0 {
		types = args.InstanceTypes
	}
	var overrides autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArray
	for _, kind := range types {
		overrides = append(overrides, &autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs{InstanceType: pulumi.String(kind)})
	}
	distribution := &autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs{
		OnDemandBaseCapacity:                pulumi.Int(fleet.onDemandBaseCapacity),
		OnDemandPercentageAboveBaseCapacity: pulumi.Int(fleet.onDemandPercentage),
		SpotAllocationStrategy:              pulumi.String(args.SpotAllocationStrategy),
	}
	if args.SpotInstancePools > 0 {
		distribution.SpotInstancePools = pulumi.Int(args.SpotInstancePools)
	}
	return &autoscaling.GroupMixedInstancesPolicyArgs{
		InstancesDistribution: distribution,
		LaunchTemplate: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs{
			LaunchTemplateSpecification: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs{
				LaunchTemplateId: args.LaunchTemplateIDs[fleet.Name].ToStringOutput(),
				Version:          pulumi.String("$Latest"),
			},
			Overrides: overrides,
		},
	}
}

// tags are those of the instances too, but for their Name, which the launch
// template has. The provider's default tags reach neither.
func tags(name string, given map[string]string) autoscaling.GroupTagArray {
	all := autoscaling.GroupTagArray{&autoscaling.GroupTagArgs{
		Key: pulumi.String("Name"), Value: pulumi.String(name), PropagateAtLaunch: pulumi.Bool(false),
	}}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		all = append(all, &autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(given[key]), PropagateAtLaunch: pulumi.Bool(true),
		})
	}
	return all
}
