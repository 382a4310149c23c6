package instance

import (
	"context"
	"fmt"
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
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // cleanups wait, too
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			require.Fail(t, "waited three minutes", what)
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
	assert.Contains(t, string(output), "ended with code 3")

	file := filepath.Join(t.TempDir(), "runs")
	for range 9 {
		output, err = once(t, url, append([]string{"d-1", "migrate"}, appends(file)...)...).CombinedOutput()
		require.Error(t, err)
		assert.Regexp(t, "once: migrate: failed on .*: ended with code 3; see that instance's log", string(output))
	}
	assert.Zero(t, lines(t, file))

	output, err = once(t, url, append([]string{"--again", "d-1", "migrate"}, appends(file)...)...).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Equal(t, 1, lines(t, file))
}

// stubborn is a command that starts processes which do not want to end: one
// below it, and one in a session of its own. Each adds its number to a file.
const stubborn = `
trap '' TERM
(trap '' TERM; echo $BASHPID >>"$1"; exec sleep 600) &
setsid bash -c 'trap "" TERM; echo $$ >>"$1"; exec sleep 600' bash "$1" &
echo $$ >>"$1"
wait`

func TestTheNextInstanceTakesOverFromADeadOne(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	processes, alive := filepath.Join(t.TempDir(), "processes"), filepath.Join(t.TempDir(), "alive")
	first := once(t, url, "d-1", "migrate", "bash", "-c", stubborn, "bash", processes)
	require.NoError(t, first.Start())
	waitFor(t, "the first instance begins", func() bool { return lines(t, processes) == 3 })
	// The next one counts what is still there of the first when its turn comes.
	count := `while read -r pid; do if [[ -d /proc/$pid ]]; then echo "$pid"; fi; done <"$1" >"$2"`
	second := once(t, url, "d-1", "migrate", "bash", "-c", count, "bash", processes, alive)
	var said strings.Builder
	second.Stdout, second.Stderr = &said, &said
	require.NoError(t, second.Start())

	// Nothing gets to clean up.
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.NoError(t, second.Wait(), said.String())
	assert.Contains(t, said.String(), "began and did not finish; running again")
	assert.FileExists(t, alive)
	assert.Zero(t, lines(t, alive), "the first one's command still ran when the second one's began")
}

// When a machine is gone, or the kernel kills whatever it can, only the
// database is left to notice.
func TestTheDatabaseGivesUpAStatementWhoseClientIsGone(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "pids")
	step := once(t, url, "d-1", "migrate", python(t), "-c", `
import os, psycopg, sys
with psycopg.connect(os.environ["DATABASE_URL"]) as connection, open(sys.argv[1], "w") as file:
    print(os.getpid(), os.getppid(), file=file, flush=True)
    connection.execute("SELECT pg_sleep(600)")`, file)
	require.NoError(t, step.Start())
	const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%'"
	waitFor(t, "the statement runs", func() bool { return query(t, url, sleeping) == "1" })
	text, err := os.ReadFile(file) // #nosec G304 -- the test's own folder
	require.NoError(t, err)
	pids := []int{step.Process.Pid}
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	for _, pid := range pids { // once.py before the supervisor before the command would be its end, too
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	for _, pid := range pids {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	_ = step.Wait()
	waitFor(t, "PostgreSQL ends the statement", func() bool { return query(t, url, sleeping) == "0" })
}

// query asks the database for one value.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	output, err := exec.Command(python(t), "-c", `import psycopg, sys; print(psycopg.connect(sys.argv[1], autocommit=True).execute(sys.argv[2], []).fetchone()[0])`, url, statement).CombinedOutput() // #nosec G204 -- fixed but for the database
	require.NoError(t, err, string(output))
	return strings.TrimSpace(string(output))
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

func TestADatabaseThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	url, database := postgres(t)
	file := filepath.Join(t.TempDir(), "pid")
	command := once(t, url, "--timeout", "1", "--silence", "3", "d-1", "migrate", "bash", "-c", `echo $$ >"$1"; exec sleep 600`, "bash", file)
	var said strings.Builder
	command.Stdout, command.Stderr = &said, &said
	require.NoError(t, command.Start())
	waitFor(t, "the command begins", func() bool { return lines(t, file) == 1 })
	backends := descendants(t, database.Process.Pid)
	for _, pid := range backends {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	defer func() {
		for _, pid := range backends {
			_ = syscall.Kill(pid, syscall.SIGCONT) // so that it can be stopped
		}
	}()
	require.Error(t, command.Wait())
	assert.Contains(t, said.String(), "once: migrate: the database takes connections but does not answer")
	assertGone(t, file)
}

func TestTenInstancesLoseTheOneThatIsAtIt(t *testing.T) {
	t.Parallel()
	url, _ := postgres(t)
	file := filepath.Join(t.TempDir(), "runs")
	// The first that comes is killed in the middle; one of the nine others finishes.
	script := `echo ran >>"$1"; if [[ $(wc -l <"$1") == 1 ]]; then exec sleep 600; fi`
	var group sync.WaitGroup
	var mutex sync.Mutex
	failed := 0
	commands := make([]*exec.Cmd, 10)
	for i := range commands {
		commands[i] = once(t, url, "d-1", "migrate", "bash", "-c", script, "bash", file)
		require.NoError(t, commands[i].Start())
	}
	waitFor(t, "one begins", func() bool { return lines(t, file) == 1 })
	for _, command := range commands {
		if len(descendants(t, command.Process.Pid)) > 0 {
			require.NoError(t, command.Process.Kill())
		}
	}
	for _, command := range commands {
		group.Go(func() {
			if command.Wait() != nil {
				mutex.Lock()
				defer mutex.Unlock()
				failed++
			}
		})
	}
	group.Wait()
	assert.Equal(t, 1, failed, "the one that was killed")
	assert.Equal(t, 2, lines(t, file))
	assert.Equal(t, "done", query(t, url, "SELECT state FROM bluegreen_once"))
}

// descendants are the processes below one.
func descendants(t *testing.T, pid int) (found []int) {
	t.Helper()
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", pid)) // gone: it has none
	for _, word := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(word)
		require.NoError(t, err)
		found = append(append(found, child), descendants(t, child)...)
	}
	return found
}

func TestADatabaseURLThatCannotBeReadStaysSecret(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgis://site:hush@database/site", "postgresql://site:hush%@database/site", "hush"} {
		output, err := once(t, url, "d-1", "migrate", "true").CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(output), "once: migrate: DATABASE_URL: want postgresql://USER:PASSWORD@HOST:PORT/NAME")
		assert.NotContains(t, string(output), "hush")
	}
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
