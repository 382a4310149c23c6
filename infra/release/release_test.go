package release

import (
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	applicationToken  = "aws:codedeploy/application:Application"
	groupToken        = "aws:codedeploy/deploymentGroup:DeploymentGroup"
	configToken       = "aws:codedeploy/deploymentConfig:DeploymentConfig"
	alarmToken        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	topicToken        = "aws:sns/topic:Topic"
	policyToken       = "aws:sns/topicPolicy:TopicPolicy"
	subscriptionToken = "aws:sns/topicSubscription:TopicSubscription"
	sinkToken         = "test:index:Sink"

	roleARN = "arn:aws:iam::123456789012:role/example-prod-CodeDeploy-1234567"
)

func arguments() Args {
	return Args{
		Spec:               Default(),
		Site:               naming.Site{Project: "example", Environment: "prod"},
		MinSize:            2,
		AutoScalingGroup:   pulumi.String("CodeDeploy_group_d-1"),
		ServiceRoleARN:     pulumi.String(roleARN),
		TargetGroupName:    pulumi.String("example-prod-01-1234567"),
		TargetGroupSuffix:  pulumi.String("targetgroup/example-prod-01-1234567/0123"),
		LoadBalancerSuffix: pulumi.String("app/example-prod-alb-01/4567"),
	}
}

// declare makes a release, and a resource whose inputs are its outputs.
func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) infratest.Resource {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		r, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		var sink pulumi.CustomResourceState
		return ctx.RegisterResource(sinkToken, "sink", pulumi.Map{
			"application": r.Application, "deploymentGroup": r.DeploymentGroup,
			"deploymentConfig": r.DeploymentConfig, "failureTopicArn": r.FailureTopicARN,
		}, &sink)
	}, options...))
	sink, ok := recorder.Named(sinkToken, "sink")
	require.True(t, ok)
	return sink
}

func group(t *testing.T, recorder *infratest.Recorder) infratest.Resource {
	t.Helper()
	found := recorder.OfType(groupToken)
	require.Len(t, found, 1)
	return found[0]
}

func TestReleasesAsTheOriginalStackDid(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, nil)

	applications := recorder.OfType(applicationToken)
	require.Len(t, applications, 1)
	assert.Equal(t, "example-prod", applications[0].Text("name"))
	assert.Equal(t, "Server", applications[0].Text("computePlatform"))

	made := group(t, &recorder)
	assert.Equal(t, "example-prod", made.Text("appName"))
	assert.Equal(t, "example-prod-DeploymentGroup-01", made.Text("deploymentGroupName"))
	assert.Equal(t, roleARN, made.Text("serviceRoleArn"))
	assert.Equal(t, "CodeDeployDefault.HalfAtATime", made.Text("deploymentConfigName"))
	assert.Equal(t, []any{"CodeDeploy_group_d-1"}, made.Value("autoscalingGroups").Mappable())
	assert.Equal(t, map[string]any{"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}, made.Value("deploymentStyle").Mappable())
	assert.Equal(t, map[string]any{
		"deploymentReadyOption":                     map[string]any{"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
		"greenFleetProvisioningOption":              map[string]any{"action": "COPY_AUTO_SCALING_GROUP"},
		"terminateBlueInstancesOnDeploymentSuccess": map[string]any{"action": "TERMINATE", "terminationWaitTimeInMinutes": 10.0},
	}, made.Value("blueGreenDeploymentConfig").Mappable())
	assert.Equal(t, map[string]any{"targetGroupInfos": []any{map[string]any{"name": "example-prod-01-1234567"}}}, made.Value("loadBalancerInfo").Mappable())
	assert.Equal(t, map[string]any{"enabled": true, "events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}},
		made.Value("autoRollbackConfiguration").Mappable())
	assert.Equal(t, map[string]any{"Name": "example-prod-DeploymentGroup-01"}, made.Value("tags").Mappable())
	assert.Empty(t, made.Ignore, "a copy's name reaches the deployment group")
	assert.False(t, made.Inputs.HasValue("triggerConfigurations"))
	assert.Empty(t, recorder.OfType(topicToken))
	assert.Empty(t, recorder.OfType(configToken))

	assert.Equal(t, map[string]any{
		"application": "example-prod", "deploymentGroup": "example-prod-DeploymentGroup-01",
		"deploymentConfig": "CodeDeployDefault.HalfAtATime", "failureTopicArn": "",
	}, sink.Inputs.Mappable())
}

func TestDeploymentConfigurationFitsTheFleet(t *testing.T) {
	for _, test := range []struct {
		minSize, percent int
		custom           bool
		want             string
	}{
		{1, 80, false, "CodeDeployDefault.AllAtOnce"},
		{2, 80, false, "CodeDeployDefault.HalfAtATime"},
		{5, 80, true, "example-prod-DeploymentConfig-id"},
		{10, 90, true, "example-prod-DeploymentConfig-id"},
	} {
		var recorder infratest.Recorder
		sink := declare(t, &recorder, func(a *Args) {
			a.MinSize, a.CustomConfiguration = test.minSize, CustomConfiguration{Enabled: test.custom, MinimumHealthyPercent: test.percent}
		})
		assert.Equal(t, test.want, group(t, &recorder).Text("deploymentConfigName"), "%+v", test)
		assert.Equal(t, test.want, sink.Text("deploymentConfig"))
		configs := recorder.OfType(configToken)
		if !test.custom {
			assert.Empty(t, configs)
			continue
		}
		require.Len(t, configs, 1)
		assert.Equal(t, "Server", configs[0].Text("computePlatform"))
		assert.Equal(t, map[string]any{"type": "FLEET_PERCENT", "value": float64(test.percent)}, configs[0].Value("minimumHealthyHosts").Mappable())
		assert.False(t, configs[0].Inputs.HasValue("deploymentConfigName"), "a configuration is replaced, the new one beside the old")
	}
}

func TestWhatIsOffIsLeftOut(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.Rollback, a.Alarms.Enabled, a.TerminationWaitMinutes = false, false, 0
	})
	made := group(t, &recorder)
	for _, key := range []string{"alarmConfiguration", "autoRollbackConfiguration", "triggerConfigurations"} {
		assert.NotContains(t, made.Inputs.Mappable(), key, "a refresh reads nothing there")
	}
	assert.Equal(t, map[string]any{"action": "TERMINATE"},
		made.Value("blueGreenDeploymentConfig").ObjectValue()["terminateBlueInstancesOnDeploymentSuccess"].Mappable())
	assert.Empty(t, recorder.OfType(alarmToken))
}

func TestRollbackWithoutAlarms(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.Alarms.Enabled = false })
	assert.Equal(t, []any{"DEPLOYMENT_FAILURE"}, group(t, &recorder).Value("autoRollbackConfiguration").ObjectValue()["events"].Mappable())
}

func TestPairKeepsBothGroups(t *testing.T) {
	for _, underway := range []bool{false, true} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.Mode, a.Underway = Pair, underway })
		made := group(t, &recorder)
		assert.Equal(t, map[string]any{
			"deploymentReadyOption":                     map[string]any{"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
			"greenFleetProvisioningOption":              map[string]any{"action": "DISCOVER_EXISTING"},
			"terminateBlueInstancesOnDeploymentSuccess": map[string]any{"action": "KEEP_ALIVE"},
		}, made.Value("blueGreenDeploymentConfig").Mappable())
		if underway {
			assert.Equal(t, []string{"autoscalingGroups"}, made.Ignore)
		} else {
			assert.Empty(t, made.Ignore)
		}
	}
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, func(a *Args) {
		a.MinSize, a.CustomConfiguration.Enabled = 5, true
		a.FailureTopic = FailureTopic{Enabled: true, Emails: []string{"ops@example.com"}}
	}, infratest.Preview)
	for token, count := range map[string]int{
		applicationToken: 1, groupToken: 1, configToken: 1, alarmToken: 2, topicToken: 1, policyToken: 1, subscriptionToken: 1,
	} {
		assert.Len(t, recorder.OfType(token), count, token)
	}
}

func TestEverythingBelongsToTheRelease(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.FailureTopic.Enabled = true })
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != sinkToken {
			assert.Contains(t, r.Parent, typeToken, "%s %s", r.Type, r.Name)
			assert.Regexp(t, "^example-prod-", r.Name)
		}
	}
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		args := Args{Spec: Default()}
		args.Mode = "swap"
		_, err := New(ctx, "example-prod", args)
		return err
	})
	require.ErrorContains(t, err, `release example-prod: mode: want copy or pair, got "swap"
minSize: want at least 1, got 0
site: required, got none
autoScalingGroup: required, got none
serviceRoleArn: required, got none
targetGroupName: required, got none
targetGroupSuffix: required, got none
loadBalancerSuffix: required, got none`)
	assert.Empty(t, recorder.Resources())
}
