package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve lets a world's agent listen until the test ends, or stop.
func (w *world) serve() (c Client, stop func()) {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	socket := w.path("run/agent.sock")
	go func() { ended <- w.agent.Serve(ctx, socket) }()
	stop = func() {
		cancel()
		assert.NoError(w, <-ended)
		ended <- nil
	}
	w.Cleanup(stop)
	return Client{Socket: socket}, stop
}

func TestTheHostRunsADeploymentThroughTheSocket(t *testing.T) {
	w := newWorld(t)
	client, _ := w.serve()
	c := w.deploy(bundle{
		"appspec.yml":    spec("files: [{source: app, destination: /srv}]\nhooks: {AfterInstall: [{location: scripts/good}], ValidateService: [{location: scripts/bad}]}\n"),
		"app/index":      "hello",
		"scripts/good":   "#!/bin/sh\necho in order\n",
		"scripts/bad":    "#!/bin/sh\necho not good >&2\nexit 3\n",
		"scripts/unused": "",
	})
	for _, event := range []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall"} {
		c.Event = event
		log, err := client.Run(t.Context(), c)
		require.NoError(t, err, event)
		if event == "AfterInstall" {
			assert.Equal(t, "LifecycleEvent - AfterInstall\nScript - scripts/good\n[stdout]in order\n", log)
		}
	}
	assert.Equal(t, "hello", w.read("srv/index"))

	c.Event = "ValidateService"
	log, err := client.Run(t.Context(), c)
	assert.Equal(t, &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptFailed, Script: "scripts/bad",
		Message: "Script at specified location: scripts/bad failed with exit code 3"}, err)
	assert.Equal(t, "LifecycleEvent - ValidateService\nScript - scripts/bad\n[stderr]not good\n", log)
}

func TestTheSocketIsRootsAlone(t *testing.T) {
	w := newWorld(t)
	client, _ := w.serve()
	c := w.deploy(bundle{"appspec.yml": spec("")})
	c.Event = "DownloadBundle"
	_, err := client.Run(t.Context(), c)
	require.NoError(t, err)
	info, err := os.Stat(client.Socket)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(client.Socket))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestAnAgentThatIsNotThereIsSaidNotToAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent.sock")
	_, err := Client{Socket: socket, Patience: time.Millisecond}.Run(t.Context(), lifecycle.Command{Event: "Install"})
	require.ErrorContains(t, err, "the CodeDeploy agent at "+socket+" does not answer")
	var script *lifecycle.ScriptError
	assert.False(t, errors.As(err, &script))
}

func TestAnAgentThatGoesAwayInTheMiddleIsSaidNotToAnswer(t *testing.T) {
	w := newWorld(t)
	client, stop := w.serve()
	c := w.deploy(hooks("AfterInstall", "#!/bin/sh\ntouch begun\nsleep 600\n"))
	w.run(c, "DownloadBundle", "Install")
	c.Event = "AfterInstall"
	failed := make(chan error, 1)
	go func() {
		_, err := client.Run(context.Background(), c)
		failed <- err
	}()
	w.appears("begun")
	stop()
	assert.ErrorContains(t, <-failed, "does not answer")
}

// appears waits for a file.
func (w *world) appears(path string) {
	w.Helper()
	require.Eventually(w, func() bool {
		_, err := os.Stat(w.path(path))
		return err == nil
	}, 30*time.Second, 5*time.Millisecond, path)
}

func TestWhoGivesUpEndsTheScriptAndAllItHasStarted(t *testing.T) {
	w := newWorld(t)
	client, _ := w.serve()
	c := w.deploy(hooks("AfterInstall", `#!/bin/bash
sleep 600 &
echo $! > child
setsid --fork bash -c 'echo $$ > daemon; exec sleep 600' </dev/null >/dev/null 2>&1
until [ -s daemon ]; do sleep 0.01; done
touch begun
wait
`))
	w.run(c, "DownloadBundle", "Install")
	c.Event = "AfterInstall"
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := client.Run(ctx, c)
		failed <- err
	}()
	w.appears("begun")
	why := errors.New("the deployment was stopped")
	cancel(why)
	require.ErrorIs(t, <-failed, why)
	w.run(c, "ApplicationStart") // comes when the event before it is over
	for _, name := range []string{"child", "daemon"} {
		status, err := os.ReadFile("/proc/" + strings.TrimSpace(w.read(name)) + "/status")
		if err == nil { // until its parent asks
			assert.Contains(t, string(status), "State:\tZ", name)
		}
	}
}
