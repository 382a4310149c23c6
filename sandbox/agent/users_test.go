package agent

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// needRoot skips what only root can do, and does not in CI.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("BLUEGREEN_REQUIRE_MACHINES") == "1" {
		t.Fatal("must be root: BLUEGREEN_REQUIRE_MACHINES is 1")
	}
	t.Skip("not root: files and scripts of other users are not tried")
}

// number is the number of a user or group.
func number(t *testing.T, database, name string) uint32 {
	t.Helper()
	output, err := exec.Command("getent", database, name).Output()
	require.NoError(t, err)
	id, err := strconv.ParseUint(strings.Split(string(output), ":")[2], 10, 32)
	require.NoError(t, err)
	return uint32(id)
}

// userWithShell is a user who may run scripts and is not root, empty for none.
func userWithShell(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("/etc/passwd")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) == 7 && fields[2] != "0" && strings.HasSuffix(fields[6], "/bash") {
			return fields[0]
		}
	}
	return ""
}

// endByID ends a process that a script has left behind.
func endByID(pid string) error {
	id, err := strconv.Atoi(pid)
	if err != nil {
		return err
	}
	return syscall.Kill(id, syscall.SIGKILL)
}
