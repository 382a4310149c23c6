package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// box is a folder that the scripts take for the root of an instance.
type box struct {
	t      *testing.T
	root   string
	bundle string
	store  *parameterStore
	port   int
	group  string

	deployment  string   // for whoever runs one hook after the other
	path        string   // a folder of programs before the stand-ins
	environment []string // what a hook gets beside the agent's variables
}

// newBox is an instance after its first start, with a bundle on it.
func newBox(t *testing.T, bundle string, parameters map[string]string) *box {
	t.Helper()
	folder, err := os.MkdirTemp("", "i") // short, for the sockets' paths
	require.NoError(t, err)
	require.NoError(t, os.Chmod(folder, 0o755)) // #nosec G302 -- nginx's workers are another user
	b := &box{t: t, root: folder, bundle: bundle, port: freePort(t), group: "example-prod-DeploymentGroup-01"}
	t.Cleanup(b.stop)
	b.store = newParameterStore(t, parameters)
	for _, path := range []string{"etc/systemd/system", "etc/nginx/sites-enabled", "srv/example", "run"} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, path), 0o755))
	}
	b.describe(fmt.Sprintf("AWS_DEFAULT_REGION=us-east-2\nPARAMETER_PATH=/example/prod/\nAWS_ENDPOINT_URL=%[1]s\nAWS_EC2_METADATA_SERVICE_ENDPOINT=%[1]s/\n", b.store.URL))
	require.NoError(t, os.Symlink("/etc/nginx/sites-available/no-release", filepath.Join(folder, "etc/nginx/sites-enabled/default")))
	// The virtual environments are there, as after an earlier release.
	require.NoError(t, os.Mkdir(filepath.Join(folder, "srv/example/venvs"), 0o755)) // #nosec G301 -- as on an instance
	made, err := filepath.Glob(filepath.Join(wheels(t), "venvs/*"))
	require.NoError(t, err)
	for _, environment := range made {
		require.NoError(t, os.Symlink(environment, filepath.Join(folder, "srv/example/venvs", filepath.Base(environment))))
	}
	return b
}

// describe writes what the first start of the instance writes.
func (b *box) describe(text string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(filepath.Join(b.root, "etc/bluegreen.env"), []byte(text), 0o600))
}

// change replaces text, which has to be there, in a file of the bundle.
func (b *box) change(file, before, after string) {
	b.t.Helper()
	path := filepath.Join(b.bundle, file)
	text, err := os.ReadFile(path) // #nosec G304 -- the test's own folder
	require.NoError(b.t, err)
	require.Contains(b.t, string(text), before)
	require.NoError(b.t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), before, after)), 0o600))
}

// replace puts a script in the place of a program.
func (b *box) replace(program, script string) {
	b.t.Helper()
	b.path = b.t.TempDir()
	require.NoError(b.t, os.WriteFile(filepath.Join(b.path, program), []byte("#!/bin/bash\n"+script+"\n"), 0o755)) // #nosec G306 -- a program
}

// endNginx stops nginx, as nobody does on an instance.
func (b *box) endNginx() {
	b.t.Helper()
	file := filepath.Join(b.root, "run/nginx/nginx.pid")
	text, err := os.ReadFile(file) // #nosec G304 -- the test's own folder
	require.NoError(b.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(b.t, err)
	require.NoError(b.t, syscall.Kill(pid, syscall.SIGTERM))
	waitFor(b.t, "nginx ends", func() bool {
		_, err := os.Stat(file)
		return os.IsNotExist(err)
	})
}

// stop ends what the scripts have started.
func (b *box) stop() {
	files, _ := filepath.Glob(filepath.Join(b.root, "run/systemctl/*.service"))
	for _, file := range append(files, filepath.Join(b.root, "run/nginx/nginx.pid")) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGTERM)
			waitFor(b.t, file+" ends", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) })
		}
	}
	_ = os.RemoveAll(b.root)
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// hook runs a script as the agent does: from the bundle, with the deployment in
// the environment, and in another folder.
func (b *box) hook(deployment, script string) (output string, err error) {
	b.t.Helper()
	text, err := b.hookCommand(deployment, script).CombinedOutput()
	return string(text), err
}

func (b *box) hookCommand(deployment, script string, arguments ...string) *exec.Cmd {
	b.t.Helper()
	bin, err := filepath.Abs("testdata/bin")
	require.NoError(b.t, err)
	if b.path != "" {
		bin = b.path + ":" + bin
	}
	limit := 3 * time.Minute
	for _, hooks := range readAppspec(b.t).Hooks {
		for _, hook := range hooks {
			if hook.Location == script {
				limit = min(limit, time.Duration(hook.Timeout)*time.Second)
			}
		}
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), limit)
	b.t.Cleanup(cancel)
	interpreter, err := pythonFolder()
	require.NoError(b.t, err)
	command := exec.CommandContext(ctx, filepath.Join(b.bundle, script), arguments...) // #nosec G204 -- our own scripts
	command.WaitDelay = 5 * time.Second                                                // a service that holds the hook's output fails the deployment, and this
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Env = append([]string{
		"PATH=" + bin + ":" + interpreter + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "ROOT=" + b.root, "NGINX_PROGRAM=" + nginx(b.t), fmt.Sprintf("PORT=%d", b.port),
		fmt.Sprintf("ADDRESS=127.0.0.1:%d", b.port), "HOME=/nonexistent", "PIP_INDEX_URL=http://127.0.0.1:1/unreachable",
		"APPLICATION_NAME=example-prod", "DEPLOYMENT_GROUP_NAME=" + b.group, "DEPLOYMENT_ID=" + deployment,
	}, b.environment...)
	return command
}

// release runs the hooks of a deployment in their order, until one fails.
func (b *box) release(deployment string) (output string, err error) {
	b.t.Helper()
	spec := readAppspec(b.t)
	for _, event := range []string{"BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic"} {
		for _, hook := range spec.Hooks[event] {
			said, err := b.hook(deployment, hook.Location)
			output += said
			if err != nil {
				return output, fmt.Errorf("%s: %w", hook.Location, err)
			}
		}
	}
	return output, nil
}

// get asks nginx for a page.
func (b *box) get(path, host string, header map[string]string) (status int, body string) {
	b.t.Helper()
	request := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", b.port, path), nil)
	request.RequestURI, request.Host = "", host
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return response.StatusCode, string(text)
}

// unpackNginx gets Debian's package with lists of its own: a container may have
// none, and only root may write the machine's.
const unpackNginx = `
mkdir -p apt/lists/partial apt/archives/partial
apt() { apt-get -o Dir::State="$PWD/apt" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$PWD/apt" -o APT::Sandbox::User="$(id -un)" "$@"; }
apt update
apt download nginx
dpkg-deb --extract nginx_*.deb .
rm -rf apt
usr/sbin/nginx -v
`

// nginx is the real one: the machine's, or Debian's package unpacked.
func nginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	folder := kept(t, "nginx", []byte("debian"), func(folder string) error {
		command := exec.Command("bash", "-euc", unpackNginx)
		command.Dir = folder
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("install nginx (apt-get install nginx): %w\n%s", err, output)
		}
		return nil
	})
	return filepath.Join(folder, "usr/sbin/nginx")
}
