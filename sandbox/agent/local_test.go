package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// installLocal puts a program in the place of AWS's codedeploy-local. It writes
// its arguments, one a line, and a log as that one does; then it does as told.
func (w *world) installLocal(then string) {
	w.Helper()
	program := `#!/bin/bash
folder=` + w.path(deploymentRoot, "group-1/d-ABCDEFGHI-local") + `
printf '%s\n' "$@" --- >> ` + w.path("calls") + `
echo "Starting to execute deployment from within folder $folder"
mkdir -p $folder/logs
cat > $folder/logs/scripts.log <<'END'
2026-01-01 10:00:00 LifecycleEvent - BeforeInstall
2026-01-01 10:00:00 Script - scripts/before
2026-01-01 10:00:01 [stdout]before
2026-01-01 10:00:02 LifecycleEvent - ApplicationStart
2026-01-01 10:00:02 Script - scripts/start
2026-01-01 10:00:03 [stderr]start
END
` + then + "\n"
	w.write(localProgram, program)
	require.NoError(w, os.Chmod(w.path(localProgram), 0o755))
}

func (w *world) calls() [][]string {
	w.Helper()
	var calls [][]string
	for call := range strings.SplitSeq(strings.TrimSuffix(w.read("calls"), "---\n"), "---\n") {
		calls = append(calls, strings.Split(strings.TrimSuffix(call, "\n"), "\n"))
	}
	return calls
}

func TestCodeDeployLocalPerformsAnInstallationInOneCall(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	t.Setenv("AWS_ENDPOINT_URL", "http://169.254.0.1:4566")
	w := newWorld(t)
	w.installLocal("exit 0")
	c := w.deploy(nil)
	at := c.Revision.S3Location
	at.Version, at.ETag, c.FileExistsBehavior = aws.String("v 1"), aws.String(`"e1"`), types.FileExistsBehaviorOverwrite
	assert.Empty(t, w.run(c, "DownloadBundle"))
	assert.Equal(t, "LifecycleEvent - BeforeInstall\nScript - scripts/before\n[stdout]before\n", w.run(c, "BeforeInstall"))
	assert.Equal(t, "LifecycleEvent - ApplicationStart\nScript - scripts/start\n[stderr]start\n", w.run(c, "Install", "AfterInstall", "ApplicationStart"))
	w.run(c, "ValidateService")
	configuration := w.path("run/codedeploy-agent/codedeployagent.yml")
	assert.Equal(t, [][]string{{
		"--bundle-location", "s3://releases/" + *at.Key + "?etag=e1&versionId=v+1", "--type", "tgz",
		"--file-exists-behavior", "OVERWRITE", "--deployment-group", "group-1", "--deployment-group-name", "web", "--application-name", "shop",
		"--events", "ApplicationStop,DownloadBundle,BeforeInstall,Install,AfterInstall,ApplicationStart,ValidateService",
		"--agent-configuration-file", configuration,
	}}, w.calls())
	text, err := os.ReadFile(configuration)
	require.NoError(t, err)
	assert.Equal(t, "---\n:program_name: codedeploy-agent\n:root_dir: '"+w.path(deploymentRoot)+"'\n:log_dir: '"+w.path(filepath.Dir(agentLog))+
		"'\n:max_revisions: 5\n:s3_endpoint_override: 'http://169.254.0.1:4566'\n", string(text))
	assert.Empty(t, w.asked, "it downloads by itself")

	w.run(w.deploy(nil), "DownloadBundle")
	assert.Len(t, w.calls(), 2, "another deployment is another call")
}

func TestCodeDeployLocalPerformsEachTrafficEventInACallOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.installLocal("exit 0")
	c := w.deploy(nil)
	w.run(c, "BeforeAllowTraffic", "AfterAllowTraffic", "BeforeBlockTraffic")
	var events []string
	for _, call := range w.calls() {
		for i, argument := range call {
			if argument == "--events" {
				events = append(events, call[i+1])
			}
		}
	}
	assert.Equal(t, []string{
		"DownloadBundle,Install,BeforeAllowTraffic", "DownloadBundle,Install,AfterAllowTraffic", "BeforeBlockTraffic,DownloadBundle,Install",
	}, events)
}

func TestWhatFailsInCodeDeployLocalFailsItsEvent(t *testing.T) {
	w := newWorld(t)
	w.installLocal("echo Your local deployment failed while trying to execute your script at $folder/deployment-archive/scripts/start; exit 1")
	c := w.deploy(nil)
	w.run(c, "ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall")
	problem, tail := w.fails(c, "ApplicationStart")
	assert.Equal(t, types.LifecycleErrorCodeScriptFailed, problem.Code)
	assert.Equal(t, "scripts/start", problem.Script)
	assert.ErrorContains(t, problem, "exit status 1")
	assert.Contains(t, tail, "[stderr]start\n")

	w.installLocal("rm -r $folder; echo ERROR: no such bucket; exit 1")
	c = w.deploy(nil)
	problem, _ = w.fails(c, "DownloadBundle")
	assert.Equal(t, lifecycle.ScriptError{Code: types.LifecycleErrorCodeUnknownError, Message: problem.Message}, *problem)
	assert.ErrorContains(t, problem, "ERROR: no such bucket")
	w.fails(c, "AfterAllowTraffic")

	w.installLocal("echo ERROR: a file is in the way; exit 1")
	c = w.deploy(nil)
	w.run(c, "DownloadBundle", "BeforeInstall")
	problem, _ = w.fails(c, "Install")
	assert.ErrorContains(t, problem, "ERROR: a file is in the way")
}

func TestCodeDeployLocalHasNoMoreTimeThanAnEvent(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.EventTime = 1 })
	w.installLocal("exec sleep 600")
	problem, _ := w.fails(w.deploy(nil), "DownloadBundle")
	assert.Equal(t, types.LifecycleErrorCodeScriptTimedOut, problem.Code)
}
