package release

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// last is the deployment that a deployment group tried last. Of a rollback, it
// is the one that was rolled back.
func (s *session) last(ctx context.Context) (string, error) {
	if err := s.named(); err != nil {
		return "", err
	}
	var latest *types.DeploymentInfo
	for _, name := range s.Groups {
		group, err := s.group(ctx, s.Application, name)
		if err != nil {
			return "", err
		}
		l, err := s.newest(ctx, group, group.LastAttemptedDeployment)
		if err != nil {
			return "", err
		}
		if l != nil && (latest == nil || aws.ToTime(l.CreateTime).After(aws.ToTime(latest.CreateTime))) {
			latest = l
		}
	}
	if latest == nil {
		return "", fmt.Errorf("%s: no deployment yet; bluegreen release makes the first", some(s.Groups))
	}
	return *latest.DeploymentId, nil
}

// lastGood is the revision of the last successful deployment of a group.
func (s *session) lastGood(ctx context.Context, name string) (order, error) {
	group, err := s.group(ctx, s.Application, name)
	if err != nil {
		return order{}, err
	}
	good, err := s.newest(ctx, group, group.LastSuccessfulDeployment, types.DeploymentStatusSucceeded)
	if err != nil {
		return order{}, err
	}
	if good == nil {
		return order{}, fmt.Errorf("%s: no deployment has succeeded yet; there is nothing to go back to", name)
	}
	info := *good
	s.say(Event{Kind: KindNotice, Group: name, Message: fmt.Sprintf("%s: the last successful deployment is %s of %s, revision %s",
		name, *info.DeploymentId, aws.ToTime(info.CreateTime).Local().Format(time.DateTime), revisionName(info.Revision))})
	what, err := s.describe(ctx, name, info)
	if err != nil {
		return order{}, err
	}
	return order{revision: info.Revision, description: clip(again + strings.TrimPrefix(what, again))}, nil
}

// again begins the description of a deployment of a revision that was there
// before.
const again = "again: "

// describe finds the description of a revision. CodeDeploy gives its rollbacks
// none, so that it is that of an earlier deployment of the same revision.
func (s *session) describe(ctx context.Context, group string, info types.DeploymentInfo) (string, error) {
	if said := aws.ToString(info.Description); said != "" {
		return said, nil
	}
	out, err := s.deploying.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: &s.Application, DeploymentGroupName: &group, IncludeOnlyStatuses: []types.DeploymentStatus{types.DeploymentStatusSucceeded},
	})
	if err != nil {
		return "", fmt.Errorf("deployments of %s: %w", group, err)
	}
	for _, id := range out.Deployments[:min(shown, len(out.Deployments))] {
		earlier, err := s.deployment(ctx, id)
		if err != nil {
			return "", err
		}
		if said := aws.ToString(earlier.Description); said != "" && revisionName(earlier.Revision) == revisionName(info.Revision) {
			return said, nil
		}
	}
	return revisionName(info.Revision), nil
}
