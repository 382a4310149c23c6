package instance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// booted is this computer booted a second time, in a container: its files with
// a layer of memory above them, systemd as process 1, and a network with
// nothing but a loopback.
type booted struct {
	t      *testing.T
	leader int // systemd, as this computer counts
	root   string
}

// lacks says why nothing can be booted here, "" if it can.
func lacks() string {
	if os.Geteuid() != 0 {
		return "booting a machine needs root"
	}
	for _, program := range []string{"systemd-nspawn", "nsenter", "unshare", "nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("booting a machine needs %s (apt-get install systemd-container util-linux nginx)", program)
		}
	}
	return ""
}

// boot lays memory over the computer's files and starts systemd there. A
// control group of its own lets several machines run at a time.
const boot = `
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	if [[ -e $hierarchy/cgroup.procs ]]; then
		mkdir "$hierarchy/$1"
		echo $$ >"$hierarchy/$1/cgroup.procs"
	fi
done
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" "$2/root"
exec systemd-nspawn --quiet --register=no --keep-unit --private-network --link-journal=no --console=pipe \
	--directory="$2/root" --machine="$1" --bind-ro="$3" --boot systemd.unit=basic.target </dev/null
`

// newBooted boots a machine that ends with the test.
func newBooted(t *testing.T) *booted {
	t.Helper()
	if reason := lacks(); reason != "" {
		require.Empty(t, os.Getenv("BLUEGREEN_REQUIRE_MACHINES"), reason)
		t.Skip(reason)
	}
	folder, err := os.MkdirTemp("", "booted")
	require.NoError(t, err)
	checkout, err := filepath.Abs(root)
	require.NoError(t, err)
	name := filepath.Base(folder)
	command := exec.Command("unshare", "--mount", "--propagation", "private", "bash", "-euc", boot, "bash", name, folder, checkout) // #nosec G204 -- our own script
	log, err := os.Create(filepath.Join(t.TempDir(), "boot"))
	require.NoError(t, err)
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	b := &booted{t: t}
	t.Cleanup(func() {
		if b.leader != 0 {
			_ = syscall.Kill(b.leader, syscall.SIGKILL) // and with process 1 all others of the machine
		}
		_, _ = command.Process.Kill(), command.Wait()
		_ = log.Close()
		for _, hierarchy := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"} {
			group := filepath.Join(hierarchy, name)
			waitFor(t, group+" is empty", func() bool {
				_ = exec.Command("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").Run() // #nosec G204 -- our own folder
				_, err := os.Stat(group)
				return os.IsNotExist(err)
			})
		}
		_ = os.Remove(folder)
	})
	waitFor(t, "the machine starts", func() bool {
		children := descendants(t, command.Process.Pid)
		if len(children) > 0 {
			b.leader = children[0]
		}
		require.NoError(t, command.Process.Signal(syscall.Signal(0)))
		return b.leader != 0 && strings.TrimSpace(b.try("systemctl", "is-system-running")) == "running"
	})
	b.root = fmt.Sprintf("/proc/%d/root", b.leader)
	return b
}

// command runs a program in the machine, as root and with nothing in its
// environment but what root has there.
func (b *booted) command(ctx context.Context, program ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "nsenter", append([]string{"--target", strconv.Itoa(b.leader), "--all", "--"}, program...)...) // #nosec G204 -- the test's own programs
	command.Dir = "/"
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"}
	return command
}

// try is what a program in the machine says, whether it succeeds or not.
func (b *booted) try(program ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	output, _ := b.command(ctx, program...).CombinedOutput()
	return string(output)
}

// do is what a program in the machine says, which has to succeed.
func (b *booted) do(program ...string) string {
	b.t.Helper()
	output, err := b.command(b.t.Context(), program...).CombinedOutput()
	require.NoError(b.t, err, "%s: %s", program, output)
	return string(output)
}

// write puts a file into the machine.
func (b *booted) write(path, content string) {
	b.t.Helper()
	file := filepath.Join(b.root, path)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(file), 0o755)) // #nosec G301 -- as on an instance
	require.NoError(b.t, os.WriteFile(file, []byte(content), 0o600))
}

// inNetwork does something in the machine's network. Sockets made there stay there.
func (b *booted) inNetwork(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer own.Close()
	other, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", b.leader))
	if err != nil {
		return err
	}
	defer other.Close()
	if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	defer func() { _ = unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) }()
	return do()
}

// network is what stands before a command that runs in the machine's network.
func (b *booted) network() []string {
	return []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", b.leader)}
}

// serve lets a handler answer on the machine's loopback.
func (b *booted) serve(handler http.Handler) *httptest.Server {
	b.t.Helper()
	var listener net.Listener
	require.NoError(b.t, b.inNetwork(func() (err error) {
		listener, err = new(net.ListenConfig).Listen(b.t.Context(), "tcp", "127.0.0.1:0")
		return err
	}))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}}
	server.Start()
	b.t.Cleanup(server.Close)
	return server
}
