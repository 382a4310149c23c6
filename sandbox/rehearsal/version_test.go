package rehearsal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/internal/release"
	"bluegreen/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kept is a cache in which wheels are for the checkout's requirements, so that
// nothing is downloaded.
func kept(t *testing.T, root string) build {
	t.Helper()
	b := build{python: "3.12", machine: "x86_64", cache: t.TempDir()}
	v := &versions{folder: root}
	key, err := v.key(b)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(b.cache, key), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(b.cache, key, "uv-1-py3-none-any.whl"), []byte("wheel"), 0o600))
	return b
}

func TestVersionsOfTheReferenceApplication(t *testing.T) {
	root, err := sandbox.FindRoot(".")
	require.NoError(t, err)
	// In the checkout, as by default: git looks for files from where it runs.
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".sandbox"), 0o750))
	folder, err := os.MkdirTemp(filepath.Join(root, ".sandbox"), "versions-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	v, err := newVersions(t.Context(), root, "", folder, kept(t, root))
	require.NoError(t, err)
	for title, want := range map[string]struct {
		patches, migrations []string
		author              string
	}{
		"version 1": {[]string{"version-1"}, []string{"0001_initial"}, "note.signature"},
		"version 2": {[]string{"version-2"}, []string{"0001_initial", "0002_expand"}, "note.author"},
		"version 3": {nil, []string{"0001_initial", "0002_expand", "0003_contract"}, "note.author"},
		"faulty":    {[]string{"faulty"}, []string{"0001_initial", "0002_expand", "0003_contract"}, "note.author"},
	} {
		commit, err := v.version(t.Context(), title, want.patches...)
		require.NoError(t, err, title)
		listed, err := v.output(t.Context(), nil, "ls-tree", "--name-only", commit, "app/notes/migrations/")
		require.NoError(t, err)
		var found []string
		for _, path := range strings.Fields(listed) {
			if name := strings.TrimSuffix(filepath.Base(path), ".py"); name != "__init__" {
				found = append(found, name)
			}
		}
		assert.Equal(t, want.migrations, found, title)
		page, err := v.output(t.Context(), nil, "show", commit+":app/notes/templates/notes/index.html")
		require.NoError(t, err)
		assert.Contains(t, page, want.author, title)
		bundle, err := release.MakeBundle(t.Context(), release.Source{Folder: v.folder, Commit: commit, Paths: bundled, Bucket: "bucket", Unbuilt: true})
		require.NoError(t, err, title)
		assert.Equal(t, title, bundle.Subject)
	}
}

func TestVersionsOfAnotherApplication(t *testing.T) {
	root, err := sandbox.FindRoot(".")
	require.NoError(t, err)
	app := t.TempDir()
	_, err = newVersions(t.Context(), root, app, filepath.Join(t.TempDir(), "versions"), build{})
	require.ErrorContains(t, err, "release.sh")
	for name, content := range map[string]string{
		"release.sh": "build() { echo \"$PYTHON_VERSION\" >app/built; }\nwheels() { mkdir wheels; }\n", ".gitignore": "secret\nbuilt\n", "secret": "x", "server": "y",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(app, name), []byte(content), 0o600))
	}
	v, err := newVersions(t.Context(), root, app, filepath.Join(t.TempDir(), "versions"), build{python: "3.11", machine: "x86_64"})
	require.NoError(t, err)
	commit, err := v.version(t.Context(), "first")
	require.NoError(t, err)
	listed, err := v.output(t.Context(), nil, "ls-tree", "--name-only", commit, "app/")
	require.NoError(t, err)
	assert.Equal(t, []string{"app/.gitignore", "app/built", "app/release.sh", "app/server"}, strings.Fields(listed))
	built, err := v.output(t.Context(), nil, "show", commit+":app/built")
	require.NoError(t, err)
	assert.Equal(t, "3.11", built)
}
