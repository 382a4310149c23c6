package codedeploy

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lose ends an instance behind everybody's back.
func (w *world) lose(instance string) {
	w.cloud.mu.Lock()
	defer w.cloud.mu.Unlock()
	w.cloud.ended = append(w.cloud.ended, instance)
}

func TestADeploymentGoesOnWithoutAnInstanceThatIsGone(t *testing.T) {
	w := newWorld(t, Settings{}) // half of the four at a time
	w.make()
	began, release := w.machines.holdAt("BeforeInstall")
	id := w.deploy("v1")
	w.reached(began)
	w.lose("i-0005")
	release()
	info := w.end(id)
	require.Equal(t, types.DeploymentStatusSucceeded, info.Status, aws.ToString(message(info)))
	assert.Equal(t, int64(1), info.DeploymentOverview.Failed)
	for _, target := range w.targets(id) {
		if *target.TargetId != "i-0005" {
			continue
		}
		for _, event := range target.LifecycleEvents {
			if event.Status == types.LifecycleEventStatusFailed {
				assert.Equal(t, "instance i-0005 is terminated or stopped; nothing can run on it", *event.Diagnostics.Message)
				return
			}
		}
	}
	assert.Fail(t, "no event of i-0005 has failed")
}

func TestADeploymentFailsWhenTooManyInstancesAreGone(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(noRollback)
	for _, instance := range []string{"i-0005", "i-0006", "i-0007"} {
		w.lose(instance)
	}
	info := w.end(w.deploy("v1"))
	assert.Equal(t, types.ErrorCodeHealthConstraints, info.ErrorInformation.Code)
}

func TestAnEventEndsWhenItsInstanceGoesInTheMiddle(t *testing.T) {
	w := optionsWorld(t, Options{LaunchPoll: time.Millisecond})
	w.make()
	w.machines.do = func(ctx context.Context, instance string, command Command) (string, error) {
		if instance != "i-0006" || command.Event != "ApplicationStart" {
			return "", nil
		}
		w.lose(instance)
		<-ctx.Done() // as a machine that hangs
		return "the last words", ctx.Err()
	}
	id := w.deploy("v1")
	assert.Equal(t, types.DeploymentStatusSucceeded, w.end(id).Status)
	for _, target := range w.targets(id) {
		if *target.TargetId == "i-0006" {
			event := target.LifecycleEvents[5]
			assert.Equal(t, "ApplicationStart", *event.LifecycleEventName)
			assert.Contains(t, *event.Diagnostics.Message, "instance i-0006 is terminated or stopped")
			assert.Equal(t, "the last words", *event.Diagnostics.LogTail)
		}
	}
}

func TestAnEventThatDoesNotEndFails(t *testing.T) {
	w := newWorld(t, Settings{})
	assert.Equal(t, time.Hour, w.service.eventTime)
	w.service.eventTime = 10 * time.Millisecond
	w.make(noRollback)
	began, _ := w.machines.holdAt("BeforeInstall")
	id := w.deploy("v1")
	w.reached(began)
	assert.Equal(t, types.ErrorCodeHealthConstraints, w.end(id).ErrorInformation.Code)
	assert.Equal(t, "the lifecycle event took longer than CodeDeploy allows", *w.targets(id)[0].LifecycleEvents[2].Diagnostics.Message)
	_, err := New(Options{LaunchPoll: -1})
	assert.ErrorContains(t, err, "launch poll: want 0 or more, got -1ns")
}

func TestLaunchesAndLossesOnMoto(t *testing.T) {
	w := newMotoWorld(t, Settings{})
	w.makeGroup()
	w.succeed("v1")
	group := w.follows()
	_, err := w.aws.scaling.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &group, DesiredCapacity: aws.Int32(4)})
	require.NoError(t, err)
	failing := true
	w.machines.do = func(_ context.Context, _ string, command Command) (string, error) {
		if failing && command.Event == "ApplicationStart" {
			return "", &ScriptError{Message: "no"}
		}
		return "", nil
	}
	failed := w.look()[0]
	require.Equal(t, types.DeploymentStatusFailed, w.end(failed).Status)
	first := *w.targets(failed)[0].TargetId
	assert.NotContains(t, members(w.one()), first)
	assert.Len(t, members(w.one()), 4)
	alive, err := w.aws.alive(w.ctx, first)
	require.NoError(t, err)
	assert.False(t, alive)
	require.NoError(t, w.aws.abandon(w.ctx, first), "it is gone already")

	failing = false
	next := w.look()[0]
	require.NotEqual(t, failed, next)
	require.Equal(t, types.DeploymentStatusSucceeded, w.end(next).Status)
	assert.ElementsMatch(t, members(w.one()), w.routed())
}
