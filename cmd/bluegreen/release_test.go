package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/internal/once"
	"bluegreen/internal/release"
	"bluegreen/sandbox/codedeploy"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nowhere takes everything out of the environment that says where to release to.
func nowhere(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		release.ApplicationVariable, release.GroupVariable, release.RegionVariable, release.BucketVariable,
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL",
	} {
		t.Setenv(name, "") // puts back what was there, afterwards
		require.NoError(t, os.Unsetenv(name))
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		t.Setenv(name, value)
	}
}

// site is a checkout with the least that can be released.
func site(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for file, content := range map[string]string{
		"appspec.yml": "version: 0.0\nos: linux\nhooks: {ValidateService: [{location: scripts/validate.sh}]}\n", "scripts/validate.sh": "#!/bin/sh\n",
	} {
		path := filepath.Join(folder, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	}
	for _, arguments := range [][]string{
		{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "Say hello"},
	} {
		out, err := exec.Command("git", append([]string{"-C", folder}, arguments...)...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return folder
}

func TestReleaseSaysAllThatIsMissing(t *testing.T) {
	nowhere(t)
	out, errs, code := invoke(t, t.TempDir(), "release")
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	for _, flag := range []string{"--application", "--group", "--region", "--bucket", "--stack"} {
		assert.Contains(t, errs, flag)
	}
	out, _, code = invoke(t, t.TempDir(), "release", "--json")
	assert.Equal(t, 1, code)
	var last release.Event
	require.NoError(t, json.Unmarshal([]byte(out), &last))
	assert.Equal(t, release.KindResult, last.Kind)
	assert.Equal(t, release.Failed, last.Result.Outcome)
	assert.Contains(t, last.Message, "--application")
	_, errs, code = invoke(t, t.TempDir(), "release", "--status", "--region", "us-east-2")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "--application")
	assert.NotContains(t, errs, "--bucket", "of no use here")
}

func TestReleaseMistakesOnTheCommandLine(t *testing.T) {
	nowhere(t)
	for _, arguments := range [][]string{
		{"--stop", "--status"}, {"--resume", "last", "--redeploy-last-good"}, {"d-1"}, {"--stop", "d-1", "d-2"}, {"--timeout", "soon"}, {"bundel"},
		{"--once-over-http", "--stop"}, {"--once-over-http", "--wait-for-termination"}, {"--once-timeout", "soon"},
	} {
		out, errs, code := invoke(t, t.TempDir(), append([]string{"release"}, arguments...)...)
		assert.Equal(t, 1, code, arguments)
		assert.Regexp(t, "^bluegreen: ", errs, arguments)
		assert.Empty(t, out, arguments)
	}
}

// The environment says whose AWS it is, as for the AWS CLI.
func TestReleaseTalksToTheEnvironmentsAWS(t *testing.T) {
	nowhere(t)
	service, err := codedeploy.New(codedeploy.Options{Account: "123456789012", Region: "us-east-2"})
	require.NoError(t, err)
	t.Cleanup(service.Close)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_REGION", "us-east-2")
	t.Setenv(release.ApplicationVariable, "shop")
	t.Setenv(release.GroupVariable, "web")
	for _, arguments := range [][]string{{"--status"}, {"--resume", "last"}, {"--stop"}, {"--redeploy-last-good"}} {
		out, errs, code := invoke(t, t.TempDir(), append([]string{"release"}, arguments...)...)
		assert.Equal(t, 1, code, arguments)
		assert.Contains(t, errs, "ApplicationDoesNotExistException", arguments)
		assert.Empty(t, out, arguments)
	}
	out, _, code := invoke(t, t.TempDir(), "release", "--resume", "last", "--json")
	assert.Equal(t, 1, code)
	var event release.Event
	require.NoError(t, json.Unmarshal([]byte(out), &event), out)
	assert.Equal(t, release.KindResult, event.Kind)
	assert.Equal(t, release.Failed, event.Result.Outcome)
	assert.Contains(t, event.Message, "ApplicationDoesNotExistException")
}

func TestReleaseOverHTTPSaysAllThatIsMissing(t *testing.T) {
	nowhere(t)
	t.Setenv(once.TokenVariable, "")
	_, errs, code := invoke(t, t.TempDir(), "release", "--once-over-http", "--region", "us-east-2")
	assert.Equal(t, 1, code)
	for _, part := range []string{"--application", "--site-url", once.TokenVariable + ": required"} {
		assert.Contains(t, errs, part)
	}
	t.Setenv(once.TokenVariable, "a-token-of-the-tests")
	_, errs, code = invoke(t, t.TempDir(), "release", "--once-over-http", "--region", "us-east-2", "--site-url", "http://example.com")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "want https")
	assert.NotContains(t, errs, once.TokenVariable)
	assert.NotContains(t, errs, "a-token-of-the-tests")
}

// The page of a run says why there was no release, too.
func TestReleaseSummaryOfAMistake(t *testing.T) {
	nowhere(t)
	page := filepath.Join(t.TempDir(), "page.md")
	_, errs, code := invoke(t, t.TempDir(), "release", "--summary", page)
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "--application")
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(text), "## ❌ No verdict, because of an error\n")
	assert.Contains(t, string(text), "--application")
	_, errs, code = invoke(t, t.TempDir(), "release", "--summary", page, "--status")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "none of the others can be")
	_, errs, _ = invoke(t, t.TempDir(), "release", "--summary", filepath.Join(t.TempDir(), "none", "page.md"))
	assert.Contains(t, errs, "warning: summary: ")
}

func TestReleaseBundle(t *testing.T) {
	folder := site(t)
	out, errs, code := invoke(t, folder, "release", "bundle", "--output", "a.tgz")
	require.Zero(t, code, errs)
	assert.Regexp(t, `^Bundle of [0-9a-f]{40} Say hello: 2 files, \d+ bytes, sha256 [0-9a-f]{64}\n$`, out)
	out, _, code = invoke(t, folder, "release", "bundle", "--output", "b.tgz", "--json")
	require.Zero(t, code)
	var bundle release.Bundle
	require.NoError(t, json.Unmarshal([]byte(out), &bundle))
	a, err := os.ReadFile(filepath.Join(folder, "a.tgz"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(folder, "b.tgz"))
	require.NoError(t, err)
	assert.Equal(t, a, b)
	assert.Len(t, b, bundle.Size)
	left, err := filepath.Glob(filepath.Join(folder, ".bundle-*"))
	require.NoError(t, err)
	assert.Empty(t, left)

	require.NoError(t, os.WriteFile(filepath.Join(folder, "appspec.yml"), []byte("version: 1\n"), 0o644))
	_, errs, code = invoke(t, folder, "release", "bundle", "--allow-dirty")
	assert.Equal(t, 1, code)
	assert.Equal(t, 2, strings.Count(errs, "appspec.yml: "), errs)
	_, errs, code = invoke(t, folder, "release", "bundle")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "uncommitted changes in appspec.yml")
}

func TestExitCodesOfARelease(t *testing.T) {
	for outcome, want := range map[release.Outcome]int{
		release.Succeeded: 0, release.Failed: 1, release.RolledBack: 2, release.Attention: 3, release.Interrupted: 130,
	} {
		assert.Equal(t, want, outcome.ExitCode(), outcome)
	}
}

func TestWhatIsToFail(t *testing.T) {
	const log = "a failure that was ordered with --fail"
	assert.Equal(t, []codedeploy.Failure{
		{Event: "Install", Log: log},
		{Event: "Install", Instance: "first", Log: log},
		{Event: "Install", Instance: "i-1", DeploymentGroup: "site-CeleryWorker", Log: log},
	}, failures([]string{"Install", "Install@first", "site-CeleryWorker/Install@i-1"}))
}
