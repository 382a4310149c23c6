package codedeploy

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// look has the service look for new instances, and returns the deployments that
// there are then, newest first.
func (w *world) look() []string {
	w.Helper()
	w.service.lookForLaunches(w.ctx)
	out, err := w.client.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web")})
	require.NoError(w, err)
	return out.Deployments
}

// revisions are the keys that an instance was told to install, in order.
func (w *world) revisions(instance string) (keys []string) {
	w.machines.mu.Lock()
	defer w.machines.mu.Unlock()
	for _, command := range w.machines.ran[instance] {
		if command.Event == install {
			keys = append(keys, *command.Revision.S3Location.Key)
		}
	}
	return keys
}

func TestAnInstanceThatAutoScalingLaunchesGetsTheLastSuccessfulRevision(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	before := *w.succeed("v1").DeploymentId
	w.end(w.deploy("v2", func(in *codedeploy.CreateDeploymentInput) {
		w.order(Failure{Event: "ValidateService"})
		in.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{}
	}))
	assert.Len(t, w.look(), 2, "nothing is new")
	instance := w.cloud.grow(w.follows())
	all := w.look()
	require.Len(t, all, 3)
	assert.Equal(t, before, all[2])

	info := w.end(all[0])
	assert.Equal(t, types.DeploymentStatusSucceeded, info.Status)
	assert.Equal(t, types.DeploymentCreatorAutoscaling, info.Creator)
	assert.Equal(t, revision("v1"), info.Revision)
	assert.Equal(t, types.DeploymentTypeInPlace, info.DeploymentStyle.DeploymentType)
	assert.Nil(t, info.BlueGreenDeploymentConfiguration)
	assert.Nil(t, info.TargetInstances)
	targets := w.targets(all[0])
	require.Len(t, targets, 1)
	assert.Equal(t, instance, *targets[0].TargetId)
	assert.Equal(t, slices.Concat(installEvents(), allowEvents()), eventNames(targets[0]), "no traffic is to be blocked")
	assert.Contains(t, w.cloud.traffic(testBalance), instance)
	for _, command := range w.machines.ran[instance] {
		assert.Equal(t, types.DeploymentCreatorAutoscaling, command.Creator)
		assert.Equal(t, types.DeploymentTypeInPlace, command.Type)
	}
	assert.Equal(t, all, w.look(), "once")
	assert.Equal(t, all[0], *w.group().LastAttemptedDeployment.DeploymentId)
	assert.Equal(t, revision("v1"), w.group().TargetRevision)
}

func TestWhoGetsNoLaunchDeployment(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.cloud.grow("fleet")
	assert.Empty(t, w.look(), "there is no successful revision")

	w.cloud.launch("other", 2)
	id := *w.succeed("v1").DeploymentId
	green := w.follows()
	assert.Equal(t, []string{id}, w.look(), "who was there before the launch hook is not new")
	_, err := w.client.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), CurrentDeploymentGroupName: aws.String("web"), AutoScalingGroups: []string{"other"},
	})
	require.NoError(t, err)
	w.cloud.grow(green)
	assert.Equal(t, []string{id}, w.look(), "neither is who comes to a group that is followed no longer")
}

func TestAnInstanceOfTheReplacementThatMissedTheLaunchHookGetsNothing(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.succeed("v1")
	began, release := w.machines.holdAt("AfterInstall")
	id := w.deploy("v2")
	w.reached(began)
	late := w.cloud.grow("CodeDeploy_web_" + id)
	w.look()
	release()
	w.end(id)
	w.look()
	assert.Empty(t, w.revisions(late))
	assert.Equal(t, id, w.look()[0])
}

func TestALaunchThatFailsEndsTheInstanceAndAutoScalingLaunchesAnother(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.succeed("v1")
	first := w.cloud.grow(w.follows())
	w.machines.mu.Lock()
	w.machines.do = func(_ context.Context, instance string, command Command) (string, error) {
		if instance == first && command.Event == "ApplicationStart" {
			return "crashed", &ScriptError{Script: "scripts/start", Message: "exit code 1"}
		}
		return "", nil
	}
	w.machines.mu.Unlock()
	failed := w.look()[0]
	info := w.end(failed)
	assert.Equal(t, types.DeploymentStatusFailed, info.Status)
	assert.Equal(t, types.ErrorCodeHealthConstraints, info.ErrorInformation.Code)
	assert.Nil(t, info.RollbackInfo)
	assert.Equal(t, []string{first}, w.cloud.ended)

	next := w.look()[0]
	require.NotEqual(t, failed, next)
	assert.Equal(t, types.DeploymentStatusSucceeded, w.end(next).Status)
	assert.NotEqual(t, first, *w.targets(next)[0].TargetId)
	assert.Equal(t, next, w.look()[0])
}

func TestALaunchIsNoHindranceToADeploymentUnlessChosen(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		w := newWorld(t, Settings{LaunchesBlock: blocks})
		w.make()
		w.succeed("v1")
		began, release := w.machines.holdAt("BeforeInstall")
		for range 3 { // each a deployment of its own, all at the same time
			w.cloud.grow(w.follows())
		}
		all := w.look()
		require.Len(t, all, 4)
		for range 3 {
			w.reached(began)
		}
		in := &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), Revision: revision("v2")}
		out, err := w.client.CreateDeployment(w.ctx, in)
		if blocks {
			var limit *types.DeploymentLimitExceededException
			require.ErrorAs(t, err, &limit)
			release()
			continue
		}
		require.NoError(t, err)
		_, err = w.client.CreateDeployment(w.ctx, in)
		require.ErrorContains(t, err, "already has an active Deployment '"+*out.DeploymentId+"'")
		release()
		assert.Equal(t, types.DeploymentStatusSucceeded, w.end(*out.DeploymentId).Status)
	}
}

func TestWhoIsLaunchedDuringADeploymentIsBroughtUpToDateAfterIt(t *testing.T) {
	for _, strategy := range []types.OutdatedInstancesStrategy{types.OutdatedInstancesStrategyUpdate, types.OutdatedInstancesStrategyIgnore} {
		w := newWorld(t, Settings{})
		w.make(inPlace, func(in *codedeploy.CreateDeploymentGroupInput) { in.OutdatedInstancesStrategy = strategy })
		w.succeed("v1")
		began, release := w.machines.holdAt("ValidateService")
		id := w.deploy("v2")
		w.reached(began)
		w.machines.mu.Lock()
		w.machines.do = nil
		w.machines.mu.Unlock()
		instance := w.cloud.grow("fleet")
		launch := w.look()[0]
		require.NotEqual(t, id, launch)
		assert.Equal(t, types.DeploymentStatusSucceeded, w.end(launch).Status)
		assert.Equal(t, []string{"v1"}, w.revisions(instance), "the one before, not the newest")
		release()
		w.end(id)
		if strategy == types.OutdatedInstancesStrategyIgnore {
			assert.Equal(t, launch, w.look()[0])
			continue
		}
		after := w.look()[0]
		info := w.end(after)
		assert.Equal(t, types.DeploymentCreatorCodeDeployAutoUpdate, info.Creator)
		assert.Equal(t, &types.DeploymentOverview{Succeeded: 1}, info.DeploymentOverview)
		assert.Equal(t, []string{"v1", "v2"}, w.revisions(instance))
		assert.Equal(t, after, w.look()[0], "and that is all")
	}
}

func TestALaunchEndsWithItsDeploymentGroupAndIsNotRolledBack(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.succeed("v1")
	began, _ := w.machines.holdAt("BeforeInstall")
	first := w.cloud.grow(w.follows())
	stopped := w.look()[0]
	w.reached(began)
	_, err := w.client.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &stopped, AutoRollbackEnabled: aws.Bool(true)})
	require.NoError(t, err)
	assert.Nil(t, w.end(stopped).RollbackInfo)
	assert.Equal(t, []string{first}, w.cloud.ended)

	again := w.look()[0]
	w.reached(began)
	_, err = w.client.DeleteDeploymentGroup(w.ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web")})
	require.NoError(t, err)
	info := w.end(again)
	assert.Equal(t, types.ErrorCodeDeploymentGroupMissing, info.ErrorInformation.Code)
	assert.Empty(t, w.service.launched)
}

func TestNewInstancesAreLookedForAllTheTimeButNotSimulatedOnes(t *testing.T) {
	w := optionsWorld(t, Options{LaunchPoll: time.Millisecond})
	w.make()
	w.succeed("v1")
	instance := w.cloud.grow(w.follows())
	require.Eventually(t, func() bool { return slices.Equal(w.revisions(instance), []string{"v1"}) }, 20*time.Second, time.Millisecond)

	w = optionsWorld(t, Options{LaunchPoll: time.Millisecond, Machines: Simulation{}})
	w.make()
	w.succeed("v1")
	w.cloud.grow(w.follows())
	assert.Len(t, w.look(), 1)
}
