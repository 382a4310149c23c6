package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// sweep removes every group of the fleet, whatever made it, and returns when
// the last instance is terminated: what the instances use can go then. With
// nothing to remove it does nothing.
func (s site) sweep(ctx context.Context, who identity, r Release) error {
	if err := s.quiet(ctx, r); err != nil {
		return err
	}
	var instances, groups []string // all that were seen; those that are left
	var left []string
	err := s.pace.until(ctx, s.pace.Cleared, func() (bool, string, error) {
		all, err := s.cloud.Groups(ctx)
		if err != nil {
			return false, "", fmt.Errorf("groups: %w", err)
		}
		groups = groups[:0]
		for _, g := range all {
			if !who.owns(g) {
				continue
			}
			groups = append(groups, g.Name)
			for _, i := range g.Instances {
				if !slices.Contains(instances, i.ID) {
					instances = append(instances, i.ID)
				}
			}
			if g.Deleting {
				continue
			}
			if err := s.cloud.DeleteGroup(ctx, g.Name); err != nil && !errors.Is(err, ErrGroupBusy) {
				return false, "", fmt.Errorf("delete group %s: %w", g.Name, err)
			}
		}
		if left, err = s.cloud.Instances(ctx, who.Key, instances); err != nil {
			return false, "", fmt.Errorf("instances: %w", err)
		}
		return len(groups)+len(left) == 0, fmt.Sprintf("waiting for %d groups and %d instances to be gone", len(groups), len(left)), nil
	})
	if errors.Is(err, errTooLong) {
		return fmt.Errorf("after %s there still are groups (%s) and instances (%s) of fleet %s; run again, or look at the groups' activity in the console",
			s.pace.Cleared, strings.Join(groups, ", "), strings.Join(left, ", "), who.Key)
	}
	return err
}
