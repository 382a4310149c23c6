package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bluegreen/internal/github/githubtest"
	"bluegreen/sandbox/parts"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const topSecret = "t0pS3cr3tOfTheStack"

// playStack puts a pulumi on PATH that has a stack prod, and a gh that is signed
// in; both note how they were started. It answers the folder.
func playStack(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	note := "cat /proc/self/environ /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ >>" + filepath.Join(folder, "seen") + " 2>/dev/null\n"
	pulumi := `case "$1 $2" in
"version ") echo v` + parts.PulumiVersion + ` ;;
"stack output") cat ` + filepath.Join(folder, "outputs.json") + ` ;;
"stack export") cat ` + filepath.Join(folder, "state.json") + ` ;;
*) exit 1 ;;
esac
`
	hidden := map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
	outputs := map[string]any{"CI_CD_DEPLOYMENT_AUTH_TOKEN": topSecret, "AWS_CODEDEPLOY_REGION": "us-east-2", "releaseBucket": "bundles"}
	masked := map[string]any{"CI_CD_DEPLOYMENT_AUTH_TOKEN": hidden, "AWS_CODEDEPLOY_REGION": "us-east-2", "releaseBucket": "bundles"}
	state := map[string]any{"version": 3, "deployment": map[string]any{"resources": []any{map[string]any{"type": "pulumi:pulumi:Stack", "outputs": masked}}}}
	for name, value := range map[string]any{"outputs.json": outputs, "state.json": state} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	for name, script := range map[string]string{"pulumi": pulumi, "gh": "echo " + githubtest.Token + "\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+note+script), 0o700)) // #nosec G306 -- it runs
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_HOST", "GITHUB_REF", "GITHUB_EVENT_PATH", "GITHUB_RUN_ID"} {
		t.Setenv(name, "")
	}
	t.Setenv("GITHUB_REPOSITORY", "example/website")
	return folder
}

func playGitHub(t *testing.T) *githubtest.Server {
	t.Helper()
	fake := githubtest.New("example/website")
	server := fake.Start()
	t.Cleanup(server.Close)
	t.Setenv("GITHUB_API_URL", server.URL)
	return fake
}

func TestGitHubFromSetupToCheck(t *testing.T) {
	playStack(t)
	fake := playGitHub(t)
	folder := t.TempDir()

	_, errs, code := invoke(t, folder, "github", "secrets", "--stack", "prod", "--yes")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "environment prod: not in example/website, or the token may not see it; bluegreen github setup --stack prod makes and protects it")

	out, errs, code := invoke(t, folder, "github", "setup", "--stack", "prod")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "  create environment prod\n")
	assert.Contains(t, errs, "nothing was done: there is no terminal to ask on; --yes goes on without asking")
	_, errs, code = invoke(t, folder, "github", "setup", "--stack", "prod", "--yes")
	require.Zero(t, code, errs)

	out, errs, code = invoke(t, folder, "github", "secrets", "--stack", "organization/bluegreen/prod", "--check")
	assert.Equal(t, 2, code)
	assert.Contains(t, out, "example/website, stack prod: 3 new, 0 changed, 0 unchanged, 0 stale\n")
	assert.Contains(t, errs, "differs from stack organization/bluegreen/prod")
	assert.Empty(t, fake.Secrets("prod"))

	_, errs, code = invoke(t, folder, "github", "secrets", "--stack", "prod", "--yes")
	require.Zero(t, code, errs)
	assert.Contains(t, errs, "wrote secret CI_CD_DEPLOYMENT_AUTH_TOKEN of environment prod\n")
	opened, _ := fake.Secret("prod", "CI_CD_DEPLOYMENT_AUTH_TOKEN")
	assert.Equal(t, topSecret, opened)
	assert.Equal(t, "bundles", fake.Variables("prod")["AWS_RELEASE_BUCKET"])

	out, _, code = invoke(t, folder, "github", "secrets", "--stack", "prod", "--check", "--json")
	assert.Zero(t, code)
	var plan struct{ Changes []struct{ State string } }
	require.NoError(t, json.Unmarshal([]byte(out), &plan))
	assert.Len(t, plan.Changes, 3)
	assert.NotContains(t, out+errs+fake.Log(), topSecret)
}

func TestGitHubSecretsForOtherSystems(t *testing.T) {
	playStack(t)
	t.Setenv("GITHUB_API_URL", "https://127.0.0.1:1") // nobody is asked
	folder := t.TempDir()
	out, errs, code := invoke(t, folder, "github", "secrets", "--stack", "prod", "--env-file", "-")
	require.Zero(t, code, errs)
	assert.Equal(t, "AWS_CODEDEPLOY_REGION=us-east-2\nAWS_RELEASE_BUCKET=bundles\nCI_CD_DEPLOYMENT_AUTH_TOKEN="+topSecret+"\n", out)
	file := filepath.Join(folder, "ci.env")
	out, errs, code = invoke(t, folder, "github", "secrets", "--stack", "prod", "--env-file", file)
	require.Zero(t, code, errs)
	assert.NotContains(t, out+errs, topSecret)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// The built program leaves nothing secret anywhere while it writes secrets.
func TestTheProgramLeavesNoSecretBehind(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc here")
	}
	program := binary(t)
	tools := playStack(t)
	fake := githubtest.New("example/website")
	fake.AddEnvironment("prod")
	var mutex sync.Mutex
	var seen bytes.Buffer
	command := exec.Command(program, "github", "secrets", "--stack", "prod", "--yes", "--json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, name := range []string{"cmdline", "environ"} { // while it has the secrets in memory
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", command.Process.Pid, name))
			assert.NoError(t, err)
			seen.Write(text)
		}
		fake.ServeHTTP(w, request)
	}))
	defer server.Close()
	folder, scratch := t.TempDir(), t.TempDir()
	t.Setenv("GITHUB_API_URL", server.URL)
	t.Setenv("TMPDIR", scratch)
	command.Dir = folder
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	opened, _ := fake.Secret("prod", "CI_CD_DEPLOYMENT_AUTH_TOKEN")
	require.Equal(t, topSecret, opened)

	children, err := os.ReadFile(filepath.Join(tools, "seen"))
	require.NoError(t, err)
	require.Contains(t, string(children), "--show-secrets", "the children were looked at")
	require.Contains(t, seen.String(), "github\x00secrets", "the program was looked at")
	places := map[string]string{"output": string(out), "log": fake.Log(), "children": string(children), "/proc": seen.String()}
	for _, root := range []string{folder, scratch} {
		require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(name)
			places[name] = string(text)
			return err
		}))
	}
	for place, text := range places {
		for what, secret := range map[string]string{"secret": topSecret, "token": githubtest.Token} {
			assert.False(t, strings.Contains(text, secret), "the %s is in %s", what, place)
		}
	}
}

const someDigest = `{"steps": [{"op": "update", "urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database",
"oldState": {"urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database", "custom": true, "type": "aws:rds/instance:Instance", "inputs": {"instanceClass": "db.t4g.micro"}},
"newState": {"urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database", "custom": true, "type": "aws:rds/instance:Instance", "inputs": {"instanceClass": "db.t4g.small"}},
"detailedDiff": {"instanceClass": {"kind": "update", "inputDiff": true}}}], "changeSummary": {"update": 1}}`

func TestGitHubComment(t *testing.T) {
	playStack(t)
	fake := playGitHub(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "preview.json"), []byte(someDigest), 0o600))
	arguments := []string{"github", "comment", "--stack", "prod", "--preview", "preview.json"}

	out, errs, code := invoke(t, folder, append(arguments, "--dry-run")...)
	require.Zero(t, code, errs)
	assert.Contains(t, out, "**Downtime: yes.**")
	assert.Empty(t, fake.Log(), "nobody was asked")

	number := fake.AddPullRequest()
	t.Setenv("GITHUB_REF", fmt.Sprintf("refs/pull/%d/merge", number))
	for range 2 {
		out, errs, code = invoke(t, folder, arguments...)
		require.Zero(t, code, errs)
		assert.Regexp(t, `^https://github\.com/comments/\d+\n$`, out)
	}
	require.Len(t, fake.Issues()[0].Comments, 1)
	assert.True(t, strings.HasPrefix(fake.Issues()[0].Comments[0].Body, "<!-- bluegreen:preview:prod -->\n### Preview of stack"))

	for file, said := range map[string]string{
		"absent.json": "no such file", "wrong.json": "a preview of stack \"prod\", and --stack is staging", "bad.json": "a resource without a valid URN",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "wrong.json"), []byte(someDigest), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "bad.json"), []byte(`{"steps": [{"op": "update", "urn": "x"}]}`), 0o600))
		_, errs, code := invoke(t, folder, "github", "comment", "--stack", "staging", "--preview", file, "--dry-run")
		assert.Equal(t, 1, code)
		assert.Contains(t, errs, said)
	}
}

func TestGitHubDrift(t *testing.T) {
	playStack(t)
	fake := playGitHub(t)
	folder := t.TempDir()
	arguments := []string{"github", "drift", "--stack", "prod", "--preview", "preview.json"}
	for _, test := range []struct{ digest, said, state string }{
		{someDigest, "stack prod: drift; opened https://github.com/issues/1\n", "open"},
		{`{"steps": [], "changeSummary": {"same": 3}}`, "stack prod: no drift any more; closed https://github.com/issues/1\n", "closed"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "preview.json"), []byte(test.digest), 0o600))
		out, errs, code := invoke(t, folder, arguments...)
		require.Zero(t, code, errs)
		assert.Equal(t, test.said, out)
		assert.Equal(t, test.state, fake.Issues()[0].State)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "preview.json"), []byte(`{"diagnostics": [{"severity": "error", "message": "no"}]}`), 0o600))
	_, errs, code := invoke(t, folder, arguments...)
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "the preview failed, which says nothing about drift")
	assert.Len(t, fake.Issues(), 1)
}

func TestMistakesWithGitHub(t *testing.T) {
	playStack(t)
	for _, arguments := range [][]string{
		{"secrets"}, {"comment", "--stack", "prod"}, {"drift", "--stack", "prod"}, {"setup"},
		{"secrets", "--stack", "prod", "--check", "--prune"}, {"secrets", "--stack", "prod", "--env-file", "x", "--yes"},
		{"secrets", "--stack", "prod", "--environment", "a", "--repository-level"}, {"secrets", "--stack", "prod", "--repository", "nobody"},
	} {
		out, errs, code := invoke(t, t.TempDir(), append([]string{"github"}, arguments...)...)
		assert.Equal(t, 1, code, arguments)
		assert.Regexp(t, "^bluegreen: ", errs, arguments)
		assert.Empty(t, out, arguments)
	}
}
