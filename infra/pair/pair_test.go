package pair

import (
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	groupToken  = "aws:autoscaling/group:Group"
	policyToken = "aws:autoscaling/policy:Policy"
	sinkToken   = "test:index:Sink"

	groupA = "example-prod-EC2AutoScalingGroup-a"
	groupB = "example-prod-EC2AutoScalingGroup-b"
)

func arguments() Args {
	return Args{
		Site:                   naming.Site{Project: "example", Environment: "prod"},
		LaunchTemplateID:       pulumi.String("lt-1"),
		SubnetIDs:              pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		InstanceTypes:          []string{"t3.micro", "t3a.micro"},
		SpotAllocationStrategy: "price-capacity-optimized",
		HealthCheckType:        "EC2", HealthCheckGracePeriod: 300, TerminationPolicies: []string{"Default"},
		CapacityRebalance: true,
		MinSize:           2, MaxSize: 4,
		TerminationWaitMinutes: 10,
		Tags:                   map[string]string{"Project": "example", "Name": "not this one"},
	}
}

// declare makes a pair and returns the name of the group that serves.
func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) string {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		p, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		var sink pulumi.CustomResourceState
		return ctx.RegisterResource(sinkToken, "sink", pulumi.Map{"liveGroup": p.LiveGroup}, &sink)
	}, options...))
	sink, ok := recorder.Named(sinkToken, "sink")
	require.True(t, ok)
	return sink.Text("liveGroup")
}

// groups are a and b.
func groups(t *testing.T, recorder *infratest.Recorder) (a, b infratest.Resource) {
	t.Helper()
	found := recorder.OfType(groupToken)
	require.Len(t, found, 2)
	return found[0], found[1]
}

func TestBothGroupsAreAlike(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	a, b := groups(t, &recorder)
	assert.Equal(t, groupA, a.Text("name"))
	assert.Equal(t, groupB, b.Text("name"))
	for _, made := range []infratest.Resource{a, b} {
		assert.Equal(t, made.Text("name"), made.Name)
		assert.Equal(t, map[string]any{
			"instancesDistribution": map[string]any{
				"onDemandBaseCapacity": 0.0, "onDemandPercentageAboveBaseCapacity": 0.0, "spotAllocationStrategy": "price-capacity-optimized",
			},
			"launchTemplate": map[string]any{
				"launchTemplateSpecification": map[string]any{"launchTemplateId": "lt-1", "version": "$Latest"},
				"overrides":                   []any{map[string]any{"instanceType": "t3.micro"}, map[string]any{"instanceType": "t3a.micro"}},
			},
		}, made.Value("mixedInstancesPolicy").Mappable())
		assert.Equal(t, []any{"subnet-a", "subnet-b"}, made.Value("vpcZoneIdentifiers").Mappable())
		assert.Equal(t, "EC2", made.Text("healthCheckType"))
		assert.Equal(t, "0", made.Text("waitForCapacityTimeout"))
		assert.True(t, made.Value("forceDelete").BoolValue())
		assert.True(t, made.Value("capacityRebalance").BoolValue())
		assert.Equal(t, 4.0, made.Value("maxSize").NumberValue())
		assert.Contains(t, made.Ignore, "desiredCapacity")
		for _, attached := range []string{"targetGroupArns", "trafficSources", "loadBalancers"} {
			assert.NotContains(t, made.Inputs.Mappable(), attached, "CodeDeploy decides who gets traffic")
		}
		tag := func(key, value string, instances bool) any {
			return map[string]any{"key": key, "value": value, "propagateAtLaunch": instances}
		}
		assert.Equal(t, []any{
			tag("Project", "example", true),
			tag("Name", made.Name, false),
			tag("bluegreen:pair", "example-prod/example-prod-DeploymentGroup-01", false),
			tag("bluegreen:size", "2", false),
			tag("bluegreen:termination-wait", "10", false),
		}, made.Value("tags").Mappable())
	}
}

// What is declared in the life of a pair: sizes, and whether a state that was
// not refreshed may keep its own.
func TestSizesFollowTheLiveGroup(t *testing.T) {
	for _, test := range []struct {
		name     string
		found    map[string]Size
		minA     float64
		minB     float64
		keepA    bool
		keepB    bool
		liveName string // by these sizes
	}{
		{"first up", nil, 2, 0, false, false, groupA},
		{"before the first release", map[string]Size{A: {2, 2}, B: {}}, 2, 0, true, true, groupA},
		{"under way", map[string]Size{A: {2, 2}, B: {1, 2}}, 2, 1, true, true, groupA},
		{"after the first release", map[string]Size{A: {}, B: {2, 3}}, 0, 2, true, true, groupB},
		{"minimum edited after it", map[string]Size{A: {}, B: {1, 1}}, 0, 2, true, false, groupB},
		{"live group lost", map[string]Size{A: {}}, 2, 0, false, false, groupA},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			live := declare(t, &recorder, func(args *Args) { args.Found = test.found })
			a, b := groups(t, &recorder)
			assert.Equal(t, test.minA, a.Value("minSize").NumberValue())
			assert.Equal(t, test.minB, b.Value("minSize").NumberValue())
			assert.Equal(t, test.keepA, len(a.Ignore) == 2, "%v", a.Ignore)
			assert.Equal(t, test.keepB, len(b.Ignore) == 2, "%v", b.Ignore)
			assert.Equal(t, test.liveName, live)
			assert.False(t, a.Inputs.HasValue("desiredCapacity") || b.Inputs.HasValue("desiredCapacity"))
		})
	}
}

// The name follows the state and, where that does not tell, AWS.
func TestLiveGroupByState(t *testing.T) {
	args := arguments()
	args.Found = map[string]Size{B: {Min: 2}}
	assert.Equal(t, groupA, liveGroup(args)(2, 0), "a state from before the release: so is the deployment group's")
	assert.Equal(t, groupB, liveGroup(args)(0, 2))
	assert.Equal(t, groupB, liveGroup(args)(2, 2))
	args.Found[A] = Size{Min: 2}
	assert.Equal(t, groupA, liveGroup(args)(2, 2), "under way, the deployment group ignores it")
}

func TestNumberToBeginWith(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.DesiredSize = 3 })
	a, b := groups(t, &recorder)
	assert.Equal(t, 3.0, a.Value("desiredCapacity").NumberValue())
	assert.False(t, b.Inputs.HasValue("desiredCapacity"), "the idle group begins empty")
}

func TestLowestPrice(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.SpotAllocationStrategy, a.SpotInstancePools = "lowest-price", 2 })
	a, _ := groups(t, &recorder)
	distribution := a.Value("mixedInstancesPolicy").ObjectValue()["instancesDistribution"].ObjectValue()
	assert.Equal(t, 2.0, distribution["spotInstancePools"].NumberValue())
}

func TestBothGroupsScale(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.TargetTracking = []TargetTracking{{Name: "cpu", Metric: "ASGAverageCPUUtilization", Target: 60, DisableScaleIn: true}}
	})
	policies := recorder.OfType(policyToken)
	require.Len(t, policies, 2)
	for i, name := range []string{groupA, groupB} {
		assert.Equal(t, name, policies[i].Text("autoscalingGroupName"))
		assert.Equal(t, "cpu", policies[i].Text("name"))
		assert.Equal(t, "TargetTrackingScaling", policies[i].Text("policyType"))
		assert.Equal(t, map[string]any{
			"predefinedMetricSpecification": map[string]any{"predefinedMetricType": "ASGAverageCPUUtilization"},
			"targetValue":                   60.0, "disableScaleIn": true,
		}, policies[i].Value("targetTrackingConfiguration").Mappable())
	}
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	live := declare(t, &recorder, nil, infratest.Preview)
	assert.Equal(t, groupA, live, "known before anything exists")
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != sinkToken {
			assert.Contains(t, r.Parent, typeToken)
		}
	}
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{
			OnDemandPercentageAboveBaseCapacity: 101, SpotInstancePools: 2, DesiredSize: 5, MaxSize: -1, Schedules: 2,
			TargetTracking: []TargetTracking{{Name: "requests", Metric: "ALBRequestCountPerTarget", Target: 100}},
		})
		return err
	})
	require.ErrorContains(t, err, `pair example-prod: site: required, got none
launchTemplateId: required, got none
subnetIds: required, got none
instanceTypes: required, got none
spotAllocationStrategy: required, got none
healthCheckType: required, got none
minSize: want at least 1, because the live group is known by it; got 0
minSize: 0 exceeds maxSize -1; raise the second or lower the first
desiredSize: want minSize 0 to maxSize -1, got 5
onDemandPercentageAboveBaseCapacity: want 0 to 100, got 101
spotInstancePools: goes with spotAllocationStrategy lowest-price only, which is ; remove one of them
schedules: want none with a pair of groups, got 2, because a schedule would start the idle group; remove them or release in mode copy
targetTracking[0].metric: want one of [ASGAverageCPUUtilization ASGAverageNetworkIn ASGAverageNetworkOut] with a pair of groups, got "ALBRequestCountPerTarget"`)
	assert.Empty(t, recorder.Resources())
}
