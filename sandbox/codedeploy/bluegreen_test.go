package codedeploy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTenDeploymentsInARowEachReplaceTheGroup(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	for i := range 10 {
		before := w.follows()
		info := w.succeed(fmt.Sprint("v", i))

		green := "CodeDeploy_web_" + *info.DeploymentId
		assert.Equal(t, []string{green}, w.cloud.names(), "the original group is gone")
		assert.Equal(t, green, w.follows())
		assert.NotEqual(t, before, green)
		assert.Equal(t, []string{green}, info.TargetInstances.AutoScalingGroups)
		group := w.cloud.groups[green]
		assert.Equal(t, group.members, w.cloud.traffic(testBalance))
		assert.Equal(t, []string{testBalance}, group.attached)
		assert.Len(t, group.hooks, 1, "CodeDeploy's own, since it follows the group")

		assert.True(t, info.InstanceTerminationWaitTimeStarted)
		assert.Equal(t, &types.DeploymentOverview{Succeeded: 8}, info.DeploymentOverview)
		assert.Equal(t, types.DeploymentCreatorUser, info.Creator)
		now := w.group()
		assert.Equal(t, info.DeploymentId, now.LastSuccessfulDeployment.DeploymentId)
		assert.Equal(t, info.DeploymentId, now.LastAttemptedDeployment.DeploymentId)
		assert.Equal(t, types.DeploymentStatusSucceeded, now.LastAttemptedDeployment.Status)
		assert.Equal(t, revision(fmt.Sprint("v", i)), now.TargetRevision)
	}
}

func TestLifecycleEventsOfBothFleets(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.succeed("v1")
	info := w.succeed("v2")
	for _, target := range w.targets(*info.DeploymentId) {
		want := slices.Concat(installEvents(), allowEvents())
		if target.InstanceLabel == types.TargetLabelBlue {
			want = blockEvents()
		}
		assert.Equal(t, want, eventNames(target))
		for i, event := range target.LifecycleEvents {
			assert.Equal(t, types.LifecycleEventStatusSucceeded, event.Status)
			assert.Equal(t, types.LifecycleErrorCodeSuccess, event.Diagnostics.ErrorCode)
			if i > 0 {
				assert.False(t, event.StartTime.Before(*target.LifecycleEvents[i-1].EndTime))
			}
		}
		// The traffic hooks of the original instances are those of the revision there.
		var hooks, revisions []string
		for _, command := range w.machines.ran[*target.TargetId] {
			if command.DeploymentID == *info.DeploymentId {
				hooks = append(hooks, command.Event)
				revisions = append(revisions, *command.Revision.S3Location.Key)
			}
		}
		if target.InstanceLabel == types.TargetLabelBlue {
			assert.Equal(t, []string{"BeforeBlockTraffic", "AfterBlockTraffic"}, hooks)
			assert.Equal(t, []string{"v1", "v1"}, revisions)
		} else {
			assert.NotContains(t, hooks, applicationStop, "nothing to stop on a fresh instance")
			assert.Equal(t, []string{"v2"}, slices.Compact(revisions))
		}
	}
}

func TestKeepGreenAndKeepAliveAndSwitchAtEnd(t *testing.T) {
	t.Run("keep green", func(t *testing.T) {
		w := newWorld(t, Settings{KeepGreen: true})
		w.make()
		w.succeed("good")
		w.order(Failure{Event: "AfterAllowTraffic"})
		info := w.end(w.deploy("bad"))
		w.end(*info.RollbackInfo.RollbackDeploymentId)
		assert.Contains(t, w.cloud.names(), "CodeDeploy_web_"+*info.DeploymentId)
		assert.Empty(t, w.cloud.groups["CodeDeploy_web_"+*info.DeploymentId].attached)
	})
	t.Run("keep alive", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
			in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess = &types.BlueInstanceTerminationOption{Action: types.InstanceActionKeepAlive}
		})
		info := w.succeed("v1")
		assert.False(t, info.InstanceTerminationWaitTimeStarted)
		assert.Equal(t, []string{"CodeDeploy_web_" + *info.DeploymentId, "fleet"}, w.cloud.names())
		assert.Equal(t, "CodeDeploy_web_"+*info.DeploymentId, w.follows())
	})
	for _, atEnd := range []bool{false, true} {
		t.Run(fmt.Sprint("switch at end ", atEnd), func(t *testing.T) {
			w := newWorld(t, Settings{Waits: 1, SwitchAtEnd: atEnd})
			w.make()
			id := w.deploy("v1")
			w.awaitTermination(id)
			assert.Equal(t, atEnd, w.follows() == "fleet")
			assert.Equal(t, types.DeploymentStatusInProgress, w.get(id).Status)
			_, err := w.client.ContinueDeployment(w.ctx, &codedeploy.ContinueDeploymentInput{
				DeploymentId: &id, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait,
			})
			require.NoError(t, err)
			assert.Equal(t, types.DeploymentStatusSucceeded, w.end(id).Status)
			assert.Equal(t, []string{w.follows()}, w.cloud.names())
		})
	}
}

// awaitTermination waits until a deployment waits before it ends the originals.
func (w *world) awaitTermination(id string) {
	w.Helper()
	require.Eventually(w, func() bool { return w.get(id).InstanceTerminationWaitTimeStarted }, 10*time.Second, 2*time.Millisecond)
}

func TestTheWaitIsShortenedByItsFactor(t *testing.T) {
	w := newWorld(t, Settings{Waits: 0.0001}) // 10 minutes are 60 ms
	w.make()
	began := time.Now()
	w.succeed("v1")
	assert.GreaterOrEqual(t, time.Since(began), 60*time.Millisecond)
}

func TestReady(t *testing.T) {
	stopAfter := func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = &types.DeploymentReadyOption{
			ActionOnTimeout: types.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 1,
		}
	}
	t.Run("continued", func(t *testing.T) {
		w := newWorld(t, Settings{Waits: 1})
		w.make(stopAfter)
		id := w.deploy("v1")
		info := w.until(id, types.DeploymentStatusReady)
		assert.Equal(t, &types.DeploymentOverview{Ready: 4, Pending: 4}, info.DeploymentOverview)
		assert.Empty(t, w.cloud.traffic(testBalance))
		_, err := w.client.ContinueDeployment(w.ctx, &codedeploy.ContinueDeploymentInput{DeploymentId: &id, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait})
		require.ErrorAs(t, err, new(*types.DeploymentIsNotInReadyStateException))
		_, err = w.client.ContinueDeployment(w.ctx, &codedeploy.ContinueDeploymentInput{DeploymentId: &id})
		require.NoError(t, err)
		w.awaitTermination(id)
		_, err = w.client.SkipWaitTimeForInstanceTermination(w.ctx, &codedeploy.SkipWaitTimeForInstanceTerminationInput{DeploymentId: &id}) //nolint:staticcheck // emulated, too
		require.NoError(t, err)
		assert.Equal(t, types.DeploymentStatusSucceeded, w.end(id).Status)
	})
	t.Run("timed out", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make(stopAfter)
		info := w.end(w.deploy("v1"))
		assert.Equal(t, types.DeploymentStatusStopped, info.Status)
		assert.Equal(t, types.ErrorCodeTimeout, info.ErrorInformation.Code)
		assert.Equal(t, "fleet", w.follows())
	})
}

func TestPairOfGroups(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption.Action = types.GreenFleetProvisioningActionDiscoverExisting
		in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.Action = types.InstanceActionKeepAlive
	})
	w.cloud.launch("other", 2)
	_, err := w.client.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), Revision: revision("v1"),
	})
	require.ErrorAs(t, err, new(*types.InvalidTargetInstancesException))
	to := func(group string) func(*codedeploy.CreateDeploymentInput) {
		return func(in *codedeploy.CreateDeploymentInput) {
			in.TargetInstances = &types.TargetInstances{AutoScalingGroups: []string{group}}
		}
	}
	for _, group := range []string{"other", "fleet", "other"} {
		w.succeed("v1", to(group))
		assert.Equal(t, group, w.follows())
		assert.Equal(t, []string{"fleet", "other"}, w.cloud.names())
		assert.Equal(t, w.cloud.groups[group].members, w.cloud.traffic(testBalance))
	}
	w.order(Failure{Event: "AfterBlockTraffic"})
	info := w.end(w.deploy("v2", to("fleet")))
	w.end(*info.RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, "other", w.follows())
	assert.Equal(t, w.cloud.groups["other"].members, w.cloud.traffic(testBalance))
	assert.Equal(t, []string{"fleet", "other"}, w.cloud.names())
}
