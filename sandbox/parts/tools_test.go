package parts

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bluegreen/sandbox/progress"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script puts an executable into folder.
func script(t *testing.T, folder, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700)) // #nosec G306 -- executable
}

// onlyPath makes PATH a single new folder.
func onlyPath(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	return folder
}

func TestVersionFits(t *testing.T) {
	for version, want := range map[string]bool{
		"v3.230.0": true, "3.230.1": true, "v3.300.0": true,
		"v3.229.9": false, "v4.0.0": false, "v2.999.0": false,
		"v3.230.0-alpha.1": false, "": false, "unknown": false,
	} {
		assert.Equal(t, want, fits(version, PulumiVersion), version)
	}
}

func TestPulumiOnPathIsUsedWhenItFits(t *testing.T) {
	folder := onlyPath(t)
	for text, want := range map[string]string{
		"echo v3.250.1": filepath.Join(folder, "pulumi"),
		"echo v3.100.0": "",
		"exit 1":        "",
	} {
		script(t, folder, "pulumi", text)
		path, _ := installedPulumi(t.Context(), "/parts")
		assert.Equal(t, want, path, text)
	}
	script(t, folder, "pulumi", "echo v3.250.1")
	path, _ := installedPulumi(t.Context(), folder)
	assert.Empty(t, path, "the sandbox's own is no installation")
}

// The shell of `bluegreen sandbox env` finds the run folder's link, which leads
// to a part or to the user's installation.
func TestPulumiBehindALink(t *testing.T) {
	folder, elsewhere, parts := onlyPath(t), t.TempDir(), t.TempDir()
	for _, holder := range []string{elsewhere, parts} {
		script(t, holder, "pulumi", "echo v3.250.1")
	}
	link := filepath.Join(folder, "pulumi")
	require.NoError(t, os.Symlink(filepath.Join(parts, "pulumi"), link))
	path, _ := installedPulumi(t.Context(), parts)
	assert.Empty(t, path)
	require.NoError(t, Link(filepath.Join(elsewhere, "pulumi"), link))
	path, _ = installedPulumi(t.Context(), parts)
	assert.Equal(t, filepath.Join(elsewhere, "pulumi"), path)
}

func TestPolicyFromEnvironment(t *testing.T) {
	for value, want := range map[string]Policy{"": Auto, "auto": Auto, "build": Build, "official": Official} {
		t.Setenv(PolicyVariable, value)
		got, err := PolicyFromEnvironment()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	t.Setenv(PolicyVariable, "download")
	_, err := PolicyFromEnvironment()
	require.EqualError(t, err, `BLUEGREEN_SANDBOX_PLUGINS: "download" is none of auto, build, official`)
	_, err = Ensure(t.Context(), Options{Root: t.TempDir(), Plugins: "download"})
	require.ErrorContains(t, err, "is none of auto")
}

func TestNoPythonIsOneClearError(t *testing.T) {
	onlyPath(t)
	_, err := findPython(t.Context())
	require.ErrorContains(t, err, "python3 is not on PATH")
	require.ErrorContains(t, err, "apt-get install python3 python3-venv")
}

func TestUnfitPythonsAreNamedWithWhatTheyLack(t *testing.T) {
	folder := onlyPath(t)
	script(t, folder, "python3", `echo '{"path": "/usr/bin/python3.9", "minor": 9, "venv": true}'`)
	_, err := findPython(t.Context())
	require.ErrorContains(t, err, "Python 3.9, and moto's pinned packages need 3.11")

	script(t, folder, "python3", `echo '{"path": "/usr/bin/python3.11", "minor": 11, "venv": false}'`)
	_, err = findPython(t.Context())
	require.ErrorContains(t, err, "apt-get install python3-venv")

	script(t, folder, "python3.12", `echo '{"path": "/usr/bin/python3.12", "minor": 12, "venv": true}'`)
	path, err := findPython(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/usr/bin/python3.12", path, "a fitting one further on is taken")
}

func TestProbeRunsInARealPython(t *testing.T) {
	path, err := findPython(t.Context())
	require.NoError(t, err)
	require.NoError(t, exec.CommandContext(t.Context(), path, "-c", "import venv, ensurepip").Run()) // #nosec G204 -- the Python just found
}

func TestNoGoIsOneClearError(t *testing.T) {
	folder := onlyPath(t)
	require.ErrorContains(t, needsGo(t.Context()), "go is not on PATH")
	script(t, folder, "go", "echo go1.21.3")
	err := needsGo(t.Context())
	require.ErrorContains(t, err, "go1.21.3")
	require.ErrorContains(t, err, "install Go 1.26 or newer")
	script(t, folder, "go", "echo go1.30.0")
	require.NoError(t, needsGo(t.Context()))
}

func TestEverythingThatIsMissingIsSaidAtOnce(t *testing.T) {
	onlyPath(t)
	var out bytes.Buffer
	_, err := Ensure(t.Context(), Options{Root: checkout(t), Plugins: Build, Output: &out})
	require.ErrorContains(t, err, "go is not on PATH")
	require.ErrorContains(t, err, "python3 is not on PATH")
	assert.Empty(t, out.String(), "nothing was begun")
}

// checkout is a folder with the files that pins cover.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{
		"go.mod", "tools/go.mod", "tools/go.sum", requirements,
		"sandbox/awsplugin/main.go", "sandbox/parts/awssource/doc.go", "sandbox/randomplugin/main.go", "sandbox/codedeploy/codedeploy.go",
		"sandbox/lifecycle/lifecycle.go", "sandbox/machines/machines.go", "sandbox/balancer/balancer.go",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), nil, 0o600))
	}
	return root
}

func TestOfficialPluginsOfTheUserAreLinked(t *testing.T) {
	home := t.TempDir()
	t.Setenv("PULUMI_HOME", home)
	assert.Empty(t, installedPlugin(awsPlugin))
	folder := filepath.Join(home, "plugins", "resource-aws-v"+awsPlugin.version)
	script(t, folder, "pulumi-resource-aws", "")
	installed := filepath.Join(folder, "pulumi-resource-aws")
	assert.Equal(t, installed, installedPlugin(awsPlugin))

	root := checkout(t)
	b := &bench{root: root, folder: Folder(root)}
	for policy, want := range map[Policy]string{Auto: installed, Official: installed, Build: ""} {
		found, err := b.plugin(awsPlugin, policy).find(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, found.path, policy)
	}

	ours := t.TempDir()
	require.NoError(t, Plugin{Name: "aws", Version: awsPlugin.version, Path: installed}.Install(ours))
	target, err := os.Readlink(filepath.Join(ours, "plugins", "resource-aws-v"+awsPlugin.version, "pulumi-resource-aws"))
	require.NoError(t, err)
	assert.Equal(t, installed, target)
	t.Setenv("PULUMI_HOME", ours)
	assert.Empty(t, installedPlugin(awsPlugin), "the sandbox's own home holds links only")

	require.NoError(t, os.WriteFile(folder+".partial", nil, 0o600))
	t.Setenv("PULUMI_HOME", home)
	assert.Empty(t, installedPlugin(awsPlugin), "a partial installation is never used")
}

func TestOfficialPluginsThatCannotBeDownloaded(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	old := releases
	releases = server.URL
	t.Cleanup(func() { releases = old; server.Close() })
	root := checkout(t)
	b := &bench{root: root, folder: Folder(root)}
	step := progress.New(new(bytes.Buffer), 1).Start("plugin")

	_, err := b.makePlugin(t.Context(), awsPlugin, Official, step)
	require.ErrorContains(t, err, "404 Not Found")
	require.ErrorContains(t, err, "BLUEGREEN_SANDBOX_PLUGINS=build")

	fake := awsPlugin
	fake.build = func(_ context.Context, _, binary string, _ *log) error { return os.WriteFile(binary, nil, 0o600) }
	for _, policy := range []Policy{Auto, Build} {
		made, err := b.makePlugin(t.Context(), fake, policy, step)
		require.NoError(t, err)
		assert.Equal(t, awsPlugin.version+" built from source", made.source)
	}
}
