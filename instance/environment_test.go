package instance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

// loader is an instance on which scripts/environment.py runs.
type loader struct {
	t         *testing.T
	store     *parameterStore
	directory string // where the files go
	instance  string
	registry  string
}

// The registry of these tests: what the loader has to tell apart.
const smallRegistry = `
variables:
  SECRET: {readers: [web, worker], required: true, secret: true, output: databaseUrl}
  OPTIONAL: {readers: [web], config: true}
  WORKERS_ONLY: {readers: [worker], required: true, config: true}
  DJANGO_SETTINGS_MODULE: {readers: [web, worker], required: true, default: config.settings.production, elsewhere: whoever starts it}
  AWS_DEFAULT_REGION: {readers: [web, worker], required: true, elsewhere: the first start}
  LOCAL: {readers: [local], required: true, config: true}
`

func newLoader(t *testing.T, parameters map[string]string) loader {
	t.Helper()
	l := loader{t: t, store: newParameterStore(t, parameters), directory: filepath.Join(t.TempDir(), "run")}
	l.instance, l.registry = filepath.Join(t.TempDir(), "bluegreen.env"), filepath.Join(t.TempDir(), "environment.yaml")
	l.describe("AWS_DEFAULT_REGION=us-east-2\n")
	require.NoError(t, os.WriteFile(l.registry, []byte(smallRegistry), 0o600))
	return l
}

func (l loader) describe(more string) {
	l.t.Helper()
	text := fmt.Sprintf("PARAMETER_PATH=/example/prod/\nAWS_ENDPOINT_URL=%[1]s\nAWS_EC2_METADATA_SERVICE_ENDPOINT=%[1]s/\n%[2]s", l.store.URL, more)
	require.NoError(l.t, os.WriteFile(l.instance, []byte(text), 0o600))
}

// load runs the loader with nothing else in its environment.
func (l loader) load(arguments ...string) (output string, err error) {
	l.t.Helper()
	command := exec.Command(python(l.t), append([]string{ // #nosec G204 -- our own script
		"../scripts/environment.py", "--instance", l.instance, "--registry", l.registry, "--directory", l.directory,
	}, arguments...)...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	text, err := command.CombinedOutput()
	return string(text), err
}

// read gives the variables as bash reads them from the file.
func (l loader) read(service string) map[string]string {
	l.t.Helper()
	command := exec.Command("bash", "-c", `set -a; source "$1"; exec "$2" -c 'import json, os; print(json.dumps(dict(os.environ)))'`, // #nosec G204 -- our own files
		"bash", filepath.Join(l.directory, service+".env"), python(l.t))
	command.Env = []string{"LANG=C.UTF-8"}
	output, err := command.Output()
	require.NoError(l.t, err)
	var values map[string]string
	require.NoError(l.t, json.Unmarshal(output, &values))
	return values
}

func TestLoaderPicksWhatEachServiceReads(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{
		"/example/prod/SECRET": "s", "/example/prod/OPTIONAL": "o", "/example/prod/WORKERS_ONLY": "w", "/example/prod/STRANGER": "x",
		"/example/prod2/SECRET": "another environment's", "/example/prod/SECRET/DEEPER": "not a variable",
	}
	for i := range 25 {
		parameters[fmt.Sprintf("/example/prod/STRANGER_%02d", i)] = "x" // several pages
	}
	l := newLoader(t, parameters)
	output, err := l.load("web", "worker")
	require.NoError(t, err, output)

	web, worker := l.read("web"), l.read("worker")
	assert.Equal(t, "s", web["SECRET"])
	assert.Equal(t, "o", web["OPTIONAL"])
	assert.NotContains(t, web, "WORKERS_ONLY")
	assert.Equal(t, "w", worker["WORKERS_ONLY"])
	assert.NotContains(t, worker, "OPTIONAL")
	assert.Equal(t, "config.settings.production", web["DJANGO_SETTINGS_MODULE"])
	assert.Equal(t, "us-east-2", web["AWS_DEFAULT_REGION"])
	assert.NotContains(t, web, "STRANGER")
	assert.Contains(t, output, "left out, since environment.yaml does not know them: STRANGER, STRANGER_00")
	assert.NotContains(t, output, "another")

	info, err := os.Stat(filepath.Join(l.directory, "web.env"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	entries, err := os.ReadDir(l.directory)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing temporary stays")
}

func TestLoaderNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/OPTIONAL": "o"})
	output, err := l.load("web", "worker")
	require.Error(t, err)
	assert.Contains(t, output, "web: no value for SECRET; worker: no value for SECRET, WORKERS_ONLY; set each under /example/prod/")
	assert.NoFileExists(t, filepath.Join(l.directory, "web.env"))
}

func TestLoaderWaitsOutThrottling(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "s"})
	l.store.refuse = []string{"ThrottlingException", "ThrottlingException"}
	output, err := l.load("web")
	require.NoError(t, err, output)
	assert.Equal(t, 3, l.store.calls)
}

func TestLoaderKeepsWhatIsThereOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "first"})
	output, err := l.load("--keep", "web")
	require.NoError(t, err, output)

	l.store.refuse = []string{"AccessDeniedException"}
	output, err = l.load("web")
	require.Error(t, err)
	assert.Contains(t, output, "parameters /example/prod/: ")
	assert.Contains(t, output, "AccessDeniedException")

	l.store.refuse = []string{"AccessDeniedException"}
	output, err = l.load("--keep", "web")
	require.NoError(t, err, output)
	assert.Contains(t, output, "the variables stay as they were")
	assert.Equal(t, "first", l.read("web")["SECRET"])

	// A value that is gone is not a failure to reach Parameter Store.
	delete(l.store.parameters, "/example/prod/SECRET")
	_, err = l.load("--keep", "web")
	require.Error(t, err)
}

// No network, and a network that swallows everything.
func TestLoaderDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "first"})
	output, err := l.load("web")
	require.NoError(t, err, output)
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	for what, address := range map[string]string{"refuses": "127.0.0.1:1", "says nothing": silent.Addr().String()} {
		l.describe("AWS_DEFAULT_REGION=us-east-2\nAWS_ENDPOINT_URL=http://" + address + "\n")
		output, err = l.load("--keep", "web")
		require.NoError(t, err, "%s: %s", what, output)
		assert.Contains(t, output, "load-environment: warning: parameters /example/prod/: ", what)
		assert.Equal(t, "first", l.read("web")["SECRET"], what)
	}
	// Instance metadata can be what does not answer, too.
	l.describe("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1/\n")
	output, err = l.load("web")
	require.Error(t, err)
	assert.NotContains(t, output, "Traceback")
	assert.Contains(t, output, "load-environment: parameters /example/prod/: ")
}

func TestLoaderLeavesTheFileBeforeWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "first"})
	small(t, l.directory, "64k")
	output, err := l.load("web")
	require.NoError(t, err, output)
	filler := filepath.Join(l.directory, "filler")
	_ = os.WriteFile(filler, make([]byte, 1<<20), 0o600) // until it is full
	l.store.parameters["/example/prod/SECRET"] = strings.Repeat("x", 8192)
	output, err = l.load("web")
	require.Error(t, err)
	assert.Contains(t, output, "web.env: No space left on device; the file before is still there")
	assert.Equal(t, "first", l.read("web")["SECRET"])
	entries, err := os.ReadDir(l.directory)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing temporary stays")
}

// small puts a file system of a few bytes in a folder's place until the test ends.
func small(t *testing.T, folder, size string) {
	t.Helper()
	if os.Geteuid() != 0 {
		require.Empty(t, os.Getenv("BLUEGREEN_REQUIRE_MACHINES"), "mounting needs root")
		t.Skip("mounting needs root")
	}
	require.NoError(t, os.MkdirAll(folder, 0o755)) // #nosec G301 -- as on an instance
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, 0)) })
}

func TestLoaderAsksMetadataForTheRegion(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "s"})
	l.describe("")
	output, err := l.load("web")
	require.NoError(t, err, output)
	assert.Equal(t, "eu-west-1", l.read("web")["AWS_DEFAULT_REGION"])
}

// hostile values have what shells, systemd and YAML give a meaning to.
var hostile = []string{
	" leading and  double and trailing ", `*`, `$HOME ${PATH} $(id) ` + "`id`", `'single' "double" \ \n \\ \"`, "two\nlines\n",
	"\ttab\rreturn", "ünïcödé 日本 🚀 \u2028", `#comment ; & | < > ( ) { } ! ~ = %s %%`, `-n`, `\`, `"`, "\nLD_PRELOAD=evil.so\n", `$$ \$ \\$`,
	"line\\\nnext\\", "\\\n", "\r\n", `$SECRET`, `%h %i %n %u %%`, " ", "\n", "\x1b[31mred", "-", "@file", "{{x}}", "a\\\r\nb",
}

// generated are hostile values, some very long ones, and hundreds of random
// ones: the same for the same seed.
func generated(seed uint64) []string {
	values := append([]string{}, hostile...)
	for _, length := range []int{4096, 8192} { // the longest of a standard and of an advanced parameter
		values = append(values, strings.Repeat(`\ "`, length/4), strings.Repeat("x", length), strings.Repeat("ü\n", length/3))
	}
	random := rand.New(rand.NewPCG(seed, 2)) // #nosec G404 -- the same values each time
	alphabet := []rune("ab \\\"'`$*#=\n\t\r!%&;|<>(){}[]~^äß\u0001\u001b\u007f\u00a0\u0085\ufeff€🚀")
	for range 300 {
		var value strings.Builder
		for range 1 + random.IntN(40) {
			value.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		values = append(values, value.String())
	}
	return values
}

// newValues is an instance whose variables V0, V1, … have values of their own.
func newValues(t *testing.T, values []string) loader {
	t.Helper()
	parameters, registry := map[string]string{}, "variables:\n"
	for i, value := range values {
		parameters[fmt.Sprintf("/example/prod/V%d", i)] = value
		registry += fmt.Sprintf("  V%d: {readers: [web], config: true}\n", i)
	}
	l := newLoader(t, parameters)
	require.NoError(t, os.WriteFile(l.registry, []byte(registry), 0o600))
	return l
}

func assertValues(t *testing.T, want []string, got map[string]string) {
	t.Helper()
	for i, value := range want {
		assert.Equal(t, value, got[fmt.Sprintf("V%d", i)], "value %d", i)
	}
	assert.NotContains(t, got, "LD_PRELOAD")
}

func TestEveryValueArrivesUnchanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		values := generated(seed)
		l := newValues(t, values)
		output, err := l.load("web")
		require.NoError(t, err, output)
		assertValues(t, values, l.read("web"))
	}
}

func TestValuesThatNoEnvironmentCanHoldAreRefused(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/SECRET": "a\x00b"})
	output, err := l.load("web")
	require.Error(t, err)
	assert.Equal(t, "load-environment: SECRET: want UTF-8 without NUL characters, as every environment variable has to be\n", output)
	assert.NoFileExists(t, filepath.Join(l.directory, "web.env"))
}

// The real registry is what the loader meets on an instance.
func TestLoaderReadsTheRealRegistry(t *testing.T) {
	t.Parallel()
	l := newLoader(t, map[string]string{"/example/prod/DJANGO_SECRET_KEY": "k"})
	l.registry = filepath.Join(root, "environment.yaml")
	output, err := l.load("web")
	require.Error(t, err)
	assert.Contains(t, output, "DATABASE_URL")
	assert.NotContains(t, output, "DJANGO_SECRET_KEY")
	assert.NotContains(t, output, "REDIS_URL", "a stack may have no cache")
}
