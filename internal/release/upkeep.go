package release

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// launched tells whether a deployment is CodeDeploy's own, to one instance that
// Auto Scaling launches or ends. It is no release: nobody waits for it or stops
// it, and it changes nothing about the fleets. While the revision that is live
// cannot start on new instances, there is always one.
func launched(info types.DeploymentInfo) bool {
	return info.Creator == types.DeploymentCreatorAutoscaling || info.Creator == types.DeploymentCreatorAutoscalingTermination
}

// upkeep is what a deployment is for that CodeDeploy made to keep instances as
// they should be, empty for any other.
func upkeep(info types.DeploymentInfo) string {
	switch info.Creator {
	case types.DeploymentCreatorAutoscaling:
		return "for an instance that Auto Scaling launched"
	case types.DeploymentCreatorAutoscalingTermination:
		return "for an instance that Auto Scaling ends"
	case types.DeploymentCreatorCodeDeployAutoUpdate:
		return "for instances that were launched during a deployment"
	}
	return ""
}

// newest is the last deployment of a deployment group that is not upkeep, nil for
// none. last is what the group itself calls the last; statuses are those that
// count, none for all.
func (s *session) newest(ctx context.Context, group types.DeploymentGroupInfo, last *types.LastDeploymentInfo, statuses ...types.DeploymentStatus) (*types.DeploymentInfo, error) {
	if last == nil {
		return nil, nil
	}
	info, err := s.deployment(ctx, *last.DeploymentId)
	if err != nil || upkeep(info) == "" {
		return &info, err
	}
	pages := codedeploy.NewListDeploymentsPaginator(s.deploying, &codedeploy.ListDeploymentsInput{
		ApplicationName: group.ApplicationName, DeploymentGroupName: group.DeploymentGroupName, IncludeOnlyStatuses: statuses,
	})
	var found *types.DeploymentInfo
	for found == nil && pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("deployments of %s: %w", aws.ToString(group.DeploymentGroupName), err)
		}
		for _, id := range out.Deployments {
			info, err := s.deployment(ctx, id)
			if err != nil {
				return nil, err
			}
			if upkeep(info) == "" && (found == nil || aws.ToTime(info.CreateTime).After(aws.ToTime(found.CreateTime))) {
				found = &info
			}
		}
	}
	return found, nil
}
