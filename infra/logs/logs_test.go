package logs

import (
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func declare(recorder *infratest.Recorder, change func(*Args)) error {
	args := Args{Spec: Default(), Site: naming.Site{Project: "example", Environment: "prod"}}
	if change != nil {
		change(&args)
	}
	return recorder.Run(func(ctx *pulumi.Context) error {
		l, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		ctx.Export("group", l.GroupName)
		return nil
	})
}

func TestTheGroupForgets(t *testing.T) {
	var recorder infratest.Recorder
	require.NoError(t, declare(&recorder, nil))
	group, ok := recorder.Named("aws:cloudwatch/logGroup:LogGroup", "example-prod-logs")
	require.True(t, ok)
	assert.Equal(t, "/example/prod", group.Text("name"), "as policies and user data have it")
	assert.Equal(t, 30.0, group.Value("retentionInDays").NumberValue())
	assert.NotContains(t, group.Inputs, resource.PropertyKey("kmsKeyId"), "CloudWatch's own encryption")
	assert.Contains(t, group.Parent, typeToken)
}

func TestAKeyOfOnesOwn(t *testing.T) {
	const key = "arn:aws:kms:us-east-2:123456789012:key/1"
	var recorder infratest.Recorder
	require.NoError(t, declare(&recorder, func(a *Args) { a.KeyARN = pulumi.String(key) }))
	group, ok := recorder.Named("aws:cloudwatch/logGroup:LogGroup", "example-prod-logs")
	require.True(t, ok)
	assert.Equal(t, key, group.Text("kmsKeyId"))
}

func TestMistakes(t *testing.T) {
	for days, want := range map[int]string{0: "the next one is 1", 8: "the next one is 14", 31: "the next one is 60", 4000: "the next one is 3653", -1: "the next one is 1"} {
		var recorder infratest.Recorder
		err := declare(&recorder, func(a *Args) { a.RetentionDays, a.Site = days, naming.Site{} })
		require.ErrorContains(t, err, "logs example-prod: retentionDays: ")
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "site: required")
		assert.Empty(t, recorder.OfType("aws:cloudwatch/logGroup:LogGroup"))
	}
	for _, days := range retentions {
		assert.NoError(t, Spec{RetentionDays: days}.Validate())
	}
}
