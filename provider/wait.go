package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
)

// Pace is how long the provider waits for AWS.
type Pace struct {
	Poll    time.Duration // between two looks
	Start   time.Duration // for the first instances of a new group to be in service
	Cleared time.Duration // for groups and instances to be gone
}

// DefaultPace suits AWS.
var DefaultPace = Pace{Poll: 5 * time.Second, Start: 10 * time.Minute, Cleared: 30 * time.Minute}

// FastWaits names the environment variable that, when it is not empty, has the
// provider look every 100 ms instead of every 5 s. The sandbox sets it, for the
// AWS provider that it builds as well. Only an emulator may be asked so often:
// against AWS it would exhaust the API's rate limits.
const FastWaits = "BLUEGREEN_SANDBOX_FAST_WAITS"

// fastPoll is between two looks with FastWaits.
const fastPoll = 100 * time.Millisecond

// EnvironmentPace is DefaultPace, or what FastWaits in the environment makes of
// it. getenv is os.Getenv.
func EnvironmentPace(getenv func(string) string) Pace {
	pace := DefaultPace
	if getenv(FastWaits) != "" {
		pace.Poll = fastPoll
	}
	return pace
}

// errTooLong says that a wait ended without what it waited for.
var errTooLong = errors.New("waited long enough")

// until calls look until it is done, and shows what it says meanwhile.
// Cancelling the context ends it, as does the limit (errTooLong).
func (f pace) until(ctx context.Context, limit time.Duration, look func() (done bool, progress string, err error)) error {
	deadline := time.Now().Add(limit)
	shown := ""
	for {
		done, progress, err := look()
		if err != nil || done {
			return err
		}
		if progress != shown {
			p.GetLogger(ctx).InfoStatus(progress)
			shown = progress
		}
		if !time.Now().Add(f.Poll).Before(deadline) {
			return errTooLong
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.Poll):
		}
	}
}

// pace adds the waits to Pace.
type pace struct{ Pace }

// site is one fleet's place in AWS: what to ask, of whom, how patiently.
type site struct {
	cloud Cloud
	pace  pace
}

// settled waits until no deployment of the fleet runs, and refuses when one
// still does after the release's patience.
func (s site) settled(ctx context.Context, r Release, what string) error {
	var running []Deployment
	err := s.pace.until(ctx, r.patience(), func() (bool, string, error) {
		var err error
		if running, err = s.cloud.Running(ctx, r.Application, r.DeploymentGroup); err != nil {
			return false, "", fmt.Errorf("deployments of %s: %w", r.DeploymentGroup, err)
		}
		return len(running) == 0, fmt.Sprintf("waiting for deployment %s before the %s", list(running), what), nil
	})
	if errors.Is(err, errTooLong) {
		return fmt.Errorf("deployment %s of %s still runs after %s, and the %s would pull the fleet from under it; wait for its end and run again, raise waitForDeployment (release.waitForDeploymentMinutes of the stack), or stop it with: aws deploy stop-deployment --deployment-id %s",
			list(running), r.DeploymentGroup, r.patience(), what, running[0].ID)
	}
	return err
}

// quiet is the calm before a deletion: no deployment of the fleet runs.
func (s site) quiet(ctx context.Context, r Release) error {
	if r.StopDeploymentOnDelete {
		return s.stopped(ctx, r)
	}
	return s.settled(ctx, r, "deletion")
}

// stopped ends every running deployment of the fleet and waits for the end.
func (s site) stopped(ctx context.Context, r Release) error {
	asked := map[string]bool{}
	var running []Deployment
	err := s.pace.until(ctx, max(r.patience(), time.Minute), func() (bool, string, error) {
		var err error
		if running, err = s.cloud.Running(ctx, r.Application, r.DeploymentGroup); err != nil {
			return false, "", fmt.Errorf("deployments of %s: %w", r.DeploymentGroup, err)
		}
		for _, d := range running {
			if asked[d.ID] {
				continue
			}
			if err := s.cloud.StopDeployment(ctx, d.ID); err != nil {
				return false, "", fmt.Errorf("stop deployment %s: %w", d.ID, err)
			}
			asked[d.ID] = true
		}
		return len(running) == 0, fmt.Sprintf("stopping deployment %s", list(running)), nil
	})
	if errors.Is(err, errTooLong) {
		return fmt.Errorf("deployment %s of %s was told to stop and still runs; look at it in the CodeDeploy console and run again", list(running), r.DeploymentGroup)
	}
	return err
}

func list(deployments []Deployment) string {
	var all []string
	for _, d := range deployments {
		all = append(all, fmt.Sprintf("%s (%s)", d.ID, d.Status))
	}
	return strings.Join(all, ", ")
}

// inService waits for the first instances of a new group: a deployment to a
// group without a healthy one fails.
func (s site) inService(ctx context.Context, name string, want int) error {
	have := 0
	err := s.pace.until(ctx, s.pace.Start, func() (bool, string, error) {
		groups, err := s.cloud.Groups(ctx)
		if err != nil {
			return false, "", err
		}
		have = 0
		for _, g := range groups {
			if g.Name != name {
				continue
			}
			for _, i := range g.Instances {
				if i.InService {
					have++
				}
			}
		}
		return have >= want, fmt.Sprintf("%d of %d instances in service", have, want), nil
	})
	if !errors.Is(err, errTooLong) {
		return err
	}
	activity, err := s.cloud.LastActivity(ctx, name)
	if err != nil {
		activity = err.Error()
	}
	if activity == "" {
		activity = "none"
	}
	return fmt.Errorf("group %s: %d of %d instances in service after %s; its last activity: %s", name, have, want, s.pace.Start, activity)
}
