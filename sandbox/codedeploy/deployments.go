package codedeploy

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

var deploymentIDPattern = regexp.MustCompile(`^d-[A-Z0-9]{9}$`)

// maxBatch is how many deployments or targets a batch operation answers at most
// (CodeDeploy API reference).
const maxBatch = 25

func (s *Service) getDeployment(_ context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	info := d.view()
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: &info}, nil
}

// batchGetDeployments leaves out what does not exist.
func (s *Service) batchGetDeployments(_ context.Context, in *codedeploy.BatchGetDeploymentsInput) (*codedeploy.BatchGetDeploymentsOutput, error) {
	if len(in.DeploymentIds) == 0 {
		return nil, &types.DeploymentIdRequiredException{Message: say("Deployment ID is required")}
	}
	if len(in.DeploymentIds) > maxBatch {
		return nil, &types.BatchLimitExceededException{Message: say("%d deployments asked for; at most %d", len(in.DeploymentIds), maxBatch)}
	}
	out := &codedeploy.BatchGetDeploymentsOutput{DeploymentsInfo: []types.DeploymentInfo{}}
	for _, id := range in.DeploymentIds {
		if d, ok := s.deployments[id]; ok {
			out.DeploymentsInfo = append(out.DeploymentsInfo, d.view())
		}
	}
	return out, nil
}

// listRequest is codedeploy.ListDeploymentsInput with times as JSON has them.
type listRequest struct {
	ApplicationName     *string
	DeploymentGroupName *string
	IncludeOnlyStatuses []types.DeploymentStatus
	NextToken           *string
	CreateTimeRange     *struct{ Start, End *float64 } // seconds since 1970
}

// listDeployments answers the newest first.
func (s *Service) listDeployments(_ context.Context, in *listRequest) (*codedeploy.ListDeploymentsOutput, error) {
	if in.ApplicationName == nil && in.DeploymentGroupName != nil {
		return nil, &types.ApplicationNameRequiredException{Message: say("Application name is required with a deployment group name")}
	}
	if in.ApplicationName != nil {
		if _, err := s.application(in.ApplicationName); err != nil {
			return nil, err
		}
		if in.DeploymentGroupName != nil {
			if _, _, err := s.group(in.ApplicationName, in.DeploymentGroupName); err != nil {
				return nil, err
			}
		}
	}
	for _, status := range in.IncludeOnlyStatuses {
		if !slices.Contains(status.Values(), status) {
			return nil, &types.InvalidDeploymentStatusException{Message: say("Invalid deployment status: %s", status)}
		}
	}
	ids := []string{}
	for _, d := range slices.Backward(s.history) {
		if in.wants(d) {
			ids = append(ids, d.id())
		}
	}
	out := &codedeploy.ListDeploymentsOutput{}
	var err error
	out.Deployments, out.NextToken, err = page(ids, in.NextToken)
	return out, err
}

func (r *listRequest) wants(d *deployment) bool {
	if r.ApplicationName != nil && *r.ApplicationName != aws.ToString(d.owner.info.ApplicationName) {
		return false
	}
	if r.DeploymentGroupName != nil && *r.DeploymentGroupName != aws.ToString(d.group.info.DeploymentGroupName) {
		return false
	}
	if len(r.IncludeOnlyStatuses) > 0 && !slices.Contains(r.IncludeOnlyStatuses, d.info.Status) {
		return false
	}
	if r.CreateTimeRange == nil {
		return true
	}
	created := float64(d.info.CreateTime.UnixMilli()) / float64(time.Second/time.Millisecond)
	from, to := r.CreateTimeRange.Start, r.CreateTimeRange.End
	return (from == nil || created >= *from) && (to == nil || created <= *to)
}
