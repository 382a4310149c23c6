package codedeploy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

const (
	predefined = "CodeDeployDefault."
	oneAtATime = predefined + "OneAtATime" // of a deployment group that names none
)

// predefinedConfigs are those that every account has (CodeDeploy User Guide,
// "Working with deployment configurations").
func predefinedConfigs() map[string]*types.DeploymentConfigInfo {
	configs := map[string]*types.DeploymentConfigInfo{}
	add := func(name string, platform types.ComputePlatform, hosts *types.MinimumHealthyHosts, traffic *types.TrafficRoutingConfig) {
		configs[predefined+name] = &types.DeploymentConfigInfo{
			DeploymentConfigId: aws.String(newID()), DeploymentConfigName: aws.String(predefined + name),
			ComputePlatform: platform, CreateTime: now(), MinimumHealthyHosts: hosts, TrafficRoutingConfig: traffic,
		}
	}
	percent := func(value int32) *types.MinimumHealthyHosts {
		return &types.MinimumHealthyHosts{Type: types.MinimumHealthyHostsTypeFleetPercent, Value: value}
	}
	add("AllAtOnce", types.ComputePlatformServer, percent(0), nil)
	add("HalfAtATime", types.ComputePlatformServer, percent(50), nil)
	add("OneAtATime", types.ComputePlatformServer, percent(99), nil) // see hosts.minimum
	for name, minutes := range map[string]int32{
		"LambdaCanary10Percent5Minutes": 5, "LambdaCanary10Percent10Minutes": 10, "LambdaCanary10Percent15Minutes": 15,
		"LambdaCanary10Percent30Minutes": 30, "ECSCanary10Percent5Minutes": 5, "ECSCanary10Percent15Minutes": 15,
	} {
		add(name, platformOf(name), nil, &types.TrafficRoutingConfig{
			Type:            types.TrafficRoutingTypeTimeBasedCanary,
			TimeBasedCanary: &types.TimeBasedCanary{CanaryInterval: minutes, CanaryPercentage: 10},
		})
	}
	for name, minutes := range map[string]int32{
		"LambdaLinear10PercentEvery1Minute": 1, "LambdaLinear10PercentEvery2Minutes": 2, "LambdaLinear10PercentEvery3Minutes": 3,
		"LambdaLinear10PercentEvery10Minutes": 10, "ECSLinear10PercentEvery1Minutes": 1, "ECSLinear10PercentEvery3Minutes": 3,
	} {
		add(name, platformOf(name), nil, &types.TrafficRoutingConfig{
			Type:            types.TrafficRoutingTypeTimeBasedLinear,
			TimeBasedLinear: &types.TimeBasedLinear{LinearInterval: minutes, LinearPercentage: 10},
		})
	}
	for _, name := range []string{"LambdaAllAtOnce", "ECSAllAtOnce"} {
		add(name, platformOf(name), nil, &types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeAllAtOnce})
	}
	return configs
}

func platformOf(name string) types.ComputePlatform {
	if strings.HasPrefix(name, "ECS") {
		return types.ComputePlatformEcs
	}
	return types.ComputePlatformLambda
}

func (s *Service) config(name *string) (*types.DeploymentConfigInfo, error) {
	if aws.ToString(name) == "" {
		return nil, &types.DeploymentConfigNameRequiredException{Message: say("Deployment configuration name is required")}
	}
	found, ok := s.configs[*name]
	if !ok {
		return nil, &types.DeploymentConfigDoesNotExistException{Message: say("No deployment configuration found for name: %s", *name)}
	}
	return found, nil
}

func (s *Service) createDeploymentConfig(_ context.Context, in *codedeploy.CreateDeploymentConfigInput) (*codedeploy.CreateDeploymentConfigOutput, error) {
	switch name := aws.ToString(in.DeploymentConfigName); {
	case name == "":
		return nil, &types.DeploymentConfigNameRequiredException{Message: say("Deployment configuration name is required")}
	case !namePattern.MatchString(name) || strings.HasPrefix(name, predefined):
		return nil, &types.InvalidDeploymentConfigNameException{Message: say("Invalid deployment configuration name: %q; %s is reserved", name, predefined)}
	case s.configs[name] != nil:
		return nil, &types.DeploymentConfigAlreadyExistsException{Message: say("Deployment configuration already exists: %s", name)}
	}
	platform := in.ComputePlatform
	if platform == "" {
		platform = types.ComputePlatformServer
	}
	if err := validConfig(platform, in); err != nil {
		return nil, err
	}
	id := newID()
	s.configs[*in.DeploymentConfigName] = &types.DeploymentConfigInfo{
		ComputePlatform: platform, CreateTime: now(), DeploymentConfigId: &id, DeploymentConfigName: in.DeploymentConfigName,
		MinimumHealthyHosts: in.MinimumHealthyHosts, TrafficRoutingConfig: in.TrafficRoutingConfig, ZonalConfig: in.ZonalConfig,
	}
	return &codedeploy.CreateDeploymentConfigOutput{DeploymentConfigId: &id}, nil
}

func validConfig(platform types.ComputePlatform, in *codedeploy.CreateDeploymentConfigInput) error {
	if platform != types.ComputePlatformServer {
		switch {
		case !slices.Contains(platform.Values(), platform):
			return &types.InvalidComputePlatformException{Message: say("Invalid compute platform: %s", platform)}
		case in.TrafficRoutingConfig == nil || in.MinimumHealthyHosts != nil:
			return &types.InvalidTrafficRoutingConfigurationException{Message: say("Compute platform %s needs a traffic routing configuration and no minimum healthy hosts", platform)}
		}
		return nil
	}
	hosts := in.MinimumHealthyHosts
	invalid := func(message string) error {
		return &types.InvalidMinimumHealthyHostValueException{Message: &message}
	}
	switch {
	case in.TrafficRoutingConfig != nil:
		return &types.InvalidComputePlatformException{Message: say("Compute platform Server has no traffic routing configuration")}
	case hosts == nil:
		return invalid("Minimum healthy hosts are required for compute platform Server")
	case !slices.Contains(hosts.Type.Values(), hosts.Type):
		return invalid("Type of minimum healthy hosts: want HOST_COUNT or FLEET_PERCENT")
	case hosts.Value < 0:
		return invalid("Minimum healthy hosts cannot be negative")
	case hosts.Type == types.MinimumHealthyHostsTypeFleetPercent && hosts.Value > 99:
		return invalid("Minimum healthy fleet percent: want 0 to 99")
	}
	return nil
}

func (s *Service) getDeploymentConfig(_ context.Context, in *codedeploy.GetDeploymentConfigInput) (*codedeploy.GetDeploymentConfigOutput, error) {
	found, err := s.config(in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: found}, nil
}

func (s *Service) listDeploymentConfigs(_ context.Context, in *codedeploy.ListDeploymentConfigsInput) (out *codedeploy.ListDeploymentConfigsOutput, err error) {
	out = &codedeploy.ListDeploymentConfigsOutput{}
	out.DeploymentConfigsList, out.NextToken, err = page(slices.Sorted(maps.Keys(s.configs)), in.NextToken)
	return out, err
}

// deleteDeploymentConfig succeeds for one that does not exist, as AWS does.
func (s *Service) deleteDeploymentConfig(_ context.Context, in *codedeploy.DeleteDeploymentConfigInput) (*codedeploy.DeleteDeploymentConfigOutput, error) {
	name := aws.ToString(in.DeploymentConfigName)
	switch {
	case name == "":
		return nil, &types.DeploymentConfigNameRequiredException{Message: say("Deployment configuration name is required")}
	case strings.HasPrefix(name, predefined):
		return nil, &types.InvalidOperationException{Message: say("%s is predefined and cannot be deleted", name)}
	}
	for _, owner := range s.applications {
		for groupName, member := range owner.groups {
			if aws.ToString(member.info.DeploymentConfigName) == name {
				return nil, &types.DeploymentConfigInUseException{Message: say("%s is in use by deployment group %s", name, groupName)}
			}
		}
	}
	delete(s.configs, name)
	return &codedeploy.DeleteDeploymentConfigOutput{}, nil
}
