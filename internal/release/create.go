package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// limitExceeded is the code of the error that a deployment group is busy.
const limitExceeded = "DeploymentLimitExceededException"

// clockSkew is how far this machine's clock may be from AWS's, which refuses
// requests with more (Signature Version 4).
const clockSkew = 5 * time.Minute

// callTime is for one call that must not be cut, with all its attempts.
const callTime = 2 * time.Minute

// active are the statuses of a deployment that has not ended.
func active() []types.DeploymentStatus {
	return []types.DeploymentStatus{
		types.DeploymentStatusCreated, types.DeploymentStatusQueued, types.DeploymentStatusInProgress,
		types.DeploymentStatusBaking, types.DeploymentStatusReady,
	}
}

func ended(info types.DeploymentInfo) bool { return !slices.Contains(active(), info.Status) }

// group reads a deployment group as it is now. Which Auto Scaling group is live
// is always asked, since every deployment changes it.
func (s *session) group(ctx context.Context, application, name string) (types.DeploymentGroupInfo, error) {
	out, err := s.deploying.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &application, DeploymentGroupName: &name})
	if err != nil {
		return types.DeploymentGroupInfo{}, fmt.Errorf("deployment group %s of application %s: %w", name, application, err)
	}
	return *out.DeploymentGroupInfo, nil
}

func (s *session) deployment(ctx context.Context, id string) (types.DeploymentInfo, error) {
	out, err := s.deploying.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return types.DeploymentInfo{}, fmt.Errorf("deployment %s: %w", id, err)
	}
	return *out.DeploymentInfo, nil
}

// running finds the release that a deployment group has under way, "" for none.
func (s *session) running(ctx context.Context, group string) (string, error) {
	pages := codedeploy.NewListDeploymentsPaginator(s.deploying, &codedeploy.ListDeploymentsInput{
		ApplicationName: &s.Application, DeploymentGroupName: &group, IncludeOnlyStatuses: active(),
	})
	for pages.HasMorePages() { // a page may be empty, and not the last
		out, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("deployments of %s: %w", group, err)
		}
		for _, id := range out.Deployments {
			info, err := s.deployment(ctx, id)
			if err != nil {
				return "", err
			}
			if !launched(info) {
				return id, nil
			}
		}
	}
	return "", nil
}

// create makes a deployment, after the one that runs already, and returns its
// id. CodeDeploy has one at a time for each deployment group, and another
// pipeline may be faster: then its deployment is waited for, too.
func (s *session) create(ctx context.Context, name string, what order) (string, error) {
	began := time.Now()
	deadline := began.Add(s.WaitForRunning)
	for p := s.pace(); ; {
		if err := s.awaitRunning(ctx, name, deadline); err != nil {
			return "", err
		}
		id, err := s.tryCreate(ctx, name, what)
		if !coded(err, limitExceeded) {
			return id, err
		}
		if id := s.twin(ctx, name, what, began); id != "" {
			return id, nil
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("%s: %w; waited %s for it, which --wait-for-running changes", name, err, s.WaitForRunning)
		}
		s.say(Event{Kind: KindWait, Group: name, Message: fmt.Sprintf("%s: another deployment was faster; waiting for it", name)})
		if err := p.wait(ctx); err != nil {
			return "", err
		}
	}
}

// twin finds a deployment under way that is just what was asked for: of a call
// that AWS answered with a fault although it had done it, and that was made again.
func (s *session) twin(ctx context.Context, name string, what order, since time.Time) string {
	id, err := s.running(ctx, name)
	if err != nil || id == "" {
		return ""
	}
	info, err := s.deployment(ctx, id)
	if err != nil || aws.ToString(info.Description) != what.description || revisionName(info.Revision) != revisionName(what.revision) ||
		aws.ToTime(info.CreateTime).Before(since.Add(-clockSkew)) {
		return ""
	}
	return id
}

// tryCreate makes a deployment if the deployment group is free.
func (s *session) tryCreate(ctx context.Context, name string, what order) (id string, err error) {
	group, err := s.group(ctx, s.Application, name)
	if err != nil {
		return "", err
	}
	request := &codedeploy.CreateDeploymentInput{
		ApplicationName: &s.Application, DeploymentGroupName: &name, Revision: what.revision, Description: &what.description,
		// A new instance has no files of ours, and one that a deployment has failed
		// on before has some: DISALLOW would fail there again and again.
		FileExistsBehavior:            types.FileExistsBehaviorOverwrite,
		IgnoreApplicationStopFailures: s.IgnoreApplicationStop,
	}
	if !pairMode(group) {
		if err := s.exists(ctx, group); err != nil {
			return "", err
		}
		return s.callCreate(ctx, request)
	}
	fleets, err := s.pair(ctx, group)
	if err != nil {
		return "", err
	}
	request.TargetInstances = &types.TargetInstances{AutoScalingGroups: []string{fleets.idle.name}}
	if err = s.wake(ctx, fleets); err == nil {
		id, err = s.callCreate(ctx, request)
	}
	if err != nil && !coded(err, limitExceeded) { // then the fleet may be another deployment's
		err = errors.Join(err, s.lull(ctx, group, fleets.idle))
	}
	return id, err
}

// exists refuses a deployment to an Auto Scaling group that is not there: it
// would fail, and its rollback too.
func (s *session) exists(ctx context.Context, group types.DeploymentGroupInfo) error {
	live := names(group.AutoScalingGroups)
	found, err := s.fleets(ctx, live)
	if err != nil || len(found) == len(live) {
		return err
	}
	return fmt.Errorf("%s: names %s, and not all of it exists; run pulumi up, which finds the live Auto Scaling group or makes one", aws.ToString(group.DeploymentGroupName), some(live))
}

// callCreate is not cut by an interruption: then nobody would know whether there
// is a deployment.
func (s *session) callCreate(ctx context.Context, request *codedeploy.CreateDeploymentInput) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	out, err := s.deploying.CreateDeployment(ctx, request)
	if err != nil {
		return "", fmt.Errorf("%s: %w", *request.DeploymentGroupName, err)
	}
	return *out.DeploymentId, nil
}

// awaitRunning waits until a deployment group has no deployment under way, and
// shows how far that one is.
func (s *session) awaitRunning(ctx context.Context, group string, deadline time.Time) error {
	ctx, cancel := context.WithDeadlineCause(ctx, deadline, errWaited)
	defer cancel()
	p := s.pace()
	for before := ""; ; {
		id, err := s.running(ctx, group)
		switch {
		case err != nil && (ctx.Err() != nil || !passing(err)):
			return s.waited(ctx, err, group, before)
		case err != nil: // the next look may do better
		case id == "":
			return nil
		default:
			if id != before {
				s.say(Event{Kind: KindWait, Deployment: id, Group: group,
					Message: fmt.Sprintf("%s: deployment %s is under way; waiting for it, at most %s", group, id, span(time.Until(deadline)))})
				before = id
				p.quicken()
			}
			if now, err := s.look(ctx, id); err == nil {
				s.out.show(now)
			}
		}
		if err := p.wait(ctx); err != nil {
			return s.waited(ctx, err, group, before)
		}
	}
}

var errWaited = errors.New("waited long enough")

// waited says what was waited for in vain.
func (s *session) waited(ctx context.Context, err error, group, id string) error {
	if !errors.Is(context.Cause(ctx), errWaited) {
		return err
	}
	if id == "" {
		return fmt.Errorf("%s: not seen in %s whether a deployment is under way; CodeDeploy throttles, or is out of reach", group, s.WaitForRunning)
	}
	return fmt.Errorf("%s: deployment %s still runs after %s; follow it with bluegreen release --resume %s, stop it with --stop %s, or wait longer with --wait-for-running",
		group, id, s.WaitForRunning, id, id)
}
