// Package pair declares two Auto Scaling groups that releases alternate
// between: one serves, the other has no instances. Neither is ever copied,
// replaced or deleted by a release, so ordinary resources of Pulumi do.
//
// A release sets the idle group's minimum and desired size to the live one's,
// deploys to it, and at the end sets those of the other group to zero. Pulumi
// learns which group is live by asking AWS, at each run (LookUp), and declares
// the minimum accordingly; it never declares how many instances are wanted.
//
// Neither group declares a target group. An attached group registers its
// instances as soon as they start, and one without a release, or with a
// release whose traffic is yet to come, would be among those that visitors
// reach. CodeDeploy registers instances when it gives them traffic. Attaching
// the live group, so that instances it starts later are registered too, and
// detaching the idle one belongs to the release; the provider takes whatever
// it finds as it is.
package pair

import (
	"errors"
	"fmt"
	"slices"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// Renaming the token replaces both groups.
const typeToken = "bluegreen:infra:Pair"

// Tags on the groups that tell the release command what it needs to know.
const (
	// TagPair is "<application>/<deployment group>".
	TagPair = "bluegreen:pair"
	// TagSize is the minimum size of whichever group serves.
	TagSize = "bluegreen:size"
	// TagTerminationWait is how many minutes the original instances stay after
	// traffic has left them.
	TagTerminationWait = "bluegreen:termination-wait"
)

// Args is what both groups look like. Everything but SpotInstancePools,
// CapacityRebalance, DesiredSize, TargetTracking, Schedules and Tags is
// required.
type Args struct {
	Site naming.Site
	// Found are the groups that exist, as LookUp returns them.
	Found map[string]Size

	LaunchTemplateID pulumi.StringInput // always used at $Latest
	SubnetIDs        pulumi.StringArrayInput
	InstanceTypes    []string // the preferred one first; 1 to 40
	// OnDemandBaseCapacity is the number of instances that are on-demand
	// before any spot instance.
	OnDemandBaseCapacity                int
	OnDemandPercentageAboveBaseCapacity int // 0, all spot, to 100
	SpotAllocationStrategy              string
	SpotInstancePools                   int // with lowest-price only, 1 to 20
	CapacityRebalance                   bool
	HealthCheckType                     string // EC2 or ELB
	HealthCheckGracePeriod              int    // seconds
	TerminationPolicies                 []string

	MinSize, MaxSize int // of whichever group serves; MinSize at least 1
	// DesiredSize is the number of instances that a group begins with when it
	// is made as the live one. 0 is MinSize.
	DesiredSize            int
	TerminationWaitMinutes int // for the release command, see TagTerminationWait
	TargetTracking         []TargetTracking
	// Schedules is the number of scheduled actions that the fleet is to have.
	// It must be 0: one sets a minimum size, and so would make the idle group
	// look live.
	Schedules int
	Tags      map[string]string // of the groups and their instances
}

func (a Args) validate() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"site", a.Site == naming.Site{}},
		{"launchTemplateId", a.LaunchTemplateID == nil},
		{"subnetIds", a.SubnetIDs == nil},
		{"instanceTypes", len(a.InstanceTypes) == 0},
		{"spotAllocationStrategy", a.SpotAllocationStrategy == ""},
		{"healthCheckType", a.HealthCheckType == ""},
	} {
		if input.missing {
			add("%s: required, got none", input.name)
		}
	}
	if a.MinSize < 1 {
		add("minSize: want at least 1, because the live group is known by it; got %d", a.MinSize)
	}
	if a.MinSize > a.MaxSize {
		add("minSize: %d exceeds maxSize %d; raise the second or lower the first", a.MinSize, a.MaxSize)
	}
	if a.DesiredSize != 0 && (a.DesiredSize < a.MinSize || a.DesiredSize > a.MaxSize) {
		add("desiredSize: want minSize %d to maxSize %d, got %d", a.MinSize, a.MaxSize, a.DesiredSize)
	}
	if percent := a.OnDemandPercentageAboveBaseCapacity; percent < 0 || percent > 100 {
		add("onDemandPercentageAboveBaseCapacity: want 0 to 100, got %d", percent)
	}
	if a.SpotInstancePools != 0 && a.SpotAllocationStrategy != lowestPrice {
		add("spotInstancePools: goes with spotAllocationStrategy %s only, which is %s; remove one of them", lowestPrice, a.SpotAllocationStrategy)
	}
	if a.Schedules != 0 {
		add("schedules: want none with a pair of groups, got %d, because a schedule would start the idle group; remove them or release in mode copy", a.Schedules)
	}
	for i, policy := range a.TargetTracking {
		if !slices.Contains(tracked(), policy.Metric) {
			add("targetTracking[%d].metric: want one of %v with a pair of groups, got %q: "+
				"another counts for both groups and would start the idle one; choose one of these or release in mode copy", i, tracked(), policy.Metric)
		}
	}
	return errors.Join(problems...)
}

// Pair is two groups of which one serves.
type Pair struct {
	pulumi.ResourceState

	// LiveGroup is the name of the group that serves, by the sizes in
	// Pulumi's state: a refresh moves it together with what the deployment
	// group names, and without one it stays as that does. During a release it
	// may be either.
	LiveGroup pulumi.StringOutput
}

// New declares the pair.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (p *Pair, err error) {
	defer func() {
		if err != nil {
			p, err = nil, fmt.Errorf("pair %s: %w", name, err)
		}
	}()
	if err := args.validate(); err != nil {
		return nil, err
	}
	p = &Pair{}
	if err := ctx.RegisterComponentResource(typeToken, name, p, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(p)
	minimums := map[string]pulumi.IntOutput{}
	for _, key := range keys() {
		group, err := newGroup(ctx, key, args, own)
		if err != nil {
			return nil, err
		}
		if err := newPolicies(ctx, key, args, group, own); err != nil {
			return nil, err
		}
		minimums[key] = group.MinSize
	}
	p.LiveGroup = pulumi.StringOutput(pulumix.Apply2(minimums[A], minimums[B], liveGroup(args)))
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"liveGroup": p.LiveGroup})
}

// liveGroup returns the function that names the live group by the minimum
// sizes of both. Where they do not tell, what AWS said does.
func liveGroup(args Args) func(a, b int) string {
	return func(a, b int) string {
		live := Live(map[string]Size{A: {Min: a}, B: {Min: b}})
		if live == "" {
			live = Live(args.Found)
		}
		if live == "" {
			live = A
		}
		return args.Site.AutoScalingGroupOfPair(live)
	}
}
