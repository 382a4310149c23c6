package workflows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Runner runs jobs in a checkout, as GitHub's would.
type Runner struct {
	Root        string            // the checkout
	Temp        string            // a folder of the runner's own, RUNNER_TEMP
	Environment []string          // what the machine has: PATH, HOME
	Variables   map[string]string // what the caller puts in the place of actions: credentials, an endpoint
	Context     Context           // github, vars, secrets, inputs; without matrix, needs and steps
	Output      io.Writer         // what steps print; nil is nowhere
}

// Result is what a job has left.
type Result struct {
	Ran     []string          // the steps under run, in order
	Skipped []string          // those whose condition did not hold, and actions of others
	Outputs map[string]string // of the job
	Summary string            // of its page
}

// Wanted tells whether a job runs for the event of the context. needs are the
// results of the jobs that it needs: "success", "failure", "skipped".
func (r Runner) Wanted(job Job, needs map[string]string) (bool, error) {
	for _, needed := range job.Needs {
		if needs[needed] != "success" {
			return false, nil
		}
	}
	return r.Context.True(job.If)
}

// Matrix is what a job is made into: a context for each, in order.
func (r Runner) Matrix(job Job) ([]map[string]any, error) {
	all := []map[string]any{{}}
	for _, name := range slices.Sorted(maps.Keys(job.Strategy.Matrix)) {
		values, err := r.list(job.Strategy.Matrix[name])
		if err != nil {
			return nil, fmt.Errorf("matrix.%s: %w", name, err)
		}
		var more []map[string]any
		for _, before := range all {
			for _, value := range values {
				one := maps.Clone(before)
				one[name] = value
				more = append(more, one)
			}
		}
		all = more
	}
	return all, nil
}

func (r Runner) list(of any) (values []any, err error) {
	switch v := of.(type) {
	case []any:
		for _, one := range v {
			text, err := r.Context.Expand(asText(one))
			if err != nil {
				return nil, err
			}
			values = append(values, text)
		}
		return values, nil
	case string:
		expression := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(v), "${{"), "}}")
		value, err := r.Context.Evaluate(expression)
		if err != nil {
			return nil, err
		}
		if list, ok := value.([]any); ok {
			return list, nil
		}
	}
	return nil, fmt.Errorf("want a list, got %v", of)
}

// Job runs a job for one value of its matrix, which may be nil, to its end or to
// the first step that fails. needs are the outputs of the jobs that it needs.
func (r Runner) Job(ctx context.Context, job Job, matrix map[string]any, needs map[string]map[string]string) (Result, error) {
	all := map[string]any{}
	for id, outputs := range needs {
		all[id] = map[string]any{"outputs": outputs, "result": "success"}
	}
	steps := map[string]any{}
	run := &run{Runner: r, context: r.Context.with(map[string]any{
		"matrix": matrix, "needs": all, "steps": steps, "runner": map[string]any{"os": "Linux", "arch": "X64", "temp": r.Temp},
	}), steps: steps, environment: map[string]string{}}
	if err := run.set(job.Env); err != nil {
		return Result{}, err
	}
	for _, step := range job.Steps {
		if err := run.step(ctx, step, ""); err != nil {
			return run.result, err
		}
	}
	run.result.Outputs = map[string]string{}
	for name, expression := range job.Outputs {
		value, err := run.context.Expand(expression)
		if err != nil {
			return run.result, err
		}
		run.result.Outputs[name] = value
	}
	return run.result, nil
}

// run is one job that runs.
type run struct {
	Runner
	context     Context
	steps       map[string]any
	environment map[string]string
	result      Result
}

func (r *run) set(env map[string]string) error {
	for name, text := range env {
		value, err := r.context.Expand(text)
		if err != nil {
			return fmt.Errorf("env %s: %w", name, err)
		}
		r.environment[name] = value
	}
	return nil
}

func (r *run) step(ctx context.Context, step Step, shell string) error {
	name := strings.TrimSpace(step.Run + step.Uses)
	wanted, err := r.context.True(step.If)
	if err != nil {
		return err
	}
	switch {
	case !wanted, step.Uses != "" && !isLocal(step.Uses):
		r.result.Skipped = append(r.result.Skipped, name)
		return nil
	case step.Uses != "":
		return r.composite(ctx, step)
	}
	r.result.Ran = append(r.result.Ran, name)
	if err := r.script(ctx, step, shell); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// composite runs the steps of an action of the checkout, whose shell stops where
// a part of a pipe fails.
func (r *run) composite(ctx context.Context, step Step) error {
	used, err := loadAction(r.Root, step.Uses)
	if err != nil {
		return err
	}
	inputs := map[string]any{}
	for name, input := range used.Inputs {
		inputs[name] = input.Default
	}
	for name, value := range step.With {
		if inputs[name], err = r.context.Expand(value); err != nil {
			return err
		}
	}
	outside := r.context
	defer func() { r.context = outside }()
	r.context = outside.with(map[string]any{"inputs": inputs})
	for _, inner := range used.Runs.Steps {
		if err := r.step(ctx, inner, "pipefail"); err != nil {
			return err
		}
	}
	return nil
}

// script runs one step's lines, and reads what it has left in GitHub's files.
func (r *run) script(ctx context.Context, step Step, options string) error {
	folder, err := os.MkdirTemp(r.Temp, "step-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	environment := append(slices.Clone(r.Runner.Environment), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+r.Root, "RUNNER_TEMP="+r.Temp)
	for _, values := range []map[string]string{r.Variables, r.environment} {
		for name, value := range values {
			environment = append(environment, name+"="+value)
		}
	}
	for name, text := range step.Env {
		value, err := r.context.Expand(text)
		if err != nil {
			return fmt.Errorf("env %s: %w", name, err)
		}
		environment = append(environment, name+"="+value)
	}
	files := map[string]string{}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV"} {
		files[name] = filepath.Join(folder, name)
		if err := os.WriteFile(files[name], nil, 0o600); err != nil {
			return err
		}
		environment = append(environment, name+"="+files[name])
	}
	script := filepath.Join(folder, "script.sh")
	if err := os.WriteFile(script, []byte(step.Run+"\n"), 0o600); err != nil {
		return err
	}
	arguments := []string{"--noprofile", "--norc", "-e", script}
	if options != "" {
		arguments = []string{"--noprofile", "--norc", "-e", "-o", options, script}
	}
	return errors.Join(r.bash(ctx, environment, arguments), r.collect(step.ID, files))
}

func (r *run) bash(ctx context.Context, environment, arguments []string) error {
	var said bytes.Buffer
	command := exec.CommandContext(ctx, "bash", arguments...) // #nosec G204 -- a step of the checkout
	command.Dir, command.Env = r.Root, environment
	command.Stdout = &said
	if r.Output != nil {
		command.Stdout = io.MultiWriter(&said, r.Output)
	}
	command.Stderr = command.Stdout
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// collect reads the files; of outputs and variables only NAME=VALUE is known here.
func (r *run) collect(id string, files map[string]string) error {
	outputs := map[string]any{}
	for name, file := range files {
		text, err := os.ReadFile(file) // #nosec G304 -- made above
		if err != nil {
			return err
		}
		if name == "GITHUB_STEP_SUMMARY" {
			r.result.Summary += string(text)
			continue
		}
		for line := range strings.Lines(string(text)) {
			key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch {
			case !found:
				return fmt.Errorf("%s: want NAME=VALUE, got %q", name, line)
			case name == "GITHUB_ENV":
				r.environment[key] = value
			default:
				outputs[key] = value
			}
		}
	}
	if id != "" {
		r.steps[id] = map[string]any{"outputs": outputs}
	}
	return nil
}
