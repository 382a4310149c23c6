package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What systemd makes of the file that the loader wrote is what a service gets,
// and what Django's settings make of that is what the application works with.
func TestEveryValueArrivesThroughSystemd(t *testing.T) {
	t.Parallel()
	m := newBooted(t)
	application, err := filepath.Abs(filepath.Join(root, "app"))
	require.NoError(t, err)
	for seed := range uint64(3) {
		values := generated(seed)
		l := newValues(t, values)
		output, err := l.load("web")
		require.NoError(t, err, output)
		file, err := os.ReadFile(filepath.Join(l.directory, "web.env"))
		require.NoError(t, err)
		m.write("/run/example/web.env", string(file))

		text := m.do("systemd-run", "--quiet", "--wait", "--pipe", "--property", "EnvironmentFile=/run/example/web.env",
			"--working-directory", application, python(t), "-c", `
import json, os
from config.env import Env
print(json.dumps([dict(os.environ), {name: Env().str(name) for name in os.environ if os.environ[name]}]))`)
		var got [2]map[string]string
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assertValues(t, values, got[0])
		assertValues(t, values, got[1])
	}
	assert.NotContains(t, m.do("journalctl", "--no-pager"), "Ignoring invalid environment")
}

// instance is a booted machine after its first start, with a bundle on it.
type instance struct {
	*booted

	store  *parameterStore
	client *http.Client // in the machine's network
}

const unpacked = "/opt/codedeploy-agent/deployment-root/group/archive"

// newInstance boots a machine for the application that is not Django.
func newInstance(t *testing.T) instance {
	t.Helper()
	m := newBooted(t)
	database, _ := postgres(t, m.network()...)
	return m.instance(helloBundle(t), hello(database), "")
}

// instance makes a machine an instance, with a bundle and more lines that
// describe it.
func (b *booted) instance(bundle string, parameters map[string]string, more string) instance {
	b.t.Helper()
	store := &parameterStore{parameters: parameters}
	store.Server = b.serve(store)
	b.write("/etc/bluegreen.env", fmt.Sprintf("AWS_DEFAULT_REGION=us-east-2\nPARAMETER_PATH=/example/prod/\nAWS_ENDPOINT_URL=%[1]s\nAWS_EC2_METADATA_SERVICE_ENDPOINT=%[1]s/\n%[2]s", store.URL, more))
	b.do("mkdir", "-p", filepath.Dir(unpacked))
	output, err := exec.Command("cp", "-a", bundle, b.root+unpacked).CombinedOutput() // #nosec G204 -- the test's own folders
	require.NoError(b.t, err, string(output))
	b.do("systemctl", "start", "nginx")
	return instance{booted: b, store: store, client: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (connection net.Conn, err error) {
			namespace := b.inNetwork(func() error {
				connection, err = new(net.Dialer).DialContext(ctx, network, address)
				return nil
			})
			return connection, errors.Join(namespace, err)
		},
	}}}
}

// hook runs a script as the agent does, after what is named before it.
func (i instance) hook(deployment, script string, before ...string) (output string, err error) {
	i.t.Helper()
	command := i.command(i.t.Context(), append(before, filepath.Join(unpacked, script))...)
	command.Env = append(command.Env, "DEPLOYMENT_GROUP_NAME=example-prod-DeploymentGroup-01", "DEPLOYMENT_ID="+deployment)
	text, err := command.CombinedOutput()
	return string(text), err
}

// hooks runs the scripts of events, which have to succeed.
func (i instance) hooks(deployment string, events ...string) (output string) {
	i.t.Helper()
	for _, event := range events {
		for _, hook := range readAppspec(i.t).Hooks[event] {
			said, err := i.hook(deployment, hook.Location)
			require.NoError(i.t, err, "%s: %s", hook.Location, said)
			output += said
		}
	}
	return output
}

// get asks nginx for a page, "" while nobody answers.
func (i instance) get(path string) string {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, "http://127.0.0.1"+path, nil)
	require.NoError(i.t, err)
	request.Host = "example.com"
	response, err := i.client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(i.t, err)
	return string(text)
}

var installing = []string{"BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic"}

func TestAReleaseOnSystemd(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	output := i.hooks("d-ONE", installing...)
	assert.Contains(t, output, "before-install: made the user bluegreen")
	assert.Contains(t, output, "validate-service: web works")
	assert.Equal(t, "d-ONE\n", i.get("/readyz"))

	// Who runs what, and who may read what.
	main := strings.TrimSpace(i.do("systemctl", "show", "--value", "--property", "MainPID", "example-web.service"))
	assert.Equal(t, "bluegreen\n", i.do("ps", "-o", "user=", "-p", main))
	assert.Equal(t, "root 600\n", i.do("stat", "--format", "%U %a", "/run/example/web.env"))
	assert.Equal(t, "tmpfs\n", i.do("stat", "--file-system", "--format", "%T", "/run/example"))
	assert.Contains(t, i.try("setpriv", "--reuid", "bluegreen", "--regid", "bluegreen", "--clear-groups", "touch", "/srv/example/current/app/x"), "Permission denied")
	assert.Regexp(t, `^[0-9]+\n$`, i.do("systemctl", "show", "--value", "--property", "MemoryMax", "example-web.service"), "85 % of the machine's memory")
	assert.NotContains(t, i.do("journalctl", "--no-pager", "--unit", "init.scope"), "Unknown key")

	// A service that dies comes back, with the socket it had.
	i.do("kill", "-KILL", main)
	waitFor(t, "the service is back", func() bool {
		now := strings.TrimSpace(i.do("systemctl", "show", "--value", "--property", "MainPID", "example-web.service"))
		return now != main && now != "0" && i.get("/readyz") == "d-ONE\n"
	})
	// After a reboot there are no variables yet: the service gets them itself.
	i.do("rm", "/run/example/web.env")
	i.do("systemctl", "restart", "example-web.service")
	waitFor(t, "the service has its variables", func() bool { return strings.HasPrefix(i.get("/"), "hello  * $HOME") })
	// Also when Parameter Store is away, with the variables it had.
	i.store.Close()
	i.do("systemctl", "restart", "example-web.service")
	waitFor(t, "the service has its old variables", func() bool { return strings.HasPrefix(i.get("/"), "hello  * $HOME") })
	assert.Contains(t, i.do("journalctl", "--no-pager", "--unit", "example-web.service"), "the variables stay as they were")

	i.hooks("d-TWO", "AfterBlockTraffic")
	assert.Equal(t, "d-ONE\n", i.get("/readyz"), "web goes on until the instance does")
	output = i.hooks("d-TWO", "ApplicationStop", "ApplicationStop")
	assert.Contains(t, output, "stop-services: stopped example-web.socket example-web.service")
	assert.Contains(t, output, "stop-services: no web runs")
}

func TestHooksOfTheWrongUser(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.hooks("d-ONE", installing...)
	state := func() string {
		return i.do("find", "/srv/example", "/run/example", "/etc/nginx", "/etc/systemd/system", "-printf", "%p %T@ %u %m\n")
	}
	before := state()
	for event, hooks := range readAppspec(t).Hooks {
		for _, hook := range hooks {
			output, err := i.hook("d-TWO", hook.Location, "setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
			assert.Contains(t, output, "want to run as root, as appspec.yml says; by hand use sudo", hook.Location)
			if event == "ApplicationStop" || event == "AfterBlockTraffic" {
				assert.NoError(t, err, hook.Location)
			} else {
				assert.Error(t, err, hook.Location)
			}
		}
	}
	assert.Equal(t, before, state())
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.do("mkdir", "/srv/example")
	i.do("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", "/srv/example")
	output, err := i.hook("d-ONE", "scripts/before-install")
	require.Error(t, err)
	assert.Contains(t, output, "/srv/example: want 500 MiB of free space, got 20; make fleet.volumeSize larger")

	// It had room then, and fills up in the middle of AfterInstall.
	output, err = i.hook("d-ONE", "scripts/after-install")
	require.Error(t, err)
	assert.Contains(t, output, "No space left on device")
	assert.Contains(t, output, "not installed, see above", "the last line leads to the reason")
	assert.NoDirExists(t, i.root+"/srv/example/releases/d-ONE")

	i.do("mount", "-o", "remount,size=2g", "/srv/example")
	i.hooks("d-ONE", installing...)
	assert.Equal(t, "d-ONE\n", i.get("/readyz"))
}

func TestAnotherServerHasThePort(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.do("systemctl", "stop", "nginx")
	i.do("systemd-run", "--quiet", "--unit", "thief", "python3", "-m", "http.server", "80")
	waitFor(t, "the other server answers", func() bool { return i.get("/") != "" })
	i.hooks("d-ONE", "BeforeInstall", "AfterInstall")
	output, err := i.hook("d-ONE", "scripts/application-start")
	require.Error(t, err)
	assert.Contains(t, output, "configure-nginx: nginx does not start, see above; does another process have port 80?")

	i.do("systemctl", "stop", "thief")
	i.hooks("d-ONE", "ApplicationStart", "ValidateService")
	assert.Equal(t, "d-ONE\n", i.get("/readyz"))
}

// The reference application with what a stand-in does not have: users, the
// units' walls, and a journal.
func TestTheReferenceApplicationOnSystemd(t *testing.T) {
	t.Parallel()
	m := newBooted(t)
	database, _ := postgres(t, m.network()...)
	cache, _ := redis(t, m.network()...)
	handler, files := bucket()
	i := m.instance(siteBundle(t), production(database, cache), "AWS_ENDPOINT_URL_S3="+m.serve(handler).URL+"\n")
	output := i.hooks("d-ONE", installing...)
	for _, service := range []string{"web", "worker", "beat"} {
		assert.Contains(t, output, "validate-service: "+service+" works")
		main := strings.TrimSpace(i.do("systemctl", "show", "--value", "--property", "MainPID", "example-"+service+".service"))
		assert.Equal(t, "bluegreen\n", i.do("ps", "-o", "user=", "-p", main))
	}
	assert.Greater(t, files(), 100)
	assert.Contains(t, i.get("/"), "Release d-ONE.")
	assert.Equal(t, "production\n", i.do("/srv/example/current/scripts/shell", "python", "-c", "import os; print(os.environ['DJANGO_SETTINGS_MODULE'].split('.')[-1])"))

	// The worker does what beat sends, and the kernel takes it before web.
	waitFor(t, "beat has the lock", func() bool {
		return strings.Contains(i.do("journalctl", "--no-pager", "--unit", "example-beat.service"), "Acquired lock")
	})
	score := func(service string) int {
		main := strings.TrimSpace(i.do("systemctl", "show", "--value", "--property", "MainPID", "example-"+service+".service"))
		number, err := strconv.Atoi(strings.TrimSpace(i.do("cat", "/proc/"+main+"/oom_score_adj")))
		require.NoError(t, err)
		return number
	}
	assert.Greater(t, score("worker"), score("web"))

	// In place: the worker ends by itself when it is told to.
	output = i.hooks("d-TWO", "ApplicationStop")
	assert.Contains(t, output, "stop-services: stopped example-worker.service")
	journal := i.do("journalctl", "--no-pager", "--unit", "example-worker.service")
	assert.Contains(t, journal, "Deactivated successfully")
	assert.NotContains(t, journal, "SIGKILL")
	i.hooks("d-TWO", installing...)
	assert.Contains(t, i.get("/"), "Release d-TWO.")
}
