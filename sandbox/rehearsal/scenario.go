package rehearsal

import (
	"context"
	"fmt"
	"time"

	"bluegreen/internal/release"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// calm is how long visitors see nothing happen before and after the releases.
const calm = 5 * time.Second

// act is a step of the scenario. What it returns first is what is not as it should
// be at its end; an error ends the rehearsal.
type act struct {
	title   string
	short   string
	perform func(context.Context) (problems, facts []string, err error)
}

// scenario is the life of a site.
func (r *rehearsal) scenario() []act {
	acts := []act{
		{"The platform, with machines and no release", "up", r.up},
		{"First release: " + r.Versions.First.Title, "first release", r.succeeds(r.Versions.First)},
		{fmt.Sprintf("Visitors: %d requests a second from here on", r.Rate), "load on", r.loadOn},
	}
	for _, version := range r.Versions.Next {
		acts = append(acts, act{"Release of " + version.Title, version.Short, r.succeeds(version)})
	}
	farewell := "Visitors go"
	if r.names {
		farewell += "; what they wrote is there"
	}
	return append(acts,
		act{"Release that fails in ValidateService and is rolled back", "fails, rolls back", r.fails},
		act{"Green machine loses power in AfterInstall: too few are left, rolled back", "green killed", r.greenKilled},
		act{"Blue machine is interrupted while it serves, and replaced", "blue interrupted", r.blueInterrupted},
		act{"Blue machine loses power after its visitors have moved", "blue killed", r.blueKilled},
		act{"Redeploy of the last good revision", "redeploy", r.redeployed},
		act{farewell, "load off", r.loadOff},
		act{"Preview: pulumi up would change nothing", "preview", r.previewed},
		act{"Destroy: nothing is left", "destroy", r.destroyed},
	)
}

func (r *rehearsal) up(ctx context.Context) (problems, facts []string, err error) {
	if err := r.stage.Up(ctx); err != nil {
		return nil, nil, err
	}
	state, err := r.stage.State(ctx)
	if err != nil {
		return nil, nil, err
	}
	r.live, r.size = state.Live, len(state.members(state.Live))
	if r.size < 2 {
		return nil, nil, fmt.Errorf("live group %s: want at least 2 instances, got %d; set fleet.minSize in the stack's file", r.live, r.size)
	}
	problems, facts = r.settled(ctx, r.expected())
	return problems, facts, nil
}

// expected is how things have to be when nothing has changed since the last
// step.
func (r *rehearsal) expected() expectation {
	return expectation{release: r.serve, live: r.live, size: r.size, migrations: r.migrations}
}

// succeeds releases a version and expects it to serve.
func (r *rehearsal) succeeds(version Version) func(context.Context) (problems, facts []string, err error) {
	return func(ctx context.Context) (problems, facts []string, err error) {
		return r.released(ctx, version, nil)
	}
}

// released releases a version and expects it to serve; watch sees the events.
func (r *rehearsal) released(ctx context.Context, version Version, watch func(release.Event)) (problems, facts []string, err error) {
	result, err := r.stage.Release(ctx, Revision{Commit: version.Commit}, r.teller(version.Short, watch))
	if err != nil {
		return nil, nil, err
	}
	return r.arrived(ctx, result, version.Migrations)
}

// arrived checks that a release has taken over.
func (r *rehearsal) arrived(ctx context.Context, result release.Result, migrations []string) (problems, facts []string, err error) {
	d := last(result)
	if d.Outcome != release.Succeeded {
		return nil, nil, fmt.Errorf("want it released, got %s", told(d))
	}
	r.serve, r.live = d.ID, d.Live
	if migrations != nil {
		r.migrations = migrations
	}
	problems, facts = r.settled(ctx, r.expected())
	return problems, append(facts, fmt.Sprintf("%.0f s until the verdict", d.Seconds)), nil
}

// teller records what a release tells; the title is for the picture.
func (r *rehearsal) teller(title string, watch func(release.Event)) func(release.Event) {
	return func(e release.Event) {
		if e.Kind == release.KindDeployment && e.Status == string(types.DeploymentStatusCreated) {
			r.recorder.add(Entry{Time: e.Time, Named: &Named{Release: e.Deployment, Title: title}})
		}
		r.recorder.add(Entry{Time: e.Time, Release: &e})
		r.say(e)
		if watch != nil {
			watch(e)
		}
	}
}

func last(result release.Result) release.Deployment {
	if len(result.Deployments) == 0 {
		return release.Deployment{Outcome: release.Failed}
	}
	return result.Deployments[len(result.Deployments)-1]
}

// told is how a deployment went, in a line.
func told(d release.Deployment) string {
	text := fmt.Sprintf("deployment %s: %s", d.ID, d.Outcome)
	if f := d.Failure; f != nil {
		text += fmt.Sprintf(": %s %s %s %s\n%s", f.Code, f.Event, f.Script, f.Reason, lastLines(f.Log))
	}
	for _, problem := range d.Problems {
		text += "\n" + problem
	}
	return text
}

func (r *rehearsal) loadOn(ctx context.Context) (problems, facts []string, err error) {
	site, host := r.stage.Site()
	requests := r.Requests
	if len(requests) == 0 && r.names {
		if requests, err = referenceLoad(ctx, site, host); err != nil {
			return nil, nil, err
		}
	}
	if len(requests) == 0 {
		requests = anyPage
	}
	r.load = startLoad(site, host, requests, r.Rate, r.run, func(at time.Time, a Answer) {
		r.recorder.add(Entry{Time: at, Answer: &a})
	})
	for _, request := range requests {
		facts = append(facts, request.Name())
	}
	return nil, facts, wait(ctx, r.Calm)
}

func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

func (r *rehearsal) fails(ctx context.Context) (problems, facts []string, err error) {
	what := Revision{Commit: r.Versions.Faulty.Commit}
	if !r.names {
		what.Fail = "ValidateService"
	}
	result, err := r.stage.Release(ctx, what, r.teller(r.Versions.Faulty.Short, nil))
	if err != nil {
		return nil, nil, err
	}
	problems, facts = r.rolledBack(ctx, result, "ValidateService")
	return problems, facts, nil
}

// rolledBack checks that a deployment failed in an event, and that all is as it
// was before.
func (r *rehearsal) rolledBack(ctx context.Context, result release.Result, event string) (problems, facts []string) {
	d := last(result)
	switch {
	case d.Outcome != release.RolledBack:
		problems = append(problems, "want it rolled back, got "+told(d))
	case d.Failure == nil || d.Failure.Event != event:
		problems = append(problems, fmt.Sprintf("want it to fail in %s, got %s", event, told(d)))
	default:
		facts = append(facts, fmt.Sprintf("%s: %s", d.Failure.Code, lastLines(d.Failure.Log)), fmt.Sprintf("%.0f s until it was rolled back", d.Seconds))
	}
	more, found := r.settled(ctx, r.expected())
	return append(problems, more...), append(facts, found...)
}

func (r *rehearsal) redeployed(ctx context.Context) (problems, facts []string, err error) {
	result, err := r.stage.Redeploy(ctx, r.teller(r.Versions.Last.Short+" again", nil))
	if err != nil {
		return nil, nil, err
	}
	return r.arrived(ctx, result, nil)
}

func (r *rehearsal) loadOff(ctx context.Context) (problems, facts []string, err error) {
	if err := wait(ctx, r.Calm); err != nil {
		return nil, nil, err
	}
	r.load.stop()
	r.load = nil
	if r.names {
		problems, facts = r.kept(ctx)
	}
	return append(problems, r.strangers(ctx)...), facts, nil
}

// strangers are releases that answered visitors and should not have: those of
// revisions that never got traffic.
func (r *rehearsal) strangers(ctx context.Context) (problems []string) {
	good, counted := map[string]bool{}, map[string]int{}
	for _, e := range r.recorder.all() {
		switch {
		case e.Release != nil && e.Release.Kind == release.KindLifecycle && e.Release.Lifecycle == "AllowTraffic":
			good[r.revision(ctx, e.Release.Deployment)] = true
		case e.Answer != nil && e.Answer.Release != "":
			counted[e.Answer.Release]++
		}
	}
	for name, count := range counted {
		if !good[r.revision(ctx, name)] {
			problems = append(problems, fmt.Sprintf("%d visitors saw release %s, which never got traffic", count, name))
		}
	}
	return problems
}

func (r *rehearsal) previewed(ctx context.Context) (problems, facts []string, err error) {
	changes, err := r.stage.Preview(ctx)
	if err == nil && changes > 0 {
		problems = append(problems, fmt.Sprintf("want no changes, got %d", changes))
	}
	return problems, nil, err
}

func (r *rehearsal) destroyed(ctx context.Context) (problems, facts []string, err error) {
	return nil, nil, r.stage.Destroy(ctx)
}
