package machines

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testRegion = "us-east-2"
	testFleet  = "fleet"
	patience   = 3 * time.Minute // more than enough on a busy computer
)

// need skips a test where machines cannot run. Where BLUEGREEN_REQUIRE_MACHINES
// is 1 they have to.
func need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs machines, which are booted for the whole suite only")
	}
	if err := Check(t.Context()); err != nil {
		if os.Getenv("BLUEGREEN_REQUIRE_MACHINES") == "1" {
			require.NoError(t, err, "BLUEGREEN_REQUIRE_MACHINES=1")
		}
		t.Skip(err)
	}
}

// tree is made once for all tests and kept with the checkout's parts.
var tree = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	return Tree(context.Background(), root, os.Stderr)
})

// world is an emulated AWS with a fleet, and the machines that follow it.
type world struct {
	*testing.T
	host   *Host
	cloud  *cloud
	target string // ARN of the target group that the fleet is in
}

// newWorld makes an AWS with a fleet of so many instances, connected to a Host.
func newWorld(t *testing.T, size int32) *world {
	t.Helper()
	need(t)
	endpoint := startEmulator(t)
	w := &world{T: t, cloud: newCloud(endpoint, testRegion)}
	w.makeFleet(size)
	w.host = startHost(t)
	w.host.Connect(endpoint)
	return w
}

func startEmulator(t *testing.T) (endpoint string) {
	t.Helper()
	running, err := emulator.Start(t.Context(), emulator.Config{
		Python: partstest.Tools(t).Python, Address: "127.0.0.1:0", Account: "123456789012", Region: testRegion,
		Dir: t.TempDir(), Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	return running.Endpoint()
}

func testOptions(t *testing.T, folder string) Options {
	t.Helper()
	from, err := tree()
	require.NoError(t, err)
	agent, err := filepath.Abs("testdata/agent")
	require.NoError(t, err)
	return Options{
		Folder: folder, Tree: from, Region: testRegion,
		Agent: agent, Client: func(socket string) Agent { return testAgent(socket) },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func startHost(t *testing.T) *Host {
	t.Helper()
	folder := t.TempDir()
	host, err := Start(t.Context(), testOptions(t, folder))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, host.Close())
		assertGone(t, folder, host.Namespace())
	})
	return host
}

// assertGone looks for what a Host leaves behind when it leaves something.
func assertGone(t *testing.T, folder, name string) {
	t.Helper()
	assert.NoFileExists(t, filepath.Join("/run/netns", name))
	for _, hierarchy := range hierarchies() {
		assert.NoDirExists(t, filepath.Join(hierarchy, name))
	}
	assert.NoDirExists(t, filepath.Join(folder, diskFolder))
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), folder)
	out, err := exec.Command("ps", "-eo", "args").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), name)
}

// testAgent is the client of testdata/agent, which answers a line with a line.
type testAgent string

func (a testAgent) Run(ctx context.Context, command codedeploy.Command) (string, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", string(a))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if _, err := fmt.Fprintln(connection, command.Event); err != nil {
		return "", err
	}
	return bufio.NewReader(connection).ReadString('\n')
}

// await waits until exactly so many machines of instances run, and lists them.
func (w *world) await(count int) (running []Machine) {
	w.Helper()
	require.Eventually(w, func() bool {
		running = nil
		for _, m := range w.host.Machines() {
			switch {
			case m.Instance == dataMachine:
			case m.State != Running:
				return false
			default:
				running = append(running, m)
			}
		}
		return len(running) == count
	}, patience, 50*time.Millisecond, "machines: %+v", w.host.Machines())
	for _, m := range running {
		require.Empty(w, m.Failure, w.try(m.Instance, "cat", "/var/log/cloud-init-output.log"))
	}
	return running
}

// awaitData waits until database and cache take connections.
func (w *world) awaitData() {
	w.Helper()
	require.Eventually(w, func() bool {
		w.host.mu.Lock()
		defer w.host.mu.Unlock()
		return w.host.data != nil && w.host.data.ready && len(w.host.data.applied.databases) > 0
	}, patience, 50*time.Millisecond, "the data machine is not ready: %+v", w.host.Machines())
}

// run runs a command in a machine and returns what it prints.
func (w *world) run(instance string, command ...string) string {
	w.Helper()
	cmd, err := w.host.Command(w.Context(), instance, command...)
	require.NoError(w, err)
	out, err := cmd.CombinedOutput()
	require.NoError(w, err, "%s: %s", strings.Join(command, " "), out)
	return strings.TrimSpace(string(out))
}

// try is run for a command that may fail.
func (w *world) try(instance string, command ...string) string {
	cmd, err := w.host.Command(w.Context(), instance, command...)
	if err != nil {
		return err.Error()
	}
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out))
}

// get asks a web server in the machines' network, from outside of the machines.
func (w *world) get(url string) (status int, body string) {
	w.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: w.host.DialContext, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(url)
	require.NoError(w, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(w, err)
	return response.StatusCode, string(text)
}

// targets lists the instances in the target group.
func (w *world) targets() (ids []string) {
	w.Helper()
	out, err := w.cloud.balancing.DescribeTargetHealth(w.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.target})
	require.NoError(w, err)
	for _, description := range out.TargetHealthDescriptions {
		ids = append(ids, *description.Target.Id)
	}
	return ids
}

func names(machines []Machine) (ids []string) {
	for _, m := range machines {
		ids = append(ids, m.Instance)
	}
	return ids
}
