package stacks

import (
	"errors"
	"fmt"

	"bluegreen/infra/access"
	"bluegreen/infra/celery"
	"bluegreen/infra/edge"
	"bluegreen/infra/fleet"
	"bluegreen/infra/logs"
	"bluegreen/infra/network"
	"bluegreen/infra/pair"
	"bluegreen/infra/release"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// fleets are all that has instances.
type fleets struct {
	web     *fleet.Fleet
	celery  *celery.Celery                // nil where web instances run Celery, or nobody
	clients map[string]pulumi.StringInput // security groups, for what instances connect to
}

// instances declares the fleets and how a new version reaches them. In mode copy
// the web fleet's group is part of it; in mode pair there are two, which
// releases declares.
func instances(ctx *pulumi.Context, s Settings, imageID string, network *network.Network, edge *edge.Edge, access *access.Access, use pulumi.ResourceOption, look pulumi.InvokeOption) (fleets, error) {
	site := s.Site()
	args := fleet.Args{
		Spec: s.Fleet, Region: s.Region, ParameterPath: site.ParameterPath(), Services: s.Celery.Web(), LogGroup: s.logGroup(), IPv6: s.Network.IPv6, ImageID: imageID, Tags: tags(s),
		VPCID: network.VPCID, LoadBalancerSecurityGroupID: edge.SecurityGroupID, InstanceProfileARN: access.InstanceProfileARN,
	}
	if s.Logs.Enabled {
		if _, err := logs.New(ctx, site.Prefix(), logs.Args{Spec: s.Logs, Site: site}, use); err != nil {
			return fleets{}, err
		}
	}
	if s.Release.Mode == release.Copy {
		args.Group = &fleet.Group{
			Key: site.FleetKey(), BootstrapName: site.AutoScalingGroup(),
			Release:         s.Release.Tie(site.Application(), site.DeploymentGroup()),
			ReleaseSettings: s.Release.Digest(s.Fleet.MinSize),
			SubnetIDs:       network.SubnetIDs,
			TargetGroupARN:  edge.TargetGroupARN, TargetGroupARNSuffix: edge.TargetGroupARNSuffix,
			LoadBalancerARNSuffix: edge.LoadBalancerARNSuffix,
		}
	}
	web, err := fleet.New(ctx, site.Prefix(), args, use)
	if err != nil {
		return fleets{}, err
	}
	released, err := releases(ctx, s, network, edge, access, web, use, look)
	if err != nil {
		return fleets{}, err
	}
	all := fleets{web: web, clients: map[string]pulumi.StringInput{"web": web.SecurityGroupID}}
	return all, all.addCelery(ctx, s, imageID, network, access, released, use)
}

// releases declares how a new version reaches the fleet.
func releases(ctx *pulumi.Context, s Settings, network *network.Network, edge *edge.Edge, access *access.Access, fleet *fleet.Fleet, use pulumi.ResourceOption, look pulumi.InvokeOption) (*release.Release, error) {
	args := release.Args{
		Spec: s.Release, Site: s.Site(), MinSize: s.Fleet.MinSize,
		AutoScalingGroup: fleet.GroupName,
		ServiceRoleARN:   access.ServiceRoleARN,
		TargetGroupName:  edge.TargetGroupName, TargetGroupSuffix: edge.TargetGroupARNSuffix, LoadBalancerSuffix: edge.LoadBalancerARNSuffix,
	}
	if s.Release.Mode == release.Pair {
		found, err := pair.LookUp(ctx, s.Site(), look)
		if err != nil {
			return nil, err
		}
		groups, err := pair.New(ctx, s.Site().Prefix(), pairOf(s, found, network, fleet), use)
		if err != nil {
			return nil, err
		}
		args.AutoScalingGroup, args.Underway = groups.LiveGroup, pair.Underway(found)
	}
	return release.New(ctx, s.Site().Prefix(), args, use)
}

func pairOf(s Settings, found map[string]pair.Size, network *network.Network, fleet *fleet.Fleet) pair.Args {
	args := pair.Args{
		Site: s.Site(), Found: found, LaunchTemplateID: fleet.LaunchTemplateID, SubnetIDs: network.SubnetIDs,
		InstanceTypes: s.Fleet.InstanceTypes, OnDemandBaseCapacity: s.Fleet.OnDemandBaseCapacity,
		OnDemandPercentageAboveBaseCapacity: s.Fleet.OnDemandPercentage,
		SpotAllocationStrategy:              s.Fleet.SpotAllocationStrategy, CapacityRebalance: s.Fleet.CapacityRebalance,
		HealthCheckType: s.Fleet.HealthCheckType, HealthCheckGracePeriod: s.Fleet.HealthCheckGracePeriod, TerminationPolicies: s.Fleet.TerminationPolicies,
		MinSize: s.Fleet.MinSize, MaxSize: s.Fleet.MaxSize, DesiredSize: s.Fleet.DesiredSize,
		TerminationWaitMinutes: s.Release.TerminationWaitMinutes, Tags: tags(s),
	}
	if s.Fleet.SpotAllocationStrategy == lowestPrice {
		args.SpotInstancePools = s.Fleet.SpotInstancePools
	}
	for _, name := range sortedKeys(s.Fleet.TargetTracking) {
		policy := s.Fleet.TargetTracking[name]
		args.TargetTracking = append(args.TargetTracking, pair.TargetTracking{
			Name: name, Metric: policy.Metric, Target: policy.Target, DisableScaleIn: policy.DisableScaleIn,
		})
	}
	return args
}

// lowestPrice is the one strategy that knows pools.
const lowestPrice = fleet.LowestPrice

// checkPair refuses what would wake the idle one of two groups: it has no
// instances until a release gives it some.
func checkPair(s Settings) error {
	if s.Release.Mode != release.Pair {
		return nil
	}
	problems := []error{
		check(len(s.Fleet.Schedules) == 0, "fleet.schedules: want none with release.mode pair, got %d; remove them, or set release.mode to copy", len(s.Fleet.Schedules)),
	}
	for _, name := range sortedKeys(s.Fleet.TargetTracking) {
		if metric := s.Fleet.TargetTracking[name].Metric; metric == "ALBRequestCountPerTarget" {
			problems = append(problems, fmt.Errorf("fleet.targetTracking.%s.metric: %s counts for both groups of release.mode pair; choose another metric, or set release.mode to copy", name, metric))
		}
	}
	return errors.Join(problems...)
}
