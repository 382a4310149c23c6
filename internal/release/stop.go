package release

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Stop ends a deployment and has it rolled back, and follows that to its end. An
// empty id is the deployment that one of the deployment groups has under way; it
// is an error if there is none. RolledBack is the outcome of a stop that worked.
func Stop(ctx context.Context, o Options, id string) (Result, error) {
	s, err := o.open()
	if err != nil {
		return Result{}, err
	}
	defer s.out.close()
	if id == "" {
		if id, err = s.anyRunning(ctx); err != nil {
			return s.concluded(ctx, Result{}, err)
		}
	}
	_, err = s.deploying.StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)})
	if err != nil {
		return s.concluded(ctx, Result{}, fmt.Errorf("stop: deployment %s: %w", id, err))
	}
	s.stopped = true
	s.say(Event{Kind: KindNotice, Deployment: id, Message: fmt.Sprintf("deployment %s is being stopped, and rolled back", id)})
	d, err := s.see(ctx, id)
	return s.concluded(ctx, d.alone(), err)
}

// anyRunning finds the deployment that is under way: the newest, since that of a
// web fleet may still wait to end its old instances.
func (s *session) anyRunning(ctx context.Context) (string, error) {
	if err := s.named(); err != nil {
		return "", err
	}
	var newest types.DeploymentInfo
	for _, group := range s.Groups {
		id, err := s.running(ctx, group)
		if err != nil {
			return "", err
		}
		if id == "" {
			continue
		}
		info, err := s.deployment(ctx, id)
		if err != nil {
			return "", err
		}
		if newest.CreateTime == nil || aws.ToTime(info.CreateTime).After(*newest.CreateTime) {
			info, newest = newest, info
		}
		if info.DeploymentId != nil {
			s.say(Event{Kind: KindNotice, Deployment: *info.DeploymentId, Group: aws.ToString(info.DeploymentGroupName),
				Message: fmt.Sprintf("deployment %s of %s is under way, too, and goes on; to stop it: bluegreen release --stop %[1]s", *info.DeploymentId, *info.DeploymentGroupName)})
		}
	}
	if newest.DeploymentId == nil {
		return "", fmt.Errorf("stop: no deployment is under way in %s", some(s.Groups))
	}
	return *newest.DeploymentId, nil
}
