package workflows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExpressions(t *testing.T) {
	context := Context{"vars": map[string]any{"ROLE_PROD": "arn", "STACKS": `["prod", "staging"]`}, "matrix": map[string]any{"stack": "prod"}, "inputs": map[string]any{"yes": true}}
	for expression, want := range map[string]any{
		"vars.NONE":       nil,
		"vars.none == ''": true,
		"vars.role_prod":  "arn",
		"vars[format('ROLE_{0}', matrix.stack)] || vars.ROLE":                       "arn",
		"vars[format('ROLE_{0}', 'other')] || 'none'":                               "none",
		"inputs.yes && 'a' || 'b'":                                                  "a",
		"!inputs.yes && 'a' || 'b'":                                                 "b",
		"contains(fromJSON(vars.STACKS), 'Prod')":                                   true,
		"contains('abc', 'd')":                                                      false,
		"inputs.stack && format('[\"{0}\"]', inputs.stack) || vars.STACKS":          `["prod", "staging"]`,
		"'Prod' == matrix.stack && matrix.stack != 'prod' || 1 == 1 && null != 'a'": true,
	} {
		value, err := context.Evaluate(expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, value, expression)
	}
	for _, wrong := range []string{"vars.", "github.ref < 1", "toJSON(vars)", "fromJSON('[')"} {
		_, err := context.Evaluate(wrong)
		assert.ErrorContains(t, err, wrong)
	}
	text, err := context.Expand("a-${{ matrix.stack }}-${{ vars.NONE }}-b")
	require.NoError(t, err)
	assert.Equal(t, "a-prod--b", text)
	_, err = context.Expand("${{ a")
	assert.ErrorContains(t, err, "without its end")
}

// event is the context of an event.
func event(name, ref string, vars, inputs map[string]any) Context {
	return Context{"github": map[string]any{"event_name": name, "ref": ref, "repository": "acme/site", "actor": "someone"}, "vars": vars, "inputs": inputs}
}

// Which jobs run for which event, by the conditions themselves.
func TestWhichJobsRun(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	const head, master, other, tag = "refs/heads/main", "refs/heads/master", "refs/heads/other", "refs/tags/v1"
	stacks := map[string]any{"STACKS": `["staging", "prod"]`}
	with := func(name, value string) map[string]any {
		return map[string]any{"STACKS": `["prod"]`, name: value}
	}
	button := func(name string, value any) map[string]any { return map[string]any{"stack": "prod", name: value} }
	for _, c := range []struct {
		name, file string
		context    Context
		want       []string
	}{
		{"push to main", "release.yml", event("push", head, stacks, nil), []string{"test", "release", "release"}},
		{"push to master", "release.yml", event("push", master, stacks, nil), []string{"test", "release", "release"}},
		{"push before there is a stack", "release.yml", event("push", head, nil, nil), []string{"test"}},
		{"push where releases are published", "release.yml", event("push", head, with("RELEASE_ON", "release"), nil), nil},
		{"push where only the button releases", "release.yml", event("push", head, with("RELEASE_ON", "manual"), nil), nil},
		{"published release", "release.yml", event("release", tag, with("RELEASE_ON", "release"), nil), []string{"test", "release"}},
		{"published release, by default", "release.yml", event("release", tag, stacks, nil), nil},
		{"button", "release.yml", event("workflow_dispatch", head, nil, button("redeploy", false)), []string{"test", "release"}},
		{"button on a branch", "release.yml", event("workflow_dispatch", other, stacks, button("redeploy", false)), []string{"test"}},
		{"redeploy", "release.yml", event("workflow_dispatch", head, stacks, button("redeploy", true)), []string{"redeploy"}},
		{"redeploy on a branch", "release.yml", event("workflow_dispatch", other, stacks, button("redeploy", true)), nil},
		{"push to main", "infrastructure.yml", event("push", head, stacks, nil), []string{"up", "up"}},
		{"push before there is a stack", "infrastructure.yml", event("push", head, nil, nil), nil},
		{"push where an administrator changes stacks", "infrastructure.yml", event("push", head, with("UP_ON", "manual"), nil), nil},
		{"push where only releases sign in", "infrastructure.yml", event("push", head, with("UP_ON", "never"), nil), nil},
		{"night where only releases sign in", "infrastructure.yml", event("schedule", head, with("UP_ON", "never"), nil), nil},
		{"night where an administrator changes stacks", "infrastructure.yml", event("schedule", head, with("UP_ON", "manual"), nil), []string{"drift"}},
		{"night", "infrastructure.yml", event("schedule", head, stacks, nil), []string{"drift", "drift"}},
		{"night before there is a stack", "infrastructure.yml", event("schedule", head, nil, nil), nil},
		{"button up", "infrastructure.yml", event("workflow_dispatch", head, nil, button("what", "up")), []string{"up"}},
		{"button drift", "infrastructure.yml", event("workflow_dispatch", head, nil, button("what", "drift")), []string{"drift"}},
		{"button on a branch", "infrastructure.yml", event("workflow_dispatch", other, stacks, button("what", "up")), nil},
	} {
		t.Run(c.file+" "+c.name, func(t *testing.T) {
			var ran []string
			results := map[string]string{}
			runner := Runner{Context: c.context}
			for _, id := range []string{"test", "release", "redeploy", "up", "drift"} { // in order of need
				job, found := all[c.file].Jobs[id]
				if !found {
					continue
				}
				wanted, err := runner.Wanted(job, results)
				require.NoError(t, err)
				results[id] = "skipped"
				if !wanted {
					continue
				}
				results[id] = "success"
				matrix, err := runner.Matrix(job)
				require.NoError(t, err)
				for range matrix {
					ran = append(ran, id)
				}
			}
			assert.Equal(t, c.want, ran)
		})
	}
}

// The order of STACKS is that in which they are changed and released to.
func TestStacksInOrder(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	runner := Runner{Context: event("push", "refs/heads/main", map[string]any{"STACKS": `["staging", "prod"]`}, nil)}
	for file, id := range map[string]string{"release.yml": "release", "infrastructure.yml": "up"} {
		matrix, err := runner.Matrix(all[file].Jobs[id])
		require.NoError(t, err)
		assert.Equal(t, []map[string]any{{"stack": "staging"}, {"stack": "prod"}}, matrix)
	}
}

const small = `
on: {push: {}}
permissions: {}
jobs:
  one:
    permissions: {}
    outputs: {answer: "${{ steps.ask.outputs.answer }}"}
    strategy: {matrix: {stack: [prod, "${{ vars.OTHER }}"]}}
    env: {STACK: "${{ matrix.stack }}", SECRET: "${{ secrets.NONE }}"}
    steps:
      - uses: somebody/action@0123456789012345678901234567890123456789 # v1.0.0
      - if: matrix.stack == 'staging'
        run: echo skipped >>"$GITHUB_STEP_SUMMARY"
      - run: echo "LATER=later" >>"$GITHUB_ENV"
      - id: ask
        run: echo "answer=$STACK-${SECRET:-none}-$OWN-$LATER-$MINE-$GITHUB_ACTIONS" >>"$GITHUB_OUTPUT"
        env: {OWN: "${{ vars.OWN }}"}
      - uses: ./own
        with: {word: "${{ steps.ask.outputs.answer }}"}
      - run: "false"
        if: vars.FAIL
`

func TestRunner(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "own"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "own", "action.yml"), []byte(`
inputs: {word: {}, other: {default: said}}
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "$OTHER $WORD" >>"$GITHUB_STEP_SUMMARY"
      env: {WORD: "${{ inputs.word }}", OTHER: "${{ inputs.other }}"}
`), 0o600))
	workflow, err := Parse("small.yml", []byte(small))
	require.NoError(t, err)
	vars := map[string]any{"OTHER": "staging", "OWN": "own"}
	runner := Runner{Root: root, Temp: t.TempDir(), Environment: os.Environ(), Variables: map[string]string{"MINE": "mine"}, Context: Context{"vars": vars}}
	job := workflow.Jobs["one"]
	matrix, err := runner.Matrix(job)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"stack": "prod"}, {"stack": "staging"}}, matrix)
	result, err := runner.Job(t.Context(), job, matrix[0], nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"answer": "prod-none-own-later-mine-true"}, result.Outputs)
	assert.Equal(t, "said prod-none-own-later-mine-true\n", result.Summary)
	assert.Len(t, result.Ran, 3)
	assert.Len(t, result.Skipped, 3)

	vars["FAIL"] = "true"
	result, err = runner.Job(t.Context(), job, matrix[1], nil)
	assert.ErrorContains(t, err, "false: exit status 1")
	assert.Contains(t, result.Summary, "skipped")
}

// The stacks that a pull request previews are those that the rules know.
func TestStacksOfAPullRequest(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	root, err := filepath.Abs(checkout)
	require.NoError(t, err)
	runner := Runner{Root: root, Temp: t.TempDir(), Environment: os.Environ()}
	result, err := runner.Job(t.Context(), all["preview.yml"].Jobs["stacks"], nil, nil)
	require.NoError(t, err)
	var stacks []string
	require.NoError(t, json.Unmarshal([]byte(result.Outputs["stacks"]), &stacks))
	assert.Equal(t, facts(t).Stacks, stacks)
}

// Both credentials, and only one at a time: the role where there is one, else the
// key of the stack's user.
func TestCredentialsOfARelease(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	for _, id := range []string{"release", "redeploy"} {
		for role, want := range map[string]map[string]string{
			"arn:aws:iam::111122223333:role/release": {"role-to-assume": "arn:aws:iam::111122223333:role/release", "aws-region": "us-east-2"},
			"":                                       {"aws-access-key-id": "AKIA", "aws-secret-access-key": "key", "aws-region": "us-east-2"},
		} {
			context := Context{"vars": map[string]any{"AWS_RELEASE_ROLE_ARN": role, "AWS_CODEDEPLOY_REGION": "us-east-2"},
				"secrets": map[string]any{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "key"}}
			var taken []map[string]string
			for _, step := range all["release.yml"].Jobs[id].Steps {
				wanted, err := context.True(step.If)
				require.NoError(t, err)
				if !wanted || step.With["aws-region"] == "" {
					continue
				}
				with := map[string]string{}
				for name, text := range step.With {
					with[name], err = context.Expand(text)
					require.NoError(t, err)
				}
				taken = append(taken, with)
			}
			assert.Equal(t, []map[string]string{want}, taken, "%s with role %q", id, role)
		}
	}
}

// Branches of the repository itself are previewed against AWS, too.
func TestPreviewsAgainstAWS(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	own := func(vars map[string]any) Context {
		return Context{"vars": vars, "github": map[string]any{"event_name": "pull_request", "actor": "someone", "repository": "acme/site",
			"event": map[string]any{"pull_request": map[string]any{"head": map[string]any{"repo": map[string]any{"full_name": "acme/site"}}}}}}
	}
	live := all["preview.yml"].Jobs["live"]
	for _, c := range []struct {
		context Context
		want    bool
	}{
		{own(map[string]any{"STACKS": `["prod"]`}), true},
		{own(nil), false},
		{own(map[string]any{"STACKS": `["prod"]`, "UP_ON": "never"}), false},
		{outsiders["a fork"], false}, {outsiders["a deleted fork"], false}, {outsiders["Dependabot"], false},
	} {
		runs, err := Runner{Context: c.context}.Wanted(live, nil)
		require.NoError(t, err)
		assert.Equal(t, c.want, runs, c.context)
	}
	// The role is that of the stack, in a variable of the repository.
	for _, step := range live.Steps {
		if role := step.With["role-to-assume"]; role != "" {
			context := Context{"matrix": map[string]any{"stack": "prod"}, "vars": map[string]any{"AWS_PREVIEW_ROLE_ARN_PROD": "its", "AWS_PREVIEW_ROLE_ARN": "other"}}
			value, err := context.Expand(role)
			require.NoError(t, err)
			assert.Equal(t, "its", value)
		}
	}
}
