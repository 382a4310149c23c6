package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// find looks for the live group and the leftovers.
func (s site) find(ctx context.Context, who identity, r Release) (choice, []Deployment, error) {
	e := evidence{Now: time.Now(), Deployments: map[string]Deployment{}}
	var err error
	if e.Named, err = s.cloud.DeploymentGroup(ctx, r.Application, r.DeploymentGroup); err != nil {
		return choice{}, nil, fmt.Errorf("deployment group %s: %w; without its answer the live group would be a guess", r.DeploymentGroup, err)
	}
	if e.Running, err = s.cloud.Running(ctx, r.Application, r.DeploymentGroup); err != nil {
		return choice{}, nil, fmt.Errorf("deployments of %s: %w", r.DeploymentGroup, err)
	}
	if e.Groups, err = s.cloud.Groups(ctx); err != nil {
		return choice{}, nil, fmt.Errorf("groups: %w", err)
	}
	for _, g := range e.Groups {
		_, id, copied := madeBy(g.Name)
		if !copied || !who.owns(g) {
			continue
		}
		d, found, err := s.cloud.Deployment(ctx, id)
		if err != nil {
			return choice{}, nil, fmt.Errorf("deployment %s: %w", id, err)
		}
		if found {
			e.Deployments[id] = d
		}
	}
	chosen, err := choose(who, e)
	return chosen, e.Running, err
}

// ensure makes the live group what the inputs say: it finds the group or
// makes the first one. before is what the state held, nil on creation; it
// tells which tags and policies to take away. made is the name of the group
// from the moment there is one, also when a later step fails.
func (s site) ensure(ctx context.Context, args FleetArgs, before *FleetArgs) (made string, leftovers []string, err error) {
	known := args
	if before != nil {
		known = *before                                  // names that change in this update do not exist in AWS yet
		known.WaitForDeployment = args.WaitForDeployment // how long to wait is the new inputs' to say
	}
	if err := s.settled(ctx, known.Release, "update"); err != nil {
		return "", nil, err
	}
	chosen, _, err := s.find(ctx, known.identity(), known.Release)
	if err != nil {
		return "", nil, err
	}
	created := chosen.Live == nil
	if created {
		if chosen.Live, err = s.bootstrap(ctx, args); err != nil {
			return "", chosen.Leftovers, err
		}
	}
	name := chosen.Live.Name
	if err := s.apply(ctx, *chosen.Live, args, before); err != nil {
		return name, chosen.Leftovers, fmt.Errorf("group %s: %w", name, err)
	}
	switch {
	case created:
		err = s.inService(ctx, name, args.initialSize())
	case before == nil: // taken over, whatever size it has grown to
		err = s.inService(ctx, name, args.MinSize)
	}
	return name, chosen.Leftovers, err
}

// initialSize is the number of instances that a new group starts.
func (a FleetArgs) initialSize() int {
	if a.DesiredCapacity != nil {
		return *a.DesiredCapacity
	}
	return a.MinSize
}

// bootstrapName is the name of the fleet's first group.
func (a FleetArgs) bootstrapName() string {
	if a.BootstrapName != "" {
		return a.BootstrapName
	}
	return bootstrapName(a.Key)
}

// bootstrap makes the fleet's first group. Its name follows from the inputs, so
// a group that an interrupted attempt has made is found, not doubled, even
// where AWS does not list it yet.
func (s site) bootstrap(ctx context.Context, args FleetArgs) (*Group, error) {
	group := Group{Name: args.bootstrapName(), Key: args.Key, Shape: args.Shape, DesiredCapacity: args.initialSize()}
	var made *Group
	asked := false
	err := s.pace.until(ctx, s.pace.Cleared, func() (bool, string, error) {
		if !asked {
			err := s.cloud.CreateGroup(ctx, group)
			if err != nil && !errors.Is(err, ErrGroupExists) {
				return false, "", fmt.Errorf("create group %s: %w", group.Name, err)
			}
			asked = true
		}
		groups, err := s.cloud.Groups(ctx)
		if err != nil {
			return false, "", err
		}
		at := slices.IndexFunc(groups, func(g Group) bool { return g.Name == group.Name })
		switch {
		case at < 0:
			asked = false // not listed yet, or the old one is gone now: asking again does no harm
			return false, fmt.Sprintf("waiting for group %s", group.Name), nil
		case groups[at].Deleting:
			asked = false
			return false, fmt.Sprintf("waiting for the deletion of the former group %s", group.Name), nil
		case groups[at].Key != args.Key:
			return false, "", fmt.Errorf("the Auto Scaling group %s exists and its tag %s is %q; if it is this fleet's, set the tag to %s, else rename or delete the group",
				group.Name, IdentityTag, groups[at].Key, args.Key)
		}
		made = &groups[at]
		return true, "", nil
	})
	if errors.Is(err, errTooLong) {
		return nil, fmt.Errorf("group %s did not appear within %s; run again", group.Name, s.pace.Cleared)
	}
	return made, err
}

// apply brings a group into shape. What serves traffic comes first.
func (s site) apply(ctx context.Context, live Group, args FleetArgs, before *FleetArgs) error {
	if err := s.applyTargetGroups(ctx, live, args); err != nil {
		return err
	}
	if err := s.applyTags(ctx, live, args, before); err != nil {
		return err
	}
	minSize, maxSize := sizesToSend(args.Shape, before)
	if err := s.cloud.UpdateGroup(ctx, live.Name, args.Shape, minSize, maxSize); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return s.applyScaling(ctx, live.Name, args, before)
}

// sizesToSend leaves alone a size that a schedule moves, unless it was edited:
// an update at night must not wake the fleet.
func sizesToSend(want Shape, before *FleetArgs) (minSize, maxSize *int) {
	least, most := want.scheduledSizes()
	if before == nil || !least || before.MinSize != want.MinSize {
		minSize = &want.MinSize
	}
	if before == nil || !most || before.MaxSize != want.MaxSize {
		maxSize = &want.MaxSize
	}
	return minSize, maxSize
}

func (s site) applyTargetGroups(ctx context.Context, live Group, args FleetArgs) error {
	if missing := without(args.TargetGroupARNs, live.TargetGroupARNs); len(missing) > 0 {
		if err := s.cloud.AttachTargetGroups(ctx, live.Name, missing); err != nil {
			return fmt.Errorf("attach target groups: %w", err)
		}
	}
	if extra := without(live.TargetGroupARNs, args.TargetGroupARNs); len(extra) > 0 {
		if err := s.cloud.DetachTargetGroups(ctx, live.Name, extra); err != nil {
			return fmt.Errorf("detach target groups: %w", err)
		}
	}
	return nil
}

// without are the elements of all that are not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(some, one) })
}

func (s site) applyTags(ctx context.Context, live Group, args FleetArgs, before *FleetArgs) error {
	put := map[string]string{}
	for key, value := range args.Tags {
		if has, ok := live.Tags[key]; !ok || has != value {
			put[key] = value
		}
	}
	if live.Key != args.Key {
		put[IdentityTag] = args.Key
	}
	if len(put) > 0 {
		if err := s.cloud.PutTags(ctx, live.Name, put); err != nil {
			return fmt.Errorf("tags: %w", err)
		}
	}
	if before == nil {
		return nil
	}
	gone := without(slices.Sorted(maps.Keys(before.Tags)), slices.Collect(maps.Keys(args.Tags)))
	gone = slices.DeleteFunc(gone, func(key string) bool { _, has := live.Tags[key]; return !has })
	if len(gone) == 0 {
		return nil
	}
	if err := s.cloud.DeleteTags(ctx, live.Name, gone); err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	return nil
}
