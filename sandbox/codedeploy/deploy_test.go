package codedeploy

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneDeploymentAtATime(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	began, release := w.machines.holdAt("Install")
	id := w.deploy("v1")
	w.reached(began)
	_, err := w.client.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), Revision: revision("v2"),
	})
	require.ErrorAs(t, err, new(*types.DeploymentLimitExceededException))
	assert.ErrorContains(t, err, "The Deployment Group 'web' already has an active Deployment '"+id+"'")
	assert.Equal(t, types.DeploymentStatusInProgress, w.group().LastAttemptedDeployment.Status)
	release()
	assert.Equal(t, types.DeploymentStatusSucceeded, w.end(id).Status)
	w.succeed("v2")
}

func TestStopInTheMiddle(t *testing.T) {
	for name, test := range map[string]struct {
		event    string
		rollback *bool
		group    func(*codedeploy.CreateDeploymentGroupInput)
		undone   bool
	}{
		"before traffic, no rollback":      {"ApplicationStart", nil, noRollback, false},
		"before traffic, asked for":        {"ApplicationStart", aws.Bool(true), noRollback, true},
		"after traffic, asked for":         {"AfterAllowTraffic", aws.Bool(true), noRollback, true},
		"with originals out, asked for":    {"AfterBlockTraffic", aws.Bool(true), noRollback, true},
		"as the deployment group says":     {"BeforeAllowTraffic", nil, onRequest, true},
		"not as the deployment group is":   {"BeforeAllowTraffic", aws.Bool(false), onRequest, false},
		"a failure rule is not about it":   {"ValidateService", nil, func(*codedeploy.CreateDeploymentGroupInput) {}, false},
		"traffic hook, no rollback at all": {"BeforeBlockTraffic", nil, noRollback, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Settings{})
			w.make(test.group)
			w.succeed("good")
			original := w.follows()
			began, release := w.machines.holdAt(test.event)
			defer release()
			id := w.deploy("v2")
			w.reached(began)
			out, err := w.client.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: test.rollback})
			require.NoError(t, err)
			assert.Equal(t, types.StopStatusPending, out.Status)
			release() // a rollback has the same events
			info := w.end(id)
			assert.Equal(t, types.DeploymentStatusStopped, info.Status)
			assert.Equal(t, types.ErrorCodeManualStop, info.ErrorInformation.Code)
			assert.Zero(t, info.DeploymentOverview.InProgress+info.DeploymentOverview.Pending+info.DeploymentOverview.Ready)
			assert.Equal(t, original, w.follows())
			_, err = w.client.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id})
			require.ErrorAs(t, err, new(*types.DeploymentAlreadyCompletedException))
			if !test.undone {
				assert.Nil(t, info.RollbackInfo)
				assert.Len(t, w.cloud.names(), 2)
				return
			}
			assert.Equal(t, types.DeploymentStatusSucceeded, w.end(*info.RollbackInfo.RollbackDeploymentId).Status)
			assert.Equal(t, []string{original}, w.cloud.names())
			assert.Equal(t, w.cloud.groups[original].members, w.cloud.traffic(testBalance))
		})
	}
}

func onRequest(in *codedeploy.CreateDeploymentGroupInput) {
	in.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentStopOnRequest}}
}

func TestStopInTheTerminationWait(t *testing.T) {
	w := newWorld(t, Settings{Waits: 1})
	w.make()
	require.NoError(t, w.service.Change(func(s *Settings) { s.Waits = 0 }))
	w.succeed("v1")
	original := w.follows()
	require.NoError(t, w.service.Change(func(s *Settings) { s.Waits = 1 }))
	id := w.deploy("v2")
	w.awaitTermination(id)
	assert.Equal(t, "CodeDeploy_web_"+id, w.follows())
	_, err := w.client.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)})
	require.NoError(t, err)
	undo := w.end(*w.end(id).RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, types.DeploymentStatusSucceeded, undo.Status)
	assert.Equal(t, original, w.follows())
	assert.Equal(t, []string{original}, w.cloud.names())
	assert.Equal(t, w.cloud.groups[original].members, w.cloud.traffic(testBalance))
	var seen []types.TargetLabel
	for _, target := range w.targets(*undo.DeploymentId) {
		seen = append(seen, target.InstanceLabel)
		if target.InstanceLabel == types.TargetLabelBlue {
			assert.Equal(t, allowEvents(), eventNames(target))
		} else {
			assert.Equal(t, blockEvents(), eventNames(target))
		}
	}
	assert.Equal(t, []types.TargetLabel{types.TargetLabelBlue, types.TargetLabelGreen}, slices.Compact(seen))
}

func TestAlarms(t *testing.T) {
	watched := func(in *codedeploy.CreateDeploymentGroupInput) {
		in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("5xx")}, {Name: aws.String("hosts")}}}
		in.AutoRollbackConfiguration.Events = []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentStopOnAlarm}
	}
	ring := func(w *world, names ...string) {
		w.cloud.mu.Lock()
		defer w.cloud.mu.Unlock()
		w.cloud.ringing = names
	}
	t.Run("goes off", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make(watched)
		w.succeed("good")
		original := w.follows()
		began, release := w.machines.holdAt("AfterAllowTraffic")
		defer release()
		id := w.deploy("bad")
		w.reached(began)
		ring(w, "5xx", "another")
		info := w.end(id)
		assert.Equal(t, types.DeploymentStatusStopped, info.Status)
		assert.Equal(t, types.ErrorCodeAlarmActive, info.ErrorInformation.Code)
		assert.Contains(t, *info.ErrorInformation.Message, "<5xx>")
		release() // the rollback has the same event
		assert.Equal(t, types.DeploymentStatusSucceeded, w.end(*info.RollbackInfo.RollbackDeploymentId).Status, "though the alarm is on")
		assert.Equal(t, original, w.follows())
	})
	t.Run("is on already", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make(watched)
		ring(w, "hosts")
		info := w.end(w.deploy("v1"))
		assert.Equal(t, types.ErrorCodeAlarmActive, info.ErrorInformation.Code)
		assert.Equal(t, []string{"fleet"}, w.cloud.names())
	})
	t.Run("cannot be read", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make(watched)
		w.cloud.alarmsErr = errors.New("denied")
		assert.Equal(t, types.DeploymentStatusStopped, w.end(w.deploy("v1")).Status)
		w.succeed("v1", func(in *codedeploy.CreateDeploymentInput) {
			in.OverrideAlarmConfiguration = &types.AlarmConfiguration{
				Enabled: true, IgnorePollAlarmFailure: true, Alarms: []types.Alarm{{Name: aws.String("5xx")}},
			}
		})
	})
}

func TestWhatEndsADeploymentBeforeItsEvents(t *testing.T) {
	t.Run("no instances", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make()
		w.cloud.launch("fleet", 0)
		assert.Equal(t, types.ErrorCodeNoInstances, w.end(w.deploy("v1")).ErrorInformation.Code)
	})
	t.Run("no group", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make()
		require.NoError(t, w.cloud.deleteGroup(t.Context(), "fleet"))
		info := w.end(w.deploy("v1"))
		assert.Equal(t, types.ErrorCodeAutoScalingConfiguration, info.ErrorInformation.Code)
		assert.Contains(t, *info.ErrorInformation.Message, "fleet")
	})
	t.Run("half of one instance", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make()
		w.cloud.launch("fleet", 1)
		assert.Equal(t, types.ErrorCodeHealthConstraintsInvalid, w.end(w.deploy("v1")).ErrorInformation.Code)
		w.succeed("v1", func(in *codedeploy.CreateDeploymentInput) {
			in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
		})
	})
	t.Run("no bundle", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make()
		w.cloud.bundles = map[string]bool{"releases/v2": true}
		info := w.end(w.deploy("v1"))
		assert.Equal(t, types.ErrorCodeHealthConstraints, info.ErrorInformation.Code)
		event := w.targets(*info.DeploymentId)[0].LifecycleEvents[1]
		assert.Equal(t, downloadBundle, *event.LifecycleEventName)
		assert.Equal(t, types.LifecycleErrorCodeUnknownError, event.Diagnostics.ErrorCode)
		w.succeed("v2")
	})
	t.Run("no target group", func(t *testing.T) {
		w := newWorld(t, Settings{})
		w.make()
		w.cloud.balanced = map[string]map[string]bool{}
		info := w.end(w.deploy("v1"))
		assert.Equal(t, types.DeploymentStatusFailed, info.Status)
	})
}

func TestScriptErrorsAreTold(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(noRollback)
	w.machines.do = func(_ context.Context, _ string, command Command) (string, error) {
		if command.Event == "AfterInstall" {
			long := make([]byte, logTail+5)
			for i := range long {
				long[i] = 'x'
			}
			return "begin" + string(long), &ScriptError{Code: types.LifecycleErrorCodeScriptTimedOut, Script: "scripts/migrate.sh", Message: "3600 s are over"}
		}
		return "", nil
	}
	info := w.end(w.deploy("v1"))
	told := w.targets(*info.DeploymentId)[0].LifecycleEvents[4].Diagnostics
	assert.Equal(t, types.LifecycleErrorCodeScriptTimedOut, told.ErrorCode)
	assert.Equal(t, "scripts/migrate.sh", *told.ScriptName)
	assert.Equal(t, "3600 s are over", *told.Message)
	assert.Len(t, *told.LogTail, logTail)
}

func TestDeletingTheGroupStopsItsDeployment(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	began, release := w.machines.holdAt("Install")
	defer release()
	id := w.deploy("v1")
	w.reached(began)
	out, err := w.client.DeleteDeploymentGroup(w.ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web")})
	require.NoError(t, err)
	assert.Empty(t, out.HooksNotCleanedUp)
	info := w.end(id)
	assert.Equal(t, types.DeploymentStatusStopped, info.Status)
	assert.Nil(t, info.RollbackInfo)
	assert.Equal(t, []string{"CodeDeploy_web_" + id, "fleet"}, w.cloud.names())
	assert.Empty(t, w.cloud.groups["fleet"].hooks)
}

func TestCloseEndsWhatRuns(t *testing.T) {
	w := newWorld(t, Settings{Waits: 1})
	w.make()
	id := w.deploy("v1")
	w.awaitTermination(id)
	began := time.Now()
	w.service.Close()
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, types.DeploymentStatusFailed, w.get(id).Status)
	assert.Nil(t, w.get(id).RollbackInfo)
}
