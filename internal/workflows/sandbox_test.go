package workflows

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/internal/github/githubtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// place is a checkout whose workflows run here: actions of others are left out,
// and GitHub is one of our own.
type place struct {
	*testing.T
	all    map[string]Workflow
	github *githubtest.Server
	runner Runner
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("runs an engine")
	}
	all, err := Load(checkout)
	require.NoError(t, err)
	root, err := filepath.Abs(checkout)
	require.NoError(t, err)
	p := &place{T: t, all: all, github: githubtest.New("example/website")}
	served := httptest.NewServer(p.github)
	t.Cleanup(served.Close)
	p.runner = Runner{Root: root, Temp: t.TempDir(), Variables: map[string]string{
		"GITHUB_API_URL": served.URL, "GITHUB_REPOSITORY": "example/website", "PREVIEWS": filepath.Join(t.TempDir(), "previews"),
	}}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "PULUMI_") && !strings.HasPrefix(name, "GITHUB_") && name != "GH_TOKEN" {
			p.runner.Environment = append(p.runner.Environment, entry)
		}
	}
	return p
}

// job runs a job for the one value that its matrix has.
func (p *place) job(file, id string, context Context, needs map[string]map[string]string) Result {
	p.Helper()
	runner := p.runner
	runner.Context = context
	job, found := p.all[file].Jobs[id]
	require.True(p, found, id)
	wanted, err := runner.Wanted(Job{If: job.If}, nil)
	require.NoError(p, err)
	require.True(p, wanted, "%s: %s does not run", file, id)
	var matrix map[string]any
	if needs == nil {
		values, err := runner.Matrix(job)
		require.NoError(p, err)
		require.Len(p, values, 1)
		matrix = values[0]
	} else {
		matrix = map[string]any{"stack": "prod"}
	}
	result, err := runner.Job(p.Context(), job, matrix, needs)
	require.NoError(p, err, "%s: %s", file, id)
	return result
}

// bluegreen runs the tool outside of a workflow.
func (p *place) bluegreen(arguments ...string) string {
	p.Helper()
	var errs bytes.Buffer
	command := exec.Command(filepath.Join(p.runner.Root, "bin", "bluegreen"), arguments...)
	command.Dir, command.Env, command.Stderr = p.runner.Root, p.runner.Environment, &errs
	out, err := command.Output()
	require.NoError(p, err, "%s\n%s", out, errs.String())
	return string(out)
}

// A pull request of a fork: previewed without a secret, and commented on by the
// default branch's code.
func TestAForkIsPreviewedAndCommentedOn(t *testing.T) {
	p := newPlace(t)
	stacks := p.job("preview.yml", "stacks", outsiders["a fork"], nil)
	result := p.job("preview.yml", "offline", outsiders["a fork"], map[string]map[string]string{"stacks": stacks.Outputs})
	assert.Contains(t, result.Ran, `make preview-offline PREVIEWS="$RUNNER_TEMP/previews"`)
	assert.True(t, strings.HasPrefix(result.Summary, "<!-- bluegreen:preview:prod -->"), result.Summary)
	assert.FileExists(t, filepath.Join(p.runner.Temp, "previews", "prod.offline.json"))

	number := p.github.AddPullRequest()
	p.github.SetHead(number, "0123456789")
	after := func(commit string) Context {
		return Context{"github": map[string]any{"token": githubtest.Token, "event": map[string]any{
			"repository":   map[string]any{"default_branch": "main"},
			"workflow_run": map[string]any{"event": "pull_request", "conclusion": "success", "head_sha": commit, "head_repository": map[string]any{"full_name": "someone/site"}},
		}}}
	}
	// What pretends to be of the real account is not looked at.
	require.NoError(t, os.WriteFile(filepath.Join(p.runner.Temp, "previews", "prod.live.json"), []byte("{}"), 0o600))
	for range 2 {
		p.job("comment.yml", "comment", after("0123456789"), nil)
		comments := p.github.Issues()[0].Comments
		require.Len(t, comments, 1)
		assert.True(t, strings.HasPrefix(comments[0].Body, "<!-- bluegreen:preview:prod -->"))
	}
	p.github.Forget()
	p.job("comment.yml", "comment", after("older"), nil)
	assert.NotContains(t, p.github.Log(), "POST")
	assert.NotContains(t, p.github.Log(), "PATCH")
}

// The workflows of a stack that exists, on an emulated AWS: an update, a release,
// the button, and the look for drift. The Pulumi is the one that the sandbox built
// or found.
func TestAStackIsChangedAndReleasedTo(t *testing.T) {
	p := newPlace(t)
	make := exec.Command("make", "build")
	make.Dir, make.Env = p.runner.Root, p.runner.Environment
	out, err := make.CombinedOutput()
	require.NoError(t, err, string(out))
	run := filepath.Join(t.TempDir(), "run")
	t.Cleanup(func() { p.bluegreen("sandbox", "destroy", "--force", "--run", run) })
	p.bluegreen("sandbox", "up", "--run", run)
	p.enter(p.bluegreen("sandbox", "env", "--run", run))

	vars, secrets := p.names()
	vars["PULUMI_BACKEND_URL"], vars["RELEASE_FLAGS"] = p.value("PULUMI_BACKEND_URL"), "--allow-dirty --no-build"
	pressed := func(inputs map[string]any) Context {
		inputs["stack"] = "sandbox"
		context := event("workflow_dispatch", "refs/heads/main", vars, inputs)
		context["secrets"] = secrets
		context["github"].(map[string]any)["token"] = githubtest.Token
		return context
	}
	p.job("infrastructure.yml", "up", pressed(map[string]any{"what": "up"}), nil)
	released := p.job("release.yml", "release", pressed(map[string]any{}), nil)
	assert.Contains(t, released.Summary, "## ✅ Released\n")
	assert.Contains(t, released.Summary, "```mermaid\ngantt\n")
	again := p.job("release.yml", "redeploy", pressed(map[string]any{"redeploy": true}), nil)
	assert.Contains(t, again.Summary, "| again: ")
	p.job("infrastructure.yml", "drift", pressed(map[string]any{"what": "drift"}), nil)
	assert.Empty(t, p.github.Issues(), "a release is no drift")
}

// enter takes over the shell code of bluegreen sandbox env.
func (p *place) enter(code string) {
	p.Helper()
	command := exec.Command("bash", "-c", code+"\nenv -0")
	command.Env = p.runner.Environment
	out, err := command.Output()
	require.NoError(p, err)
	p.runner.Environment = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func (p *place) value(name string) string {
	for _, entry := range p.runner.Environment {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// names are what bluegreen github secrets would write for the stack.
func (p *place) names() (vars, secrets map[string]any) {
	p.Helper()
	vars, secrets = map[string]any{}, map[string]any{}
	for line := range strings.Lines(p.bluegreen("github", "secrets", "--stack", "sandbox", "--env-file", "-")) {
		name, value, found := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case !found:
		case name == "CI_CD_DEPLOYMENT_AUTH_TOKEN":
			secrets[name] = strings.Trim(value, `'"`)
		default:
			vars[name] = strings.Trim(value, `'"`)
		}
	}
	require.NotEmpty(p, vars["AWS_RELEASE_BUCKET"])
	require.NotEmpty(p, vars["AWS_RELEASE_ROLE_ARN"])
	require.NotEmpty(p, secrets)
	return vars, secrets
}
