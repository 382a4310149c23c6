package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Multiples of Options.Poll.
const (
	troubleTime  = 150 // how long AWS may be out of reach: 5 minutes
	rollbackTime = 15  // how long a rollback may take to show itself: 30 seconds
	settleTime   = 60  // how long a target group may take to settle: 2 minutes
	launchTime   = 450 // how long instances may take to be in service: 15 minutes
)

// errTimeout is why following ends without a verdict.
var errTimeout = errors.New("the time to follow a deployment is over")

// follow looks at a deployment until done, and tells of every change.
func (s *session) follow(ctx context.Context, id string, done func(snapshot) bool) (snapshot, error) {
	var before snapshot
	var trouble time.Time // since when AWS is out of reach
	for p := s.pace(); ; {
		now, err := s.look(ctx, id)
		switch {
		case err == nil:
			trouble = time.Time{}
			changes := now.changes(before)
			for _, e := range changes {
				s.say(e)
			}
			if len(changes) > 0 {
				p.quicken()
			}
			s.out.show(now)
			before = now
			if done(now) {
				return now, nil
			}
		case ctx.Err() != nil:
			return before, ctx.Err()
		case !passing(err) || !trouble.IsZero() && time.Since(trouble) > troubleTime*s.Poll:
			return before, fmt.Errorf("%w; the deployment goes on: bluegreen release --resume %s", err, id)
		case trouble.IsZero():
			trouble = time.Now()
			s.say(Event{Kind: KindNotice, Deployment: id, Message: fmt.Sprintf("cannot see the deployment just now, trying on: %s", err)})
		}
		if err := p.wait(ctx); err != nil {
			return before, err
		}
	}
}

// see follows a deployment to its verdict, and sets right what can be set right.
func (s *session) see(ctx context.Context, id string) (Deployment, error) {
	d := Deployment{ID: id, Outcome: Failed}
	info, err := s.deployment(ctx, id)
	if err != nil {
		if d, err = s.cut(ctx, d, err); err != nil {
			return Deployment{}, err // nobody knows whether there is one
		}
		return d, nil
	}
	if info.RollbackInfo != nil && aws.ToString(info.RollbackInfo.RollbackTriggeringDeploymentId) != "" {
		undone := *info.RollbackInfo.RollbackTriggeringDeploymentId
		s.say(Event{Kind: KindNotice, Deployment: id, Message: fmt.Sprintf("%s is the rollback of %s, which is shown instead", id, undone)})
		return s.see(ctx, undone)
	}
	s.Application = aws.ToString(info.ApplicationName)
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout(info), errTimeout)
	defer cancel()
	now, err := s.follow(ctx, id, func(n snapshot) bool {
		return ended(n.info) || n.rerouted() && !s.WaitForTermination && !s.stopped && !discovers(n.info.BlueGreenDeploymentConfiguration)
	})
	if now.info.DeploymentId == nil {
		now.info = info
	}
	d.describe(now)
	if err == nil {
		err = s.judge(ctx, now, &d)
	}
	if err != nil {
		return s.cut(ctx, d, err)
	}
	for _, problem := range d.Problems {
		s.say(Event{Kind: KindProblem, Deployment: id, Group: d.Group, Message: problem})
	}
	return d, nil
}

// cut is the verdict on a deployment that was not seen to its end.
func (s *session) cut(ctx context.Context, d Deployment, err error) (Deployment, error) {
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		d.Outcome = Attention
		d.Problems = append(d.Problems, fmt.Sprintf("not over after %s; it goes on, and bluegreen release --resume %s follows it", seconds(d.Seconds), d.ID))
		return d, nil
	case errors.Is(ctx.Err(), context.Canceled):
		d.Outcome = Interrupted
		return d, nil
	}
	return d, err
}

func (s *session) timeout(info types.DeploymentInfo) time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	wait := time.Duration(0)
	if config := info.BlueGreenDeploymentConfiguration; config != nil && config.TerminateBlueInstancesOnDeploymentSuccess != nil {
		wait = time.Duration(config.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes) * time.Minute
	}
	return defaultTimeout + wait
}

// describe fills in what a snapshot knows.
func (d *Deployment) describe(now snapshot) {
	d.Application, d.Group = aws.ToString(now.info.ApplicationName), now.group()
	d.Description, d.Revision = aws.ToString(now.info.Description), revisionName(now.info.Revision)
	d.Status, d.Failure = string(now.info.Status), now.failure()
	d.InPlace = inPlaceStyle(now.info)
	d.Seconds = between(now.info.CreateTime, now.info.CompleteTime).Seconds()
}
