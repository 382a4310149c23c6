package machines

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a process of the test binary that is to be killed has to know.
const (
	folderEnvironment   = "MACHINES_TEST_FOLDER"
	treeEnvironment     = "MACHINES_TEST_TREE"
	endpointEnvironment = "MACHINES_TEST_ENDPOINT"
)

// TestMain lets the test binary play the sandbox's process.
func TestMain(m *testing.M) {
	if folder := os.Getenv(folderEnvironment); folder != "" {
		playHost(folder)
		return
	}
	m.Run()
}

// playHost has machines until it is killed, and says when they run.
func playHost(folder string) {
	host, err := Start(context.Background(), Options{Folder: folder, Tree: os.Getenv(treeEnvironment), Region: testRegion})
	if err != nil {
		fmt.Println(err)
		return
	}
	host.Connect(os.Getenv(endpointEnvironment))
	for {
		if list := host.Machines(); len(list) == 1 && list[0].State == Running {
			fmt.Println(host.Namespace(), list[0].Leader)
			select {}
		}
		time.Sleep(readyInterval)
	}
}

func TestWhatAKilledHostLeavesIsRemoved(t *testing.T) {
	need(t)
	from, err := tree()
	require.NoError(t, err)
	w := &world{T: t, cloud: newCloud(startEmulator(t), testRegion)}
	w.makeFleet(1)
	folder := t.TempDir()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), folderEnvironment+"="+folder, treeEnvironment+"="+from, endpointEnvironment+"="+*w.cloud.config.BaseEndpoint)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	process.Stderr = os.Stderr
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, line)
	name, leader, ok := strings.Cut(strings.TrimSpace(line), " ")
	require.True(t, ok, line)
	require.DirExists(t, filepath.Join("/proc", leader))

	other := startHost(t) // of somebody else
	require.NoError(t, process.Process.Signal(syscall.SIGKILL))
	_ = process.Wait() // it was killed
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join("/proc", leader))
		return os.IsNotExist(err)
	}, patience, 20*time.Millisecond, "the machines end with the process")
	assert.FileExists(t, filepath.Join("/run/netns", name), "something is left")

	host, err := Start(t.Context(), testOptions(t, folder))
	require.NoError(t, err)
	assert.NotEqual(t, name, host.Namespace())
	assertGone(t, t.TempDir(), name)
	assert.NoDirExists(t, filepath.Join(folder, diskFolder))
	assert.FileExists(t, filepath.Join("/run/netns", other.Namespace()), "only what was its own")
	require.NoError(t, host.Close())
	assertGone(t, folder, host.Namespace())
}
