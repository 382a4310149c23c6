package codedeploy

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (w *motoWorld) makeGroup(changes ...func(*codedeploy.CreateDeploymentGroupInput)) {
	w.Helper()
	in := copying("fleet")
	for _, change := range changes {
		change(in)
	}
	_, err := w.client.CreateDeploymentGroup(w.ctx, in)
	require.NoError(w, err)
}

func TestTenDeploymentsInARowOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup()
	assert.ElementsMatch(t, members(w.one()), w.routed())
	waiter := codedeploy.NewDeploymentSuccessfulWaiter(w.client, func(o *codedeploy.DeploymentSuccessfulWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 10*time.Millisecond
	})
	for i := range 10 {
		before := w.one()
		id := w.deploy("v1")
		require.NoError(t, waiter.Wait(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id}, time.Minute))

		now := w.one()
		assert.Equal(t, "CodeDeploy_web_"+id, *now.AutoScalingGroupName, i)
		assert.Equal(t, *now.AutoScalingGroupName, w.follows())
		assert.Len(t, now.Instances, 3)
		assert.NotSubset(t, members(now), members(before))
		assert.ElementsMatch(t, members(now), w.routed())
		assert.Equal(t, []string{w.target}, now.TargetGroupARNs)
		w.assertCopied(before, now)
	}
	running, err := w.aws.machines.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}}},
	})
	require.NoError(t, err)
	count := 0
	for _, reservation := range running.Reservations {
		count += len(reservation.Instances)
		for _, instance := range reservation.Instances {
			assert.Contains(t, fmt.Sprint(tagsOf(instance)), "bluegreen:fleet=shop/web")
		}
	}
	assert.Equal(t, 3, count, "nothing of the earlier fleets runs")
}

func tagsOf(instance ec2types.Instance) (tags []string) {
	for _, tag := range instance.Tags {
		tags = append(tags, *tag.Key+"="+*tag.Value)
	}
	return tags
}

// assertCopied compares what a copied group got, and reads back what hangs on it.
func (w *motoWorld) assertCopied(before, now asgtypes.AutoScalingGroup) {
	w.Helper()
	assert.Equal(w, before.MinSize, now.MinSize)
	assert.Equal(w, before.MaxSize, now.MaxSize)
	assert.Equal(w, before.DesiredCapacity, now.DesiredCapacity)
	assert.Equal(w, before.VPCZoneIdentifier, now.VPCZoneIdentifier)
	assert.Equal(w, before.HealthCheckType, now.HealthCheckType)
	assert.Equal(w, before.HealthCheckGracePeriod, now.HealthCheckGracePeriod)
	assert.Equal(w, before.CapacityRebalance, now.CapacityRebalance)
	assert.Equal(w, before.TerminationPolicies, now.TerminationPolicies)
	assert.Equal(w, before.EnabledMetrics, now.EnabledMetrics)
	assert.Equal(w, before.MixedInstancesPolicy, now.MixedInstancesPolicy)
	assert.Equal(w, "$Latest", *now.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version)
	for i, tag := range now.Tags {
		assert.Equal(w, *now.AutoScalingGroupName, *tag.ResourceId)
		tag.ResourceId = before.Tags[i].ResourceId
		assert.Equal(w, before.Tags[i], tag)
	}
	policies, err := w.aws.scaling.DescribePolicies(w.ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: now.AutoScalingGroupName})
	require.NoError(w, err)
	require.Len(w, policies.ScalingPolicies, 1)
	assert.InDelta(w, 60, *policies.ScalingPolicies[0].TargetTrackingConfiguration.TargetValue, 0)
	schedules, err := w.aws.scaling.DescribeScheduledActions(w.ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: now.AutoScalingGroupName})
	require.NoError(w, err)
	require.Len(w, schedules.ScheduledUpdateGroupActions, 1)
	assert.Equal(w, "0 20 * * *", *schedules.ScheduledUpdateGroupActions[0].Recurrence)
	assert.Len(w, w.hooks(*now.AutoScalingGroupName), 2, "the user's and CodeDeploy's")
}

func (w *motoWorld) hooks(group string) (names []string) {
	w.Helper()
	out, err := w.aws.scaling.DescribeLifecycleHooks(w.ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: &group})
	require.NoError(w, err)
	for _, hook := range out.LifecycleHooks {
		names = append(names, *hook.LifecycleHookName)
	}
	return names
}

func TestCopyNothingMore(t *testing.T) {
	w := newMotoWorld(t, Settings{Copy: &Copy{}})
	w.makeGroup()
	w.succeed("v1")
	now := w.one()
	assert.Empty(t, now.Tags)
	assert.Empty(t, now.TargetGroupARNs)
	assert.Empty(t, now.EnabledMetrics)
	assert.Nil(t, now.MixedInstancesPolicy)
	assert.Equal(t, w.template, *now.LaunchTemplate.LaunchTemplateId)
	assert.Equal(t, "$Latest", *now.LaunchTemplate.Version)
	assert.Len(t, now.Instances, 3)
	assert.ElementsMatch(t, members(now), w.routed(), "traffic flows all the same")
	assert.Len(t, w.hooks(*now.AutoScalingGroupName), 1)
	policies, err := w.aws.scaling.DescribePolicies(w.ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: now.AutoScalingGroupName})
	require.NoError(t, err)
	assert.Empty(t, policies.ScalingPolicies)
}

func TestTheCopyHasAsManyInstancesAsAreHealthy(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup()
	_, err := w.aws.scaling.SetInstanceHealth(w.ctx, &autoscaling.SetInstanceHealthInput{
		InstanceId: w.one().Instances[0].InstanceId, HealthStatus: aws.String("Unhealthy"),
	})
	require.NoError(t, err)
	info := w.succeed("v1")
	assert.Equal(t, int32(2), *w.one().DesiredCapacity)
	assert.Equal(t, &types.DeploymentOverview{Succeeded: 4}, info.DeploymentOverview)
}

func TestRollbackAndLeftoversOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup()
	w.succeed("v1")
	original := w.one()
	w.order(Failure{Event: "AfterAllowTraffic"})
	failed := w.end(w.deploy("v1"))
	require.Equal(t, types.DeploymentStatusFailed, failed.Status)
	undo := w.end(*failed.RollbackInfo.RollbackDeploymentId)
	require.Equal(t, types.DeploymentStatusSucceeded, undo.Status, aws.ToString(message(undo)))
	assert.Equal(t, original.AutoScalingGroupName, w.one().AutoScalingGroupName)
	assert.ElementsMatch(t, members(original), w.routed())

	missing := w.end(w.deploy("never-uploaded", func(in *codedeploy.CreateDeploymentInput) {
		in.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{}
	}))
	assert.Equal(t, types.DeploymentStatusFailed, missing.Status)
	assert.Contains(t, *w.targets(*missing.DeploymentId)[0].LifecycleEvents[1].Diagnostics.Message, "never-uploaded")
	assert.Len(t, w.groups(), 2, "the copy stays")
	assert.ElementsMatch(t, members(original), w.routed())
}

func TestStopOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup(noRollback)
	began, release := w.machines.holdAt("ValidateService")
	defer release()
	id := w.deploy("v1")
	w.reached(began)
	_, err := w.client.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id})
	require.NoError(t, err)
	assert.Equal(t, types.DeploymentStatusStopped, w.end(id).Status)
	assert.Len(t, w.groups(), 2)
	assert.Equal(t, "fleet", w.follows())
}

func TestAlarmOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("5xx")}}}
	})
	w.cloudWatch(url.Values{
		"Action": {"PutMetricAlarm"}, "AlarmName": {"5xx"}, "MetricName": {"HTTPCode_Target_5XX_Count"}, "Namespace": {"AWS/ApplicationELB"},
		"ComparisonOperator": {"GreaterThanThreshold"}, "EvaluationPeriods": {"1"}, "Period": {"60"}, "Statistic": {"Sum"}, "Threshold": {"1"},
	})
	w.succeed("v1")
	began, release := w.machines.holdAt("AfterInstall")
	defer release()
	id := w.deploy("v1")
	w.reached(began)
	w.cloudWatch(url.Values{"Action": {"SetAlarmState"}, "AlarmName": {"5xx"}, "StateValue": {"ALARM"}, "StateReason": {"test"}})
	info := w.end(id)
	assert.Equal(t, types.DeploymentStatusStopped, info.Status)
	assert.Equal(t, types.ErrorCodeAlarmActive, info.ErrorInformation.Code)
}

func TestInPlaceOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentStyle.DeploymentType, in.BlueGreenDeploymentConfiguration = types.DeploymentTypeInPlace, nil
		in.AutoScalingGroups = nil
		in.Ec2TagFilters = []types.EC2TagFilter{{Key: aws.String("bluegreen:fleet"), Type: types.EC2TagFilterTypeKeyOnly}}
	})
	before := w.one()
	info := w.succeed("v1")
	assert.Equal(t, &types.DeploymentOverview{Succeeded: 3}, info.DeploymentOverview)
	assert.ElementsMatch(t, members(before), members(w.one()))
	assert.ElementsMatch(t, members(before), w.routed())
}

func TestAutoScalingGroupsMustExistOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	_, err := w.client.CreateDeploymentGroup(w.ctx, copying("other"))
	require.ErrorAs(t, err, new(*types.InvalidAutoScalingGroupException))
	w.makeGroup()
	require.Len(t, w.hooks("fleet"), 2)
	_, err = w.client.DeleteApplication(w.ctx, &codedeploy.DeleteApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(t, err)
	assert.Equal(t, []string{"drain"}, w.hooks("fleet"))
}
