package provider

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

const trackingPolicy = "TargetTrackingScaling"

// Scaling implements Cloud.
func (c *awsCloud) Scaling(ctx context.Context, name string) (Scaling, error) {
	var s Scaling
	policies := autoscaling.NewDescribePoliciesPaginator(c.groups, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: aws.String(name), PolicyTypes: []string{trackingPolicy},
	})
	for policies.HasMorePages() {
		page, err := policies.NextPage(ctx)
		if err != nil {
			return Scaling{}, err
		}
		for _, policy := range page.ScalingPolicies {
			if tracking, ok := trackingOf(policy); ok {
				s.TargetTracking = append(s.TargetTracking, tracking)
			}
		}
	}
	actions := autoscaling.NewDescribeScheduledActionsPaginator(c.groups, &autoscaling.DescribeScheduledActionsInput{
		AutoScalingGroupName: aws.String(name),
	})
	for actions.HasMorePages() {
		page, err := actions.NextPage(ctx)
		if err != nil {
			return Scaling{}, err
		}
		for _, action := range page.ScheduledUpdateGroupActions {
			s.Schedules = append(s.Schedules, scheduleOf(action))
		}
	}
	return s, nil
}

// trackingOf reads a policy of a predefined metric; ok is false for any other.
func trackingOf(policy types.ScalingPolicy) (t TargetTracking, ok bool) {
	tracking := policy.TargetTrackingConfiguration
	if tracking == nil || tracking.PredefinedMetricSpecification == nil {
		return TargetTracking{}, false
	}
	return TargetTracking{
		Name:           aws.ToString(policy.PolicyName),
		Metric:         string(tracking.PredefinedMetricSpecification.PredefinedMetricType),
		ResourceLabel:  aws.ToString(tracking.PredefinedMetricSpecification.ResourceLabel),
		Target:         aws.ToFloat64(tracking.TargetValue),
		DisableScaleIn: aws.ToBool(tracking.DisableScaleIn),
	}, true
}

func scheduleOf(action types.ScheduledUpdateGroupAction) Schedule {
	widen := func(n *int32) *int {
		if n == nil {
			return nil
		}
		return aws.Int(int(*n))
	}
	return Schedule{
		Name:            aws.ToString(action.ScheduledActionName),
		Recurrence:      aws.ToString(action.Recurrence),
		TimeZone:        plainTimeZone(aws.ToString(action.TimeZone)),
		MinSize:         widen(action.MinSize),
		MaxSize:         widen(action.MaxSize),
		DesiredCapacity: widen(action.DesiredCapacity),
	}
}

// PutTargetTracking implements Cloud.
func (c *awsCloud) PutTargetTracking(ctx context.Context, name string, t TargetTracking) error {
	metric := &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricType(t.Metric)}
	if t.ResourceLabel != "" {
		metric.ResourceLabel = aws.String(t.ResourceLabel)
	}
	_, err := c.groups.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: aws.String(name),
		PolicyName:           aws.String(t.Name),
		PolicyType:           aws.String(trackingPolicy),
		TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
			PredefinedMetricSpecification: metric,
			TargetValue:                   aws.Float64(t.Target),
			DisableScaleIn:                aws.Bool(t.DisableScaleIn),
		},
	})
	return err
}

// DeleteTargetTracking implements Cloud.
func (c *awsCloud) DeleteTargetTracking(ctx context.Context, name, policy string) error {
	_, err := c.groups.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
		AutoScalingGroupName: aws.String(name), PolicyName: aws.String(policy),
	})
	if isMissing(err) {
		return nil
	}
	return err
}

// PutSchedule implements Cloud.
func (c *awsCloud) PutSchedule(ctx context.Context, name string, s Schedule) error {
	input := &autoscaling.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String(name),
		ScheduledActionName:  aws.String(s.Name),
		Recurrence:           aws.String(s.Recurrence),
		MinSize:              narrow(s.MinSize),
		MaxSize:              narrow(s.MaxSize),
		DesiredCapacity:      narrow(s.DesiredCapacity),
	}
	if s.TimeZone != "" {
		input.TimeZone = aws.String(s.TimeZone)
	}
	_, err := c.groups.PutScheduledUpdateGroupAction(ctx, input)
	return err
}

// DeleteSchedule implements Cloud.
func (c *awsCloud) DeleteSchedule(ctx context.Context, name, action string) error {
	_, err := c.groups.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{
		AutoScalingGroupName: aws.String(name), ScheduledActionName: aws.String(action),
	})
	if isMissing(err) {
		return nil
	}
	return err
}
