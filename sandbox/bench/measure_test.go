package main

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// megabytes is a shell that holds so much memory, in a child with a process
// group of its own, until its input ends.
func megabytes(count string) *exec.Cmd {
	return exec.Command("bash", "-c", `set -m; (text=$(head -c `+count+`M /dev/zero | tr '\0' x); echo ready; read -r _ <&3) 3<&0 & wait`)
}

func TestMemoryOfDescendantsAndOfWhatIsBeside(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	command := megabytes("60")
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = input.Close()
		assert.NoError(t, command.Wait())
	})
	_, err = output.Read(make([]byte, 6))
	require.NoError(t, err)
	assert.Greater(t, resident([]int{command.Process.Pid}), int64(60e6), "a child in another process group")
	assert.Less(t, resident([]int{1 << 30}), int64(1), "nobody")

	quick := exec.Command("sleep", "0.5")
	alone, err := measure(quick)
	require.NoError(t, err)
	assert.Less(t, alone.peak, int64(60e6))
	beside, err := measure(exec.Command("sleep", "0.5"), command.Process.Pid)
	require.NoError(t, err)
	assert.Greater(t, beside.peak, int64(60e6))
	assert.NoError(t, command.Process.Signal(syscall.Signal(0)), "it is left alone")
}
