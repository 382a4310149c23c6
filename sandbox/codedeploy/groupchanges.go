package codedeploy

import (
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// groupChanges are settings to give to a deployment group; nil leaves one as it
// is. Creating is changing an empty one.
type groupChanges codedeploy.CreateDeploymentGroupInput

func changesOf(in *codedeploy.UpdateDeploymentGroupInput) groupChanges {
	return groupChanges{
		AlarmConfiguration: in.AlarmConfiguration, AutoRollbackConfiguration: in.AutoRollbackConfiguration,
		AutoScalingGroups: in.AutoScalingGroups, BlueGreenDeploymentConfiguration: in.BlueGreenDeploymentConfiguration,
		DeploymentConfigName: in.DeploymentConfigName, DeploymentStyle: in.DeploymentStyle,
		Ec2TagFilters: in.Ec2TagFilters, Ec2TagSet: in.Ec2TagSet, EcsServices: in.EcsServices, LoadBalancerInfo: in.LoadBalancerInfo,
		OnPremisesInstanceTagFilters: in.OnPremisesInstanceTagFilters, OnPremisesTagSet: in.OnPremisesTagSet,
		OutdatedInstancesStrategy: in.OutdatedInstancesStrategy, ServiceRoleArn: in.ServiceRoleArn,
		TerminationHookEnabled: in.TerminationHookEnabled, TriggerConfigurations: in.TriggerConfigurations,
	}
}

// changed returns a deployment group's settings after changes, checked. The Auto
// Scaling groups themselves are for setAutoScalingGroups.
func (s *Service) changed(info types.DeploymentGroupInfo, changes groupChanges) (types.DeploymentGroupInfo, error) {
	replace(&info.AlarmConfiguration, changes.AlarmConfiguration)
	replace(&info.AutoRollbackConfiguration, changes.AutoRollbackConfiguration)
	replace(&info.BlueGreenDeploymentConfiguration, changes.BlueGreenDeploymentConfiguration)
	replace(&info.DeploymentConfigName, changes.DeploymentConfigName)
	replace(&info.DeploymentStyle, changes.DeploymentStyle)
	replace(&info.Ec2TagSet, changes.Ec2TagSet)
	replace(&info.LoadBalancerInfo, changes.LoadBalancerInfo)
	replace(&info.OnPremisesTagSet, changes.OnPremisesTagSet)
	replace(&info.ServiceRoleArn, changes.ServiceRoleArn)
	replaceList(&info.Ec2TagFilters, changes.Ec2TagFilters)
	replaceList(&info.EcsServices, changes.EcsServices)
	replaceList(&info.OnPremisesInstanceTagFilters, changes.OnPremisesInstanceTagFilters)
	replaceList(&info.TriggerConfigurations, changes.TriggerConfigurations)
	if changes.OutdatedInstancesStrategy != "" {
		info.OutdatedInstancesStrategy = changes.OutdatedInstancesStrategy
	}
	if changes.TerminationHookEnabled != nil {
		info.TerminationHookEnabled = *changes.TerminationHookEnabled
	}
	withDefaults(&info)
	if _, err := s.config(info.DeploymentConfigName); err != nil {
		return info, err
	}
	if err := validGroup(info); err != nil {
		return info, err
	}
	return info, validCopy(changes)
}

func replace[T any](old **T, changed *T) {
	if changed != nil {
		*old = changed
	}
}

func replaceList[T any](old *[]T, changed []T) {
	if changed != nil {
		*old = changed
	}
}

// withDefaults fills in what AWS answers for settings that were not made.
func withDefaults(info *types.DeploymentGroupInfo) {
	style := *info.DeploymentStyle
	if style.DeploymentOption == "" {
		style.DeploymentOption = types.DeploymentOptionWithoutTrafficControl
	}
	if style.DeploymentType == "" {
		style.DeploymentType = types.DeploymentTypeInPlace
	}
	info.DeploymentStyle = &style
	if style.DeploymentType != types.DeploymentTypeBlueGreen {
		return
	}
	if info.BlueGreenDeploymentConfiguration == nil {
		info.BlueGreenDeploymentConfiguration = &types.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment},
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{Action: types.InstanceActionTerminate},
		}
	}
	if info.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption == nil {
		info.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption = &types.GreenFleetProvisioningOption{
			Action: types.GreenFleetProvisioningActionDiscoverExisting,
		}
	}
}

// validCopy checks a request, not the group that it makes: one with a blue/green
// configuration must name the Auto Scaling group, even when that stays the same.
func validCopy(changes groupChanges) error {
	config := changes.BlueGreenDeploymentConfiguration
	if config == nil || config.GreenFleetProvisioningOption == nil ||
		config.GreenFleetProvisioningOption.Action != types.GreenFleetProvisioningActionCopyAutoScalingGroup || len(changes.AutoScalingGroups) == 1 {
		return nil
	}
	return &types.InvalidBlueGreenDeploymentConfigurationException{
		Message: say("Exactly one AutoScaling group must be specified when selecting the COPY_AUTO_SCALING_GROUP green fleet provisioning option."),
	}
}

var (
	rolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
	arnPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$`)
)

// validGroup checks what a deployment group would be, as AWS does: one error at a
// time.
func validGroup(info types.DeploymentGroupInfo) error {
	switch role := aws.ToString(info.ServiceRoleArn); {
	case role == "":
		return &types.RoleRequiredException{Message: say("Role ARN is required")}
	case !rolePattern.MatchString(role):
		return &types.InvalidRoleException{Message: say("Invalid role ARN: %s", role)}
	}
	if !slices.Contains(info.OutdatedInstancesStrategy.Values(), info.OutdatedInstancesStrategy) {
		return &types.InvalidInputException{Message: say("Invalid outdated instances strategy: %s", info.OutdatedInstancesStrategy)}
	}
	for _, check := range []func(types.DeploymentGroupInfo) error{
		validStyle, validLoadBalancers, validBlueGreen, validAlarms, validAutoRollback, validTriggers, validTagFilters,
	} {
		if err := check(info); err != nil {
			return err
		}
	}
	return nil
}
