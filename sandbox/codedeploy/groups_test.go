package codedeploy

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func code(t *testing.T, err error) string {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "%v", err)
	return api.ErrorCode()
}

func TestADeploymentGroupIsReadAsItWasMade(t *testing.T) {
	w := newWorld(t, Settings{})
	in := copying("fleet")
	in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("5xx")}}}
	in.TriggerConfigurations = []types.TriggerConfig{{
		TriggerName: aws.String("ops"), TriggerTargetArn: aws.String("arn:aws:sns:eu-west-1:123456789012:ops"),
		TriggerEvents: []types.TriggerEventType{types.TriggerEventTypeDeploymentFailure},
	}}
	w.make(func(group *codedeploy.CreateDeploymentGroupInput) { *group = *in })
	got := w.group()
	assert.Equal(t, in.AlarmConfiguration, got.AlarmConfiguration)
	assert.Equal(t, in.AutoRollbackConfiguration, got.AutoRollbackConfiguration)
	assert.Equal(t, in.BlueGreenDeploymentConfiguration, got.BlueGreenDeploymentConfiguration)
	assert.Equal(t, in.DeploymentStyle, got.DeploymentStyle)
	assert.Equal(t, in.LoadBalancerInfo, got.LoadBalancerInfo)
	assert.Equal(t, in.TriggerConfigurations, got.TriggerConfigurations)
	assert.Equal(t, in.DeploymentConfigName, got.DeploymentConfigName)
	assert.Equal(t, in.ServiceRoleArn, got.ServiceRoleArn)
	assert.Equal(t, types.OutdatedInstancesStrategyUpdate, got.OutdatedInstancesStrategy)
	assert.Equal(t, types.ComputePlatformServer, got.ComputePlatform)
	assert.Equal(t, "fleet", w.follows())
	assert.Equal(t, []string{*got.AutoScalingGroups[0].Hook}, w.cloud.groups["fleet"].hooks)
	assert.Nil(t, got.LastAttemptedDeployment)

	_, err := w.client.CreateDeploymentGroup(w.ctx, in)
	assert.Equal(t, "DeploymentGroupAlreadyExistsException", code(t, err))
}

func TestDefaultsOfADeploymentGroup(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		*in = codedeploy.CreateDeploymentGroupInput{ApplicationName: in.ApplicationName, DeploymentGroupName: in.DeploymentGroupName, ServiceRoleArn: in.ServiceRoleArn}
	})
	got := w.group()
	assert.Equal(t, oneAtATime, *got.DeploymentConfigName)
	assert.Equal(t, types.DeploymentTypeInPlace, got.DeploymentStyle.DeploymentType)
	assert.Equal(t, types.DeploymentOptionWithoutTrafficControl, got.DeploymentStyle.DeploymentOption)
	assert.Nil(t, got.BlueGreenDeploymentConfiguration)
	assert.Nil(t, got.LoadBalancerInfo)
	assert.Empty(t, got.AutoScalingGroups)
}

func TestRulesOfADeploymentGroup(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.cloud.launch("second", 1)
	for name, test := range map[string]struct {
		change func(in *codedeploy.CreateDeploymentGroupInput)
		code   string
	}{
		"no application": {func(in *codedeploy.CreateDeploymentGroupInput) { in.ApplicationName = aws.String("other") }, "ApplicationDoesNotExistException"},
		"bad name":       {func(in *codedeploy.CreateDeploymentGroupInput) { in.DeploymentGroupName = aws.String("a/b") }, "InvalidDeploymentGroupNameException"},
		"no role":        {func(in *codedeploy.CreateDeploymentGroupInput) { in.ServiceRoleArn = aws.String("") }, "RoleRequiredException"},
		"bad role":       {func(in *codedeploy.CreateDeploymentGroupInput) { in.ServiceRoleArn = aws.String("codedeploy") }, "InvalidRoleException"},
		"no configuration": {func(in *codedeploy.CreateDeploymentGroupInput) { in.DeploymentConfigName = aws.String("other") },
			"DeploymentConfigDoesNotExistException"},
		"two groups to copy": {func(in *codedeploy.CreateDeploymentGroupInput) { in.AutoScalingGroups = []string{"fleet", "second"} },
			"InvalidBlueGreenDeploymentConfigurationException"},
		"no group to copy": {func(in *codedeploy.CreateDeploymentGroupInput) { in.AutoScalingGroups = nil },
			"InvalidBlueGreenDeploymentConfigurationException"},
		"a group that is not there": {func(in *codedeploy.CreateDeploymentGroupInput) { in.AutoScalingGroups = []string{"gone"} },
			"InvalidAutoScalingGroupException"},
		"blue/green without traffic control": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.DeploymentStyle.DeploymentOption = types.DeploymentOptionWithoutTrafficControl
		}, "InvalidDeploymentStyleException"},
		"no load balancer": {func(in *codedeploy.CreateDeploymentGroupInput) { in.LoadBalancerInfo = nil }, "InvalidLoadBalancerInfoException"},
		"ARN of a target group": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.LoadBalancerInfo.TargetGroupInfoList[0].Name = aws.String("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1")
		}, "InvalidLoadBalancerInfoException"},
		"no ready option": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = nil
		}, "InvalidBlueGreenDeploymentConfigurationException"},
		"stop without a wait": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.BlueGreenDeploymentConfiguration.DeploymentReadyOption.ActionOnTimeout = types.DeploymentReadyActionStopDeployment
		}, "InvalidBlueGreenDeploymentConfigurationException"},
		"wait of more than two days": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes = 2881
		}, "InvalidBlueGreenDeploymentConfigurationException"},
		"rollback on nothing": {func(in *codedeploy.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration.Events = nil },
			"InvalidAutoRollbackConfigException"},
		"alarms without one": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true}
		},
			"InvalidAlarmConfigException"},
		"eleven alarms": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.AlarmConfiguration = &types.AlarmConfiguration{Alarms: make([]types.Alarm, 11)}
		}, "AlarmsLimitExceededException"},
		"trigger without a topic": {func(in *codedeploy.CreateDeploymentGroupInput) {
			in.TriggerConfigurations = []types.TriggerConfig{{TriggerName: aws.String("ops")}}
		}, "InvalidTriggerConfigException"},
		"tags in two ways": {func(in *codedeploy.CreateDeploymentGroupInput) {
			filters := []types.EC2TagFilter{{Key: aws.String("a"), Type: types.EC2TagFilterTypeKeyOnly}}
			in.Ec2TagFilters, in.Ec2TagSet = filters, &types.EC2TagSet{Ec2TagSetList: [][]types.EC2TagFilter{filters}}
		}, "InvalidEC2TagCombinationException"},
	} {
		t.Run(name, func(t *testing.T) {
			in := copying("fleet")
			in.DeploymentGroupName = aws.String("new")
			test.change(in)
			_, err := w.client.CreateDeploymentGroup(w.ctx, in)
			require.Error(t, err)
			assert.Equal(t, test.code, code(t, err), err)
		})
	}
}

func TestUpdateOfADeploymentGroup(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.cloud.launch("second", 2)
	before := w.group()
	update := func(change func(*codedeploy.UpdateDeploymentGroupInput)) error {
		in := &codedeploy.UpdateDeploymentGroupInput{ApplicationName: aws.String("shop"), CurrentDeploymentGroupName: aws.String("web")}
		change(in)
		_, err := w.client.UpdateDeploymentGroup(w.ctx, in)
		return err
	}
	require.NoError(t, update(func(*codedeploy.UpdateDeploymentGroupInput) {}))
	assert.Equal(t, before, w.group(), "nothing asked for, nothing changed")

	blueGreen := copying("fleet").BlueGreenDeploymentConfiguration
	blueGreen.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes = 20
	err := update(func(in *codedeploy.UpdateDeploymentGroupInput) { in.BlueGreenDeploymentConfiguration = blueGreen })
	assert.Equal(t, "InvalidBlueGreenDeploymentConfigurationException", code(t, err), "the group must be named again")
	err = update(func(in *codedeploy.UpdateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration, in.AutoScalingGroups = blueGreen, []string{"gone"}
	})
	assert.Equal(t, "InvalidAutoScalingGroupException", code(t, err))
	assert.Equal(t, before, w.group(), "an error changes nothing")

	require.NoError(t, update(func(in *codedeploy.UpdateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration, in.AutoScalingGroups = blueGreen, []string{"second"}
		in.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{Events: []types.AutoRollbackEvent{}}
	}))
	assert.Equal(t, "second", w.follows())
	assert.Empty(t, w.cloud.groups["fleet"].hooks)
	assert.Len(t, w.cloud.groups["second"].hooks, 1)
	assert.Equal(t, blueGreen, w.group().BlueGreenDeploymentConfiguration)
	assert.False(t, w.group().AutoRollbackConfiguration.Enabled)

	require.NoError(t, update(func(in *codedeploy.UpdateDeploymentGroupInput) { in.NewDeploymentGroupName = aws.String("renamed") }))
	list, err := w.client.ListDeploymentGroups(w.ctx, &codedeploy.ListDeploymentGroupsInput{ApplicationName: aws.String("shop")})
	require.NoError(t, err)
	assert.Equal(t, []string{"renamed"}, list.DeploymentGroups)
	assert.Equal(t, "DeploymentGroupDoesNotExistException", code(t, update(func(*codedeploy.UpdateDeploymentGroupInput) {})))
}

func TestTags(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	})
	arn := aws.String("arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:shop/web")
	_, err := w.client.TagResource(w.ctx, &codedeploy.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}})
	require.NoError(t, err)
	_, err = w.client.UntagResource(w.ctx, &codedeploy.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	require.NoError(t, err)
	_, err = w.client.UpdateApplication(w.ctx, &codedeploy.UpdateApplicationInput{ApplicationName: aws.String("shop"), NewApplicationName: aws.String("store")})
	require.NoError(t, err)
	_, err = w.client.ListTagsForResource(w.ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: arn})
	assert.Equal(t, "ApplicationDoesNotExistException", code(t, err))
	out, err := w.client.ListTagsForResource(w.ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String(strings.Replace(*arn, "shop", "store", 1))})
	require.NoError(t, err)
	assert.Equal(t, []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}, out.Tags)
	_, err = w.client.ListTagsForResource(w.ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:s3:::bucket")})
	assert.Equal(t, "InvalidArnException", code(t, err))
}
