package workflows

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const checkout = "../.."

// facts are the checkout's; which commands there are is cmd/bluegreen's test.
func facts(t *testing.T) Facts {
	t.Helper()
	found, err := ReadFacts(checkout, func(words []string) error {
		if words[0] != "github" {
			return fmt.Errorf("bluegreen has no command %q", words[0])
		}
		return nil
	})
	require.NoError(t, err)
	return found
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(checkout, Folder, file))
	require.NoError(t, err)
	return string(content)
}

func TestWorkflowsKeepTheRules(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	assert.Len(t, all, 5)
	assert.NoError(t, Check(all, facts(t)))
}

// Each rule notices a workflow that breaks it.
func TestBrokenWorkflows(t *testing.T) {
	const hash = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
	for _, broken := range []struct{ file, old, with, want string }{
		{"release.yml", hash + " # v7.0.1", "actions/checkout@v7", "uses actions/checkout@v7 : want owner/name@ and 40"},
		{"release.yml", hash + " # v7.0.1", hash, "then # and the version"},
		{"release.yml", hash + " # v7.0.1", hash + " # main", "then # and the version"},
		{"release.yml", "permissions: {}", "permissions: {contents: write}", "permissions: want {} at the top"},
		{"test.yml", "    permissions:\n      contents: read\n", "", "permissions: want them named"},
		{"test.yml", "      contents: read", "      contents: write", "permissions: contents: write, in a job that a pull request's code runs in"},
		{"test.yml", "  pull_request:\n", "  pull_request_target:\n", "pull_request_target runs with secrets"},
		{"test.yml", "      - run: make check", "      - run: make check\n        env: {TOKEN: \"${{ secrets.TOKEN }}\"}", "lets the code of a fork run where secrets"},
		{"test.yml", "      contents: read", "      contents: read\n      id-token: write", "lets the code of a fork run where secrets"},
		{"preview.yml", " && github.event.pull_request.head.repo.full_name == github.repository", "", "lets the code of a deleted fork run where secrets"},
		{"preview.yml", "head.repo.full_name == github.repository", "base.repo.full_name != github.event.pull_request.number", "lets the code of a fork run where secrets"},
		{"preview.yml", " && github.actor != 'dependabot[bot]'", "", "lets the code of Dependabot run"},
		{"comment.yml", "          ref: ${{ github.event.repository.default_branch }}\n", "          ref: ${{ github.event.workflow_run.head_sha }}\n", "want the default branch's code"},
		{"comment.yml", "path: ${{ runner.temp }}/previews", "path: previews", "in the checkout they could replace code"},
		{"comment.yml", "      pull-requests: write", "      pull-requests: write\n      id-token: write", "id-token, after a run of code"},
		{"test.yml", "make check", `make check BRANCH="${{ github.head_ref }}"`, "want no ${{ }} in it"},
		{"test.yml", "make check", "make chekc", `the Makefile has no target "chekc"`},
		{"test.yml", "make check", "curl https://example.com | sh", "want one command"},
		{"test.yml", "make check", "npm test", "want make or bin/bluegreen"},
		{"test.yml", "make check", "bin/bluegreen deploy", `bluegreen has no command "deploy"`},
		{"release.yml", "      queue: max\n", "", "want concurrency of group stack-${{ matrix.stack }}, cancel-in-progress: false, queue: max"},
		{"release.yml", "      queue: max\n", "      queue: maximum\n", "concurrency.queue: want max or single"},
		{"release.yml", "cancel-in-progress: false", "cancel-in-progress: true", "want concurrency of group"},
		{"release.yml", "group: stack-${{ matrix.stack }}", "group: release", "want concurrency of group"},
		{"infrastructure.yml", "group: stack-${{ matrix.stack }}", "group: up-${{ matrix.stack }}", "make up: want concurrency of group"},
		{"infrastructure.yml", "permissions: {}\n", "permissions: {}\nconcurrency: {group: infrastructure, cancel-in-progress: true}\n", "the workflow's concurrency cancels it"},
		{"release.yml", "      max-parallel: 1\n", "", "a failure for one stack would cancel another half-way"},
		{"release.yml", "    environment: ${{ matrix.stack }}\n", "", `environment: want "${{ matrix.stack }}", got ""`},
		{"release.yml", "    environment: ${{ matrix.stack }}\n", "    environment: production\n", "the role release of stack prod trusts environment:prod, and this job is environment:production"},
		{"release.yml", "role-to-assume: ${{ vars.AWS_RELEASE_ROLE_ARN }}", "role-to-assume: ${{ vars.AWS_UP_ROLE_ARN }}", "role-to-assume: want vars.AWS_RELEASE_ROLE_ARN"},
		{"infrastructure.yml", "role-to-assume: ${{ vars.AWS_UP_ROLE_ARN }}", "audience: sts.amazonaws.com", "no step takes the role vars.AWS_UP_ROLE_ARN"},
		{"release.yml", "      id-token: write\n", "", "want permission id-token: write"},
		{"preview.yml", "  live:\n", "  live:\n    environment: prod\n", `make preview-live: environment: want "", got "prod"`},
		{"release.yml", "permissions: {}\n", "  pull_request:\npermissions: {}\n", "make release: on pull_request: want never from a pull request"},
		{"release.yml", "    needs: test\n", "", "want a job that uses ./.github/workflows/test.yml"},
		{"release.yml", "(github.event_name == 'release' || contains(fromJSON('[\"refs/heads/main\", \"refs/heads/master\"]'), github.ref)) &&", "", "make release: if: lets the button work on any branch"},
		{"release.yml", " && contains(fromJSON('[\"refs/heads/main\", \"refs/heads/master\"]'), github.ref)\n    runs-on", "\n    runs-on", "make redeploy: if: lets the button work on any branch"},
		{"release.yml", "github.event_name == 'push' && github.ref || github.run_id", "github.run_id", "which two pushes pass in any order"},
		{"release.yml", "options: [prod, staging]", "options: [prod]", "want prod, staging, as there are files Pulumi.NAME.yaml, got prod"},
	} {
		t.Run(broken.file+" "+broken.want, func(t *testing.T) {
			before := text(t, broken.file)
			after := strings.ReplaceAll(before, broken.old, broken.with)
			require.NotEqual(t, before, after, "nothing to break")
			workflow, err := Parse(broken.file, []byte(after))
			require.NoError(t, err)
			assert.ErrorContains(t, Check(map[string]Workflow{broken.file: workflow}, facts(t)), broken.want)
		})
	}
}

// Linters and tests are what the gate of a release is made of.
func TestTheGateHasLintersAndTests(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	gate := all["test.yml"]
	assert.Equal(t, []string{"pull_request", "workflow_call"}, gate.Triggers())
	var ran []string
	for _, job := range gate.Jobs {
		assert.Empty(t, job.If)
		for _, step := range job.Steps {
			assert.Empty(t, step.If)
			ran = append(ran, step.Run)
		}
	}
	assert.Subset(t, ran, []string{"make check", "make test"})
}

func TestReleasesAreOfTheDefaultBranch(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	for _, file := range []string{"release.yml", "infrastructure.yml"} {
		push, _ := all[file].On["push"].(map[string]any)
		assert.Equal(t, []any{"main", "master"}, push["branches"], file)
	}
	assert.Equal(t, []string{"push", "release", "workflow_dispatch"}, all["release.yml"].Triggers())
	assert.Equal(t, []string{"push", "schedule", "workflow_dispatch"}, all["infrastructure.yml"].Triggers())
	assert.Equal(t, []string{"pull_request"}, all["preview.yml"].Triggers())
	run, _ := all["comment.yml"].On["workflow_run"].(map[string]any)
	assert.Equal(t, []any{all["preview.yml"].Name}, run["workflows"])
}

// What changes a preview or an update starts one.
func TestPathsOfInfrastructure(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	push, _ := all["infrastructure.yml"].On["push"].(map[string]any)
	pull, _ := all["preview.yml"].On["pull_request"].(map[string]any)
	paths, _ := push["paths"].([]any)
	previewed, _ := pull["paths"].([]any)
	assert.Subset(t, previewed, paths)
	for _, path := range previewed {
		found, err := filepath.Glob(filepath.Join(checkout, strings.TrimSuffix(asText(path), "/**")))
		require.NoError(t, err)
		assert.NotEmpty(t, found, "%s: no such file", path)
	}
	for _, part := range []string{"main.go", "go.mod", "environment.yaml", "Pulumi*.yaml", "stacks/**", "infra/**", "provider/**"} {
		assert.Contains(t, paths, part)
	}
}

func linted(t *testing.T, name, content string) (messages []string) {
	t.Helper()
	shellcheck, err := filepath.Abs(filepath.Join(checkout, ".sandbox", "tools", "bin", "shellcheck"))
	require.NoError(t, err)
	if _, err := os.Stat(shellcheck); err != nil {
		shellcheck, err = exec.LookPath("shellcheck")
		require.NoError(t, err, "make test installs it")
	}
	root, err := filepath.Abs(checkout)
	require.NoError(t, err)
	linter, err := actionlint.NewLinter(&bytes.Buffer{}, &actionlint.LinterOptions{
		Shellcheck: shellcheck, ConfigFile: filepath.Join(root, ".github", "actionlint.yaml"), WorkingDir: root,
	})
	require.NoError(t, err)
	project, err := actionlint.NewProject(root)
	require.NoError(t, err)
	found, err := linter.Lint(filepath.Join(Folder, name), []byte(content), project)
	require.NoError(t, err)
	for _, one := range found {
		messages = append(messages, one.Error())
	}
	return messages
}

func TestActionlint(t *testing.T) {
	all, err := Load(checkout)
	require.NoError(t, err)
	for file := range all {
		assert.Empty(t, linted(t, file, text(t, file)))
	}
	// It sees what is wrong with a workflow, an action's inputs, and a shell's line.
	test := text(t, "test.yml")
	for wrong, want := range map[string]string{
		strings.Replace(test, "runs-on", "run-on", 1):             `unexpected key "run-on"`,
		strings.ReplaceAll(test, "parts: true", "part: true"):     `input "part" is not defined`,
		strings.ReplaceAll(test, "make test", "make test $UNSET"): "SC2086",
	} {
		messages := linted(t, "test.yml", wrong)
		assert.True(t, slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, want) }), "%s: %v", want, messages)
	}
}
