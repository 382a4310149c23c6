package codedeploy

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// group is a deployment group.
type group struct {
	info   types.DeploymentGroupInfo
	active *deployment // the one that runs, or nil: at most one at a time
}

func groupResource(applicationName, groupName string) string {
	return "deploymentgroup:" + applicationName + "/" + groupName
}

func (s *Service) group(applicationName, groupName *string) (*application, *group, error) {
	owner, err := s.application(applicationName)
	if err != nil {
		return nil, nil, err
	}
	if aws.ToString(groupName) == "" {
		return nil, nil, &types.DeploymentGroupNameRequiredException{Message: say("Deployment group name is required")}
	}
	found, ok := owner.groups[*groupName]
	if !ok {
		return nil, nil, &types.DeploymentGroupDoesNotExistException{Message: say("No Deployment Group found for name: %s", *groupName)}
	}
	return owner, found, nil
}

func (a *application) freeGroupName(name *string) error {
	switch wanted := aws.ToString(name); {
	case wanted == "":
		return &types.DeploymentGroupNameRequiredException{Message: say("Deployment group name is required")}
	case !namePattern.MatchString(wanted):
		return &types.InvalidDeploymentGroupNameException{Message: say("Invalid deployment group name: %q", wanted)}
	case a.groups[wanted] != nil:
		return &types.DeploymentGroupAlreadyExistsException{Message: say("Deployment group already exists: %s", wanted)}
	}
	return nil
}

func (s *Service) createDeploymentGroup(ctx context.Context, in *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := owner.freeGroupName(in.DeploymentGroupName); err != nil {
		return nil, err
	}
	id := newID()
	created := &group{info: types.DeploymentGroupInfo{
		ApplicationName: owner.info.ApplicationName, ComputePlatform: owner.info.ComputePlatform,
		DeploymentGroupId: &id, DeploymentGroupName: in.DeploymentGroupName,
		DeploymentConfigName: aws.String(oneAtATime), OutdatedInstancesStrategy: types.OutdatedInstancesStrategyUpdate,
		DeploymentStyle: &types.DeploymentStyle{},
	}}
	changes := groupChanges(*in)
	if created.info, err = s.changed(created.info, changes); err != nil {
		return nil, err
	}
	resource := groupResource(*in.ApplicationName, *in.DeploymentGroupName)
	if err := s.setTags(s.arn(resource), in.Tags); err != nil {
		return nil, err
	}
	if err := s.setAutoScalingGroups(ctx, &created.info, in.AutoScalingGroups); err != nil {
		return nil, err
	}
	owner.groups[*in.DeploymentGroupName] = created
	return &codedeploy.CreateDeploymentGroupOutput{DeploymentGroupId: &id}, nil
}

func (s *Service) updateDeploymentGroup(ctx context.Context, in *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error) {
	owner, found, err := s.group(in.ApplicationName, in.CurrentDeploymentGroupName)
	if err != nil {
		return nil, err
	}
	renamed := in.NewDeploymentGroupName != nil && *in.NewDeploymentGroupName != *in.CurrentDeploymentGroupName
	if renamed {
		if err := owner.freeGroupName(in.NewDeploymentGroupName); err != nil {
			return nil, err
		}
	}
	info, err := s.changed(found.info, changesOf(in))
	if err != nil {
		return nil, err
	}
	if in.AutoScalingGroups != nil {
		if err := s.setAutoScalingGroups(ctx, &info, in.AutoScalingGroups); err != nil {
			return nil, err
		}
	}
	if renamed {
		info.DeploymentGroupName = in.NewDeploymentGroupName
		delete(owner.groups, *in.CurrentDeploymentGroupName)
		owner.groups[*in.NewDeploymentGroupName] = found
		s.moveTags(groupResource(*in.ApplicationName, *in.CurrentDeploymentGroupName),
			groupResource(*in.ApplicationName, *in.NewDeploymentGroupName))
	}
	found.info = info
	return &codedeploy.UpdateDeploymentGroupOutput{}, nil
}

func (s *Service) getDeploymentGroup(_ context.Context, in *codedeploy.GetDeploymentGroupInput) (*codedeploy.GetDeploymentGroupOutput, error) {
	_, found, err := s.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentGroupOutput{DeploymentGroupInfo: &found.info}, nil
}

func (s *Service) batchGetDeploymentGroups(_ context.Context, in *codedeploy.BatchGetDeploymentGroupsInput) (*codedeploy.BatchGetDeploymentGroupsOutput, error) {
	if err := batch(in.DeploymentGroupNames); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentGroupsOutput{DeploymentGroupsInfo: []types.DeploymentGroupInfo{}}
	for _, name := range in.DeploymentGroupNames {
		_, found, err := s.group(in.ApplicationName, &name)
		if err != nil {
			return nil, err
		}
		out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, found.info)
	}
	return out, nil
}

func (s *Service) listDeploymentGroups(_ context.Context, in *codedeploy.ListDeploymentGroupsInput) (*codedeploy.ListDeploymentGroupsOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.ListDeploymentGroupsOutput{ApplicationName: in.ApplicationName}
	out.DeploymentGroups, out.NextToken, err = page(slices.Sorted(maps.Keys(owner.groups)), in.NextToken)
	return out, err
}

// deleteDeploymentGroup succeeds for one that does not exist, as AWS does.
func (s *Service) deleteDeploymentGroup(ctx context.Context, in *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.DeploymentGroupName) == "" {
		return nil, &types.DeploymentGroupNameRequiredException{Message: say("Deployment group name is required")}
	}
	out := &codedeploy.DeleteDeploymentGroupOutput{HooksNotCleanedUp: []types.AutoScalingGroup{}}
	if found, ok := owner.groups[*in.DeploymentGroupName]; ok {
		out.HooksNotCleanedUp = s.dropGroup(ctx, owner, found)
	}
	return out, nil
}

// dropGroup removes a deployment group. A deployment that runs stops where it is;
// what it has made stays. It returns the hooks that could not be removed.
func (s *Service) dropGroup(ctx context.Context, owner *application, found *group) []types.AutoScalingGroup {
	if found.active != nil {
		no := false
		found.active.cancel(&halt{code: types.ErrorCodeDeploymentGroupMissing, message: "The deployment group was deleted.", rollback: &no})
	}
	for _, d := range s.history {
		if d.group == found && d.launched != "" && !d.ended() {
			d.cancel(&halt{code: types.ErrorCodeDeploymentGroupMissing, message: "The deployment group was deleted."})
		}
	}
	name := *found.info.DeploymentGroupName
	delete(owner.groups, name)
	delete(s.tags, s.arn(groupResource(*owner.info.ApplicationName, name)))
	left := []types.AutoScalingGroup{}
	for _, member := range found.info.AutoScalingGroups {
		delete(s.launched, *member.Hook)
		if s.cloud == nil || s.cloud.removeHook(ctx, *member.Name, *member.Hook) != nil {
			left = append(left, member)
		}
	}
	return left
}

// setAutoScalingGroups makes a deployment group follow Auto Scaling groups, each
// of which gets a launch hook of CodeDeploy's. Groups that it follows already
// keep theirs, and those that it no longer follows lose it.
func (s *Service) setAutoScalingGroups(ctx context.Context, info *types.DeploymentGroupInfo, names []string) error {
	before := map[string]types.AutoScalingGroup{}
	for _, member := range info.AutoScalingGroups {
		before[*member.Name] = member
	}
	after := []types.AutoScalingGroup{}
	for _, name := range names {
		member, kept := before[name]
		if !kept {
			cloud, err := s.aws()
			if err != nil {
				return err
			}
			hook := "CodeDeploy-managed-automatic-launch-deployment-hook-" + *info.DeploymentGroupName + "-" + newID()
			if err := cloud.addHook(ctx, name, hook); err != nil {
				return &types.InvalidAutoScalingGroupException{Message: say("AutoScalingGroup %s: %v", name, err)}
			}
			member = types.AutoScalingGroup{Name: &name, Hook: &hook}
			if err := s.known(ctx, member); err != nil {
				return &types.InvalidAutoScalingGroupException{Message: say("AutoScalingGroup %s: %v", name, err)}
			}
		}
		delete(before, name)
		after = append(after, member)
	}
	for _, gone := range before {
		delete(s.launched, *gone.Hook)
		if s.cloud != nil {
			_ = s.cloud.removeHook(ctx, *gone.Name, *gone.Hook) // it goes with its group if not now
		}
	}
	info.AutoScalingGroups = after
	return nil
}
