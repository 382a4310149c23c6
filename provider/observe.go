package provider

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Scaling is what changes a group's size on its own.
type Scaling struct {
	TargetTracking []TargetTracking
	Schedules      []Schedule
}

// observe tells what of the wanted shape the live group has. The result equals
// the wanted shape, order included, unless somebody changed the group. What a
// copy of CodeDeploy's lacks is no change: it is named in lost.
func observe(want Shape, g Group, s Scaling) (seen Shape, lost []string) {
	seen = g.Shape
	seen.TargetTracking, seen.Schedules = s.TargetTracking, s.Schedules
	if _, _, copied := madeBy(g.Name); copied {
		seen, lost = forgive(want, seen, g)
	}
	if g.LaunchTemplateVersion != latest {
		lost = append(lost, "launch template version "+latest)
	}
	seen.InstanceTypes = listed(inOrder(want.InstanceTypes, seen.InstanceTypes))
	seen.SubnetIDs = listed(inOrder(want.SubnetIDs, seen.SubnetIDs))
	seen.TargetGroupARNs = inOrder(want.TargetGroupARNs, seen.TargetGroupARNs)
	seen.TerminationPolicies = inOrder(want.TerminationPolicies, seen.TerminationPolicies)
	// Others may tag and scale the group too; only what is declared counts.
	maps.DeleteFunc(seen.Tags, func(key, _ string) bool { _, declared := want.Tags[key]; return !declared })
	seen.TargetTracking = declared(want.TargetTracking, seen.TargetTracking, TargetTracking.name)
	seen.Schedules = declared(want.Schedules, seen.Schedules, Schedule.name)
	return unscheduled(want, seen), lost
}

func (t TargetTracking) name() string { return t.Name }
func (s Schedule) name() string       { return s.Name }

// forgive takes for present what a copy lacks, and names it.
func forgive(want, seen Shape, g Group) (Shape, []string) {
	var lost []string
	if g.Key == "" {
		lost = append(lost, "tag "+IdentityTag)
	}
	seen.Tags = maps.Clone(seen.Tags)
	if seen.Tags == nil {
		seen.Tags = map[string]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(want.Tags)) {
		if _, has := seen.Tags[key]; !has {
			seen.Tags[key] = want.Tags[key]
			lost = append(lost, "tag "+key)
		}
	}
	for _, arn := range want.TargetGroupARNs {
		if !slices.Contains(seen.TargetGroupARNs, arn) {
			seen.TargetGroupARNs = append(slices.Clone(seen.TargetGroupARNs), arn)
			lost = append(lost, "target group "+arn)
		}
	}
	if !g.Mixed {
		seen.InstanceTypes = want.InstanceTypes
		seen.OnDemandBaseCapacity = want.OnDemandBaseCapacity
		seen.OnDemandPercentageAboveBaseCapacity = want.OnDemandPercentageAboveBaseCapacity
		seen.SpotAllocationStrategy = want.SpotAllocationStrategy
		seen.SpotInstancePools = want.SpotInstancePools
		lost = append(lost, "mixed instances policy")
	}
	if want.CapacityRebalance && !seen.CapacityRebalance {
		seen.CapacityRebalance = true
		lost = append(lost, "capacity rebalance")
	}
	for _, setting := range []struct {
		name string
		lost bool // it is AWS's own, and something else was asked for
		mend func()
	}{
		{"termination policies", same(seen.TerminationPolicies, "Default") && !same(want.TerminationPolicies, "Default"), func() { seen.TerminationPolicies = want.TerminationPolicies }},
		{"health check type", seen.HealthCheckType == "EC2" && want.HealthCheckType != "EC2", func() { seen.HealthCheckType = want.HealthCheckType }},
		{"health check grace period", seen.HealthCheckGracePeriod == 0, func() { seen.HealthCheckGracePeriod = want.HealthCheckGracePeriod }},
	} {
		if setting.lost {
			setting.mend()
			lost = append(lost, setting.name)
		}
	}
	var missing []string
	seen.TargetTracking, missing = complete(want.TargetTracking, seen.TargetTracking, TargetTracking.name, "scaling policy")
	lost = append(lost, missing...)
	seen.Schedules, missing = complete(want.Schedules, seen.Schedules, Schedule.name, "scheduled action")
	return seen, append(lost, missing...)
}

func same(values []string, only string) bool { return len(values) == 1 && values[0] == only }

// latest is the version of the launch template that every group uses: a
// pinned one would be copied as pinned, and no new image would get through.
const latest = "$Latest"

func complete[T any](want, seen []T, name func(T) string, kind string) (all []T, lost []string) {
	all = slices.Clone(seen)
	for _, w := range want {
		if !slices.ContainsFunc(seen, func(s T) bool { return name(s) == name(w) }) {
			all = append(all, w)
			lost = append(lost, fmt.Sprintf("%s %s", kind, name(w)))
		}
	}
	return all, lost
}

// declared are the seen elements of wanted names, in the wanted order.
func declared[T any](want, seen []T, name func(T) string) []T {
	var all []T
	for _, w := range want {
		at := slices.IndexFunc(seen, func(s T) bool { return name(s) == name(w) })
		if at >= 0 {
			all = append(all, seen[at])
		}
	}
	return all
}

// inOrder is seen, or want when both hold the same: AWS promises no order.
func inOrder(want, seen []string) []string {
	if sameSet(want, seen) {
		return want
	}
	return seen
}

// listed is a list that is written down when it is empty, too: a state that
// lacks a required property can be neither read nor deleted again.
func listed(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// unscheduled hides the sizes that the fleet's own schedules move.
func unscheduled(want, seen Shape) Shape {
	least, most := want.scheduledSizes()
	if least {
		seen.MinSize = want.MinSize
	}
	if most {
		seen.MaxSize = want.MaxSize
	}
	return seen
}

// scheduledSizes says whether schedules change minSize and maxSize.
func (s Shape) scheduledSizes() (least, most bool) {
	for _, schedule := range s.Schedules {
		least = least || schedule.MinSize != nil
		most = most || schedule.MaxSize != nil
	}
	return least, most
}

// difference names the inputs in which two fleets differ. Subnets and target
// groups are sets; the order of instance types is one of preference.
// Desired capacity is read at creation only and never differs.
func difference(old, wanted FleetArgs) []string {
	var names []string
	note := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	note("key", old.Key == wanted.Key)
	names = append(names, releaseDifference(old.Release, wanted.Release)...)
	note("releaseSettings", old.ReleaseSettings == wanted.ReleaseSettings)
	note("copyLosses", old.CopyLosses == wanted.CopyLosses)
	note("launchTemplateId", old.LaunchTemplateID == wanted.LaunchTemplateID)
	note("instanceTypes", slices.Equal(old.InstanceTypes, wanted.InstanceTypes))
	note("onDemandBaseCapacity", old.OnDemandBaseCapacity == wanted.OnDemandBaseCapacity)
	note("onDemandPercentageAboveBaseCapacity", old.OnDemandPercentageAboveBaseCapacity == wanted.OnDemandPercentageAboveBaseCapacity)
	note("spotAllocationStrategy", old.SpotAllocationStrategy == wanted.SpotAllocationStrategy)
	note("spotInstancePools", old.SpotInstancePools == wanted.SpotInstancePools)
	note("capacityRebalance", old.CapacityRebalance == wanted.CapacityRebalance)
	note("subnetIds", sameSet(old.SubnetIDs, wanted.SubnetIDs))
	note("targetGroupArns", sameSet(old.TargetGroupARNs, wanted.TargetGroupARNs))
	note("minSize", old.MinSize == wanted.MinSize)
	note("maxSize", old.MaxSize == wanted.MaxSize)
	note("healthCheckType", old.HealthCheckType == wanted.HealthCheckType)
	note("healthCheckGracePeriod", old.HealthCheckGracePeriod == wanted.HealthCheckGracePeriod)
	note("terminationPolicies", slices.Equal(old.TerminationPolicies, wanted.TerminationPolicies))
	note("tags", maps.Equal(old.Tags, wanted.Tags))
	note("targetTracking", sameNamed(old.TargetTracking, wanted.TargetTracking, TargetTracking.name))
	note("schedules", sameNamed(old.Schedules, wanted.Schedules, Schedule.name))
	return names
}

func releaseDifference(old, wanted Release) []string {
	var names []string
	if old.Application != wanted.Application {
		names = append(names, "application")
	}
	if old.DeploymentGroup != wanted.DeploymentGroup {
		names = append(names, "deploymentGroup")
	}
	if old.WaitForDeployment != wanted.WaitForDeployment {
		names = append(names, "waitForDeployment")
	}
	if old.StopDeploymentOnDelete != wanted.StopDeploymentOnDelete {
		names = append(names, "stopDeploymentOnDelete")
	}
	return names
}

// onlyManners says that nothing in AWS is to change: the inputs named only
// tell this provider how to behave.
func onlyManners(changed []string) bool {
	for _, name := range changed {
		switch name {
		case "waitForDeployment", "stopDeploymentOnDelete", "copyLosses":
		default:
			return false
		}
	}
	return true
}

// sameNamed compares lists in which names make the order meaningless.
func sameNamed[T any](a, b []T, name func(T) string) bool {
	if len(a) != len(b) {
		return false
	}
	ordered := declared(a, b, name)
	return len(ordered) == len(a) && (len(a) == 0 || reflect.DeepEqual(a, ordered))
}
