package provider

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

const targetGroup = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/1"

func number(n int) *int { return &n }

func arguments() FleetArgs {
	return FleetArgs{
		Key:     "site/prod/web",
		Release: Release{Application: "site", DeploymentGroup: "site-group", WaitForDeployment: "20ms"},
		Shape: Shape{
			LaunchTemplateID: "lt-1", InstanceTypes: []string{"t3.micro", "t3a.micro"}, OnDemandPercentageAboveBaseCapacity: 50,
			CapacityRebalance: true, SubnetIDs: []string{"subnet-b", "subnet-a"}, TargetGroupARNs: []string{targetGroup},
			MinSize: 2, MaxSize: 4, Tags: map[string]string{"Project": "site", "Name": "web"},
			TargetTracking: []TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 50}},
			Schedules:      []Schedule{{Name: "night", Recurrence: "0 22 * * *", DesiredCapacity: number(2)}},
		},
	}.withDefaults()
}

// inAWS is the group that a fleet of these arguments has.
func inAWS(name string, args FleetArgs) (Group, Scaling) {
	g := Group{Name: name, Key: args.Key, Shape: args.Shape, Mixed: true, LaunchTemplateVersion: latest, DesiredCapacity: 2}
	g.Tags = maps.Clone(g.Tags)
	g.TargetTracking, g.Schedules = nil, nil
	return g, Scaling{args.TargetTracking, args.Schedules}
}

const copyOfFleet = "CodeDeploy_site-group_d-1"

func TestObserve(t *testing.T) {
	for _, test := range []struct {
		name    string
		group   string
		change  func(*Group, *Scaling)
		args    func(*FleetArgs)
		changed []string
		lost    []string
	}{
		{name: "untouched", group: "web-1", change: func(*Group, *Scaling) {}},
		{name: "untouched copy", group: copyOfFleet, change: func(*Group, *Scaling) {}},
		{name: "another order", group: "web-1", change: func(g *Group, _ *Scaling) {
			g.SubnetIDs, g.InstanceTypes = []string{"subnet-a", "subnet-b"}, []string{"t3a.micro", "t3.micro"}
		}},
		{name: "another size by hand", group: copyOfFleet, change: func(g *Group, _ *Scaling) { g.MaxSize, g.DesiredCapacity = 9, 7 }, changed: []string{"maxSize"}},
		{name: "sizes that a schedule moves", group: "web-1", args: func(a *FleetArgs) {
			a.Schedules = []Schedule{{Name: "night", Recurrence: "0 22 * * *", MinSize: number(0), MaxSize: number(0)}}
		}, change: func(g *Group, _ *Scaling) { g.MinSize, g.MaxSize = 0, 0 }},
		{name: "tags of others", group: "web-1", change: func(g *Group, _ *Scaling) { g.Tags["cost"] = "42"; g.Tags["aws:x"] = "y" }},
		{name: "a tag changed by hand", group: copyOfFleet, change: func(g *Group, _ *Scaling) { g.Tags["Project"] = "other" }, changed: []string{"tags"}},
		{name: "a tag removed by hand", group: "web-1", change: func(g *Group, _ *Scaling) { delete(g.Tags, "Project") }, changed: []string{"tags"}},
		{name: "a policy of others", group: "web-1", change: func(_ *Group, s *Scaling) {
			s.TargetTracking = append([]TargetTracking{{Name: "theirs"}}, s.TargetTracking...)
		}},
		{name: "a policy changed by hand", group: copyOfFleet, change: func(_ *Group, s *Scaling) {
			s.TargetTracking = []TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 90}}
		}, changed: []string{"targetTracking"}},
		{name: "a policy removed by hand", group: "web-1", change: func(_ *Group, s *Scaling) { s.TargetTracking = nil }, changed: []string{"targetTracking"}},
		{name: "target group detached by hand", group: "web-1", change: func(g *Group, _ *Scaling) { g.TargetGroupARNs = nil }, changed: []string{"targetGroupArns"}},
		{name: "target group added by hand", group: copyOfFleet, change: func(g *Group, _ *Scaling) {
			g.TargetGroupARNs = append(slices.Clone(g.TargetGroupARNs), "arn:other")
		}, changed: []string{"targetGroupArns"}},
		{
			name: "a copy without anything", group: copyOfFleet,
			change: func(g *Group, s *Scaling) {
				g.Key, g.Tags, g.TargetGroupARNs, g.CapacityRebalance = "", nil, nil, false
				g.Mixed, g.InstanceTypes, g.SpotAllocationStrategy, g.OnDemandPercentageAboveBaseCapacity = false, nil, "", 0
				g.LaunchTemplateVersion = "3"
				*s = Scaling{}
			},
			lost: []string{
				"tag bluegreen:fleet", "tag Name", "tag Project", "target group " + targetGroup, "mixed instances policy",
				"capacity rebalance", "scaling policy cpu", "scheduled action night", "launch template version $Latest",
			},
		},
		{
			name: "a copy with AWS's own health checks and termination policies", group: copyOfFleet,
			args: func(a *FleetArgs) {
				a.TerminationPolicies, a.HealthCheckType, a.HealthCheckGracePeriod = []string{"OldestInstance"}, "ELB", 60
			},
			change: func(g *Group, _ *Scaling) {
				g.TerminationPolicies, g.HealthCheckType, g.HealthCheckGracePeriod = []string{"Default"}, "EC2", 0
			},
			lost: []string{"termination policies", "health check type", "health check grace period"},
		},
		{
			name: "a group of ours, pinned by hand to a version", group: "web-1",
			change: func(g *Group, _ *Scaling) { g.LaunchTemplateVersion = "3" },
			lost:   []string{"launch template version $Latest"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := arguments()
			if test.args != nil {
				test.args(&args)
			}
			g, s := inAWS(test.group, args)
			test.change(&g, &s)
			seen := args
			var lost []string
			seen.Shape, lost = observe(args.Shape, g, s)
			assert.Equal(t, test.changed, difference(seen, args))
			assert.Equal(t, test.lost, lost)
		})
	}
}

func TestDifference(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*FleetArgs)
		want   []string
	}{
		{"nothing", func(*FleetArgs) {}, nil},
		{"desired capacity", func(a *FleetArgs) { a.DesiredCapacity = number(3) }, nil},
		{"order of subnets", func(a *FleetArgs) { a.SubnetIDs = []string{"subnet-a", "subnet-b"} }, nil},
		{"order of instance types", func(a *FleetArgs) { a.InstanceTypes = []string{"t3a.micro", "t3.micro"} }, []string{"instanceTypes"}},
		{"key", func(a *FleetArgs) { a.Key = "site/new/web" }, []string{"key"}},
		{"sizes", func(a *FleetArgs) { a.MinSize, a.MaxSize = 1, 9 }, []string{"minSize", "maxSize"}},
		{"a schedule", func(a *FleetArgs) { a.Schedules = nil }, []string{"schedules"}},
		{"manners", func(a *FleetArgs) { a.StopDeploymentOnDelete, a.CopyLosses = true, lossesRepair }, []string{"stopDeploymentOnDelete", "copyLosses"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := arguments()
			test.change(&changed)
			assert.Equal(t, test.want, difference(arguments(), changed))
		})
	}
	assert.True(t, onlyManners([]string{"waitForDeployment", "stopDeploymentOnDelete", "copyLosses"}))
	assert.False(t, onlyManners([]string{"waitForDeployment", "maxSize"}))
}

func TestSizesToSend(t *testing.T) {
	night := arguments()
	night.Schedules = []Schedule{{Name: "night", MinSize: number(0)}}
	edited := night
	edited.MinSize = 1
	for _, test := range []struct {
		name                 string
		args                 FleetArgs
		before               *FleetArgs
		wantLeast, wantLarge bool
	}{
		{"new group", night, nil, true, true},
		{"a schedule moves the minimum", night, &night, false, true},
		{"the minimum was edited", edited, &night, true, true},
		{"no schedule of sizes", arguments(), &night, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			least, most := sizesToSend(test.args.Shape, test.before)
			assert.Equal(t, test.wantLeast, least != nil)
			assert.Equal(t, test.wantLarge, most != nil)
		})
	}
}
