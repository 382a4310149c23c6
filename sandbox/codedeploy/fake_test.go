package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// fakeCloud is a cloud in memory.
type fakeCloud struct {
	mu        sync.Mutex
	count     int
	groups    map[string]*fakeGroup
	tags      map[string]map[string]string // of instances
	balanced  map[string]map[string]bool   // instances by target group
	ringing   []string                     // alarms
	alarmsErr error
	bundles   map[string]bool // "bucket/key"; nil holds everything
	ended     []string        // terminated instances
}

type fakeGroup struct {
	members  []string
	attached []string
	hooks    []string
}

func newFakeCloud() *fakeCloud {
	return &fakeCloud{groups: map[string]*fakeGroup{}, tags: map[string]map[string]string{}, balanced: map[string]map[string]bool{}}
}

func (f *fakeCloud) launch(group string, size int) *fakeGroup {
	made := &fakeGroup{}
	for range size {
		f.count++
		made.members = append(made.members, fmt.Sprintf("i-%04d", f.count))
	}
	f.groups[group] = made
	return made
}

// names returns the groups that there are, sorted.
func (f *fakeCloud) names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.groups))
}

// traffic returns the instances that get traffic from a target group, sorted.
func (f *fakeCloud) traffic(targetGroup string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.balanced[targetGroup]))
}

func (f *fakeCloud) group(name string) (*fakeGroup, error) {
	if found, ok := f.groups[name]; ok {
		return found, nil
	}
	return nil, fmt.Errorf("%s: %w", name, errNoGroup)
}

func (f *fakeCloud) healthy(_ context.Context, name string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.group(name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(found.members), nil
}

func (f *fakeCloud) members(ctx context.Context, name string) ([]string, error) {
	return f.healthy(ctx, name)
}

func (f *fakeCloud) alive(_ context.Context, instance string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.Contains(f.ended, instance), nil
}

// grow launches an instance in a group, and returns it.
func (f *fakeCloud) grow(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	instance := fmt.Sprintf("i-%04d", f.count)
	f.groups[name].members = append(f.groups[name].members, instance)
	return instance
}

// abandon launches another instance in the place of one.
func (f *fakeCloud) abandon(_ context.Context, instance string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, instance)
	for _, group := range f.groups {
		if at := slices.Index(group.members, instance); at >= 0 {
			f.count++
			group.members[at] = fmt.Sprintf("i-%04d", f.count)
		}
	}
	return nil
}

func (f *fakeCloud) tagged(_ context.Context, sets [][]types.EC2TagFilter) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []string
	for id, tags := range f.tags {
		fits := true
		for _, set := range sets {
			fits = fits && slices.ContainsFunc(set, func(filter types.EC2TagFilter) bool {
				return tags[*filter.Key] == aws.ToString(filter.Value)
			})
		}
		if fits {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (f *fakeCloud) copyGroup(_ context.Context, from, to string, size int, _ Copy) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.group(from); err != nil {
		return err
	}
	f.launch(to, size)
	return nil
}

func (f *fakeCloud) deleteGroup(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.groups, name)
	return nil
}

func (f *fakeCloud) terminate(_ context.Context, instances []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, instances...)
	return nil
}

func (f *fakeCloud) register(_ context.Context, targetGroups []string, instance string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range targetGroups {
		if f.balanced[name] == nil {
			return errors.New("no target group " + name)
		}
		f.balanced[name][instance] = true
	}
	return nil
}

func (f *fakeCloud) deregister(_ context.Context, targetGroups []string, instance string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range targetGroups {
		delete(f.balanced[name], instance)
	}
	return nil
}

func (f *fakeCloud) attach(_ context.Context, name string, targetGroups []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.group(name)
	if err == nil {
		found.attached = slices.Compact(append(found.attached, targetGroups...))
	}
	return err
}

func (f *fakeCloud) detach(_ context.Context, name string, targetGroups []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.group(name)
	if err == nil {
		found.attached = slices.DeleteFunc(found.attached, func(n string) bool { return slices.Contains(targetGroups, n) })
	}
	return err
}

func (f *fakeCloud) addHook(_ context.Context, name, hook string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.group(name)
	if err == nil {
		found.hooks = append(found.hooks, hook)
	}
	return err
}

func (f *fakeCloud) removeHook(_ context.Context, name, hook string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.group(name)
	if err == nil {
		found.hooks = slices.DeleteFunc(found.hooks, func(h string) bool { return h == hook })
	}
	return err
}

func (f *fakeCloud) alarming(_ context.Context, names []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(f.ringing, n) }), f.alarmsErr
}

func (f *fakeCloud) bundle(_ context.Context, at types.S3Location) error {
	if f.bundles == nil || f.bundles[*at.Bucket+"/"+*at.Key] {
		return nil
	}
	return errors.New("NotFound")
}
