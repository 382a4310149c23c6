package balancer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startIn makes the test program start a load balancer in a folder, and wait.
const startIn = "BALANCER_TEST_START"

func TestHAProxyDoesNotOutliveItsParent(t *testing.T) {
	needsHAProxy(t)
	program, err := os.Executable()
	require.NoError(t, err)
	parent := exec.Command(program)
	parent.Env = append(os.Environ(), startIn+"="+t.TempDir())
	parent.Stderr = os.Stderr
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	t.Cleanup(func() { _ = parent.Process.Kill(); _ = parent.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	var child int
	_, err = fmt.Sscan(line, &child)
	require.NoError(t, err)
	require.True(t, runs(child))
	require.NoError(t, parent.Process.Kill())
	assert.Eventually(t, func() bool { return !runs(child) }, longest, lookInterval)
}

// runs tells whether a process is there and no zombie: its next parent may be slow
// to take note of its end.
func runs(process int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	_, state, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(state, "Z")
}

// startHere prints HAProxy's process and waits to be killed.
func startHere(folder string) {
	b, err := Start(context.Background(), Options{Folder: folder, Region: testRegion, Address: func(string) (netip.Addr, bool) { return netip.Addr{}, false }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	current, _ := b.proxy.now()
	fmt.Println(current.command.Process.Pid)
	select {}
}
