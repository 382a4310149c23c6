package machines

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scale sets the size of the fleet.
func (w *world) scale(size int32) {
	w.Helper()
	_, err := w.cloud.scaling.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(testFleet), DesiredCapacity: &size,
	})
	require.NoError(w, err)
}

// awaitAnother waits until one machine runs that is none of those before.
func (w *world) awaitAnother(before ...string) Machine {
	w.Helper()
	var found Machine
	require.Eventually(w, func() bool {
		list := w.host.Machines()
		i := slices.IndexFunc(list, func(m Machine) bool { return m.State == Running && !slices.Contains(before, m.Instance) })
		if i < 0 || len(list) != 1 {
			return false
		}
		found = list[i]
		return true
	}, patience, 50*time.Millisecond, "machines: %+v", w.host.Machines())
	return found
}

func TestFailuresAreReplaced(t *testing.T) {
	w := newWorld(t, 1)
	one := w.await(1)[0]
	require.Equal(t, []string{one.Instance}, w.targets())

	// Power is cut: nothing in the machine gets to know.
	require.NoError(t, w.host.Kill(one.Instance))
	two := w.awaitAnother(one.Instance)
	assert.Equal(t, []string{two.Instance}, w.targets(), "the new instance takes over in the target group")
	_, err := os.Stat(filepath.Join(w.host.Folder, diskFolder, one.Instance))
	assert.ErrorIs(t, err, os.ErrNotExist)

	// A machine that powers itself off has failed as well.
	w.run(two.Instance, "systemctl", "poweroff", "--no-block")
	three := w.awaitAnother(one.Instance, two.Instance)
	assert.Equal(t, []string{three.Instance}, w.targets())

	// One that restarts is the same one.
	leader := three.Leader
	w.run(three.Instance, "systemctl", "reboot", "--no-block")
	require.Eventually(t, func() bool {
		list := w.host.Machines()
		return len(list) == 1 && list[0].Leader != 0 && list[0].Leader != leader && list[0].Instance == three.Instance &&
			w.try(three.Instance, "systemctl", "is-active", "nginx") == "active"
	}, patience, 50*time.Millisecond)
	status, _ := w.get("http://" + three.Address.String() + "/")
	assert.Equal(t, 503, status)
	assert.Equal(t, "1", w.run(three.Instance, "grep", "--count", "ready for a release", "/var/log/cloud-init-output.log"), "user data runs once")
}

func TestTerminatedInstance(t *testing.T) {
	w := newWorld(t, 2)
	running := w.await(2)
	// What it does as long as it is asked in order shows on this computer.
	witness := filepath.Join(w.host.Folder, "witness")
	for _, m := range running {
		disk := filepath.Join(w.host.Folder, diskFolder, m.Instance)
		w.run(m.Instance, "sh", "-c", "printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\nExecStop=/bin/sh -c \"echo stopped >/stopped\"\\n' "+
			">/etc/systemd/system/last.service && systemctl daemon-reload && systemctl start last")
		require.NoError(t, os.Link(mustTouch(t, witness), filepath.Join(disk, "upper", "stopped")))
	}
	w.scale(0)
	require.Eventually(t, func() bool { return len(w.host.Machines()) == 0 }, patience, 50*time.Millisecond)
	text, err := os.ReadFile(witness)
	require.NoError(t, err)
	assert.Equal(t, "stopped\n", string(text), "services are stopped in order")
	left, err := os.ReadDir(filepath.Join(w.host.Folder, diskFolder))
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.NotContains(t, links(t, w.host.Namespace()), "vb-")
	_, known := w.host.Address(running[0].Instance)
	assert.False(t, known)
}

func mustTouch(t *testing.T, path string) string {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return path
}

func links(t *testing.T, namespace string) string {
	t.Helper()
	out, err := exec.Command("ip", "-netns", namespace, "-brief", "link").CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestControl(t *testing.T) {
	w := newWorld(t, 1)
	one := w.await(1)[0]
	server := httptest.NewServer(w.host)
	t.Cleanup(server.Close)
	post := func(instance, action string) (int, string) {
		response, err := http.Post(server.URL+ControlPath, "application/json", strings.NewReader(fmt.Sprintf(`{"instance": %q, "action": %q}`, instance, action)))
		require.NoError(t, err)
		defer response.Body.Close()
		var body bytes.Buffer
		_, err = body.ReadFrom(response.Body)
		require.NoError(t, err)
		return response.StatusCode, body.String()
	}
	status, body := post(one.Instance, "unplug")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "action: want kill or interrupt, got \"unplug\"\n", body)
	status, body = post("i-none", "kill")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "machine i-none: no such machine\n", body)

	// The instance knows, leaves the target group, and is replaced.
	status, body = post(one.Instance, "interrupt")
	require.Equal(t, http.StatusOK, status, body)
	var list []Machine
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	assert.Equal(t, []string{one.Instance}, names(list))
	assert.NotContains(t, w.targets(), one.Instance)
	const ask = `token=$(curl --silent --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
curl --silent --header "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/spot/instance-action`
	assert.Contains(t, w.run(one.Instance, "bash", "-c", ask), `"action": "terminate"`)
	two := w.awaitAnother(one.Instance)
	assert.Equal(t, []string{two.Instance}, w.targets())

	response, err := http.Get(server.URL + ControlPath)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	assert.Equal(t, []string{two.Instance}, names(list))
	out, err := exec.Command(Enter(list[0].Leader, "hostname")[0], Enter(list[0].Leader, "hostname")[1:]...).Output() // #nosec G204
	require.NoError(t, err)
	assert.Equal(t, two.Hostname+"\n", string(out))
}

// Two AWS have instances with the same addresses.
func TestTwoHostsAtOnce(t *testing.T) {
	one, two := newWorld(t, 1), newWorld(t, 1)
	a, b := one.await(1)[0], two.await(1)[0]
	assert.NotEqual(t, a.Instance, b.Instance)
	assert.Equal(t, a.Address, b.Address)
	one.run(a.Instance, "sh", "-c", "echo one >/var/www/html/who; rm /etc/nginx/sites-enabled/default; "+
		"echo 'server { listen 80; root /var/www/html; }' >/etc/nginx/sites-enabled/default; systemctl reload nginx")
	require.Eventually(t, func() bool {
		_, body := one.get("http://" + a.Address.String() + "/who")
		return body == "one\n"
	}, patience, 50*time.Millisecond)
	_, body := two.get("http://" + b.Address.String() + "/who")
	assert.Equal(t, "No release yet.\n", body)
	require.NoError(t, one.host.Kill(a.Instance))
	status, _ := two.get("http://" + b.Address.String() + "/")
	assert.Equal(t, 503, status, "the other one's goes on")
}

func TestOneHostAFolder(t *testing.T) {
	need(t)
	first := startHost(t)
	_, err := Start(t.Context(), testOptions(t, first.Folder))
	assert.EqualError(t, err, "machines: "+first.Folder+": another process has machines here; end it, or choose another folder")
}
