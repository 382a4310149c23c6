package emulator

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two groups have policies and scheduled actions of the same names: a group and
// its copy during a deployment.
func testScaling(t *testing.T, config aws.Config) {
	client := autoscaling.NewFromConfig(config)
	template, _, subnets := testTemplate(t, config, "scaled")
	blue, green, cpu, night := aws.String("blue"), aws.String("green"), aws.String("cpu"), aws.String("night")
	policies := func(group *string) []types.ScalingPolicy {
		t.Helper()
		return must[*autoscaling.DescribePoliciesOutput](t)(client.DescribePolicies(t.Context(), &autoscaling.DescribePoliciesInput{AutoScalingGroupName: group})).ScalingPolicies
	}
	schedules := func(group *string) []types.ScheduledUpdateGroupAction {
		t.Helper()
		return must[*autoscaling.DescribeScheduledActionsOutput](t)(client.DescribeScheduledActions(t.Context(), &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: group})).ScheduledUpdateGroupActions
	}
	for at, group := range []*string{blue, green} {
		must[*autoscaling.CreateAutoScalingGroupOutput](t)(client.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: group, MinSize: aws.Int32(0), MaxSize: aws.Int32(3), VPCZoneIdentifier: &subnets[0],
			LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template, Version: aws.String("$Latest")},
		}))
		must[*autoscaling.PutScalingPolicyOutput](t)(client.PutScalingPolicy(t.Context(), &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: group, PolicyName: cpu, PolicyType: aws.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
				TargetValue:                   aws.Float64(float64(50 + at)),
				PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeASGAverageCPUUtilization},
			},
		}))
		must[*autoscaling.PutScheduledUpdateGroupActionOutput](t)(client.PutScheduledUpdateGroupAction(t.Context(), &autoscaling.PutScheduledUpdateGroupActionInput{
			AutoScalingGroupName: group, ScheduledActionName: night, Recurrence: aws.String("0 22 * * *"), DesiredCapacity: aws.Int32(int32(at)), // #nosec G115 -- 0 or 1
		}))
	}
	for at, group := range []*string{blue, green} {
		require.Len(t, policies(group), 1, *group)
		assert.EqualValues(t, 50+at, *policies(group)[0].TargetTrackingConfiguration.TargetValue)
		assert.True(t, aws.ToBool(policies(group)[0].Enabled), "unless it is switched off")
		assert.Nil(t, policies(group)[0].PredictiveScalingConfiguration)
		require.Len(t, schedules(group), 1, *group)
		assert.EqualValues(t, at, *schedules(group)[0].DesiredCapacity)
	}

	must[*autoscaling.DeletePolicyOutput](t)(client.DeletePolicy(t.Context(), &autoscaling.DeletePolicyInput{AutoScalingGroupName: blue, PolicyName: cpu}))
	must[*autoscaling.DeleteScheduledActionOutput](t)(client.DeleteScheduledAction(t.Context(), &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: blue, ScheduledActionName: night}))
	assert.Empty(t, policies(blue))
	assert.Empty(t, schedules(blue))
	assert.Len(t, policies(green), 1)
	assert.Len(t, schedules(green), 1)

	for _, group := range []*string{blue, green} {
		must[*autoscaling.DeleteAutoScalingGroupOutput](t)(client.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: group, ForceDelete: aws.Bool(true)}))
	}
	assert.Empty(t, policies(nil), "the policies of a group go with it")
	assert.Empty(t, schedules(nil))
}
