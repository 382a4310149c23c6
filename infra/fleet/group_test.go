package fleet

import (
	"strings"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	identityToken = "bluegreen:index:Identity"
	groupFleet    = "bluegreen:index:Fleet"
)

func group() *Group {
	return &Group{
		Key: "example/prod/web", BootstrapName: "example-prod-EC2AutoScalingGroup", ReleaseSettings: "0123",
		Release:               sdk.Release{Application: pulumi.String("example-prod"), DeploymentGroup: pulumi.String("example-prod-DeploymentGroup-01")},
		SubnetIDs:             pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		TargetGroupARN:        pulumi.String("arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/1"),
		TargetGroupARNSuffix:  pulumi.String("targetgroup/web/1"),
		LoadBalancerARNSuffix: pulumi.String("app/alb/2"),
	}
}

func declareGroup(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) infratest.Resource {
	t.Helper()
	declare(t, recorder, func(a *Args) {
		a.Group = group()
		if change != nil {
			change(a)
		}
	}, options...)
	found, ok := recorder.Named(groupFleet, "example-prod-fleet")
	require.True(t, ok)
	return found
}

func TestGroupIsAllSpot(t *testing.T) {
	var recorder infratest.Recorder
	got := declareGroup(t, &recorder, nil)
	for property, want := range map[string]any{
		"bootstrapName": "example-prod-EC2AutoScalingGroup", "application": "example-prod", "deploymentGroup": "example-prod-DeploymentGroup-01",
		"onDemandBaseCapacity": 0.0, "onDemandPercentageAboveBaseCapacity": 0.0, "spotAllocationStrategy": "price-capacity-optimized",
		"capacityRebalance": true, "minSize": 1.0, "maxSize": 1.0, "healthCheckType": "EC2", "healthCheckGracePeriod": 300.0,
		"launchTemplateId": "example-prod-MainLaunchTemplate-id", "copyLosses": "warn",
	} {
		assert.Equal(t, want, got.Inputs.Mappable()[property], property)
	}
	assert.False(t, got.Inputs.HasValue("spotInstancePools"), "goes with lowest-price only")
	assert.False(t, got.Inputs.HasValue("desiredCapacity"), "the number of instances is Auto Scaling's")
	assert.Equal(t, map[string]any{"Project": "example", "Name": "example-prod-web"}, got.Inputs.Mappable()["tags"])
	assert.Equal(t, []string{"key"}, got.Ignore)
}

func TestGroupAsTheSeedHasIt(t *testing.T) {
	var recorder infratest.Recorder
	got := declareGroup(t, &recorder, func(a *Args) {
		a.SpotAllocationStrategy, a.SpotInstancePools, a.MinSize, a.MaxSize, a.DesiredSize = LowestPrice, 2, 1, 4, 3
	})
	assert.Equal(t, 2.0, got.Value("spotInstancePools").NumberValue())
	assert.Equal(t, 3.0, got.Value("desiredCapacity").NumberValue())
}

func TestDestroyFindsGroupsBeforeSubnetsGo(t *testing.T) {
	var recorder infratest.Recorder
	declareGroup(t, &recorder, nil)
	identity, ok := recorder.Named(identityToken, "example-prod-fleet")
	require.True(t, ok)
	assert.Equal(t, "example/prod/web", identity.Text("key"))
	assert.Equal(t, []any{"subnet-1", "subnet-2", "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/1"},
		identity.Inputs.Mappable()["deleteBefore"])
}

func TestScalingSurvivesInOrderOfItsNames(t *testing.T) {
	var recorder infratest.Recorder
	one := 1
	got := declareGroup(t, &recorder, func(a *Args) {
		a.TargetTracking = map[string]TargetTracking{
			"requests": {Metric: requestsPerTarget, Target: 100},
			"cpu":      {Metric: "ASGAverageCPUUtilization", Target: 50.5, DisableScaleIn: true},
		}
		a.Schedules = map[string]Schedule{"night": {Recurrence: "0 22 * * *", TimeZone: "Europe/Berlin", MinSize: &one, DesiredSize: &one}}
	})
	assert.Equal(t, []any{
		map[string]any{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 50.5, "disableScaleIn": true},
		map[string]any{"name": "requests", "metric": requestsPerTarget, "target": 100.0, "disableScaleIn": false, "resourceLabel": "app/alb/2/targetgroup/web/1"},
	}, got.Inputs.Mappable()["targetTracking"])
	assert.Equal(t, []any{
		map[string]any{"name": "night", "recurrence": "0 22 * * *", "timeZone": "Europe/Berlin", "minSize": 1.0, "desiredCapacity": 1.0},
	}, got.Inputs.Mappable()["schedules"])
}

func TestPreviewOfTheGroup(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declareGroup(t, &recorder, nil, infratest.Preview)
	assert.Len(t, recorder.OfType(identityToken), 1)
}

func TestGroupIsComplete(t *testing.T) {
	args := arguments()
	args.Group = &Group{}
	for _, missing := range []string{"key", "bootstrapName", "releaseSettings", "release", "subnetIds", "targetGroupArn", "targetGroupArnSuffix", "loadBalancerArnSuffix"} {
		assert.ErrorContains(t, args.check(), "group: "+missing+": required, got none")
	}
}

func TestValidateGroup(t *testing.T) {
	minusOne, two, three := -1, 2, 3
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string
	}{
		{"purchase", func(s *Spec) {
			s.OnDemandBaseCapacity, s.OnDemandPercentage, s.SpotAllocationStrategy, s.SpotInstancePools = -1, 101, "cheap", 21
		}, []string{
			"onDemandBaseCapacity: want 0 or more, got -1",
			"onDemandPercentage: want 0 to 100, got 101",
			`spotAllocationStrategy: want one of price-capacity-optimized, lowest-price, capacity-optimized, capacity-optimized-prioritized, got "cheap"`,
			"spotInstancePools: want 1 to 20, got 21",
		}},
		{"health", func(s *Spec) {
			s.HealthCheckType, s.HealthCheckGracePeriod, s.TerminationPolicies = "HTTP", 0, []string{"Default", "Newest", "Default"}
		}, []string{
			`healthCheckType: want EC2 or ELB, got "HTTP"`,
			"healthCheckGracePeriod: want 1 to 86400 seconds, got 0",
			`terminationPolicies[1]: want one of Default, AllocationStrategy, OldestLaunchTemplate, ClosestToNextInstanceHour, NewestInstance, OldestInstance, got "Newest"`,
			`terminationPolicies[2]: "Default" is listed twice; remove one`,
		}},
		{"no policy", func(s *Spec) { s.TerminationPolicies = nil }, []string{"terminationPolicies: want at least one, got none; Default is AWS's own"}},
		{"target tracking", func(s *Spec) { s.TargetTracking = map[string]TargetTracking{"cpu": {Metric: "CPU"}} }, []string{
			`targetTracking.cpu.metric: want one of ASGAverageCPUUtilization, ASGAverageNetworkIn, ASGAverageNetworkOut, ALBRequestCountPerTarget, got "CPU"`,
			"targetTracking.cpu.target: want more than 0, got 0",
		}},
		{"schedules", func(s *Spec) {
			s.Schedules = map[string]Schedule{"a": {Recurrence: "daily"}, "b": {Recurrence: "0 1 * * *", MinSize: &three, MaxSize: &two, DesiredSize: &minusOne}}
		}, []string{
			`schedules.a.recurrence: want five cron fields like "0 22 * * *", got "daily"`,
			"schedules.a: changes nothing; give minSize, maxSize or desiredSize",
			"schedules.b.desiredSize: want 0 or more, got -1",
			"schedules.b.minSize: 3 exceeds maxSize 2; raise the second or lower the first",
		}},
		{"schedules that the group does not allow", func(s *Spec) {
			s.Schedules = map[string]Schedule{"a": {Recurrence: "99 99 * * *", MinSize: &two}, "b": {Recurrence: "0 1 * * *", DesiredSize: &three}}
		}, []string{
			`schedules.a.recurrence: want five cron fields like "0 22 * * *", got "99 99 * * *"`,
			"schedules.a: minSize 2 exceeds maxSize 1; give both",
			"schedules.b.desiredSize: want minSize 1 to maxSize 1, got 3",
		}},
		{"losses", func(s *Spec) { s.CopyLosses = "ignore" }, []string{`copyLosses: want warn or repair, got "ignore"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Default()
			test.change(&spec)
			assert.EqualError(t, spec.Validate(), strings.Join(test.want, "\n"))
		})
	}
}
