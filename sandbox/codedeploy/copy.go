package codedeploy

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func (e *emulated) copyGroup(ctx context.Context, from, to string, size int, what Copy) error {
	source, err := e.group(ctx, from)
	if err != nil {
		return err
	}
	if _, err := e.scaling.CreateAutoScalingGroup(ctx, likeGroup(source, to, size, what)); err != nil {
		return fmt.Errorf("copy Auto Scaling group %s: %w", from, err)
	}
	for _, part := range []struct {
		name   string
		wanted bool
		copy   func(ctx context.Context, from, to string) error
	}{
		{"scaling policies", what.ScalingPolicies, e.copyPolicies},
		{"scheduled actions", what.ScheduledActions, e.copySchedules},
		{"notifications", what.Notifications, e.copyNotifications},
		{"lifecycle hooks", what.LifecycleHooks, e.copyHooks},
	} {
		if !part.wanted {
			continue
		}
		if err := part.copy(ctx, from, to); err != nil {
			return fmt.Errorf("copy %s of %s: %w", part.name, from, err)
		}
	}
	return e.copyMetrics(ctx, source, to, what)
}

// likeGroup is the order for a group like another. It has no target groups: those
// come when traffic does.
func likeGroup(source *types.AutoScalingGroup, name string, size int, what Copy) *autoscaling.CreateAutoScalingGroupInput {
	desired := min(max(int32(size), *source.MinSize), *source.MaxSize) // #nosec G115 -- the number of a group's instances
	like := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: source.MinSize, MaxSize: source.MaxSize, DesiredCapacity: &desired,
		VPCZoneIdentifier: source.VPCZoneIdentifier, DefaultCooldown: source.DefaultCooldown, DefaultInstanceWarmup: source.DefaultInstanceWarmup,
		HealthCheckType: source.HealthCheckType, HealthCheckGracePeriod: source.HealthCheckGracePeriod,
		NewInstancesProtectedFromScaleIn: source.NewInstancesProtectedFromScaleIn, ServiceLinkedRoleARN: source.ServiceLinkedRoleARN,
		MaxInstanceLifetime: source.MaxInstanceLifetime, InstanceMaintenancePolicy: source.InstanceMaintenancePolicy,
		PlacementGroup: source.PlacementGroup, LaunchConfigurationName: source.LaunchConfigurationName,
		LaunchTemplate: templateByID(source.LaunchTemplate),
	}
	if aws.ToString(source.VPCZoneIdentifier) == "" {
		like.AvailabilityZones = source.AvailabilityZones
	}
	if policy := source.MixedInstancesPolicy; policy != nil && policy.LaunchTemplate != nil {
		mixed, template := *policy, *policy.LaunchTemplate
		template.LaunchTemplateSpecification = templateByID(template.LaunchTemplateSpecification)
		mixed.LaunchTemplate = &template
		if what.MixedInstancesPolicy {
			like.MixedInstancesPolicy, like.LaunchTemplate = &mixed, nil
		} else {
			like.LaunchTemplate = template.LaunchTemplateSpecification
		}
	}
	if what.CapacityRebalance {
		like.CapacityRebalance = source.CapacityRebalance
	}
	if what.TerminationPolicies {
		like.TerminationPolicies = source.TerminationPolicies
	}
	if what.Tags {
		for _, tag := range source.Tags {
			if !strings.HasPrefix(*tag.Key, "aws:") {
				like.Tags = append(like.Tags, types.Tag{
					Key: tag.Key, Value: tag.Value, PropagateAtLaunch: tag.PropagateAtLaunch,
					ResourceId: &name, ResourceType: aws.String("auto-scaling-group"),
				})
			}
		}
	}
	return like
}

// templateByID leaves the name out of a launch template's specification: Auto
// Scaling answers both and takes one.
func templateByID(specification *types.LaunchTemplateSpecification) *types.LaunchTemplateSpecification {
	if specification == nil || specification.LaunchTemplateId == nil {
		return specification
	}
	return &types.LaunchTemplateSpecification{LaunchTemplateId: specification.LaunchTemplateId, Version: specification.Version}
}

func (e *emulated) copyPolicies(ctx context.Context, from, to string) error {
	for pages := autoscaling.NewDescribePoliciesPaginator(e.scaling, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: &from}); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, policy := range out.ScalingPolicies {
			if predictive := policy.PredictiveScalingConfiguration; predictive != nil && len(predictive.MetricSpecifications) == 0 {
				policy.PredictiveScalingConfiguration = nil // an emulator's way to say that there is none
			}
			_, err := e.scaling.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: &to, PolicyName: policy.PolicyName, PolicyType: policy.PolicyType, Enabled: policy.Enabled,
				AdjustmentType: policy.AdjustmentType, Cooldown: policy.Cooldown, EstimatedInstanceWarmup: policy.EstimatedInstanceWarmup,
				MetricAggregationType: policy.MetricAggregationType, MinAdjustmentMagnitude: policy.MinAdjustmentMagnitude,
				PredictiveScalingConfiguration: policy.PredictiveScalingConfiguration, ScalingAdjustment: policy.ScalingAdjustment,
				StepAdjustments: policy.StepAdjustments, TargetTrackingConfiguration: policy.TargetTrackingConfiguration,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *emulated) copySchedules(ctx context.Context, from, to string) error {
	for pages := autoscaling.NewDescribeScheduledActionsPaginator(e.scaling, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: &from}); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, action := range out.ScheduledUpdateGroupActions {
			_, err := e.scaling.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
				AutoScalingGroupName: &to, ScheduledActionName: action.ScheduledActionName, DesiredCapacity: action.DesiredCapacity,
				MinSize: action.MinSize, MaxSize: action.MaxSize, Recurrence: action.Recurrence,
				StartTime: action.StartTime, EndTime: action.EndTime, TimeZone: action.TimeZone,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// copyNotifications does nothing where the emulator has no notifications: no
// group of it can have one.
func (e *emulated) copyNotifications(ctx context.Context, from, to string) error {
	out, err := e.scaling.DescribeNotificationConfigurations(ctx, &autoscaling.DescribeNotificationConfigurationsInput{AutoScalingGroupNames: []string{from}})
	if err != nil {
		return ctx.Err()
	}
	topics := map[string][]string{}
	for _, notification := range out.NotificationConfigurations {
		topic := aws.ToString(notification.TopicARN)
		topics[topic] = append(topics[topic], aws.ToString(notification.NotificationType))
	}
	for topic, kinds := range topics {
		_, err := e.scaling.PutNotificationConfiguration(ctx, &autoscaling.PutNotificationConfigurationInput{
			AutoScalingGroupName: &to, TopicARN: &topic, NotificationTypes: kinds,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyHooks leaves out CodeDeploy's own hooks: during a deployment, the copy has none.
func (e *emulated) copyHooks(ctx context.Context, from, to string) error {
	out, err := e.scaling.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: &from})
	if err != nil {
		return err
	}
	for _, hook := range out.LifecycleHooks {
		if strings.HasPrefix(*hook.LifecycleHookName, "CodeDeploy-managed-") {
			continue
		}
		_, err := e.scaling.PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: &to, LifecycleHookName: hook.LifecycleHookName, LifecycleTransition: hook.LifecycleTransition,
			DefaultResult: hook.DefaultResult, HeartbeatTimeout: hook.HeartbeatTimeout, NotificationMetadata: hook.NotificationMetadata,
			NotificationTargetARN: hook.NotificationTargetARN, RoleARN: hook.RoleARN,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *emulated) copyMetrics(ctx context.Context, source *types.AutoScalingGroup, to string, what Copy) error {
	if !what.Metrics || len(source.EnabledMetrics) == 0 {
		return nil
	}
	enable := &autoscaling.EnableMetricsCollectionInput{AutoScalingGroupName: &to, Granularity: source.EnabledMetrics[0].Granularity}
	for _, metric := range source.EnabledMetrics {
		enable.Metrics = append(enable.Metrics, *metric.Metric)
	}
	_, err := e.scaling.EnableMetricsCollection(ctx, enable)
	return err
}
