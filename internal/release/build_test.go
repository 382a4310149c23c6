package release

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// builtCheckout is a checkout whose commit has a build script.
func builtCheckout(t *testing.T, script string) string {
	t.Helper()
	folder := checkout(t)
	put(t, folder, buildScript, "#!/bin/sh\nset -e\n"+script)
	require.NoError(t, os.Chmod(filepath.Join(folder, buildScript), 0o755)) // #nosec G302 -- a script
	put(t, folder, ".gitignore", "/wheels/\n")
	put(t, folder, "environment.yaml", "variables: {}\n")
	commit(t, folder, "Build")
	return folder
}

func TestWhatIsBuiltIsInTheBundle(t *testing.T) {
	folder := builtCheckout(t, "mkdir -p wheels app/bin\ncat app/data.txt >wheels/a.whl\nprintf x >app/bin/run\nchmod +x app/bin/run\nln -s run app/bin/latest\necho \"$WORK\" >&2\n")
	put(t, folder, "wheels/stale.whl", "of an earlier build, which git ignores")
	var said bytes.Buffer
	b, err := MakeBundle(t.Context(), Source{Folder: folder, Output: &said, Environment: map[string]string{"WORK": "working"}})
	require.NoError(t, err)
	headers, contents := unpack(t, b)
	assert.Equal(t, "data\n", contents["wheels/a.whl"])
	assert.NotContains(t, contents, "wheels/stale.whl")
	assert.Contains(t, contents, "environment.yaml")
	assert.Contains(t, contents, "app/latest.txt", "a link of the commit")
	for _, header := range headers {
		switch header.Name {
		case "app/bin/run":
			assert.EqualValues(t, 0o755, header.Mode)
		case "app/bin/latest":
			assert.Equal(t, "run", header.Linkname)
		}
	}
	assert.Equal(t, "working\n", said.String())
	assert.NoFileExists(t, filepath.Join(folder, "wheels/a.whl"), "the checkout stays as it is")
	assert.NoDirExists(t, filepath.Join(folder, "app/bin"))
	again, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.NoError(t, err)
	assert.Equal(t, b.SHA256, again.SHA256)

	unbuilt, err := MakeBundle(t.Context(), Source{Folder: folder, Unbuilt: true})
	require.NoError(t, err)
	_, contents = unpack(t, unbuilt)
	assert.NotContains(t, contents, "wheels/a.whl")
}

func TestUncommittedFilesAreBuiltWith(t *testing.T) {
	folder := builtCheckout(t, "mkdir wheels\ncp app/data.txt wheels/a.whl\n")
	put(t, folder, "app/data.txt", "changed\n")
	b, err := MakeBundle(t.Context(), Source{Folder: folder, AllowDirty: true})
	require.NoError(t, err)
	_, contents := unpack(t, b)
	assert.Equal(t, "changed\n", contents["wheels/a.whl"])
}

func TestABuildThatFails(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	folder := builtCheckout(t, "echo no such wheel >&2\nexit 3\n")
	_, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.ErrorContains(t, err, "scripts/build: exit status 3:\nno such wheel")

	require.NoError(t, os.Chmod(filepath.Join(folder, buildScript), 0o644)) // #nosec G302 -- not a script any more
	commit(t, folder, "Forget the mode")
	_, err = MakeBundle(t.Context(), Source{Folder: folder})
	require.ErrorContains(t, err, "scripts/build: is not executable; git update-index --chmod=+x scripts/build")

	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestABuildEndsWithWhoWaitsForIt(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "began")
	folder := builtCheckout(t, "sleep 600 &\necho $! >'"+mark+"'\nwait\n")
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := MakeBundle(ctx, Source{Folder: folder})
		failed <- err
	}()
	require.Eventually(t, func() bool { text, _ := os.ReadFile(mark); return len(text) > 0 }, testTime, 10*time.Millisecond)
	cancel()
	require.Error(t, <-failed)
	child, err := os.ReadFile(mark) // #nosec G304 -- the test's own
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat("/proc/" + string(bytes.TrimSpace(child)) + "/fd/0")
		return err != nil
	}, testTime, 10*time.Millisecond, "the script's own programs end, too")
}
