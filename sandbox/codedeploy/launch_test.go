package codedeploy

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstancesThatAutoScalingAddsGetTheLastGoodRevision(t *testing.T) {
	w := newWorld(t, Settings{Launches: true})
	w.make()
	w.succeed("v1")
	before := w.group()
	w.cloud.mu.Lock()
	live := w.cloud.groups[w.follows()]
	live.members = append(slices.Clone(live.members[1:]), "i-new")
	w.cloud.mu.Unlock()

	var id string
	require.Eventually(t, func() bool {
		list, err := w.client.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{
			ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"),
		})
		require.NoError(t, err)
		for _, one := range list.Deployments {
			if w.get(one).Creator == types.DeploymentCreatorAutoscaling {
				id = one
			}
		}
		return id != ""
	}, 10*time.Second, 10*time.Millisecond)
	info := w.end(id)
	assert.Equal(t, types.DeploymentStatusSucceeded, info.Status)
	assert.Equal(t, revision("v1"), info.Revision)
	targets := w.targets(id)
	require.Len(t, targets, 1, "the others have it")
	assert.Equal(t, "i-new", *targets[0].TargetId)
	assert.Equal(t, installEvents(), eventNames(targets[0]), "Auto Scaling registers it, not CodeDeploy")
	after := w.group()
	assert.Equal(t, before.LastSuccessfulDeployment.DeploymentId, after.LastSuccessfulDeployment.DeploymentId)
	assert.Equal(t, before.LastAttemptedDeployment.DeploymentId, after.LastAttemptedDeployment.DeploymentId)
}
