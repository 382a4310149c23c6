package rehearsal

import (
	"os"
	"path/filepath"
	"testing"

	"bluegreen/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnApplicationWithoutCeleryIsRehearsedWithoutIt(t *testing.T) {
	root, err := sandbox.FindRoot(".")
	require.NoError(t, err)
	t.Chdir(root) // the program reads environment.yaml there
	versions := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(versions, "app"), 0o700))
	describe := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(versions, "app/release.sh"), []byte(text), 0o600))
	}
	site := Site{Sandbox: sandbox.Options{Root: root, Stack: "rehearsal"}, Folder: t.TempDir(), App: "elsewhere"}

	describe("web() { :; }\nworker() { :; }\nbeat() { :; }\n")
	file, err := stackFile(t.Context(), site, versions)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "Pulumi.rehearsal.yaml"), file)

	describe("web() { :; }\n")
	file, err = stackFile(t.Context(), site, versions)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(site.Folder, "Pulumi.rehearsal.yaml"), file)
	text, err := os.ReadFile(file) // #nosec G304 -- the test's own folder
	require.NoError(t, err)
	assert.Contains(t, string(text), "bluegreen:celery:\n        mode: none\n")
	world, err := sandbox.Platform().World(filepath.Join(root, "Pulumi.yaml"), file)
	require.NoError(t, err)
	assert.Equal(t, "rehearsal", world.Stack)
}

func TestAFolderIsForOneRehearsal(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "rehearsal")
	versions, err := claim(folder)
	require.NoError(t, err)
	assert.DirExists(t, versions)
	_, err = claim(folder)
	require.EqualError(t, err, folder+": has a rehearsal in it already; choose another folder with --run, or remove it")
}
