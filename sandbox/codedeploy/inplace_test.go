package codedeploy

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInPlace(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(inPlace)
	w.cloud.tags["i-tagged"] = map[string]string{"role": "worker"}
	_, err := w.client.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), CurrentDeploymentGroupName: aws.String("web"),
		DeploymentConfigName:      aws.String("CodeDeployDefault.AllAtOnce"),
		Ec2TagFilters:             []types.EC2TagFilter{{Key: aws.String("role"), Value: aws.String("worker"), Type: types.EC2TagFilterTypeKeyAndValue}},
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}},
	})
	require.NoError(t, err)
	info := w.succeed("v1")
	assert.Equal(t, &types.DeploymentOverview{Succeeded: 5}, info.DeploymentOverview)
	assert.Equal(t, []string{"fleet"}, w.cloud.names())
	for _, target := range w.targets(*info.DeploymentId) {
		assert.Equal(t, installEvents(), eventNames(target))
	}

	// A failure brings the last good revision back, as a deployment of its own.
	w.order(Failure{Event: "ApplicationStart", Log: "crashed"})
	failed := w.end(w.deploy("v2"))
	require.Equal(t, types.DeploymentStatusFailed, failed.Status)
	undo := w.end(*failed.RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, types.DeploymentStatusSucceeded, undo.Status)
	assert.Equal(t, revision("v1"), undo.Revision)
	assert.Equal(t, revision("v1"), failed.PreviousRevision)

	// ApplicationStop runs the script of the revision that is there.
	w.succeed("v3")
	commands := w.machines.ran["i-tagged"]
	stops := slices.DeleteFunc(slices.Clone(commands), func(c Command) bool { return c.Event != applicationStop })
	var keys []string
	for _, stop := range stops {
		keys = append(keys, *stop.Revision.S3Location.Key)
	}
	assert.Equal(t, []string{"v1", "v2", "v1"}, keys, "none at first; v2 failed, but after its Install")

	outdated := func(in *codedeploy.CreateDeploymentInput) { in.UpdateOutdatedInstancesOnly = true }
	assert.Equal(t, &types.DeploymentOverview{}, w.succeed("v3", outdated).DeploymentOverview)
}

func TestInPlaceBehindALoadBalancer(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentStyle.DeploymentType, in.BlueGreenDeploymentConfiguration = types.DeploymentTypeInPlace, nil
	})
	info := w.succeed("v1")
	for _, target := range w.targets(*info.DeploymentId) {
		assert.Equal(t, slices.Concat(blockEvents(), installEvents(), allowEvents()), eventNames(target))
	}
	assert.Len(t, w.cloud.traffic(testBalance), 4)
}

func TestApplicationStopFailuresCanBeIgnored(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(inPlace)
	w.order(Failure{Event: applicationStop})
	w.succeed("v1", func(in *codedeploy.CreateDeploymentInput) { in.IgnoreApplicationStopFailures = true })
}
