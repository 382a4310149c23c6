package instance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newBundle is an unpacked bundle with the scripts of the checkout and an
// application: the reference one, or the one in a folder of testdata.
func newBundle(t *testing.T, application, registry string) string {
	t.Helper()
	bundle := t.TempDir()
	output, err := exec.Command("cp", "-a", filepath.Join(root, "scripts"), filepath.Join(root, "appspec.yml"), bundle).CombinedOutput() // #nosec G204 -- our own files
	require.NoError(t, err, string(output))
	output, err = exec.Command("cp", "-a", application, filepath.Join(bundle, "app")).CombinedOutput() // #nosec G204 -- our own files
	require.NoError(t, err, string(output))
	output, err = exec.Command("cp", registry, filepath.Join(bundle, "environment.yaml")).CombinedOutput() // #nosec G204 -- our own files
	require.NoError(t, err, string(output))
	require.NoError(t, os.Symlink(filepath.Join(wheels(t), "wheels"), filepath.Join(bundle, "wheels")))
	return bundle
}

// newHello is an instance for the application that is not Django.
func newHello(t *testing.T) (b *box, database string) {
	t.Helper()
	database, _ = postgres(t)
	return newBox(t, helloBundle(t), hello(database)), database
}

// helloBundle is a bundle with the application that is not Django, built.
func helloBundle(t *testing.T) string {
	t.Helper()
	bundle := newBundle(t, "testdata/hello", "testdata/environment.yaml")
	source, err := os.ReadFile("testdata/hello/main.go")
	require.NoError(t, err)
	built := kept(t, "hello", source, func(folder string) error { // as build() in its release.sh
		command := exec.Command("go", "build", "-o", filepath.Join(folder, "hello"), "testdata/hello/main.go") // #nosec G204 -- our own sources
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GO111MODULE=off")
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build: %w\n%s", err, output)
		}
		return nil
	})
	output, err := exec.Command("cp", filepath.Join(built, "hello"), filepath.Join(bundle, "app")).CombinedOutput() // #nosec G204 -- the test's own folders
	require.NoError(t, err, string(output))
	return bundle
}

// hello are the variables of the application that is not Django.
func hello(database string) map[string]string {
	return map[string]string{
		"/example/prod/HOSTS": "example.com www.example.com", "/example/prod/GREETING": "hello  * $HOME", "/example/prod/DATABASE_URL": database,
	}
}

func TestAnApplicationThatIsNotDjango(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	require.NoError(t, os.RemoveAll(filepath.Join(b.root, "srv/example/venvs"))) // as on a new instance
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "after-install: made the virtual environment of scripts/requirements.txt")
	assert.Contains(t, output, "once for d-ONE")
	assert.Contains(t, output, "validate-service: web works")

	visitor := map[string]string{"X-Forwarded-Proto": "https"}
	status, body := b.get("/", "www.example.com", visitor)
	assert.Equal(t, 200, status)
	assert.Equal(t, "hello  * $HOME www.example.com https 127.0.0.1\n", body)
	_, body = b.get("/", "example.com", map[string]string{"X-Forwarded-Proto": "gopher"})
	assert.Contains(t, body, "example.com http ", "no scheme but the load balancer's")

	for _, host := range []string{"10.0.0.7", "evil.example", "sub.example.com"} {
		status, _ = b.get("/", host, visitor)
		assert.Equal(t, 404, status, host)
		status, body = b.get("/healthz", host, visitor)
		assert.Equal(t, 200, status, host)
		assert.Equal(t, "ok\n", body)
		status, _ = b.get("/readyz", host, visitor)
		assert.Equal(t, 404, status, host)
	}

	// The next release takes over; nothing of the first one is in its way.
	output, err = b.release("d-TWO")
	require.NoError(t, err, output)
	_, body = b.get("/readyz", "example.com", visitor)
	assert.Equal(t, "d-TWO\n", body)
	target, err := os.Readlink(filepath.Join(b.root, "srv/example/current"))
	require.NoError(t, err)
	assert.Equal(t, "releases/d-TWO", target)
}

func TestOldReleasesGo(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	for i := range 5 {
		output, err := b.release(fmt.Sprintf("d-%d", i))
		require.NoError(t, err, output)
	}
	entries, err := os.ReadDir(filepath.Join(b.root, "srv/example/releases"))
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	assert.Equal(t, []string{"d-1", "d-2", "d-3", "d-4"}, names)
}

func TestHooksMayBeKilledAndRunAgain(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	// AfterInstall was killed half-way: a release without its name, an
	// environment that is not whole.
	partial := filepath.Join(b.root, "srv/example/releases/.d-ONE/app")
	require.NoError(t, os.MkdirAll(partial, 0o755)) // #nosec G301 -- as on an instance
	require.NoError(t, os.WriteFile(filepath.Join(partial, "hello"), []byte("half"), 0o600))
	made, err := filepath.Glob(filepath.Join(b.root, "srv/example/venvs/*"))
	require.NoError(t, err)
	for _, environment := range made {
		require.NoError(t, os.Remove(environment))
		require.NoError(t, os.MkdirAll(filepath.Join(environment, "bin"), 0o755)) // #nosec G301 -- as on an instance
	}
	for range 2 {
		output, err := b.release("d-ONE")
		require.NoError(t, err, output)
		_, body := b.get("/readyz", "example.com", nil)
		assert.Equal(t, "d-ONE\n", body)
	}
	entries, err := os.ReadDir(filepath.Join(b.root, "srv/example/releases"))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestABundleWithoutItsWheelsSaysSo(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	require.NoError(t, os.RemoveAll(filepath.Join(b.root, "srv/example/venvs")))
	require.NoError(t, os.Remove(filepath.Join(b.bundle, "wheels")))
	output, err := b.release("d-ONE")
	require.ErrorContains(t, err, "scripts/after-install")
	assert.Contains(t, output, "run scripts/build before the bundle is made")
	assert.NoDirExists(t, filepath.Join(b.root, "srv/example/releases/d-ONE"))
}

func TestAFullDiskStopsTheReleaseEarly(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	require.NoError(t, os.WriteFile(filepath.Join(b.root, "free"), []byte("499"), 0o600))
	output, err := b.release("d-ONE")
	require.ErrorContains(t, err, "scripts/before-install")
	assert.Contains(t, output, "want 500 MiB of free space, got 499; make fleet.volumeSize larger")
}

func TestWhatIsInstalledIsReadableWhateverTheMask(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	for _, script := range []string{"scripts/before-install", "scripts/after-install"} {
		hook := b.hookCommand("d-ONE", script)
		hook.Path, hook.Args = "/bin/bash", []string{"bash", "-c", `umask 077 && exec "$1"`, "bash", hook.Path}
		output, err := hook.CombinedOutput()
		require.NoError(t, err, string(output))
	}
	found, err := exec.Command("find", filepath.Join(b.root, "srv"), "!", "-type", "l", "!", "-perm", "-o=r").CombinedOutput() // #nosec G204 -- the test's own folder
	require.NoError(t, err)
	assert.Empty(t, string(found), "what the service user cannot read")
}

func TestWrongSurroundingsAreNamed(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.hook("../../etc", "scripts/before-install")
	require.Error(t, err)
	assert.Contains(t, output, "DEPLOYMENT_ID: want an id like d-ABC123XYZ, got '../../etc'")

	instance := filepath.Join(b.root, "etc/bluegreen.env")
	require.NoError(t, os.WriteFile(instance, []byte("PARAMETER_PATH=/../\n"), 0o600))
	output, err = b.hook("d-ONE", "scripts/before-install")
	require.Error(t, err)
	assert.Contains(t, output, "PARAMETER_PATH: want a path like /example/prod/, got '/../'")

	require.NoError(t, os.Remove(instance))
	output, err = b.hook("d-ONE", "scripts/before-install")
	require.Error(t, err)
	assert.Contains(t, output, "bluegreen.env: not there; the instance's user data writes it at the first start")
}

func TestUnknownGroupIsAnError(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	b.group = "example-prod-Celry"
	output, err := b.release("d-ONE")
	require.Error(t, err)
	assert.Contains(t, output, "'example-prod-Celry' ends in none of: DeploymentGroup-01")
	assert.NoFileExists(t, filepath.Join(b.root, "srv/example/current"))
}

func TestNothingStartsWithoutARequiredValue(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	delete(b.store.parameters, "/example/prod/GREETING")
	output, err := b.release("d-ONE")
	require.ErrorContains(t, err, "scripts/after-install")
	assert.Contains(t, output, "web: no value for GREETING")
	assert.NoFileExists(t, filepath.Join(b.root, "srv/example/current"))
}

func TestABrokenReleaseIsNoticed(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)

	// The next one starts, and then is not what was deployed.
	release := filepath.Join(b.bundle, "app/release.sh")
	text, err := os.ReadFile(release)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(release, append(text, "web() { RELEASE=d-OTHER exec ./hello web; }\n"...), 0o600))
	output, err = b.release("d-TWO")
	require.ErrorContains(t, err, "scripts/validate-service")
	assert.Contains(t, output, "want release d-TWO, got d-OTHER")

	// And one that does not start at all.
	require.NoError(t, os.WriteFile(release, append(text, "web() { echo no such module; exit 1; }\n"...), 0o600))
	output, err = b.release("d-THREE")
	require.ErrorContains(t, err, "scripts/validate-service")
	assert.Contains(t, output, "no such module")
	assert.Contains(t, output, "example-web.service: not running")
}

func TestNginxKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)

	b.store.parameters["/example/prod/HOSTS"] = "example.com; evil"
	output, err = b.release("d-TWO")
	require.ErrorContains(t, err, "scripts/application-start")
	assert.Contains(t, output, "want names like www.example.com, got 'example.com;'")

	b.store.parameters["/example/prod/HOSTS"] = "*.*.example.com" // nginx alone knows that this is wrong
	output, err = b.release("d-THREE")
	require.ErrorContains(t, err, "scripts/application-start")
	assert.Contains(t, output, "nginx refuses it")
	_, err = b.hook("d-THREE", "scripts/stop-services")
	require.NoError(t, err)
	status, _ := b.get("/healthz", "10.0.0.7", nil)
	assert.Equal(t, 200, status)
}

func TestStopHooksTolerateEverything(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	hooks := []string{"scripts/application-stop", "scripts/after-block-traffic"}
	for _, hook := range hooks { // nothing was ever installed
		output, err := b.hook("d-ONE", hook)
		require.NoError(t, err, output)
	}
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)

	output, err = b.hook("d-TWO", "scripts/after-block-traffic")
	require.NoError(t, err, output)
	status, _ := b.get("/healthz", "10.0.0.7", nil)
	assert.Equal(t, 200, status, "web goes on until the instance does")
	for range 2 {
		output, err = b.hook("d-TWO", "scripts/application-stop")
		require.NoError(t, err, output)
	}
	status, _ = b.get("/healthz", "10.0.0.7", nil)
	assert.Equal(t, 502, status)

	require.NoError(t, os.Remove(filepath.Join(b.root, "etc/bluegreen.env")))
	for _, hook := range hooks { // the instance is broken
		output, err := b.hook("d-TWO", hook)
		require.NoError(t, err, output)
		assert.Contains(t, output, "warning: not everything stopped")
	}
}
