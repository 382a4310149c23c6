package instance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// surrounding is something that is wrong with an instance on which release d-ONE
// works and d-TWO arrives.
type surrounding struct {
	name  string
	spoil func(t *testing.T, b *box)
	// fails has what each hook that fails says. All the others have to succeed.
	fails map[string]string
}

// every is one message for the hooks that may fail.
func every(message string) map[string]string {
	return map[string]string{
		"before-install": message, "after-install": message, "once-per-release": message,
		"application-start": message, "validate-service": message, "before-allow-traffic": message,
	}
}

// surroundings is the table of what is tried on which hook. Wrong users, full
// disks and taken ports are tried on a booted machine, in systemd_test.go.
var surroundings = []surrounding{
	{"nothing", func(*testing.T, *box) {}, nil},
	{"no description of the instance", func(t *testing.T, b *box) {
		require.NoError(t, os.Remove(filepath.Join(b.root, "etc/bluegreen.env")))
	}, every("bluegreen.env: not there; the instance's user data writes it at the first start")},
	{"a description that is cut off", func(t *testing.T, b *box) {
		b.describe("PARAMETER_PATH=\"/example/prod/\nAWS_DEFAULT")
	}, every("bluegreen.env: want lines like NAME=value; write it anew as the instance's user data does")},
	{"a description of noise", func(t *testing.T, b *box) {
		b.describe("PARAMETER_PATH=\xff\xfe\x01\n")
	}, every("PARAMETER_PATH: want a path like /example/prod/, got")},
	{"an unknown group", func(_ *testing.T, b *box) { b.group = "example-prod-Celry" }, every("'example-prod-Celry' ends in none of: DeploymentGroup-01")},
	{"no id", func(_ *testing.T, b *box) { b.deployment = "" }, map[string]string{
		"before-install": "DEPLOYMENT_ID: want an id like", "after-install": "DEPLOYMENT_ID: want an id like",
		"once-per-release": "DEPLOYMENT_ID: want an id like", "application-start": "DEPLOYMENT_ID: want an id like",
		"validate-service": "DEPLOYMENT_ID: want an id like",
	}},
	{"no network", func(_ *testing.T, b *box) { b.store.Close() }, map[string]string{
		"after-install": "load-environment: parameters /example/prod/: ",
	}},
	{"a throttled Parameter Store", func(_ *testing.T, b *box) {
		b.store.refuse = []string{"ThrottlingException", "ThrottlingException", "ThrottlingException"}
	}, nil},
	{"a Parameter Store that refuses", func(_ *testing.T, b *box) {
		b.store.refuse = []string{"AccessDeniedException"}
	}, map[string]string{"after-install": "see whether the instance's role may read them"}},
	{"no database", func(t *testing.T, b *box) {
		b.store.parameters["/example/prod/DATABASE_URL"] = "postgresql://example@127.0.0.1:1/none"
	}, map[string]string{"once-per-release": "once: once: connection failed"}},
	{"a systemd that does not answer", func(t *testing.T, b *box) {
		b.replace("systemctl", "echo 'Failed to connect to bus' >&2; exit 1")
	}, map[string]string{
		"application-start": "Failed to connect to bus", "validate-service": "example-web.service: not running",
	}},
	{"nginx gone", func(t *testing.T, b *box) {
		b.replace("nginx", "echo 'nginx: command not found' >&2; exit 127")
	}, map[string]string{"application-start": "nginx: command not found"}},
	{"the port taken", func(t *testing.T, b *box) {
		b.endNginx()
		waitFor(t, "nginx's workers give the port back", func() bool {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
			if err == nil {
				t.Cleanup(func() { _ = listener.Close() })
			}
			return err == nil
		})
	}, map[string]string{
		"application-start": "nginx does not start, see above; does another process have port 80?",
		"validate-service":  "https://example.com/readyz: want status 200, got 000",
	}},
	{"no current release", func(t *testing.T, b *box) {
		require.NoError(t, os.Remove(filepath.Join(b.root, "srv/example/current")))
	}, nil},
	{"a current release that is half gone", func(t *testing.T, b *box) {
		for _, part := range []string{"app", "scripts", "environment.yaml"} {
			require.NoError(t, os.RemoveAll(filepath.Join(b.root, "srv/example/releases/d-ONE", part)))
		}
	}, nil},
	{"a link in place of releases", func(t *testing.T, b *box) {
		require.NoError(t, os.Rename(filepath.Join(b.root, "srv"), filepath.Join(b.root, "data")))
		require.NoError(t, os.Symlink("data", filepath.Join(b.root, "srv")))
	}, nil},
	{"units that somebody has removed", func(t *testing.T, b *box) {
		units, err := filepath.Glob(filepath.Join(b.root, "etc/systemd/system/*"))
		require.NoError(t, err)
		for _, unit := range units {
			require.NoError(t, os.Remove(unit))
		}
	}, nil},
	{"an application whose description does not load", func(t *testing.T, b *box) {
		b.change("app/release.sh", "declare -A services", "declare -A (services")
	}, every("syntax error")},
	{"no variables", func(t *testing.T, b *box) {
		require.NoError(t, os.RemoveAll(filepath.Join(b.root, "run/example/web.env")))
	}, nil},
}

func TestHooksInBrokenSurroundings(t *testing.T) {
	t.Parallel()
	for _, test := range surroundings {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			b, _ := newHello(t)
			b.change("app/release.sh", "start_timeout=60", "start_timeout=2")
			output, err := b.release("d-ONE")
			require.NoError(t, err, output)

			b.deployment = "d-TWO"
			test.spoil(t, b)
			for _, event := range []string{"BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterBlockTraffic", "ApplicationStop"} {
				for _, hook := range readAppspec(t).Hooks[event] {
					output, err := b.hook(b.deployment, hook.Location)
					want, fails := test.fails[filepath.Base(hook.Location)]
					if !fails {
						assert.NoError(t, err, "%s: %s", hook.Location, output)
						continue
					}
					assert.Error(t, err, hook.Location)
					assert.Contains(t, output, want, hook.Location)
					assert.NotContains(t, output, "Traceback", hook.Location)
				}
			}
		})
	}
}

// killed is a program that stands before the real one and, when its turn
// comes, kills the hook with all that it has started.
const killed = `#!/bin/bash
calls=0
if [[ -e $COUNT ]]; then read -r calls <"$COUNT"; fi
echo $((calls + 1)) >"$COUNT"
if ((calls == KILL_AT)); then kill -KILL 0; fi
PATH=${PATH#*:} exec "${0##*/}" "$@"
`

// killAnywhere runs a script for one release after the other, each time killed
// one step later and run again, until it has no step left.
func killAnywhere(t *testing.T, b *box, script string, deployment func(at int) string, check func(at int)) {
	t.Helper()
	folder := t.TempDir()
	for _, program := range []string{"rm", "mkdir", "cp", "mv", "ln", "systemctl", "nginx"} { // those that change something
		require.NoError(t, os.WriteFile(filepath.Join(folder, program), []byte(killed), 0o755)) // #nosec G306 -- a program
	}
	for at := 0; ; at++ {
		b.path, b.environment = folder, []string{"COUNT=" + filepath.Join(t.TempDir(), "count"), fmt.Sprintf("KILL_AT=%d", at)}
		output, err := b.hook(deployment(at), script)
		b.path, b.environment = "", nil
		if err == nil {
			require.Greater(t, at, 5, "it came to its end too early: %s", output)
			return
		}
		require.ErrorContains(t, err, syscall.SIGKILL.String(), output)
		output, err = b.hook(deployment(at), script)
		require.NoError(t, err, "killed before program %d: %s", at, output)
		check(at)
		leftovers, err := filepath.Glob(filepath.Join(b.root, "srv/example/.*"))
		require.NoError(t, err)
		require.Empty(t, leftovers)
	}
}

func TestAfterInstallIsKilledAnywhere(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	releases := filepath.Join(b.root, "srv/example/releases")
	name := func(at int) string { return fmt.Sprintf("d-%d", at) }
	killAnywhere(t, b, "scripts/after-install", name, func(at int) {
		difference, err := exec.Command("diff", "-r", filepath.Join(releases, "d-ONE"), filepath.Join(releases, name(at))).CombinedOutput() // #nosec G204 -- the test's own folder
		require.NoError(t, err, string(difference))
		partial, err := filepath.Glob(filepath.Join(releases, ".*"))
		require.NoError(t, err)
		require.Empty(t, partial)
	})
}

func TestApplicationStartIsKilledAnywhere(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	for _, deployment := range []string{"d-0", "d-1"} {
		output, err := b.release(deployment)
		require.NoError(t, err, output)
	}
	name := func(at int) string { return fmt.Sprintf("d-%d", at%2) }
	killAnywhere(t, b, "scripts/application-start", name, func(at int) {
		output, err := b.hook(name(at), "scripts/validate-service")
		require.NoError(t, err, "killed before program %d: %s", at, output)
	})
}

// Memory forgets the variables when the instance restarts before its services
// have started.
func TestVariablesAreGoneAfterAfterInstall(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	for _, script := range []string{"scripts/before-install", "scripts/after-install"} {
		output, err := b.hook("d-ONE", script)
		require.NoError(t, err, output)
	}
	files, err := filepath.Glob(filepath.Join(b.root, "run/example/*.env"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	for _, script := range []string{"scripts/application-start", "scripts/validate-service"} {
		output, err := b.hook("d-ONE", script)
		require.NoError(t, err, output)
	}
	for _, file := range files {
		assert.FileExists(t, file)
	}
}

// An application may have a wheel of uv, of another version, among its own.
func TestAnotherUvIsAmongTheWheels(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	shared, err := filepath.EvalSymlinks(filepath.Join(b.bundle, "wheels"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(b.bundle, "wheels")))
	require.NoError(t, os.CopyFS(filepath.Join(b.bundle, "wheels"), os.DirFS(shared)))
	require.NoError(t, os.WriteFile(filepath.Join(b.bundle, "wheels/uv-0.1.0-py3-none-any.whl"), nil, 0o600))
	require.NoError(t, os.RemoveAll(filepath.Join(b.root, "srv/example/venvs"))) // as on a new instance
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
}

func TestAfterInstallIsKilledWhileItMakesAnEnvironment(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	venvs := filepath.Join(b.root, "srv/example/venvs")
	require.NoError(t, os.RemoveAll(venvs)) // as on a new instance
	command := b.hookCommand("d-ONE", "scripts/after-install")
	require.NoError(t, command.Start())
	waitFor(t, "uv installs", func() bool {
		installed, err := filepath.Glob(filepath.Join(venvs, "*/lib/python*/site-packages/*"))
		require.NoError(t, err)
		return len(installed) > 0
	})
	require.NoError(t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
	require.Error(t, command.Wait())
	whole, err := filepath.Glob(filepath.Join(venvs, "*/complete"))
	require.NoError(t, err)
	require.Empty(t, whole)

	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "made the virtual environment of scripts/requirements.txt")
}
