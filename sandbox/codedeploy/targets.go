package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// begun finds a deployment that has targets.
func (s *Service) begun(id *string) (*deployment, error) {
	d, err := s.deployment(id)
	if err != nil {
		return nil, err
	}
	if d.info.StartTime == nil {
		return nil, &types.DeploymentNotStartedException{Message: say("The deployment %s has not started", d.id())}
	}
	return d, nil
}

func (d *deployment) target(id string) *target {
	i := slices.IndexFunc(d.targets, func(t *target) bool { return t.id() == id })
	if i < 0 {
		return nil
	}
	return d.targets[i]
}

func (t *target) view() types.DeploymentTarget {
	return types.DeploymentTarget{DeploymentTargetType: types.DeploymentTargetTypeInstanceTarget, InstanceTarget: &t.info}
}

func (s *Service) getDeploymentTarget(_ context.Context, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	found, err := s.foundTargets(in.DeploymentId, []string{aws.ToString(in.TargetId)})
	if err != nil {
		return nil, err
	}
	view := found[0].view()
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: &view}, nil
}

func (s *Service) batchGetDeploymentTargets(_ context.Context, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	if len(in.TargetIds) > maxBatch {
		return nil, &types.DeploymentTargetListSizeExceededException{Message: say("%d targets asked for; at most %d", len(in.TargetIds), maxBatch)}
	}
	found, err := s.foundTargets(in.DeploymentId, in.TargetIds)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentTargetsOutput{DeploymentTargets: []types.DeploymentTarget{}}
	for _, t := range found {
		out.DeploymentTargets = append(out.DeploymentTargets, t.view())
	}
	return out, nil
}

// foundTargets returns the targets of a deployment that have these ids, all of them.
func (s *Service) foundTargets(id *string, targets []string) ([]*target, error) {
	d, err := s.begun(id)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 || slices.Contains(targets, "") {
		return nil, &types.DeploymentTargetIdRequiredException{Message: say("Deployment target ID is required")}
	}
	var found []*target
	for _, id := range targets {
		t := d.target(id)
		if t == nil {
			return nil, &types.DeploymentTargetDoesNotExistException{Message: say("The deployment %s has no target %s", d.id(), id)}
		}
		found = append(found, t)
	}
	return found, nil
}

func (s *Service) listDeploymentTargets(_ context.Context, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	d, err := s.begun(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	for name := range in.TargetFilters {
		if filter := types.TargetFilterName(name); !slices.Contains(filter.Values(), filter) {
			return nil, &types.InvalidTargetFilterNameException{Message: say("Invalid target filter name: %s", name)}
		}
	}
	matches := func(filter types.TargetFilterName, value string) bool {
		wanted, given := in.TargetFilters[string(filter)]
		return !given || slices.Contains(wanted, value)
	}
	ids := []string{}
	for _, t := range d.targets {
		if matches(types.TargetFilterNameTargetStatus, string(t.info.Status)) &&
			matches(types.TargetFilterNameServerInstanceLabel, string(t.info.InstanceLabel)) {
			ids = append(ids, t.id())
		}
	}
	out := &codedeploy.ListDeploymentTargetsOutput{}
	out.TargetIds, out.NextToken, err = page(ids, in.NextToken)
	return out, err
}

// The three that follow are the older names of the three above.

func (t *target) summary() types.InstanceSummary {
	return types.InstanceSummary{
		DeploymentId: t.info.DeploymentId, InstanceId: t.info.TargetArn, InstanceType: types.InstanceType(t.info.InstanceLabel),
		LastUpdatedAt: t.info.LastUpdatedAt, LifecycleEvents: t.info.LifecycleEvents, Status: types.InstanceStatus(t.info.Status), //nolint:staticcheck // the older API is emulated, too
	}
}

func (s *Service) getDeploymentInstance(_ context.Context, in *codedeploy.GetDeploymentInstanceInput) (*codedeploy.GetDeploymentInstanceOutput, error) {
	d, err := s.begun(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.InstanceId) == "" {
		return nil, &types.InstanceIdRequiredException{Message: say("Instance ID is required")}
	}
	t := d.target(*in.InstanceId)
	if t == nil {
		return nil, &types.InstanceDoesNotExistException{Message: say("The deployment %s has no instance %s", d.id(), *in.InstanceId)}
	}
	summary := t.summary()
	return &codedeploy.GetDeploymentInstanceOutput{InstanceSummary: &summary}, nil //nolint:staticcheck // as above
}

func (s *Service) batchGetDeploymentInstances(_ context.Context, in *codedeploy.BatchGetDeploymentInstancesInput) (*codedeploy.BatchGetDeploymentInstancesOutput, error) {
	d, err := s.begun(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if err := batch(in.InstanceIds); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentInstancesOutput{InstancesSummary: []types.InstanceSummary{}}
	for _, id := range in.InstanceIds {
		if t := d.target(id); t != nil {
			out.InstancesSummary = append(out.InstancesSummary, t.summary())
		}
	}
	return out, nil
}

func (s *Service) listDeploymentInstances(_ context.Context, in *codedeploy.ListDeploymentInstancesInput) (*codedeploy.ListDeploymentInstancesOutput, error) {
	d, err := s.begun(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, t := range d.targets {
		summary := t.summary()
		if (len(in.InstanceStatusFilter) == 0 || slices.Contains(in.InstanceStatusFilter, types.InstanceStatus(t.info.Status))) &&
			(len(in.InstanceTypeFilter) == 0 || slices.Contains(in.InstanceTypeFilter, summary.InstanceType)) {
			ids = append(ids, t.id())
		}
	}
	out := &codedeploy.ListDeploymentInstancesOutput{}
	out.InstancesList, out.NextToken, err = page(ids, in.NextToken)
	return out, err
}
