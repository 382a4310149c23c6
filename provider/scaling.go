package provider

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// applyScaling puts every declared policy and schedule on the group that does
// not have it just so, and takes away those that are declared no more.
func (s site) applyScaling(ctx context.Context, group string, args FleetArgs, before *FleetArgs) error {
	has, err := s.cloud.Scaling(ctx, group)
	if err != nil {
		return fmt.Errorf("scaling: %w", err)
	}
	var former FleetArgs
	if before != nil {
		former = *before
	}
	put, remove := plan(args.TargetTracking, former.TargetTracking, has.TargetTracking, TargetTracking.name)
	for _, policy := range put {
		if err := s.cloud.PutTargetTracking(ctx, group, policy); err != nil {
			return fmt.Errorf("scaling policy %s: %w", policy.Name, err)
		}
	}
	for _, name := range remove {
		if err := s.cloud.DeleteTargetTracking(ctx, group, name); err != nil {
			return fmt.Errorf("scaling policy %s: %w", name, err)
		}
	}
	change, cancel := plan(args.Schedules, former.Schedules, has.Schedules, Schedule.name)
	for _, schedule := range change {
		// Whether an update takes away what it leaves out, AWS's documents do not
		// agree on: a new action has nothing to keep.
		if slices.ContainsFunc(has.Schedules, func(h Schedule) bool { return h.Name == schedule.Name }) {
			if err := s.cloud.DeleteSchedule(ctx, group, schedule.Name); err != nil {
				return fmt.Errorf("scheduled action %s: %w", schedule.Name, err)
			}
		}
		if err := s.cloud.PutSchedule(ctx, group, schedule); err != nil {
			return fmt.Errorf("scheduled action %s: %w", schedule.Name, err)
		}
	}
	for _, name := range cancel {
		if err := s.cloud.DeleteSchedule(ctx, group, name); err != nil {
			return fmt.Errorf("scheduled action %s: %w", name, err)
		}
	}
	return nil
}

// plan compares what is wanted with what the group has. Only names that were
// ours before are removed.
func plan[T any](want, before, has []T, name func(T) string) (put []T, remove []string) {
	for _, w := range want {
		if !slices.ContainsFunc(has, func(h T) bool { return reflect.DeepEqual(h, w) }) {
			put = append(put, w)
		}
	}
	in := func(all []T, one T) bool {
		return slices.ContainsFunc(all, func(other T) bool { return name(other) == name(one) })
	}
	for _, b := range before {
		if !in(want, b) && in(has, b) {
			remove = append(remove, name(b))
		}
	}
	return put, remove
}
