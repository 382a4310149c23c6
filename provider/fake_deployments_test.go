package provider

import (
	"context"
	"maps"
	"slices"
	"time"
)

func (f *fakeCloud) DeploymentGroup(context.Context, string, string) ([]string, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("DeploymentGroup", ""); err != nil || !f.exists {
		return nil, err
	}
	return f.named, nil
}

func (f *fakeCloud) Running(context.Context, string, string) ([]Deployment, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("Running", ""); err != nil {
		return nil, err
	}
	var running []Deployment
	for _, id := range slices.Sorted(maps.Keys(f.deployments)) {
		if d := f.deployments[id]; d.running() {
			running = append(running, d)
		}
	}
	return running, nil
}

func (f *fakeCloud) Deployment(_ context.Context, id string) (Deployment, bool, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("Deployment ", id); err != nil {
		return Deployment{}, false, err
	}
	d, found := f.deployments[id]
	return d, found, nil
}

func (f *fakeCloud) StopDeployment(_ context.Context, id string) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call("StopDeployment", id); err != nil {
		return err
	}
	f.end(id, "Stopped")
	return nil
}

func (f *fakeCloud) end(id, status string) {
	d := f.deployments[id]
	d.ID, d.Status, d.Ended = id, status, time.Now().Add(-time.Hour)
	f.deployments[id] = d
}

// copied says what a release copies. The zero value copies all.
type copied struct{ noTags, noTargetGroups, noPolicies, noMix bool }

// begin starts a deployment: CodeDeploy copies the live group.
func (f *fakeCloud) begin(id string, what copied) string {
	f.lock.Lock()
	defer f.lock.Unlock()
	source := *f.groups[f.named[0]]
	g := source
	g.Name = "CodeDeploy_site-group_" + id
	g.Instances, g.TargetTracking, g.Schedules = nil, slices.Clone(f.scaling[source.Name].TargetTracking), slices.Clone(f.scaling[source.Name].Schedules)
	if what.noTags {
		g.Tags, g.Key = nil, ""
	}
	if what.noTargetGroups {
		g.TargetGroupARNs = nil
	}
	if what.noPolicies {
		g.TargetTracking, g.Schedules = nil, nil
	}
	green := f.add(g)
	if what.noMix {
		green.Mixed, green.InstanceTypes, green.SpotAllocationStrategy = false, nil, ""
		green.OnDemandPercentageAboveBaseCapacity, green.LaunchTemplateVersion, green.CapacityRebalance = 0, "7", false
	}
	f.deployments[id] = Deployment{ID: id, Status: "InProgress"}
	return g.Name
}

// release is a whole successful deployment.
func (f *fakeCloud) release(id string, what copied) {
	green := f.begin(id, what)
	f.lock.Lock()
	defer f.lock.Unlock()
	f.remove(f.named[0])
	f.named = []string{green}
	f.end(id, "Succeeded")
}
