package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeGo stands for the Go toolchain: it counts builds, and what it builds
// says so.
const fakeGo = `#!/usr/bin/env bash
[[ $1 == build ]] || exit 0
if [[ -e $FAKE_GO/broken ]]; then echo "provider.go:1: does not compile" >&2; exit 1; fi
echo built >>"$FAKE_GO/builds"
sleep 0.1
while [[ $1 != -o ]]; do shift; done
printf '#!/usr/bin/env bash\necho "port of build %s with $*"\n' "$(wc -l <"$FAKE_GO/builds")" >"$2"
chmod +x "$2"
`

// checkout is a clone with the launcher and nothing built.
type checkout struct {
	t          *testing.T
	root, path string
}

func clone(t *testing.T) checkout {
	t.Helper()
	c := checkout{t: t, root: t.TempDir()}
	c.write("provider/provider.go", "package provider", 0o644)
	c.write("go.mod", "module bluegreen\n\ngo 1.26.0\n", 0o644)
	c.write("go.sum", "", 0o644)
	for _, name := range []string{"cmd/pulumi-resource-bluegreen/plugin/pulumi-resource-bluegreen", "tools/go-build.sh"} {
		script, err := os.ReadFile(filepath.Join("../..", name))
		require.NoError(t, err)
		c.write(name, string(script), 0o755)
	}
	c.write("fake/go", fakeGo, 0o755)
	c.path = filepath.Join(c.root, "fake") + ":/usr/bin:/bin"
	return c
}

func (c checkout) write(name, content string, mode os.FileMode) {
	c.t.Helper()
	path := filepath.Join(c.root, name)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(c.t, os.WriteFile(path, []byte(content), mode))
}

func (c checkout) start() (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	launch := exec.Command(filepath.Join(c.root, "cmd/pulumi-resource-bluegreen/plugin/pulumi-resource-bluegreen"), "127.0.0.1:1")
	launch.Env = []string{"PATH=" + c.path, "FAKE_GO=" + filepath.Join(c.root, "fake")}
	launch.Stdout, launch.Stderr = &out, &errs
	err = launch.Run()
	return out.String(), errs.String(), err
}

func (c checkout) starts(want string) {
	c.t.Helper()
	stdout, stderr, err := c.start()
	require.NoError(c.t, err, stderr)
	assert.Equal(c.t, want+"\n", stdout, "the engine reads the port from the first line")
}

func TestLauncherBuildsWhenStale(t *testing.T) {
	c := clone(t)
	c.starts("port of build 1 with 127.0.0.1:1")
	c.starts("port of build 1 with 127.0.0.1:1")
	time.Sleep(20 * time.Millisecond) // the clock of some file systems is coarse
	c.write("provider/provider_test.go", "package provider", 0o644)
	require.NoError(t, os.Chtimes(filepath.Join(c.root, "provider"), time.Time{}, time.Now().Add(-time.Hour)))
	c.starts("port of build 1 with 127.0.0.1:1")
	c.write("provider/provider.go", "package provider // edited", 0o644)
	c.starts("port of build 2 with 127.0.0.1:1")

	c.path = "/usr/bin:/bin"
	c.starts("port of build 2 with 127.0.0.1:1") // what is built needs no toolchain
}

func TestLauncherStartsTwiceAtATime(t *testing.T) {
	c := clone(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			stdout, stderr, err := c.start()
			assert.NoError(t, err, stderr)
			assert.True(t, strings.HasPrefix(stdout, "port of build "), stdout)
		})
	}
	all.Wait()
	left, err := filepath.Glob(filepath.Join(c.root, "bin/.build.*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestLauncherWithoutGo(t *testing.T) {
	c := clone(t)
	c.path = c.root + "/bare"
	for _, tool := range []string{"bash", "dirname", "find", "mkdir", "mktemp", "awk", "rm", "touch", "mv", "basename"} {
		found, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(c.path, 0o755))
		require.NoError(t, os.Symlink(found, filepath.Join(c.path, tool)))
	}
	stdout, stderr, err := c.start()
	require.Error(t, err)
	assert.Empty(t, stdout)
	assert.Equal(t, "go is not installed; install Go 1.26.0 or later from your system's packages\n", stderr)
}

func TestLauncherTellsWhatDoesNotCompile(t *testing.T) {
	c := clone(t)
	c.write("fake/broken", "", 0o644)
	stdout, stderr, err := c.start()
	require.Error(t, err)
	assert.Empty(t, stdout)
	assert.Equal(t, "provider.go:1: does not compile\n", stderr)
	assert.NoFileExists(t, filepath.Join(c.root, "bin/pulumi-resource-bluegreen"))
}
