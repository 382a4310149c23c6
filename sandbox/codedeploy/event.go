package codedeploy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// logTail is how much of a script's log CodeDeploy answers, in bytes (CodeDeploy
// API reference, Diagnostics).
const logTail = 4096

// event performs a lifecycle event on an instance and records how it went.
func (r *run) event(ctx context.Context, t *target, name string) error {
	var ordered *Failure
	r.locked(func() {
		event := t.event(name)
		event.Status, event.StartTime = types.LifecycleEventStatusInProgress, now()
		t.info.LastUpdatedAt = event.StartTime
		ordered = r.order(name, t.id())
	})
	var log string
	var err error
	if ordered != nil {
		log, err = ordered.Log, &ScriptError{Message: "failure ordered in the sandbox"}
	} else {
		log, err = r.guarded(ctx, t, name)
	}
	stopped := err != nil && ctx.Err() != nil
	r.locked(func() {
		event := t.event(name)
		event.EndTime = now()
		t.info.LastUpdatedAt = event.EndTime
		event.Diagnostics = diagnostics(log, err)
		switch {
		case stopped: // neither succeeded nor failed: skipRest marks it
			event.Diagnostics = nil
		case err == nil:
			event.Status = types.LifecycleEventStatusSucceeded
			if name == install {
				r.service.copied[t.id()] = *r.info.Revision
			}
		default:
			event.Status = types.LifecycleEventStatusFailed
			if name == applicationStop && r.info.IgnoreApplicationStopFailures {
				err = nil
				return
			}
			t.set(types.TargetStatusFailed)
			t.skipRest()
		}
	})
	return err
}

// order returns the failure that is ordered for an event on an instance, nil for
// none. The lock is held.
func (r *run) order(event, instance string) *Failure {
	for i := range r.failures {
		failure := &r.failures[i]
		if failure.Event != event {
			continue
		}
		if failure.Instance == firstInstance {
			failure.Instance = instance
		}
		if failure.Instance == "" || failure.Instance == instance {
			return failure
		}
	}
	return nil
}

// act does what an event is about.
func (r *run) act(ctx context.Context, t *target, name string) (log string, err error) {
	command, hooked := r.command(t, name)
	switch name {
	case blockTraffic:
		return "", r.blockTraffic(ctx, t.id())
	case allowTraffic:
		return "", r.allowTraffic(ctx, t.id())
	case downloadBundle:
		if at := command.Revision.S3Location; at != nil {
			if err := r.cloud.bundle(ctx, *at); err != nil {
				return "", err
			}
		}
	}
	if !hooked {
		return "", nil
	}
	machines := r.service.machines
	if _, simulated := machines.(Simulation); simulated && r.settings.EventSeconds > 0 {
		machines = Simulation{EventTime: time.Duration(r.settings.EventSeconds * float64(time.Second))}
	}
	return machines.Run(ctx, t.id(), command)
}

// command is what the agent is told, and whether it has a revision to take the
// hook from: a fresh instance has none to stop.
func (r *run) command(t *target, name string) (command Command, hooked bool) {
	r.locked(func() {
		command = Command{
			Event: name, DeploymentID: r.id(), Application: *r.info.ApplicationName,
			DeploymentGroup: *r.info.DeploymentGroupName, DeploymentGroupID: *r.group.info.DeploymentGroupId,
			Creator: r.info.Creator, Type: r.info.DeploymentStyle.DeploymentType,
			Revision: *r.info.Revision, Target: *r.info.Revision, FileExistsBehavior: r.info.FileExistsBehavior,
			DeploymentCreatedAt: *r.info.CreateTime,
		}
		hooked = true
		switch {
		case !t.installs, name == applicationStop, name == "BeforeBlockTraffic", name == "AfterBlockTraffic":
			command.Revision, hooked = r.service.copied[t.id()]
		}
	})
	return command, hooked
}

func diagnostics(log string, err error) *types.Diagnostics {
	if len(log) > logTail {
		log = log[len(log)-logTail:]
	}
	if err == nil {
		return &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeSuccess, ScriptName: aws.String(""), Message: aws.String("Succeeded"), LogTail: &log}
	}
	told := &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeUnknownError, ScriptName: aws.String(""), Message: aws.String(err.Error()), LogTail: &log}
	if script, ok := errors.AsType[*ScriptError](err); ok {
		told.ErrorCode, told.ScriptName = script.Code, &script.Script
		if told.ErrorCode == "" {
			told.ErrorCode = types.LifecycleErrorCodeScriptFailed
		}
	}
	return told
}

func quoted(names []string) string { return "<" + strings.Join(names, ", ") + ">" }
