package awssource

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	gomodule "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// published puts a module on a proxy of its own, which the go command then uses.
func published(t *testing.T) module {
	t.Helper()
	m := module{path: "example.org/up", version: "v1.2.3", folder: "up", unlisted: true, copies: isSource}
	source := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.org/up\n",
		"up.go":        "package up\n",
		"up_test.go":   "package up\n",
		"docs/long.md": "text\n",
		"sub/sub.go":   "package sub\n",
	} {
		file := filepath.Join(source, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	proxy := t.TempDir()
	folder := filepath.Join(proxy, "example.org", "up", "@v")
	require.NoError(t, os.MkdirAll(folder, 0o750))
	archive, err := os.Create(filepath.Join(folder, m.version+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.CreateFromDir(archive, gomodule.Version{Path: m.path, Version: m.version}, source))
	require.NoError(t, archive.Close())
	require.NoError(t, os.WriteFile(filepath.Join(folder, m.version+".info"), []byte(`{"Version":"v1.2.3"}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, m.version+".mod"), []byte("module example.org/up\n"), 0o600))
	m.hash, err = dirhash.HashZip(archive.Name(), dirhash.Hash1)
	require.NoError(t, err)

	t.Setenv("GOPROXY", "file://"+proxy)
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw") // so that the test can remove its cache
	return m
}

func TestMaterialise(t *testing.T) {
	m := published(t)
	m.edits = []edit{{file: "sub/sub.go", apply: func(_ string, text []byte) ([]byte, error) { return append(text, "// edited\n"...), nil }}}
	destination := filepath.Join(t.TempDir(), "parts", "awssource")
	var reports []string
	report := func(line string) { reports = append(reports, line) }

	require.NoError(t, assemble(t.Context(), []module{m}, destination, report))
	assert.Equal(t, []string{"downloading example.org/up v1.2.3", "copying and editing example.org/up"}, reports)
	text, err := os.ReadFile(filepath.Join(destination, "up", "sub", "sub.go"))
	require.NoError(t, err)
	assert.Equal(t, "package sub\n// edited\n", string(text))
	assert.FileExists(t, filepath.Join(destination, "up", "up.go"))
	assert.NoFileExists(t, filepath.Join(destination, "up", "up_test.go"))
	assert.NoDirExists(t, filepath.Join(destination, "up", "docs"))
	assert.NoDirExists(t, destination+".new")

	require.NoError(t, assemble(t.Context(), []module{m}, destination, report))
	assert.Len(t, reports, 2, "a complete copy is used as it is")

	require.NoError(t, os.WriteFile(filepath.Join(destination, stampFile), []byte("older"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(destination, "up", "up.go")))
	require.NoError(t, assemble(t.Context(), []module{m}, destination, report))
	assert.FileExists(t, filepath.Join(destination, "up", "up.go"), "an older copy is made anew")
}

func TestMaterialiseLeavesNoHalfCopy(t *testing.T) {
	broken := published(t)
	broken.edits = []edit{{file: "sub/sub.go", apply: func(string, []byte) ([]byte, error) { return nil, errors.New("other form") }}}
	destination := filepath.Join(t.TempDir(), "awssource")

	err := assemble(t.Context(), []module{broken}, destination, func(string) {})
	assert.EqualError(t, err, "example.org/up: sub/sub.go: other form")
	assert.NoDirExists(t, destination)
	assert.NoDirExists(t, destination+".new")
}

func TestMaterialiseVerifies(t *testing.T) {
	m := published(t)
	served := m.hash
	m.hash = "h1:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
	err := assemble(t.Context(), []module{m}, filepath.Join(t.TempDir(), "awssource"), func(string) {})
	require.ErrorContains(t, err, "has hash "+served)
	assert.ErrorContains(t, err, "want "+m.hash)

	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	err = assemble(t.Context(), []module{m}, filepath.Join(t.TempDir(), "awssource"), func(string) {})
	assert.ErrorContains(t, err, "example.org/up@v1.2.3: download: module lookup disabled by GOPROXY=off; check that")

	t.Setenv("PATH", t.TempDir())
	err = assemble(t.Context(), []module{m}, filepath.Join(t.TempDir(), "awssource"), func(string) {})
	assert.ErrorContains(t, err, `example.org/up@v1.2.3: download: exec: "go": executable file not found in $PATH; check that`)
}

func TestProviderFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"go.mod":                                    true,
		"LICENSE":                                   true,
		"main.go":                                   false,
		"names/names.go":                            true,
		"names/data/names_data.hcl":                 true,
		"xpprovider/xpprovider.go":                  true,
		"internal/conns/awsclient.go":               true,
		"internal/conns/awsclient_test.go":          false,
		"internal/service/ec2/vpc_.go":              true,
		"internal/service/ec2/sweep.go":             false,
		"internal/service/ec2/testdata/tmpl/vpc.go": true,
		"internal/service/lambda/function.go":       false,
		"internal/acctest/acctest.go":               false,
		"internal/generate/tags/main.go":            false,
		"website/docs/index.html.markdown":          false,
	} {
		assert.Equal(t, want, ofProvider(name), name)
	}
}

// TestVersion keeps the plugin in step with the SDK that the program imports.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile("../../../go.mod")
	require.NoError(t, err)
	file, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	found := false
	for _, required := range file.Require {
		if required.Mod.Path == "github.com/pulumi/pulumi-aws/sdk/v6" {
			assert.Equal(t, "v"+Version, required.Mod.Version)
			found = true
		}
	}
	assert.True(t, found, "go.mod requires the pulumi-aws SDK")
}
