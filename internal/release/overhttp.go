package release

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/internal/once"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/cenkalti/backoff/v5"
)

func (o Options) checkOverHTTP() error {
	if o.OverHTTP == nil {
		return nil
	}
	errs := []error{o.OverHTTP.Validate()}
	if o.WaitForTermination {
		errs = append(errs, errors.New("once over HTTP: goes on as soon as traffic has moved, not after the old instances are gone; leave out waiting for termination, and resume the deployment with it afterwards"))
	}
	return errors.Join(errs...)
}

// overHTTP asks the site for what a release needs once. It comes when the target
// group has the new instances and no others, and before the old fleet of a pair
// goes: until then nothing says which release answers, and from then on the way
// back is long. A step that is not done is a problem of the deployment.
func (s *session) overHTTP(ctx context.Context, group types.DeploymentGroupInfo, d *Deployment, problems []string) ([]string, error) {
	if s.OverHTTP == nil || s.stopped || len(targetGroups(group.LoadBalancerInfo)) == 0 { // workers have no address
		return problems, nil
	}
	command := "bluegreen release --resume " + d.ID + " --once-over-http"
	if len(problems) > 0 {
		return append(problems, "the site was not asked over HTTP for what this release needs once; when the rest is mended: "+command), nil
	}
	client := *s.OverHTTP
	client.Say = func(message string) {
		s.say(Event{Kind: KindOnce, Deployment: d.ID, Group: d.Group, Message: "over HTTP: " + message})
	}
	client.Accept = func(ctx context.Context, release string) (bool, error) { return s.isOf(ctx, release, *d) }
	var err error
	if d.OverHTTP, err = client.Run(ctx); err != nil {
		return problems, err
	}
	for _, step := range d.OverHTTP {
		if step.State != once.Done && step.State != once.NotBegun {
			problems = append(problems, fmt.Sprintf("%s over HTTP: %s: %s; visitors are on the new release without it; when that is mended: %s", step.Step, step.State, step.Problem, command))
		}
	}
	return problems, nil
}

// isOf tells whether an answer comes from what a deployment has deployed. An
// instance that Auto Scaling has started since has the same revision, by a
// deployment of its own.
func (s *session) isOf(ctx context.Context, release string, d Deployment) (bool, error) {
	if release == d.ID {
		return true, nil
	}
	info, err := s.deployment(ctx, release)
	if err != nil {
		if passing(err) {
			return false, err
		}
		return false, s.rolledBack(ctx, d) // no deployment of this account
	}
	if revisionName(info.Revision) == d.Revision {
		return true, nil
	}
	return false, s.rolledBack(ctx, d)
}

// rolledBack is an error if a deployment that had moved the traffic has been
// undone since, by an alarm or by somebody: then its release never answers.
func (s *session) rolledBack(ctx context.Context, d Deployment) error {
	info, err := s.deployment(ctx, d.ID)
	if err != nil || !ended(info) || info.Status == types.DeploymentStatusSucceeded {
		return err
	}
	return backoff.Permanent(fmt.Errorf("deployment %s is %s meanwhile, and visitors are on the release before; see bluegreen release --resume %s", d.ID, info.Status, d.ID))
}
