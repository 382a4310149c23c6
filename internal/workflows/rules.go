package workflows

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Facts are what the checkout holds besides its workflows.
type Facts struct {
	Root    string
	Targets []string                   // of the Makefile
	Command func(words []string) error // whether bin/bluegreen knows a command line
	Stacks  []string                   // that are for AWS
	// Trusted are the subjects of tokens that a stack's role trusts, each
	// "environment:prod", "pull_request" or "ref:refs/heads/main"; by role,
	// "preview", "up" or "release".
	Trusted func(stack, role string) []string
}

// rule is one of the rules; it returns every breach.
type rule func(Workflow, Facts) []error

var rules = []rule{pinned, frugal, sealed, plain, known, inTurn, signedIn, gated, complete}

// Check holds workflows against all rules, and returns every breach with its
// file. Whether a workflow is one at all is actionlint's to say.
func Check(all map[string]Workflow, facts Facts) error {
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, rule := range rules {
			for _, err := range rule(all[file], facts) {
				errs = append(errs, fmt.Errorf("%s: %w", file, err))
			}
		}
	}
	return errors.Join(errs...)
}

// eachJob is a rule about one job, for all jobs in order of their ids.
func eachJob(w Workflow, check func(id string, job Job) []error) (errs []error) {
	for _, id := range slices.Sorted(maps.Keys(w.Jobs)) {
		for _, err := range check(id, w.Jobs[id]) {
			errs = append(errs, fmt.Errorf("job %s: %w", id, err))
		}
	}
	return errs
}

var (
	byHash  = regexp.MustCompile(`^[A-Za-z0-9._-]+/[A-Za-z0-9._/-]+@[0-9a-f]{40}$`)
	version = regexp.MustCompile(`^# v\d+\.\d+\.\d+$`)
)

// pinned: an action of others is known by its commit, which nobody can move, and
// says which version that is.
func pinned(w Workflow, facts Facts) []error {
	return eachJob(w, func(_ string, job Job) (errs []error) {
		steps, err := job.steps(facts.Root)
		if err != nil {
			return []error{err}
		}
		for _, step := range steps {
			if step.Uses == "" || isLocal(step.Uses) {
				continue
			}
			if !byHash.MatchString(step.Uses) || !version.MatchString(step.Comment) {
				errs = append(errs, fmt.Errorf("uses %s %s: want owner/name@ and 40 hexadecimal digits, then # and the version as in # v1.2.3", step.Uses, step.Comment))
			}
		}
		return errs
	})
}

// frugal: no job has a permission that it does not name.
func frugal(w Workflow, _ Facts) (errs []error) {
	if w.Permissions == nil || len(*w.Permissions) > 0 {
		errs = append(errs, errors.New("permissions: want {} at the top, so that each job names its own"))
	}
	return append(errs, eachJob(w, func(_ string, job Job) []error {
		if job.Permissions == nil {
			return []error{errors.New("permissions: want them named")}
		}
		return nil
	})...)
}

// outsiders are pull requests whose code nobody has read.
var outsiders = map[string]Context{
	"a fork": {"github": map[string]any{"event_name": "pull_request", "actor": "someone", "repository": "acme/site", "ref": "refs/pull/1/merge",
		"event": map[string]any{"pull_request": map[string]any{"number": 1.0, "head": map[string]any{"repo": map[string]any{"full_name": "someone/site"}}}}},
		"vars": map[string]any{"STACKS": `["prod"]`}},
	"a deleted fork": {"github": map[string]any{"event_name": "pull_request", "actor": "someone", "repository": "acme/site", "ref": "refs/pull/1/merge",
		"event": map[string]any{"pull_request": map[string]any{"number": 1.0, "head": map[string]any{"repo": nil}}}},
		"vars": map[string]any{"STACKS": `["prod"]`}},
	"Dependabot": {"github": map[string]any{"event_name": "pull_request", "actor": "dependabot[bot]", "repository": "acme/site", "ref": "refs/pull/1/merge",
		"event": map[string]any{"pull_request": map[string]any{"number": 1.0, "head": map[string]any{"repo": map[string]any{"full_name": "acme/site"}}}}},
		"vars": map[string]any{"STACKS": `["prod"]`}},
}

var secret = regexp.MustCompile(`\bsecrets\b`)

// sealed: a job that outsiders' code can run in has no secret, no token for AWS
// and nothing to write with; and a workflow that has them never runs their code.
func sealed(w Workflow, _ Facts) (errs []error) {
	if _, has := w.On["pull_request_target"]; has {
		errs = append(errs, errors.New("on: pull_request_target runs with secrets where a pull request chooses the code; want pull_request, and workflow_run for what writes"))
	}
	_, pullRequest := w.On["pull_request"]
	_, after := w.On["workflow_run"]
	return append(errs, eachJob(w, func(_ string, job Job) (errs []error) {
		text, err := yaml.Marshal(job)
		if err != nil {
			return []error{err}
		}
		if after {
			errs = append(errs, trusted(job)...)
		}
		if !pullRequest {
			return errs
		}
		for scope, level := range orNone(job.Permissions) {
			if level == "write" && scope != "id-token" {
				errs = append(errs, fmt.Errorf("permissions: %s: write, in a job that a pull request's code runs in", scope))
			}
		}
		if !secret.Match(text) && orNone(job.Permissions)["id-token"] != "write" && job.Environment == "" {
			return errs
		}
		for _, who := range slices.Sorted(maps.Keys(outsiders)) {
			runs, err := outsiders[who].True(job.If)
			if err != nil {
				errs = append(errs, err)
			}
			if runs {
				errs = append(errs, fmt.Errorf("if: lets the code of %s run where secrets or tokens for AWS are", who))
			}
		}
		return errs
	})...)
}

// trusted holds a job after another workflow's run to the default branch's code.
func trusted(job Job) (errs []error) {
	for _, step := range job.Steps {
		if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["ref"] != "${{ github.event.repository.default_branch }}" {
			errs = append(errs, fmt.Errorf("checkout of %q after another run: want the default branch's code, ref: ${{ github.event.repository.default_branch }}", step.With["ref"]))
		}
		if strings.HasPrefix(step.Uses, "actions/download-artifact@") && !strings.HasPrefix(step.With["path"], "${{ runner.temp }}/") {
			errs = append(errs, fmt.Errorf("artifacts to %q: want a folder below ${{ runner.temp }}: in the checkout they could replace code", step.With["path"]))
		}
	}
	if orNone(job.Permissions)["id-token"] != "" {
		errs = append(errs, errors.New("permissions: id-token, after a run of code that nobody has read"))
	}
	return errs
}

func orNone(permissions *Permissions) Permissions {
	if permissions == nil {
		return nil
	}
	return *permissions
}

// plain: what comes from GitHub reaches a shell through its environment. Put into
// the line itself, a branch's name could be a command.
func plain(w Workflow, facts Facts) []error {
	return eachRun(w, facts, func(run string) error {
		if strings.Contains(run, "${{") {
			return fmt.Errorf("run: %s: want no ${{ }} in it; put it into env", run)
		}
		return nil
	})
}

func eachRun(w Workflow, facts Facts, check func(run string) error) []error {
	return eachJob(w, func(_ string, job Job) (errs []error) {
		steps, err := job.steps(facts.Root)
		if err != nil {
			return []error{err}
		}
		for _, step := range steps {
			if step.Run == "" {
				continue
			}
			if err := check(strings.TrimSpace(step.Run)); err != nil {
				errs = append(errs, err)
			}
		}
		return errs
	})
}
