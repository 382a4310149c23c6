package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// known: a line under run is one make target or one command of bin/bluegreen.
func known(w Workflow, facts Facts) []error {
	return eachRun(w, facts, func(run string) error {
		if strings.ContainsAny(run, "\n;|&") {
			return fmt.Errorf("run: %s: want one command; the rest belongs into a make target", run)
		}
		command, _, _ := strings.Cut(run, ">>")
		words := strings.Fields(strings.ReplaceAll(command, `"`, ""))
		switch words[0] {
		case "make":
			target := target(run)
			if !slices.Contains(facts.Targets, target) {
				return fmt.Errorf("run: %s: the Makefile has no target %q", run, target)
			}
			return nil
		case "bin/bluegreen":
			if err := facts.Command(words[1:]); err != nil {
				return fmt.Errorf("run: %s: %w", run, err)
			}
			return nil
		}
		return fmt.Errorf("run: %s: want make or bin/bluegreen, so that it can be run and tested outside of GitHub", run)
	})
}

// target is the make target of a line, if it is one.
func target(run string) string {
	words := strings.Fields(run)
	if len(words) == 0 || words[0] != "make" {
		return ""
	}
	for _, word := range words[1:] {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return word
		}
	}
	return ""
}

// need is what a job has to have that works on a stack in AWS.
type need struct {
	role        string // of the stack
	variable    string // that names the role
	environment bool   // whether it runs in the stack's environment
	inTurn      bool   // whether only one may run at a time for a stack
}

// work is what such targets need.
var work = map[string]need{
	"preview-live": {"preview", "AWS_PREVIEW_ROLE_ARN", false, false},
	"drift":        {"preview", "AWS_PREVIEW_ROLE_ARN", false, true},
	"up":           {"up", "AWS_UP_ROLE_ARN", true, true},
	"release":      {"release", "AWS_RELEASE_ROLE_ARN", true, true},
	"redeploy":     {"release", "AWS_RELEASE_ROLE_ARN", true, true},
}

// needs are those of a job, with the target that has them.
func (j Job) needs() (wanted string, n need, found bool) {
	for _, step := range j.Steps {
		if n, found := work[target(step.Run)]; found {
			return target(step.Run), n, true
		}
	}
	return "", need{}, false
}

// TurnGroup is the concurrency group of whatever changes a stack, in whichever
// workflow.
const TurnGroup = "stack-${{ matrix.stack }}"

// inTurn: what changes a stack waits for what changes it already, and is neither
// cancelled half-way nor dropped while it waits.
func inTurn(w Workflow, _ Facts) []error {
	return eachJob(w, func(_ string, job Job) (errs []error) {
		for _, c := range []*Concurrency{w.Concurrency, job.Concurrency} {
			if c != nil && c.Queue != "" && c.Queue != "max" && c.Queue != "single" {
				errs = append(errs, fmt.Errorf("concurrency.queue: want max or single, got %q", c.Queue))
			}
		}
		target, n, found := job.needs()
		if !found || !n.inTurn {
			return errs
		}
		if w.Concurrency != nil && (w.Concurrency.CancelInProgress == nil || *w.Concurrency.CancelInProgress) {
			errs = append(errs, fmt.Errorf("make %s: the workflow's concurrency cancels it", target))
		}
		c := job.Concurrency
		if c == nil || c.Group != TurnGroup || c.CancelInProgress == nil || *c.CancelInProgress || c.Queue != "max" {
			errs = append(errs, fmt.Errorf("make %s: want concurrency of group %s, cancel-in-progress: false, queue: max", target, TurnGroup))
		}
		if fast := job.Strategy.FailFast; (fast == nil || *fast) && job.Strategy.MaxParallel != 1 && !single(job) {
			errs = append(errs, fmt.Errorf("make %s: a failure for one stack would cancel another half-way: want fail-fast: false or max-parallel: 1", target))
		}
		return errs
	})
}

// single tells whether a job's matrix has one value at most.
func single(job Job) bool {
	for _, values := range job.Strategy.Matrix {
		if list, ok := values.([]any); !ok || len(list) > 1 {
			return false
		}
	}
	return true
}

// signedIn: a job takes the role for its work, by the variable that names it, and
// runs where the role trusts it.
func signedIn(w Workflow, facts Facts) []error {
	return eachJob(w, func(_ string, job Job) (errs []error) {
		target, n, found := job.needs()
		if !found {
			return nil
		}
		if orNone(job.Permissions)["id-token"] != "write" {
			errs = append(errs, fmt.Errorf("make %s: want permission id-token: write, to sign in to AWS", target))
		}
		if want := map[bool]string{true: "${{ matrix.stack }}"}[n.environment]; job.Environment != want {
			errs = append(errs, fmt.Errorf("make %s: environment: want %q, got %q", target, want, job.Environment))
		}
		named := false
		for _, step := range job.Steps {
			role := step.With["role-to-assume"]
			named = named || strings.Contains(role, n.variable)
			if role != "" && !strings.Contains(role, n.variable) {
				errs = append(errs, fmt.Errorf("make %s: role-to-assume: want vars.%s, got %s", target, n.variable, role))
			}
		}
		if !named {
			errs = append(errs, fmt.Errorf("make %s: no step takes the role vars.%s", target, n.variable))
		}
		for _, stack := range facts.Stacks {
			for _, subject := range subjects(w, job, stack) {
				if trusted := facts.Trusted(stack, n.role); !slices.Contains(trusted, subject) {
					errs = append(errs, fmt.Errorf("make %s: the role %s of stack %s trusts %s, and this job is %s", target, n.role, stack, strings.Join(trusted, ", "), subject))
				}
			}
		}
		return errs
	})
}

// subjects are what the token of a job says it is (GitHub Docs, "OpenID Connect
// reference", "Example subject claims"). Other branches than these are kept out
// by the jobs' conditions.
func subjects(w Workflow, job Job, stack string) []string {
	if job.Environment != "" {
		return []string{"environment:" + strings.ReplaceAll(job.Environment, "${{ matrix.stack }}", stack)}
	}
	if _, found := w.On["pull_request"]; found {
		return []string{"pull_request"}
	}
	return []string{"ref:refs/heads/main", "ref:refs/heads/master"}
}

// gated: a release comes after linters and tests, never from a pull request, and
// whoever presses a button does so on a branch that everybody's changes go to.
func gated(w Workflow, _ Facts) (errs []error) {
	return eachJob(w, func(_ string, job Job) (errs []error) {
		target, n, found := job.needs()
		if !found || !n.inTurn {
			return nil
		}
		for _, event := range []string{"pull_request", "pull_request_target", "workflow_run", "issue_comment"} {
			if _, has := w.On[event]; has {
				errs = append(errs, fmt.Errorf("make %s: on %s: want never from a pull request", target, event))
			}
		}
		button := Context{"github": map[string]any{"event_name": "workflow_dispatch", "ref": "refs/heads/somebodys"},
			"vars":   map[string]any{"STACKS": `["prod"]`},
			"inputs": map[string]any{"stack": "prod", "what": target, "redeploy": target == "redeploy"}}
		if runs, err := button.True(job.If); err != nil || runs {
			errs = append(errs, errors.Join(fmt.Errorf("make %s: if: lets the button work on any branch; want main and master", target), err))
		}
		tested := slices.ContainsFunc(job.Needs, func(id string) bool { return w.Jobs[id].Uses == "./"+Folder+"/test.yml" })
		if target == "release" && !tested {
			errs = append(errs, errors.New("make release: needs: want a job that uses ./.github/workflows/test.yml"))
		}
		for _, id := range job.Needs {
			if gate := w.Jobs[id]; target == "release" && !inOrder(gate.Concurrency) {
				errs = append(errs, fmt.Errorf("make release: needs %s, which two pushes pass in any order: want it in a concurrency group of the branch, with cancel-in-progress: false and queue: max", id))
			}
		}
		return errs
	})
}

// inOrder tells whether two pushes to a branch go through a job one after the
// other.
func inOrder(c *Concurrency) bool {
	if c == nil || c.Queue != "max" || c.CancelInProgress == nil || *c.CancelInProgress {
		return false
	}
	group := func(run string) string {
		name, err := Context{"github": map[string]any{"event_name": "push", "ref": "refs/heads/main", "run_id": run}}.Expand(c.Group)
		if err != nil {
			return run
		}
		return name
	}
	return group("1") == group("2")
}

// complete: a button offers the stacks that there are.
func complete(w Workflow, facts Facts) []error {
	dispatch, _ := w.On["workflow_dispatch"].(map[string]any)
	inputs, _ := dispatch["inputs"].(map[string]any)
	input, found := inputs["stack"].(map[string]any)
	if !found {
		return nil
	}
	var offered []string
	options, _ := input["options"].([]any)
	for _, option := range options {
		offered = append(offered, asText(option))
	}
	if !slices.Equal(slices.Sorted(slices.Values(offered)), slices.Sorted(slices.Values(facts.Stacks))) {
		return []error{fmt.Errorf("on.workflow_dispatch.inputs.stack.options: want %s, as there are files Pulumi.NAME.yaml, got %s", strings.Join(facts.Stacks, ", "), strings.Join(offered, ", "))}
	}
	return nil
}
