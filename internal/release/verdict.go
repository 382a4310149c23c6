package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// judge says how a deployment went, from what there is now and not only from
// what CodeDeploy says, and sets right what it left.
func (s *session) judge(ctx context.Context, now snapshot, d *Deployment) error {
	if now.info.Status == types.DeploymentStatusSucceeded || now.rerouted() {
		return s.confirm(ctx, now, d)
	}
	return s.salvage(ctx, now, d)
}

// confirm checks that the new instances, and no others, have the traffic. Only
// then the old fleet of a pair goes.
func (s *session) confirm(ctx context.Context, now snapshot, d *Deployment) error {
	group, err := s.group(ctx, d.Application, d.Group)
	if err != nil {
		return err
	}
	d.Outcome = Succeeded
	if later, err := s.superseded(ctx, group, now); later || err != nil {
		return err
	}
	live := names(group.AutoScalingGroups)
	if to := now.info.TargetInstances; to != nil && len(to.AutoScalingGroups) > 0 {
		live = to.AutoScalingGroups // the deployment group may follow only at the end
	}
	d.Live = some(live)
	if pairMode(group) {
		if err := s.lead(ctx, group, live); err != nil {
			return err
		}
	}
	problems, err := s.traffic(ctx, targetGroups(group.LoadBalancerInfo), live, now.instances(types.TargetLabelGreen))
	if err != nil {
		return err
	}
	config := group.BlueGreenDeploymentConfiguration
	switch {
	case len(problems) > 0:
	case pairMode(group):
		if err := s.linger(ctx, group, now.info); err != nil {
			return err
		}
		problems, err = s.retire(ctx, group, live)
	case copies(config) && keeps(config):
		problems = append(problems, "the old fleet stays, since the deployment group's action on success is KEEP_ALIVE, and nobody ends it; delete its Auto Scaling group, or configure TERMINATE")
	}
	d.conclude(Succeeded, problems)
	return err
}

// salvage follows the rollback of a deployment that failed or was stopped, removes
// what it left behind, and checks what the site serves now.
func (s *session) salvage(ctx context.Context, now snapshot, d *Deployment) error {
	if d.Failure != nil && d.Failure.Event != "" {
		s.say(Event{Kind: KindNotice, Deployment: d.ID, Group: d.Group, Lifecycle: d.Failure.Event, Instances: d.Failure.Instances,
			Message: fmt.Sprintf("%s failed on %s: %s", d.Failure.Event, some(d.Failure.Instances), d.Failure.Reason)})
	}
	problems, err := s.rollback(ctx, now, d)
	if err != nil {
		return err
	}
	group, err := s.group(ctx, d.Application, d.Group)
	if err != nil {
		return err
	}
	superseded, err := s.superseded(ctx, group, now)
	if err != nil {
		return err
	}
	live := names(group.AutoScalingGroups)
	switch {
	case pairMode(group) && !superseded:
		fleets, err := s.pair(ctx, group)
		if err != nil {
			return err
		}
		live = []string{fleets.live.name}
		if err := s.lull(ctx, group, fleets.idle); err != nil {
			problems = append(problems, err.Error())
		}
	case copies(now.info.BlueGreenDeploymentConfiguration):
		more, err := s.sweep(ctx, group, now, d)
		if err != nil {
			return err
		}
		problems = append(problems, more...)
	}
	if !superseded {
		more, err := s.traffic(ctx, targetGroups(group.LoadBalancerInfo), live, nil)
		if err != nil {
			return err
		}
		problems, d.Live = append(problems, more...), some(live)
	}
	d.conclude(RolledBack, problems)
	return nil
}

// conclude is the verdict: as hoped, unless there are problems.
func (d *Deployment) conclude(hoped Outcome, problems []string) {
	d.Outcome, d.Problems = hoped, append(d.Problems, problems...)
	if len(d.Problems) > 0 {
		d.Outcome = Attention
	}
}

// superseded tells whether a later deployment has changed the fleets since. One
// that CodeDeploy made for new instances of a fleet has not.
func (s *session) superseded(ctx context.Context, group types.DeploymentGroupInfo, now snapshot) (bool, error) {
	latest, err := s.newest(ctx, group, group.LastAttemptedDeployment)
	if err != nil {
		return false, err
	}
	if latest == nil || aws.ToString(latest.DeploymentId) == now.id() || aws.ToString(latest.DeploymentId) == rollbackOf(now.info) {
		return false, nil
	}
	if !aws.ToTime(latest.CreateTime).After(aws.ToTime(now.info.CreateTime)) {
		return false, nil
	}
	s.say(Event{Kind: KindNotice, Deployment: now.id(), Group: now.group(),
		Message: fmt.Sprintf("deployment %s came after %s; the fleets are its, and not checked here", *latest.DeploymentId, now.id())})
	return true, nil
}

// rollback follows the deployment that undoes another, to its end.
func (s *session) rollback(ctx context.Context, now snapshot, d *Deployment) (problems []string, err error) {
	info := now.info
	if rollsBack(info) && info.RollbackInfo == nil {
		err := s.within(ctx, rollbackTime, func() (bool, error) {
			latest, err := s.deployment(ctx, now.id())
			if err != nil {
				return false, err
			}
			info = latest
			return info.RollbackInfo != nil, nil
		})
		if err != nil {
			return nil, err
		}
	}
	id := rollbackOf(info)
	if id == "" {
		why := "none is configured for this"
		if info.RollbackInfo != nil {
			why = aws.ToString(info.RollbackInfo.RollbackMessage)
		} else if rollsBack(info) {
			why = "CodeDeploy has not begun one"
		}
		s.say(Event{Kind: KindNotice, Deployment: now.id(), Group: d.Group, Message: "no rollback: " + why})
		if info.DeploymentStyle != nil && info.DeploymentStyle.DeploymentType == types.DeploymentTypeInPlace {
			problems = append(problems, "there was no rollback, and instances may have either revision; release again, or run bluegreen release --redeploy-last-good")
		}
		return problems, nil
	}
	s.say(Event{Kind: KindRollback, Deployment: id, Group: d.Group, Message: fmt.Sprintf("deployment %s rolls %s back", id, now.id())})
	undo, err := s.follow(ctx, id, func(n snapshot) bool { return ended(n.info) })
	d.Rollback = &Rollback{ID: id, Status: string(undo.info.Status)}
	if err != nil {
		return nil, err
	}
	if f := undo.failure(); f != nil {
		problems = append(problems, fmt.Sprintf("the rollback %s is %s: %s %s; check what the site serves, then release a revision that works", id, undo.info.Status, f.Message, f.Reason))
	}
	return problems, nil
}

func rollbackOf(info types.DeploymentInfo) string {
	if info.RollbackInfo == nil {
		return ""
	}
	return aws.ToString(info.RollbackInfo.RollbackDeploymentId)
}

// rollsBack tells whether CodeDeploy is to roll a deployment back that has just
// ended. Who stops one may ask for it, whatever the deployment group says.
func rollsBack(info types.DeploymentInfo) bool {
	if info.CompleteTime != nil && time.Since(*info.CompleteTime) > clockSkew {
		return false
	}
	if info.Status == types.DeploymentStatusStopped {
		return true
	}
	config := info.AutoRollbackConfiguration
	return config != nil && config.Enabled && slices.Contains(config.Events, types.AutoRollbackEventDeploymentFailure)
}

func copies(config *types.BlueGreenDeploymentConfiguration) bool {
	return provisions(config, types.GreenFleetProvisioningActionCopyAutoScalingGroup)
}

func discovers(config *types.BlueGreenDeploymentConfiguration) bool {
	return provisions(config, types.GreenFleetProvisioningActionDiscoverExisting)
}

func provisions(config *types.BlueGreenDeploymentConfiguration, how types.GreenFleetProvisioningAction) bool {
	return config != nil && config.GreenFleetProvisioningOption != nil && config.GreenFleetProvisioningOption.Action == how
}

// keeps tells whether nobody ends the old fleet after a success.
func keeps(config *types.BlueGreenDeploymentConfiguration) bool {
	option := config.TerminateBlueInstancesOnDeploymentSuccess
	return option != nil && option.Action == types.InstanceActionKeepAlive
}

// pairMode tells whether two permanent fleets take turns.
func pairMode(group types.DeploymentGroupInfo) bool {
	return discovers(group.BlueGreenDeploymentConfiguration)
}

func names(groups []types.AutoScalingGroup) (all []string) {
	for _, group := range groups {
		all = append(all, aws.ToString(group.Name))
	}
	return all
}

func targetGroups(balancer *types.LoadBalancerInfo) (all []string) {
	if balancer == nil {
		return nil
	}
	for _, info := range balancer.TargetGroupInfoList {
		all = append(all, aws.ToString(info.Name))
	}
	return all
}
