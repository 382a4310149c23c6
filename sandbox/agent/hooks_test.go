package agent

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheScriptsOfAnEventRunInOrderUntilOneFails(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{
		"appspec.yml": spec(`hooks:
  AfterInstall:
    - location: scripts/b
    - location: scripts/a
    - location: scripts/c
  ApplicationStart:
    - location: scripts/c
`),
		"scripts/a": "#!/bin/sh\necho a >> order\nexit 2\n", "scripts/b": "#!/bin/sh\necho b >> order\n", "scripts/c": "#!/bin/sh\necho c >> order\n",
	})
	problem, log := w.fails(c, "AfterInstall")
	assert.Equal(t, "b\na\n", w.read("order"))
	assert.Equal(t, &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptFailed, Script: "scripts/a",
		Message: "Script at specified location: scripts/a failed with exit code 2"}, problem)
	assert.Equal(t, "LifecycleEvent - AfterInstall\nScript - scripts/b\nScript - scripts/a\n", log)
}

func TestAnEventWithoutAScriptSucceedsAndLogsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{"appspec.yml": spec("hooks:\n  AfterInstall:\n")})
	assert.Empty(t, w.run(c, "AfterInstall"))
	assert.NoFileExists(t, w.path(deploymentRoot, "group-1", c.DeploymentID, "logs/scripts.log"))
}

func TestEveryLineIsLoggedWithItsStreamAndTime(t *testing.T) {
	w := newWorld(t)
	c := w.installed(hooks("AfterInstall", "#!/bin/sh\necho out\necho err >&2\nprintf 'no end'\n"))
	tail := w.run(c, "AfterInstall")
	for _, line := range []string{"[stdout]out\n", "[stderr]err\n", "[stdout]no end"} {
		assert.Contains(t, tail, line)
	}
	const stamp = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
	log := w.read(deploymentRoot, "group-1", c.DeploymentID, "logs/scripts.log")
	for _, line := range []string{"LifecycleEvent - AfterInstall", "Script - scripts/script", `\[stdout\]out`, `\[stderr\]err`} {
		assert.Regexp(t, `(?m)`+stamp+` `+line+`$`, log)
	}
	all := w.read(deploymentRoot, "deployment-logs/codedeploy-agent-deployments.log")
	assert.Regexp(t, `(?m)^\[`+stamp+`\.\d{3}\] \[`+c.DeploymentID+`\]\[stdout\]out$`, all)
}

func TestTheEndOfALongLogIsTold(t *testing.T) {
	w := newWorld(t)
	c := w.installed(hooks("AfterInstall", "#!/bin/sh\nfor i in $(seq 1000); do echo line $i; done\n"))
	tail := w.run(c, "AfterInstall")
	assert.LessOrEqual(t, len(tail), 2048)
	assert.True(t, strings.HasSuffix(tail, "[stdout]line 999\n[stdout]line 1000\n"), tail)
}

func TestScriptsStartInTheRootFolderWithNothingToRead(t *testing.T) {
	w := newWorld(t)
	c := w.installed(hooks("AfterInstall", "#!/bin/sh\npwd -P\nwc -c\necho \"$0\"\n"))
	tail := w.run(c, "AfterInstall")
	root, err := filepath.EvalSymlinks(w.root)
	require.NoError(t, err)
	assert.Contains(t, tail, "[stdout]"+root+"\n[stdout]0\n[stdout]"+w.archived(c)+"/scripts/script\n")
}

func TestTheEnvironmentOfScripts(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "the agent's own")
	const dump = "#!/bin/sh\nexec env -0 > variables\n"
	variables := func(w *world) []string {
		all := strings.Split(strings.TrimSuffix(w.read("variables"), "\x00"), "\x00")
		slices.Sort(all)
		return all
	}
	w := newWorld(t, func(o *Options) { o.Environment = []string{"FROM=profile"} })
	c := w.installed(hooks("AfterInstall", dump))
	at := c.Revision.S3Location
	w.run(c, "AfterInstall")
	told := []string{
		"APPLICATION_NAME=shop", "BUNDLE_BUCKET=releases", "BUNDLE_KEY=" + *at.Key, "DEPLOYMENT_GROUP_ID=group-1",
		"DEPLOYMENT_GROUP_NAME=web", "DEPLOYMENT_ID=" + c.DeploymentID, "FROM=profile", "LIFECYCLE_EVENT=AfterInstall",
	}
	assert.Subset(t, variables(w), told)
	names := func(all []string) (names []string) {
		for _, variable := range all {
			names = append(names, strings.SplitN(variable, "=", 2)[0])
		}
		return names
	}
	assert.Subset(t, append(names(told), "PWD", "OLDPWD", "SHLVL", "_"), names(variables(w)), "and the shell's own")

	at.Version, at.ETag = aws.String("v1"), aws.String("e1")
	w.run(c, "AfterInstall")
	assert.Subset(t, variables(w), []string{"BUNDLE_VERSION=v1", "BUNDLE_ETAG=e1"})

	w = newWorld(t, func(o *Options) { o.Environment = nil })
	w.run(w.installed(hooks("AfterInstall", dump)), "AfterInstall")
	found := names(variables(w))
	assert.Contains(t, found, "PATH")
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "HOME", "USER"} {
		assert.NotContains(t, found, name)
	}
}

func TestAScriptThatTakesLongerThanItsTimeoutFailsAndIsEnded(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{
		"appspec.yml":    spec("hooks: {AfterInstall: [{location: scripts/script, timeout: 1}]}\n"),
		"scripts/script": "#!/bin/sh\ntrap 'echo asked to end; exit' TERM\necho begun\nsleep 600 & wait\n",
	})
	problem, tail := w.fails(c, "AfterInstall")
	assert.Equal(t, &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptTimedOut, Script: "scripts/script",
		Message: "Script at specified location: scripts/script failed to complete in 1 seconds"}, problem)
	assert.Contains(t, tail, "[stdout]begun\n")
}

func TestAnEventThatTakesLongerThanAnHourFails(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.EventTime = time.Second })
	c := w.installed(hooks("AfterInstall", "#!/bin/sh\nsleep 600\n"))
	problem, _ := w.fails(c, "AfterInstall")
	assert.Equal(t, types.LifecycleErrorCodeScriptTimedOut, problem.Code)
	assert.ErrorContains(t, problem, "the lifecycle event took longer than CodeDeploy allows, 1s")
	standard, err := New(Options{Environment: []string{}})
	require.NoError(t, err)
	assert.Equal(t, time.Hour, standard.EventTime)
}

func TestAScriptThatLeavesAnOutputOpenFailsWhenItsTimeIsOver(t *testing.T) {
	for stream, redirect := range map[string]string{"STDOUT": "2>/dev/null", "STDERR": ">/dev/null"} {
		w := newWorld(t)
		c := w.installed(bundle{
			"appspec.yml":    spec("hooks: {ApplicationStart: [{location: scripts/script, timeout: 1}]}\n"),
			"scripts/script": "#!/bin/sh\nsleep 600 " + redirect + " &\necho $! > daemon\n",
		})
		problem, _ := w.fails(c, "ApplicationStart")
		assert.Equal(t, &lifecycle.ScriptError{Code: types.LifecycleErrorCodeUnknownError, Script: "scripts/script",
			Message: "Script at specified location: scripts/script failed to close " + stream}, problem)
		pid := strings.TrimSpace(w.read("daemon"))
		assert.DirExists(t, "/proc/"+pid, "the daemon itself is left alone")
		require.NoError(t, endByID(pid))
	}
}

func TestAScriptThatIsMissingFailsTheDeployment(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{"appspec.yml": spec("hooks: {AfterInstall: [{location: scripts/absent}]}\n")})
	problem, tail := w.fails(c, "AfterInstall")
	assert.Equal(t, &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptMissing, Script: "scripts/absent",
		Message: "Script does not exist at specified location: " + w.archived(c) + "/scripts/absent"}, problem)
	assert.Equal(t, "LifecycleEvent - AfterInstall\n", tail)
}

func TestAScriptThatIsNotExecutableIsMadeSo(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{"appspec.yml": spec("hooks: {AfterInstall: [{location: other/script}]}\n"), "other/script": "#!/bin/sh\necho ran\n"})
	assert.Contains(t, w.run(c, "AfterInstall"), "[stdout]ran\n")
	info, err := os.Stat(filepath.Join(w.archived(c), "other/script"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o755), info.Mode())
	assert.Contains(t, w.read(agentLog), "other/script is not executable.  Trying to make it executable.")
}

func TestAScriptWithoutAnInterpreterIsRunByTheShell(t *testing.T) {
	w := newWorld(t)
	c := w.installed(hooks("AfterInstall", "echo \"ran $0\"\n"))
	assert.Contains(t, w.run(c, "AfterInstall"), "[stdout]ran "+w.archived(c))
	c = w.installed(hooks("AfterInstall", "#!/no/such/interpreter\n"))
	problem, _ := w.fails(c, "AfterInstall")
	assert.Equal(t, types.LifecycleErrorCodeScriptFailed, problem.Code)
	assert.ErrorContains(t, problem, "Script at specified location: scripts/script failed with error ")
	c = w.installed(hooks("AfterInstall", "#!/bin/sh\nkill -KILL $$\n"))
	problem, _ = w.fails(c, "AfterInstall")
	assert.ErrorContains(t, problem, "failed with error signal: killed")
}

func TestRunasIsTheUserThatAScriptRunsAs(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	users := map[string]string{"root": "root"} // by whom it says it is
	if other := userWithShell(t); other != "" {
		users[other] = other
	}
	for user := range users {
		c := w.installed(bundle{
			"appspec.yml": spec("hooks: {AfterInstall: [{location: scripts/who, runas: " + user + "}]}\n"),
			"scripts/who": "#!/bin/sh\necho $(id -un) $USER $HOME in $DEPLOYMENT_GROUP_NAME\n",
		})
		tail := w.run(c, "AfterInstall")
		assert.Contains(t, tail, "[stdout]"+user+" ")
		assert.Contains(t, tail, " in web\n", "su keeps the environment")
	}
	for _, user := range []string{"nobody-of-that-name", "nobody"} { // who has no shell to run it
		c := w.installed(bundle{"appspec.yml": spec("hooks: {AfterInstall: [{location: scripts/who, runas: " + user + "}]}\n"), "scripts/who": "#!/bin/sh\n"})
		problem, _ := w.fails(c, "AfterInstall")
		assert.ErrorContains(t, problem, "Script at specified location: scripts/who run as user "+user+" failed with exit code 1")
	}
}

func TestSudoAndRunasAreTypedAsTheAgentTypesThem(t *testing.T) {
	for want, s := range map[string]appspec.Script{
		"/x":              {},
		"su web -c /x":    {RunAs: "web"},
		"sudo /x":         {Sudo: true},
		"sudo su w -c /x": {Sudo: true, RunAs: "w"},
	} {
		assert.Equal(t, want, strings.Join(command(s, "/x"), " "))
	}
}
