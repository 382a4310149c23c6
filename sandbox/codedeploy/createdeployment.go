package codedeploy

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func (s *Service) createDeployment(_ context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	owner, found, err := s.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	if in.Revision == nil {
		in.Revision = found.info.TargetRevision
	}
	if in.DeploymentConfigName == nil {
		in.DeploymentConfigName = found.info.DeploymentConfigName
	}
	if _, err := s.config(in.DeploymentConfigName); err != nil {
		return nil, err
	}
	if err := validDeployment(found.info, in); err != nil {
		return nil, err
	}
	if _, err := s.aws(); err != nil {
		return nil, err
	}
	active := found.active
	if active == nil && s.settings.LaunchesBlock {
		active = s.launching(found)
	}
	if active != nil {
		return nil, &types.DeploymentLimitExceededException{
			Message: say("The Deployment Group '%s' already has an active Deployment '%s'", *in.DeploymentGroupName, active.id()),
		}
	}
	d := s.newDeployment(owner, found, *in.Revision)
	d.info.Creator = types.DeploymentCreatorUser
	d.info.DeploymentConfigName = in.DeploymentConfigName
	d.info.Description = in.Description
	d.info.FileExistsBehavior = in.FileExistsBehavior
	d.info.IgnoreApplicationStopFailures = in.IgnoreApplicationStopFailures
	d.info.UpdateOutdatedInstancesOnly = in.UpdateOutdatedInstancesOnly
	d.info.OverrideAlarmConfiguration = in.OverrideAlarmConfiguration
	d.info.TargetInstances = in.TargetInstances
	replace(&d.info.AutoRollbackConfiguration, in.AutoRollbackConfiguration)
	d.failures = s.settings.claim(*in.DeploymentGroupName)
	s.start(d)
	return &codedeploy.CreateDeploymentOutput{DeploymentId: d.info.DeploymentId}, nil
}

func validDeployment(group types.DeploymentGroupInfo, in *codedeploy.CreateDeploymentInput) error {
	if group.ComputePlatform != types.ComputePlatformServer {
		return &types.UnsupportedActionForDeploymentTypeException{Message: say("The sandbox emulates deployments to compute platform Server only, not %s", group.ComputePlatform)}
	}
	if err := validRevision(in.Revision); err != nil {
		return err
	}
	if len(aws.ToString(in.Description)) > maxDescription {
		return &types.DescriptionTooLongException{Message: say("The description is longer than %d characters", maxDescription)}
	}
	if in.FileExistsBehavior == "" {
		in.FileExistsBehavior = types.FileExistsBehaviorDisallow
	}
	if !slices.Contains(in.FileExistsBehavior.Values(), in.FileExistsBehavior) {
		return &types.InvalidFileExistsBehaviorException{Message: say("Invalid file exists behavior: %s", in.FileExistsBehavior)}
	}
	named := !environmentOf(in.TargetInstances).empty()
	wanted := blueGreen(group) && group.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption.Action == types.GreenFleetProvisioningActionDiscoverExisting
	if named != wanted {
		return &types.InvalidTargetInstancesException{Message: say("Target instances are needed in a blue/green deployment to existing instances (DISCOVER_EXISTING), and not allowed in any other")}
	}
	return validOverrides(in)
}

// validOverrides checks what a deployment has instead of its group's settings.
func validOverrides(in *codedeploy.CreateDeploymentInput) error {
	overridden := types.DeploymentGroupInfo{AutoRollbackConfiguration: in.AutoRollbackConfiguration, AlarmConfiguration: in.OverrideAlarmConfiguration}
	if err := validAutoRollback(overridden); err != nil {
		return err
	}
	return validAlarms(overridden)
}

// newDeployment returns a deployment with the settings of its group, not started.
func (s *Service) newDeployment(owner *application, in *group, revision types.RevisionLocation) *deployment {
	id := newDeploymentID()
	d := &deployment{owner: owner, group: in, blue: in.environment(), info: types.DeploymentInfo{
		ApplicationName: owner.info.ApplicationName, DeploymentGroupName: in.info.DeploymentGroupName,
		DeploymentId: &id, Status: types.DeploymentStatusCreated, CreateTime: now(),
		ComputePlatform: in.info.ComputePlatform, DeploymentConfigName: in.info.DeploymentConfigName,
		DeploymentStyle: in.info.DeploymentStyle, LoadBalancerInfo: in.info.LoadBalancerInfo,
		AutoRollbackConfiguration: in.info.AutoRollbackConfiguration,
		FileExistsBehavior:        types.FileExistsBehaviorDisallow,
		Revision:                  &revision, PreviousRevision: in.info.TargetRevision,
	}}
	if d.info.LoadBalancerInfo == nil {
		d.info.LoadBalancerInfo = &types.LoadBalancerInfo{}
	}
	if d.blueGreen() {
		d.info.BlueGreenDeploymentConfiguration = in.info.BlueGreenDeploymentConfiguration
	}
	return d
}

// start makes a deployment the active one of its group, and performs it in the
// background.
func (s *Service) start(d *deployment) {
	d.owner.use(*d.info.Revision)
	if d.launched == "" { // instances are launched whatever else is deployed
		d.group.active = d
	}
	d.group.info.LastAttemptedDeployment = d.last()
	s.deployments[d.id()] = d
	s.history = append(s.history, d)
	ctx, cancel := context.WithCancelCause(s.life)
	d.cancel = cancel
	run := &run{
		deployment: d, service: s, cloud: s.cloud, settings: s.settings,
		hosts: hosts{name: *d.info.DeploymentConfigName, rule: *s.configs[*d.info.DeploymentConfigName].MinimumHealthyHosts},
	}
	s.running.Go(func() {
		defer cancel(nil)
		s.finish(ctx, d, run.perform(ctx))
	})
}

// finish records how a deployment ended and, where that is asked for, starts its
// rollback: no other deployment comes in between.
func (s *Service) finish(ctx context.Context, d *deployment, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rollback := false
	stopped, halted := errors.AsType[*halt](context.Cause(ctx))
	switch {
	case err == nil:
		d.info.Status = types.DeploymentStatusSucceeded
	case halted:
		d.info.Status = types.DeploymentStatusStopped
		d.info.ErrorInformation = &types.ErrorInformation{Code: stopped.code, Message: &stopped.message}
		event := types.AutoRollbackEventDeploymentStopOnRequest
		if stopped.code == types.ErrorCodeAlarmActive {
			event = types.AutoRollbackEventDeploymentStopOnAlarm
		}
		rollback = d.autoRollback(event)
		if stopped.rollback != nil {
			rollback = *stopped.rollback
		}
	default:
		d.info.Status = types.DeploymentStatusFailed
		why, coded := errors.AsType[*failed](err)
		if !coded {
			why = &failed{types.ErrorCodeInternalError, err}
		}
		d.info.ErrorInformation = &types.ErrorInformation{Code: why.code, Message: aws.String(why.Error())}
		rollback = d.autoRollback(types.AutoRollbackEventDeploymentFailure)
	}
	d.info.CompleteTime = now()
	d.wait = ""
	for _, target := range d.targets {
		target.skipRest()
	}
	if aws.ToString(d.group.info.LastAttemptedDeployment.DeploymentId) == d.id() {
		d.group.info.LastAttemptedDeployment = d.last()
	}
	if d.info.Status == types.DeploymentStatusSucceeded {
		d.group.info.LastSuccessfulDeployment = d.last()
	}
	if d.launched == "" {
		d.group.active = nil
	}
	if d.launched == "" && d.info.Status == types.DeploymentStatusSucceeded {
		d.group.info.TargetRevision = d.info.Revision
	}
	s.update(d)
	if rollback && d.undoes == nil && d.launched == "" && d.only == nil && s.life.Err() == nil {
		s.rollBack(d)
	}
}

// rollBack starts the deployment that undoes another one: the last successful
// revision again, or traffic back to the original instances.
func (s *Service) rollBack(d *deployment) {
	last := d.info.PreviousRevision
	if last == nil {
		d.info.RollbackInfo = &types.RollbackInfo{
			RollbackMessage: say("The deployment was not rolled back: the deployment group has no last successful revision."),
		}
		return
	}
	undo := s.newDeployment(d.owner, d.group, *last)
	undo.undoes = d
	undo.info.Creator = types.DeploymentCreatorCodeDeployRollback
	undo.info.DeploymentConfigName = d.info.DeploymentConfigName
	undo.info.DeploymentStyle = d.info.DeploymentStyle
	undo.info.LoadBalancerInfo = d.info.LoadBalancerInfo
	undo.info.BlueGreenDeploymentConfiguration = d.info.BlueGreenDeploymentConfiguration
	undo.info.TargetInstances = nil
	undo.info.AutoRollbackConfiguration = nil // a rollback is not rolled back
	undo.info.RollbackInfo = &types.RollbackInfo{
		RollbackTriggeringDeploymentId: d.info.DeploymentId,
		RollbackMessage:                say("Deployment %s failed or was stopped; this deployment rolls it back.", d.id()),
	}
	d.info.RollbackInfo = &types.RollbackInfo{
		RollbackDeploymentId: undo.info.DeploymentId,
		RollbackMessage:      say("Deployment %s rolls this one back.", undo.id()),
	}
	undo.failures = s.settings.claimForRollback(*d.info.DeploymentGroupName)
	s.start(undo)
}
