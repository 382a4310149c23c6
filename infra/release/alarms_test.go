package release

import (
	"encoding/json"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queries are an alarm's, by id.
func queries(t *testing.T, alarm infratest.Resource) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, query := range alarm.Value("metricQueries").ArrayValue() {
		found[query.ObjectValue()["id"].StringValue()] = query.ObjectValue().Mappable()
	}
	return found
}

func TestAlarmsStopARelease(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.Alarms = Alarms{Enabled: true, Target5xx: 25, UnhealthyHosts: 2, EvaluationPeriods: 3, IgnorePollAlarmFailure: true}
	})

	alarms := recorder.OfType(alarmToken)
	require.Len(t, alarms, 2)
	for i, want := range []struct {
		name, expression               string
		threshold, periods, datapoints float64
		metrics                        map[string]string
	}{
		{"example-prod-target-5xx", "IF(healthy > 0, FILL(errors, 0), 0)", 25, 3, 3,
			map[string]string{"errors": "HTTPCode_Target_5XX_Count Sum", "healthy": "HealthyHostCount Maximum"}},
		{"example-prod-unhealthy-hosts", "IF(DIFF(healthy) < 0 AND DIFF(unhealthy) > 0, DIFF(unhealthy), 0)", 2, 5, 1,
			map[string]string{"healthy": "HealthyHostCount Maximum", "unhealthy": "UnHealthyHostCount Minimum"}},
	} {
		made := alarms[i]
		assert.Equal(t, want.name, made.Name)
		assert.False(t, made.Inputs.HasValue("name"), "the up role may touch alarms that begin with the site's prefix, as Pulumi's names do")
		assert.Equal(t, "GreaterThanOrEqualToThreshold", made.Text("comparisonOperator"))
		assert.Equal(t, "notBreaching", made.Text("treatMissingData"))
		assert.Equal(t, want.threshold, made.Value("threshold").NumberValue())
		assert.Equal(t, want.periods, made.Value("evaluationPeriods").NumberValue())
		assert.Equal(t, want.datapoints, made.Value("datapointsToAlarm").NumberValue())

		found := queries(t, made)
		require.Len(t, found, len(want.metrics)+1)
		assert.Equal(t, want.expression, found["watched"]["expression"])
		assert.Equal(t, true, found["watched"]["returnData"])
		for id, metric := range want.metrics {
			assert.Nil(t, found[id]["returnData"], "one series is watched")
			got := found[id]["metric"].(map[string]any)
			assert.Equal(t, metric, got["metricName"].(string)+" "+got["stat"].(string))
			assert.Equal(t, "AWS/ApplicationELB", got["namespace"])
			assert.Equal(t, 60.0, got["period"])
			assert.Equal(t, map[string]any{
				"LoadBalancer": "app/example-prod-alb-01/4567", "TargetGroup": "targetgroup/example-prod-01-1234567/0123",
			}, got["dimensions"], "no Auto Scaling group: each release has another")
		}
	}
	assert.Equal(t, map[string]any{
		"enabled": true, "ignorePollAlarmFailure": true,
		"alarms": []any{"example-prod-target-5xx", "example-prod-unhealthy-hosts"},
	}, group(t, &recorder).Value("alarmConfiguration").Mappable())
}

func TestFailuresAreTold(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, func(a *Args) {
		a.FailureTopic = FailureTopic{Enabled: true, Emails: []string{"ops@example.com", "dev@example.com"}}
	})

	topics := recorder.OfType(topicToken)
	require.Len(t, topics, 1)
	assert.Equal(t, "alias/aws/sns", topics[0].Text("kmsMasterKeyId"))
	arn := sink.Text("failureTopicArn")
	assert.NotEmpty(t, arn)

	triggers := group(t, &recorder).Value("triggerConfigurations").Mappable()
	assert.Equal(t, []any{map[string]any{
		"triggerName": "failures", "triggerTargetArn": arn,
		"triggerEvents": []any{"DeploymentFailure", "DeploymentRollback", "DeploymentStop"},
	}}, triggers)
	assert.Contains(t, group(t, &recorder).Dependencies, "urn:pulumi:test::bluegreen::bluegreen:infra:Release$"+policyToken+"::example-prod-release-failures",
		"CodeDeploy may publish before a deployment group says it does")

	var addresses []string
	for _, subscription := range recorder.OfType(subscriptionToken) {
		assert.Equal(t, "email", subscription.Text("protocol"))
		assert.Equal(t, arn, subscription.Text("topic"))
		addresses = append(addresses, subscription.Text("endpoint"))
	}
	assert.Equal(t, []string{"dev@example.com", "ops@example.com"}, addresses)
}

func TestOnlyTheServiceRolePublishes(t *testing.T) {
	const topic = "arn:aws:sns:us-east-2:123456789012:failures"
	text, err := topicPolicy(topic, roleARN)
	require.NoError(t, err)
	var document struct{ Statement []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	require.Len(t, document.Statement, 2)
	assert.Equal(t, map[string]any{
		"Sid": "PublishAsCodeDeploy", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic,
		"Principal": map[string]any{"AWS": "arn:aws:iam::123456789012:root"},
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": roleARN}},
	}, document.Statement[0])
	assert.Equal(t, "Deny", document.Statement[1]["Effect"])

	_, err = topicPolicy(topic, "role")
	assert.EqualError(t, err, `serviceRoleArn: want the ARN of a role, got "role"`)
}
