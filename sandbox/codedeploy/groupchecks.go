package codedeploy

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Limits of the CodeDeploy API reference and of the user guide's "Quotas".
const (
	maxAlarms            = 10
	maxTriggers          = 10
	maxTagGroups         = 3
	maxTerminationWait   = 2880 // minutes, two days
	maxReadyWait         = 2880 // minutes
	maxTargetGroupName   = 32   // characters (Elastic Load Balancing API reference)
	maxDescription       = 256  // characters
	maxTagFilterPerGroup = 10
)

func validStyle(info types.DeploymentGroupInfo) error {
	style := info.DeploymentStyle
	switch {
	case !slices.Contains(style.DeploymentType.Values(), style.DeploymentType):
		return &types.InvalidDeploymentStyleException{Message: say("Invalid deployment type: %s", style.DeploymentType)}
	case !slices.Contains(style.DeploymentOption.Values(), style.DeploymentOption):
		return &types.InvalidDeploymentStyleException{Message: say("Invalid deployment option: %s", style.DeploymentOption)}
	case blueGreen(info) && style.DeploymentOption != types.DeploymentOptionWithTrafficControl:
		return &types.InvalidDeploymentStyleException{Message: say("Deployment type BLUE_GREEN needs deployment option WITH_TRAFFIC_CONTROL")}
	case info.ComputePlatform != types.ComputePlatformServer && !blueGreen(info):
		return &types.InvalidDeploymentStyleException{Message: say("Compute platform %s supports BLUE_GREEN deployments only", info.ComputePlatform)}
	case info.ComputePlatform == types.ComputePlatformEcs && len(info.AutoScalingGroups) > 0:
		return &types.InvalidAutoScalingGroupException{Message: say("For ECS deployment group, autoScalingGroups can not be specified")}
	}
	return nil
}

func blueGreen(info types.DeploymentGroupInfo) bool {
	return info.DeploymentStyle.DeploymentType == types.DeploymentTypeBlueGreen
}

func validLoadBalancers(info types.DeploymentGroupInfo) error {
	invalid := func(format string, arguments ...any) error {
		return &types.InvalidLoadBalancerInfoException{Message: say(format, arguments...)}
	}
	balancers := info.LoadBalancerInfo
	if balancers == nil {
		balancers = &types.LoadBalancerInfo{}
	}
	count := len(balancers.ElbInfoList) + len(balancers.TargetGroupInfoList) + len(balancers.TargetGroupPairInfoList)
	if count == 0 && info.ComputePlatform != types.ComputePlatformLambda && info.DeploymentStyle.DeploymentOption == types.DeploymentOptionWithTrafficControl {
		return invalid("A load balancer is required for deployment option WITH_TRAFFIC_CONTROL")
	}
	for _, target := range balancers.TargetGroupInfoList {
		if name := aws.ToString(target.Name); name == "" || len(name) > maxTargetGroupName {
			return invalid("Target group name %q: want 1 to %d characters; a name, not an ARN", name, maxTargetGroupName)
		}
	}
	for _, classic := range balancers.ElbInfoList {
		if aws.ToString(classic.Name) == "" {
			return invalid("The name of a load balancer is empty")
		}
	}
	return nil
}

func validBlueGreen(info types.DeploymentGroupInfo) error {
	invalid := func(format string, arguments ...any) error {
		return &types.InvalidBlueGreenDeploymentConfigurationException{Message: say(format, arguments...)}
	}
	config := info.BlueGreenDeploymentConfiguration
	if config == nil || info.ComputePlatform == types.ComputePlatformLambda {
		return nil
	}
	ready := config.DeploymentReadyOption
	switch {
	case ready == nil:
		return invalid("A blue/green deployment configuration needs a deploymentReadyOption")
	case ready.ActionOnTimeout != "" && !slices.Contains(ready.ActionOnTimeout.Values(), ready.ActionOnTimeout):
		return invalid("Invalid action on timeout: %s", ready.ActionOnTimeout)
	case ready.WaitTimeInMinutes < 0 || ready.WaitTimeInMinutes > maxReadyWait:
		return invalid("Wait for rerouting, in minutes: want 0 to %d, got %d", maxReadyWait, ready.WaitTimeInMinutes)
	case ready.ActionOnTimeout == types.DeploymentReadyActionStopDeployment && ready.WaitTimeInMinutes == 0:
		return invalid("Action STOP_DEPLOYMENT needs a wait of at least 1 minute")
	}
	if green := config.GreenFleetProvisioningOption; green != nil && !slices.Contains(green.Action.Values(), green.Action) {
		return invalid("Invalid green fleet provisioning option: %s", green.Action)
	}
	if blue := config.TerminateBlueInstancesOnDeploymentSuccess; blue != nil {
		if blue.Action != "" && !slices.Contains(blue.Action.Values(), blue.Action) {
			return invalid("Invalid action for blue instances: %s", blue.Action)
		}
		if blue.TerminationWaitTimeInMinutes < 0 || blue.TerminationWaitTimeInMinutes > maxTerminationWait {
			return invalid("Termination wait, in minutes: want 0 to %d, got %d", maxTerminationWait, blue.TerminationWaitTimeInMinutes)
		}
	}
	return nil
}

func validAlarms(info types.DeploymentGroupInfo) error {
	config := info.AlarmConfiguration
	if config == nil {
		return nil
	}
	if len(config.Alarms) > maxAlarms {
		return &types.AlarmsLimitExceededException{Message: say("%d alarms; at most %d", len(config.Alarms), maxAlarms)}
	}
	if config.Enabled && len(config.Alarms) == 0 {
		return &types.InvalidAlarmConfigException{Message: say("The alarm configuration is enabled, but the alarm list is empty")}
	}
	for _, alarm := range config.Alarms {
		if name := aws.ToString(alarm.Name); name == "" || len(name) > 255 {
			return &types.InvalidAlarmConfigException{Message: say("Alarm name %q: want 1 to 255 characters", name)}
		}
	}
	return nil
}

func validAutoRollback(info types.DeploymentGroupInfo) error {
	config := info.AutoRollbackConfiguration
	if config == nil {
		return nil
	}
	if config.Enabled && len(config.Events) == 0 {
		return &types.InvalidAutoRollbackConfigException{Message: say("Automatic rollback is enabled, but no event is listed")}
	}
	for _, event := range config.Events {
		if !slices.Contains(event.Values(), event) {
			return &types.InvalidAutoRollbackConfigException{Message: say("Invalid auto rollback event: %s", event)}
		}
	}
	return nil
}

func validTriggers(info types.DeploymentGroupInfo) error {
	if len(info.TriggerConfigurations) > maxTriggers {
		return &types.TriggerTargetsLimitExceededException{Message: say("%d triggers; at most %d", len(info.TriggerConfigurations), maxTriggers)}
	}
	for _, trigger := range info.TriggerConfigurations {
		switch {
		case aws.ToString(trigger.TriggerName) == "":
			return &types.InvalidTriggerConfigException{Message: say("A trigger needs a name")}
		case !arnPattern.MatchString(aws.ToString(trigger.TriggerTargetArn)):
			return &types.InvalidTriggerConfigException{Message: say("Trigger %s: not the ARN of a topic: %q", *trigger.TriggerName, aws.ToString(trigger.TriggerTargetArn))}
		case len(trigger.TriggerEvents) == 0:
			return &types.InvalidTriggerConfigException{Message: say("Trigger %s: no events", *trigger.TriggerName)}
		}
		for _, event := range trigger.TriggerEvents {
			if !slices.Contains(event.Values(), event) {
				return &types.InvalidTriggerConfigException{Message: say("Trigger %s: invalid event: %s", *trigger.TriggerName, event)}
			}
		}
	}
	return nil
}

func validTagFilters(info types.DeploymentGroupInfo) error {
	if len(info.Ec2TagFilters) > 0 && info.Ec2TagSet != nil && len(info.Ec2TagSet.Ec2TagSetList) > 0 {
		return &types.InvalidEC2TagCombinationException{Message: say("ec2TagFilters and ec2TagSet cannot both be given")}
	}
	sets := tagSets(info.Ec2TagFilters, info.Ec2TagSet)
	if len(sets) > maxTagGroups {
		return &types.TagSetListLimitExceededException{Message: say("%d tag groups; at most %d", len(sets), maxTagGroups)}
	}
	for _, filters := range sets {
		if len(filters) > maxTagFilterPerGroup {
			return &types.InvalidEC2TagException{Message: say("%d tags in a group; at most %d", len(filters), maxTagFilterPerGroup)}
		}
		for _, filter := range filters {
			if filter.Type != "" && !slices.Contains(filter.Type.Values(), filter.Type) {
				return &types.InvalidEC2TagException{Message: say("Invalid tag filter type: %s", filter.Type)}
			}
			if filter.Type != types.EC2TagFilterTypeValueOnly && aws.ToString(filter.Key) == "" {
				return &types.InvalidEC2TagException{Message: say("A tag filter needs a key unless its type is VALUE_ONLY")}
			}
		}
	}
	return nil
}

// tagSets returns what an instance must match: one filter of each set.
func tagSets(filters []types.EC2TagFilter, set *types.EC2TagSet) [][]types.EC2TagFilter {
	var sets [][]types.EC2TagFilter
	if len(filters) > 0 {
		sets = append(sets, filters)
	}
	if set != nil {
		sets = append(sets, set.Ec2TagSetList...)
	}
	return sets
}
