package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// settleTime is how long an end state may take to come about: an instance that
// takes another's place has to start, and to get the release.
const (
	settleTime     = 3 * time.Minute
	settleInterval = 500 * time.Millisecond
)

// expectation is how things have to be at the end of a step.
type expectation struct {
	release    string   // deployment whose release serves; empty for none
	live       string   // the live Auto Scaling group
	size       int      // its instances
	migrations []string // that are applied; nil for whatever there is
}

// settled waits until everything is as expected, and says what is not when the
// time is over.
func (r *rehearsal) settled(ctx context.Context, want expectation) (problems, facts []string) {
	deadline := time.Now().Add(r.Patience)
	for {
		problems, facts = r.compare(ctx, want)
		if len(problems) == 0 || ctx.Err() != nil || time.Now().After(deadline) {
			return problems, facts
		}
		select {
		case <-ctx.Done():
		case <-time.After(settleInterval):
		}
	}
}

// compare says what is not as expected, and what was found.
func (r *rehearsal) compare(ctx context.Context, want expectation) (problems, facts []string) {
	state, err := r.stage.State(ctx)
	if err != nil {
		return []string{err.Error()}, nil
	}
	problem := func(format string, arguments ...any) { problems = append(problems, fmt.Sprintf(format, arguments...)) }
	if state.Live != want.live {
		problem("live group: want %s, got %s", want.live, state.Live)
	}
	for _, group := range state.Groups {
		switch {
		case group.Name != want.live:
			problem("group %s is left, with %d instances", group.Name, len(group.Instances))
		case !group.Attached:
			problem("live group %s has no target group", group.Name)
		}
	}
	members := state.members(want.live)
	if len(members) != want.size {
		problem("live group: want %d instances, got %d", want.size, len(members))
	}
	for _, machine := range state.Machines { // one that shuts down may take its time
		if machine.State != Gone && !slices.Contains(members, machine.Instance) {
			problem("machine %s of no instance in the live group is %s", machine.Instance, machine.State)
		}
	}
	if want.release == "" {
		return problems, facts
	}
	problems = append(problems, r.serving(ctx, state, members, want)...)
	if want.migrations != nil && len(members) > 0 {
		data, err := r.stage.Data(ctx, members[0])
		switch {
		case err != nil:
			problem("database: %v", err)
		case !slices.Equal(data.Migrations, want.migrations):
			problem("migrations: want %v, got %v", want.migrations, data.Migrations)
		}
		facts = append(facts, "migrations "+strings.Join(data.Migrations, ", "))
	}
	if answered := r.answering(ctx); r.names && !r.same(ctx, answered, want.release) {
		problem("the site answers with release %q, want %s", answered, want.release)
	}
	return problems, append(facts, fmt.Sprintf("%s on %s", want.release, strings.Join(members, ", ")))
}

// serving says which instances do not serve the release as they should.
func (r *rehearsal) serving(ctx context.Context, state State, members []string, want expectation) (problems []string) {
	for _, instance := range members {
		look, err := r.stage.Look(ctx, instance)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", instance, err))
			continue
		}
		switch {
		case look.Release == want.release:
		case r.same(ctx, look.Release, want.release):
			r.alias(look.Release, want.release)
		default:
			problems = append(problems, fmt.Sprintf("%s: current release: want %s, got %q", instance, want.release, look.Release))
		}
		for _, unit := range slices.Sorted(maps.Keys(look.Services)) {
			if now := look.Services[unit]; now != "active" {
				problems = append(problems, fmt.Sprintf("%s: %s is %s", instance, unit, now))
			}
		}
		if health := state.Targets[instance]; health != serving {
			problems = append(problems, fmt.Sprintf("%s: target is %q, want healthy", instance, health))
		}
	}
	for _, instance := range slices.Sorted(maps.Keys(state.Targets)) {
		if !slices.Contains(members, instance) {
			problems = append(problems, fmt.Sprintf("target %s (%s) is in no live group", instance, state.Targets[instance]))
		}
	}
	return problems
}

// alias records that a release is another's revision, once.
func (r *rehearsal) alias(release, of string) {
	if !r.aliases[release] {
		r.aliases[release] = true
		r.recorder.add(Entry{Named: &Named{Release: release, As: of}})
	}
}

// same tells whether two deployments are of the same revision: an instance that
// takes another's place has it by a deployment of its own.
func (r *rehearsal) same(ctx context.Context, a, b string) bool {
	return a == b || a != "" && b != "" && r.revision(ctx, a) == r.revision(ctx, b)
}

// revision is what a deployment was of; what is not known is no other's.
func (r *rehearsal) revision(ctx context.Context, deployment string) string {
	if r.revisions[deployment] == "" {
		found, err := r.stage.Revision(ctx, deployment)
		if err != nil || found == "" {
			return "of " + deployment
		}
		r.revisions[deployment] = found
	}
	return r.revisions[deployment]
}

// answering is the release that a visitor sees now, "" where the page names
// none.
func (r *rehearsal) answering(ctx context.Context) string {
	site, host := r.stage.Site()
	seen, err := visit(ctx, site, host, "/")
	if err != nil {
		return ""
	}
	found := pageRelease.FindSubmatch(seen.body)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// kept says which notes were answered to be kept and are not in the database.
func (r *rehearsal) kept(ctx context.Context) (problems, facts []string) {
	state, err := r.stage.State(ctx)
	if err != nil {
		return []string{err.Error()}, nil
	}
	members := state.members(state.Live)
	if len(members) == 0 {
		return []string{"notes: no instance to read them with"}, nil
	}
	data, err := r.stage.Data(ctx, members[0])
	if err != nil {
		return []string{"notes: " + err.Error()}, nil
	}
	there, written, lost := map[string]bool{}, 0, []string(nil)
	for _, text := range data.Notes {
		there[text] = true
	}
	for _, e := range r.recorder.all() {
		if e.Answer == nil || e.Answer.Note == "" {
			continue
		}
		written++
		if !there[e.Answer.Note] {
			lost = append(lost, e.Answer.Note)
		}
	}
	if len(lost) > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d notes that were answered to be kept are not in the database: %s", len(lost), written, strings.Join(lost[:min(5, len(lost))], ", ")))
	}
	if written == 0 {
		problems = append(problems, "no note was written")
	}
	return problems, []string{fmt.Sprintf("%s notes written, %d lost", grouped(written), len(lost))}
}
