package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// fakeCloud is Auto Scaling and CodeDeploy in memory.
type fakeCloud struct {
	lock        sync.Mutex
	groups      map[string]*Group
	scaling     map[string]*Scaling
	terminated  map[string]bool
	named       []string // what the deployment group names
	exists      bool     // whether there is a deployment group
	deployments map[string]Deployment
	calls       []string
	// fail holds errors by method; once removes them after the first use.
	fail map[string]error
	once bool
	// linger is how many looks a group that is being deleted stays listed.
	linger   int
	lingered map[string]int
	// outlive is how many looks the instances outlive their group.
	outlive int
	// hidden is how many looks a new group is not listed yet.
	hidden int
	unseen map[string]int
	// barren starts no instances.
	barren  bool
	clock   time.Time
	created int
}

func newFake() *fakeCloud {
	return &fakeCloud{
		groups: map[string]*Group{}, scaling: map[string]*Scaling{}, terminated: map[string]bool{},
		deployments: map[string]Deployment{}, fail: map[string]error{}, lingered: map[string]int{}, unseen: map[string]int{},
		clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (f *fakeCloud) call(method, detail string) error {
	f.calls = append(f.calls, method+" "+detail)
	err := f.fail[method]
	if err != nil && f.once {
		delete(f.fail, method)
	}
	return err
}

// made are the calls that change something.
func (f *fakeCloud) changes() []string {
	return slices.DeleteFunc(slices.Clone(f.calls), func(call string) bool {
		for _, reading := range []string{"Groups", "Scaling", "DeploymentGroup", "Running", "Deployment ", "Instances", "LastActivity"} {
			if len(call) >= len(reading) && call[:len(reading)] == reading {
				return true
			}
		}
		return false
	})
}

func (f *fakeCloud) add(g Group) *Group {
	f.created++
	f.clock = f.clock.Add(time.Hour)
	g.Created, g.Mixed, g.LaunchTemplateVersion = f.clock, true, latest
	if g.Tags = maps.Clone(g.Tags); g.Tags == nil {
		g.Tags = map[string]string{}
	}
	for n := range g.DesiredCapacity {
		g.Instances = append(g.Instances, Instance{ID: fmt.Sprintf("i-%d-%d", f.created, n), InService: !f.barren})
	}
	f.groups[g.Name] = &g
	f.scaling[g.Name] = &Scaling{TargetTracking: g.TargetTracking, Schedules: g.Schedules}
	g.TargetTracking, g.Schedules = nil, nil
	f.unseen[g.Name] = f.hidden
	return &g
}

func (f *fakeCloud) Groups(context.Context) ([]Group, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("Groups", ""); err != nil {
		return nil, err
	}
	var all []Group
	for _, name := range slices.Sorted(maps.Keys(f.groups)) {
		g := f.groups[name]
		if f.unseen[name] > 0 {
			f.unseen[name]--
			continue
		}
		if g.Deleting {
			if f.lingered[name]++; f.lingered[name] > f.linger {
				f.remove(name)
				continue
			}
		}
		copied := *g
		copied.Tags = maps.Clone(g.Tags)
		copied.TargetGroupARNs = slices.Clone(g.TargetGroupARNs)
		all = append(all, copied)
	}
	return all, nil
}

func (f *fakeCloud) remove(name string) {
	for _, i := range f.groups[name].Instances {
		f.terminated[i.ID] = true
	}
	delete(f.groups, name)
	delete(f.scaling, name)
}

func (f *fakeCloud) CreateGroup(_ context.Context, g Group) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("CreateGroup", g.Name); err != nil {
		return err
	}
	if f.groups[g.Name] != nil {
		return ErrGroupExists
	}
	g.TargetTracking, g.Schedules = nil, nil // AWS takes none on creation
	f.add(g)
	return nil
}

var errNoGroup = errors.New("the Auto Scaling group is not there")

// change alters a group that must exist.
func (f *fakeCloud) change(method, name, detail string, alter func(*Group, *Scaling)) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call(method, name+detail); err != nil {
		return err
	}
	g := f.groups[name]
	if g == nil || g.Deleting {
		return errNoGroup
	}
	alter(g, f.scaling[name])
	return nil
}

func (f *fakeCloud) UpdateGroup(_ context.Context, name string, s Shape, minSize, maxSize *int) error {
	return f.change("UpdateGroup", name, "", func(g *Group, _ *Scaling) {
		s.Tags, s.TargetGroupARNs = g.Tags, g.TargetGroupARNs
		s.TargetTracking, s.Schedules = nil, nil
		if minSize == nil {
			minSize = &g.MinSize
		}
		if maxSize == nil {
			maxSize = &g.MaxSize
		}
		s.MinSize, s.MaxSize = *minSize, *maxSize
		g.Shape, g.Mixed, g.LaunchTemplateVersion = s, true, latest
	})
}

func (f *fakeCloud) DeleteGroup(_ context.Context, name string) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("DeleteGroup", name); err != nil {
		return err
	}
	if g := f.groups[name]; g != nil {
		g.Deleting = true
	}
	return nil
}

func (f *fakeCloud) AttachTargetGroups(_ context.Context, name string, arns []string) error {
	return f.change("AttachTargetGroups", name, "", func(g *Group, _ *Scaling) { g.TargetGroupARNs = append(g.TargetGroupARNs, arns...) })
}

func (f *fakeCloud) DetachTargetGroups(_ context.Context, name string, arns []string) error {
	return f.change("DetachTargetGroups", name, "", func(g *Group, _ *Scaling) { g.TargetGroupARNs = without(g.TargetGroupARNs, arns) })
}

func (f *fakeCloud) PutTags(_ context.Context, name string, tags map[string]string) error {
	return f.change("PutTags", name, "", func(g *Group, _ *Scaling) {
		maps.Copy(g.Tags, tags)
		if key, ok := tags[IdentityTag]; ok {
			g.Key = key
			delete(g.Tags, IdentityTag)
		}
	})
}

func (f *fakeCloud) DeleteTags(_ context.Context, name string, keys []string) error {
	return f.change("DeleteTags", name, "", func(g *Group, _ *Scaling) {
		for _, key := range keys {
			delete(g.Tags, key)
		}
	})
}

func (f *fakeCloud) LastActivity(context.Context, string) (string, error) {
	return "Failed: no spot capacity", f.call("LastActivity", "")
}

func (f *fakeCloud) Scaling(_ context.Context, name string) (Scaling, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("Scaling", name); err != nil {
		return Scaling{}, err
	}
	s := f.scaling[name]
	if s == nil {
		return Scaling{}, errNoGroup
	}
	return Scaling{slices.Clone(s.TargetTracking), slices.Clone(s.Schedules)}, nil
}

func put[T any](all []T, one T, name func(T) string) []T {
	all = slices.DeleteFunc(slices.Clone(all), func(other T) bool { return name(other) == name(one) })
	return append(all, one)
}

func (f *fakeCloud) PutTargetTracking(_ context.Context, name string, t TargetTracking) error {
	return f.change("PutTargetTracking", name, "/"+t.Name, func(_ *Group, s *Scaling) { s.TargetTracking = put(s.TargetTracking, t, TargetTracking.name) })
}

func (f *fakeCloud) DeleteTargetTracking(_ context.Context, name, policy string) error {
	return f.change("DeleteTargetTracking", name, "/"+policy, func(_ *Group, s *Scaling) {
		s.TargetTracking = slices.DeleteFunc(s.TargetTracking, func(t TargetTracking) bool { return t.Name == policy })
	})
}

func (f *fakeCloud) PutSchedule(_ context.Context, name string, one Schedule) error {
	return f.change("PutSchedule", name, "/"+one.Name, func(_ *Group, s *Scaling) {
		// AWS may keep what an update leaves out.
		for _, had := range s.Schedules {
			if had.Name == one.Name {
				one.MinSize, one.MaxSize = cmp.Or(one.MinSize, had.MinSize), cmp.Or(one.MaxSize, had.MaxSize)
				one.DesiredCapacity, one.TimeZone = cmp.Or(one.DesiredCapacity, had.DesiredCapacity), cmp.Or(one.TimeZone, had.TimeZone)
			}
		}
		s.Schedules = put(s.Schedules, one, Schedule.name)
	})
}

func (f *fakeCloud) DeleteSchedule(_ context.Context, name, action string) error {
	return f.change("DeleteSchedule", name, "/"+action, func(_ *Group, s *Scaling) {
		s.Schedules = slices.DeleteFunc(s.Schedules, func(one Schedule) bool { return one.Name == action })
	})
}

func (f *fakeCloud) Instances(_ context.Context, _ string, ids []string) ([]string, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("Instances", ""); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		if f.terminated[id] && f.outlive > 0 {
			f.outlive--
			return false
		}
		return f.terminated[id]
	}), nil
}
