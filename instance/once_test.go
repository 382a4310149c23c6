package instance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// once runs scripts/once.py as one instance would.
func once(t *testing.T, url string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(python(t), append([]string{"../scripts/once.py"}, arguments...)...) // #nosec G204 -- our own script
	command.Env = append(os.Environ(), "DATABASE_URL="+url)
	return command
}

// appends is a command that adds a line to a file, so that runs can be counted.
func appends(file string) []string {
	return []string{"bash", "-c", `echo ran >>"$1"`, "bash", file}
}

func lines(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(t, err)
	return strings.Count(string(text), "\n")
}

// waitFor polls until a condition holds that a process has to bring about.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // cleanups wait, too
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			require.Fail(t, "waited a minute", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestTenInstancesRunAStepOnce(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "runs")
	arguments := append([]string{"d-1", "migrate"}, appends(file)...)
	var group sync.WaitGroup
	for range 10 {
		command := once(t, url, arguments...)
		group.Go(func() {
			output, err := command.CombinedOutput()
			assert.NoError(t, err, string(output))
		})
	}
	group.Wait()
	assert.Equal(t, 1, lines(t, file))

	// Another deployment, and another step, are another matter.
	for _, arguments := range [][]string{{"d-2", "migrate"}, {"d-1", "publish"}} {
		output, err := once(t, url, append(arguments, appends(file)...)...).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	assert.Equal(t, 3, lines(t, file))
}

func TestAFailedStepFailsEveryInstance(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	output, err := once(t, url, "d-1", "migrate", "bash", "-c", "echo no such column >&2; exit 3").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "no such column")
	assert.Contains(t, string(output), "ended with code 3; its output is above")

	file := filepath.Join(t.TempDir(), "runs")
	output, err = once(t, url, append([]string{"d-1", "migrate"}, appends(file)...)...).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "once: migrate: failed on ")
	assert.Zero(t, lines(t, file))

	output, err = once(t, url, append([]string{"--again", "d-1", "migrate"}, appends(file)...)...).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Equal(t, 1, lines(t, file))
}

func TestTheNextInstanceTakesOverFromADeadOne(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "runs")
	first := once(t, url, "d-1", "migrate", "bash", "-c", `echo $$ >>"$1"; exec sleep 600`, "bash", file)
	require.NoError(t, first.Start())
	t.Cleanup(func() { // on a machine that is gone this would be gone, too
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		pid, err := strconv.Atoi(strings.Fields(string(text))[0])
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	})
	waitFor(t, "the first instance begins", func() bool { return lines(t, file) == 1 })
	second := once(t, url, append([]string{"d-1", "migrate"}, appends(file)...)...)
	var said strings.Builder
	second.Stdout, second.Stderr = &said, &said
	require.NoError(t, second.Start())

	// The machine of the first is gone: nothing gets to clean up.
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.NoError(t, second.Wait(), said.String())
	assert.Equal(t, 2, lines(t, file))
	assert.Contains(t, said.String(), "began and did not finish; running again")
}

func TestAStoppedStepStopsItsCommand(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "pid")
	command := once(t, url, "d-1", "migrate", "bash", "-c", `echo $$ >"$1"; exec sleep 600`, "bash", file)
	require.NoError(t, command.Start())
	waitFor(t, "the command begins", func() bool { return lines(t, file) == 1 })
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	require.Error(t, command.Wait())
	assertGone(t, file)
}

func assertGone(t *testing.T, file string) {
	t.Helper()
	pid, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join("/proc", strings.TrimSpace(string(pid))))
}

func TestAStepIsBounded(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "pid")
	output, err := once(t, url, "--timeout", "1", "d-1", "migrate", "bash", "-c", `echo $$ >"$1"; exec sleep 600`, "bash", file).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "took too long and was stopped")
	assertGone(t, file)
}

func TestALostDatabaseStopsTheStep(t *testing.T) {
	t.Parallel()
	url, database := postgres(t)
	file := filepath.Join(t.TempDir(), "pid")
	command := once(t, url, "d-1", "migrate", "bash", "-c", `echo $$ >"$1"; exec sleep 600`, "bash", file)
	var said strings.Builder
	command.Stdout, command.Stderr = &said, &said
	require.NoError(t, command.Start())
	waitFor(t, "the command begins", func() bool { return lines(t, file) == 1 })
	require.NoError(t, database.Process.Signal(syscall.SIGQUIT))
	require.Error(t, command.Wait())
	assert.Contains(t, said.String(), "once: migrate: ")
	assertGone(t, file)
}

func TestAStepNeedsItsDatabase(t *testing.T) {
	t.Parallel()
	output, err := once(t, "", "d-1", "migrate", "true").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "DATABASE_URL: required, because the lock is in the database; got none")

	output, err = once(t, "postgresql://example@127.0.0.1:1/none", "d-1", "migrate", "true").CombinedOutput()
	require.Error(t, err)
	assert.NotContains(t, string(output), "Traceback")
}
