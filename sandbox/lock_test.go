package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneCommandAtATime(t *testing.T) {
	s := inFolder(t)
	release, interrupted, err := s.exclusive("up")
	require.NoError(t, err)
	assert.False(t, interrupted)
	_, _, err = s.exclusive("preview")
	require.ErrorContains(t, err, fmt.Sprintf("another bluegreen sandbox command works on this sandbox: up, process %d, since ", os.Getpid()))
	require.ErrorContains(t, err, "wait for it to end")
	release()
	release, interrupted, err = s.exclusive("preview")
	require.NoError(t, err)
	assert.False(t, interrupted, "up came to its end")
	release()
}

func TestAKilledCommandIsNoticed(t *testing.T) {
	s := inFolder(t)
	require.NoError(t, writeJSON(s.path("command.json"), command{Name: "up", PID: 1, Since: time.Now()}))
	release, interrupted, err := s.exclusive("up")
	require.NoError(t, err)
	assert.True(t, interrupted)
	release()
	_, interrupted, err = s.exclusive("up")
	require.NoError(t, err)
	assert.False(t, interrupted)
}

// lockedBy puts a lock of Pulumi's file backend into the run folder.
func lockedBy(t *testing.T, s *Sandbox, pid int) string {
	t.Helper()
	host, err := os.Hostname()
	require.NoError(t, err)
	file := s.path("state", ".pulumi", "locks", "organization", ProjectName, "sandbox", fmt.Sprintf("%d.json", pid))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, writeJSON(file, holder{PID: pid, Hostname: host}))
	return file
}

func TestTheLockOfAKilledEngineIsRemoved(t *testing.T) {
	s := inFolder(t)
	found, err := s.unlock(t.Context())
	require.NoError(t, err)
	assert.False(t, found)

	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	file := lockedBy(t, s, ended.Process.Pid)
	found, err = s.unlock(t.Context())
	require.NoError(t, err)
	assert.True(t, found)
	assert.NoFileExists(t, file)
}

func TestALivingEngineIsWaitedFor(t *testing.T) {
	s := inFolder(t)
	engine := exec.Command("sleep", "0.3")
	require.NoError(t, engine.Start())
	file := lockedBy(t, s, engine.Process.Pid)
	go func() {
		_ = engine.Wait()
		_ = os.Remove(file) // as an engine does at its end
	}()
	began := time.Now()
	found, err := s.unlock(t.Context())
	require.NoError(t, err)
	assert.True(t, found)
	assert.Greater(t, time.Since(began), 200*time.Millisecond)
}

func TestLeftoversOfAKilledEngineAreExplained(t *testing.T) {
	s := inFolder(t)
	failure := errors.New("up: ParameterAlreadyExists")
	assert.Equal(t, failure, s.aboutLeftovers(failure))
	require.NoError(t, writeFile(s.path(leftoversFile), nil))
	require.ErrorIs(t, s.aboutLeftovers(failure), failure)
	require.ErrorContains(t, s.aboutLeftovers(failure), "begin anew with bluegreen sandbox destroy --force, then up")
	require.NoError(t, s.aboutLeftovers(nil))
}
