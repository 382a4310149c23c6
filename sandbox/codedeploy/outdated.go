package codedeploy

import (
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// update starts the deployment that follows another one by itself: instances that
// Auto Scaling launched meanwhile got the revision before (CodeDeploy User Guide,
// "Scale-out events during a deployment"). Where the deployment group says IGNORE,
// they keep that. The lock is held.
func (s *Service) update(after *deployment) {
	group := after.group
	if after.info.Status != types.DeploymentStatusSucceeded || after.info.Creator == types.DeploymentCreatorCodeDeployAutoUpdate ||
		group.active != nil || group.info.TargetRevision == nil || group.info.OutdatedInstancesStrategy == types.OutdatedInstancesStrategyIgnore ||
		after.owner.groups[*group.info.DeploymentGroupName] != group || s.life.Err() != nil {
		return
	}
	outdated := s.outdated(group)
	if len(outdated) == 0 {
		return
	}
	d := s.newDeployment(after.owner, group, *group.info.TargetRevision)
	d.only = outdated
	d.info.Creator = types.DeploymentCreatorCodeDeployAutoUpdate
	d.info.DeploymentStyle = inPlaceStyle(d.info.DeploymentStyle)
	d.info.BlueGreenDeploymentConfiguration = nil
	d.info.AutoRollbackConfiguration = nil // they have what they would go back to
	d.info.UpdateOutdatedInstancesOnly = true
	s.start(d)
}

// outdated are the instances that were launched in a deployment group's Auto
// Scaling groups as they are now, and have another revision.
func (s *Service) outdated(group *group) (all []string) {
	for _, d := range s.history {
		if d.group != group || d.launched == "" || d.info.Status != types.DeploymentStatusSucceeded {
			continue
		}
		if at, has := s.installed[d.launched]; !has || revisionKey(at) == revisionKey(*group.info.TargetRevision) {
			continue
		}
		for _, member := range group.info.AutoScalingGroups {
			if s.launched[*member.Hook][d.launched] {
				all = append(all, d.launched)
			}
		}
	}
	return all
}

func inPlaceStyle(of *types.DeploymentStyle) *types.DeploymentStyle {
	return &types.DeploymentStyle{DeploymentType: types.DeploymentTypeInPlace, DeploymentOption: of.DeploymentOption}
}
