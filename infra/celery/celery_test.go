package celery

import (
	"errors"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"
	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	groupToken       = "aws:autoscaling/group:Group"
	policyToken      = "aws:autoscaling/policy:Policy"
	deploymentsToken = "aws:codedeploy/deploymentGroup:DeploymentGroup"
	guardToken       = "bluegreen:index:Guard"
)

func arguments() Args {
	args := Args{
		Spec: Default(), Site: naming.Site{Project: "example", Environment: "prod"},
		LaunchTemplateIDs: map[string]pulumi.StringInput{
			workersAndBeat: pulumi.String("lt-both"), workers: pulumi.String("lt-worker"), beat: pulumi.String("lt-beat"),
		},
		SubnetIDs:     pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		InstanceTypes: []string{"t3.micro", "t3a.micro"}, SpotAllocationStrategy: "price-capacity-optimized", HealthCheckGracePeriod: 300,
		Application: pulumi.String("example-prod"), ServiceRoleARN: pulumi.String("arn:aws:iam::123456789012:role/example-prod-CodeDeploy"),
		Rollback: true,
		Release:  sdk.Release{Application: pulumi.String("example-prod"), WaitForDeployment: pulumi.String("30m0s")},
		Tags:     map[string]string{"Project": "example"},
	}
	args.Mode = WorkerAndBeatFleets
	return args
}

func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", args)
		return err
	}, options...))
}

func named(t *testing.T, recorder *infratest.Recorder, token, name string) infratest.Resource {
	t.Helper()
	found, ok := recorder.Named(token, name)
	require.True(t, ok, "%s %s", token, name)
	return found
}

func distribution(group infratest.Resource) map[string]any {
	return group.Value("mixedInstancesPolicy").ObjectValue()["instancesDistribution"].ObjectValue().Mappable()
}

func TestWorkersAreBoughtLikeTheWebFleet(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.Worker.MinSize, a.Worker.MaxSize = 2, 6 })
	group := named(t, &recorder, groupToken, "example-prod-CeleryWorker")
	assert.Equal(t, map[string]any{
		"onDemandBaseCapacity": 0.0, "onDemandPercentageAboveBaseCapacity": 0.0, "spotAllocationStrategy": "price-capacity-optimized",
	}, distribution(group))
	assert.Equal(t, 2.0, group.Value("minSize").NumberValue())
	assert.Equal(t, 6.0, group.Value("maxSize").NumberValue())
	assert.True(t, group.Value("capacityRebalance").BoolValue())
	assert.Equal(t, []string{"desiredCapacity"}, group.Ignore)
	assert.False(t, group.Inputs.HasValue("targetGroupArns"), "no visitor comes here")
	template := group.Value("mixedInstancesPolicy").ObjectValue()["launchTemplate"].Mappable()
	assert.Equal(t, map[string]any{
		"launchTemplateSpecification": map[string]any{"launchTemplateId": "lt-worker", "version": "$Latest"},
		"overrides":                   []any{map[string]any{"instanceType": "t3.micro"}, map[string]any{"instanceType": "t3a.micro"}},
	}, template)
	assert.Equal(t, []any{
		map[string]any{"key": "Name", "value": "example-prod-CeleryWorker", "propagateAtLaunch": false},
		map[string]any{"key": "Project", "value": "example", "propagateAtLaunch": true},
	}, group.Value("tags").Mappable())
	assert.Empty(t, recorder.OfType(policyToken))
}

// Two beats would be one too many, and a spot instance may go at any time.
func TestBeatIsOneOnDemand(t *testing.T) {
	for onDemand, want := range map[bool]float64{true: 1, false: 0} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.Beat.OnDemand, a.Worker.MaxSize = onDemand, 9 })
		group := named(t, &recorder, groupToken, "example-prod-CeleryBeat")
		assert.Equal(t, 1.0, group.Value("minSize").NumberValue())
		assert.Equal(t, 1.0, group.Value("maxSize").NumberValue())
		assert.False(t, group.Value("capacityRebalance").BoolValue(), "the next one starts when the last one has ended")
		assert.Equal(t, want, distribution(group)["onDemandBaseCapacity"])
	}
}

func TestReleasesAreInPlaceAndNotAllAtOnce(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.FailureTopicARN = pulumi.String("arn:aws:sns:us-east-2:123456789012:failures") })
	require.Len(t, recorder.OfType(deploymentsToken), 2)
	group := named(t, &recorder, deploymentsToken, "example-prod-CeleryWorker")
	assert.Equal(t, map[string]any{"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}, group.Value("deploymentStyle").Mappable())
	assert.Equal(t, "CodeDeployDefault.OneAtATime", group.Text("deploymentConfigName"))
	assert.Equal(t, []any{"example-prod-CeleryWorker"}, group.Value("autoscalingGroups").Mappable())
	assert.Equal(t, []any{"DEPLOYMENT_FAILURE"}, group.Value("autoRollbackConfiguration").ObjectValue()["events"].Mappable())
	assert.Equal(t, "failures", group.Value("triggerConfigurations").ArrayValue()[0].ObjectValue()["triggerName"].StringValue())
	for _, key := range []string{"loadBalancerInfo", "blueGreenDeploymentConfig", "alarmConfiguration"} {
		assert.NotContains(t, group.Inputs.Mappable(), key)
	}
}

func TestEachDeploymentGroupHasItsGuard(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	require.Len(t, recorder.OfType(guardToken), 2)
	guard := named(t, &recorder, guardToken, "example-prod-CeleryBeat-release")
	assert.Equal(t, "example-prod-CeleryBeat", guard.Text("deploymentGroup"))
	assert.Equal(t, "example-prod", guard.Text("application"))
	assert.Equal(t, "30m0s", guard.Text("waitForDeployment"))
	assert.Equal(t, "example-prod-CeleryBeat-id", guard.Text("deploymentGroupId"), "deleted before its deployment group")
}

func TestNoRollbackNoTopic(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.Rollback = false })
	group := named(t, &recorder, deploymentsToken, "example-prod-CeleryBeat")
	assert.NotContains(t, group.Inputs.Mappable(), "autoRollbackConfiguration")
	assert.NotContains(t, group.Inputs.Mappable(), "triggerConfigurations")
}

func TestWorkersFollowTheirProcessors(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.Mode, a.Worker.CPUTarget, a.Worker.InstanceTypes = WorkerFleet, 60, []string{"c7i.large"}
		a.SpotAllocationStrategy, a.SpotInstancePools = "lowest-price", 3
	})
	group := named(t, &recorder, groupToken, "example-prod-Celery")
	assert.Equal(t, 3.0, distribution(group)["spotInstancePools"])
	assert.Equal(t, []any{map[string]any{"instanceType": "c7i.large"}},
		group.Value("mixedInstancesPolicy").ObjectValue()["launchTemplate"].ObjectValue()["overrides"].Mappable())
	policy := named(t, &recorder, policyToken, "example-prod-Celery-cpu")
	assert.Equal(t, "example-prod-Celery", policy.Text("autoscalingGroupName"))
	assert.Equal(t, map[string]any{
		"predefinedMetricSpecification": map[string]any{"predefinedMetricType": "ASGAverageCPUUtilization"}, "targetValue": 60.0,
	}, policy.Value("targetTrackingConfiguration").Mappable())
}

func TestEverythingHasTheComponentAsParent(t *testing.T) {
	for mode, count := range map[string]int{Single: 0, None: 0, WorkerFleet: 3, WorkerAndBeatFleets: 6} {
		for _, recorder := range []*infratest.Recorder{{}, {Withhold: true}} {
			options := []pulumi.RunOption{}
			if recorder.Withhold {
				options = append(options, infratest.Preview)
			}
			declare(t, recorder, func(a *Args) { a.Mode = mode }, options...)
			found := 0
			for _, r := range recorder.Resources() {
				if r.Custom {
					found++
					assert.Contains(t, r.Parent, "::"+typeToken+"::example-prod", r.Name)
				}
			}
			assert.Equal(t, count, found, mode)
		}
	}
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{Spec: Spec{Mode: WorkerFleet}})
		return err
	})
	require.ErrorContains(t, err, `celery example-prod: worker.minSize: want at least 1, because a deployment needs a running instance; got 0
site: required, got none
subnetIds: required, got none
instanceTypes: required, got none
spotAllocationStrategy: required, got none
healthCheckGracePeriod: required, got none
application: required, got none
serviceRoleArn: required, got none
release: required, got none
launchTemplateIds.Celery: required, got none`)
	assert.Empty(t, recorder.Resources())
}

func TestRefusedRegistrationIsReported(t *testing.T) {
	for _, token := range []string{typeToken, groupToken, policyToken, deploymentsToken, guardToken} {
		refused := errors.New("refused by the test")
		recorder := infratest.Recorder{Fail: func(args pulumi.MockResourceArgs) error {
			if args.TypeToken == token {
				return refused
			}
			return nil
		}}
		err := recorder.Run(func(ctx *pulumi.Context) error {
			args := arguments()
			args.Worker.CPUTarget = 50
			_, err := New(ctx, "example-prod", args)
			return err
		})
		assert.ErrorContains(t, err, refused.Error(), token)
	}
}
