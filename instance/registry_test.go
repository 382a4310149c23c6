package instance

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var reads = regexp.MustCompile(`env(?:\.\w+)?\("([A-Z_]+)"`)

func TestTheRegistryKnowsWhatTheApplicationReads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "environment.yaml"))
	require.NoError(t, err)
	var registry struct {
		Variables map[string]any `yaml:"variables"`
	}
	require.NoError(t, yaml.Unmarshal(text, &registry))
	found := 0
	for _, file := range []string{"base.py", "production.py"} {
		text, err := os.ReadFile(filepath.Join(root, "app/config/settings", file))
		require.NoError(t, err)
		for _, match := range reads.FindAllStringSubmatch(string(text), -1) {
			found++
			assert.Contains(t, registry.Variables, match[1], "%s reads it: add it to environment.yaml", file)
		}
	}
	assert.Greater(t, found, 20)
}
