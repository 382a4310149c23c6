package instance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What systemd makes of the file that the loader wrote is what a service gets,
// and what Django's settings make of that is what the application works with.
func TestEveryValueArrivesThroughSystemd(t *testing.T) {
	t.Parallel()
	m := newBooted(t)
	application, err := filepath.Abs(filepath.Join(root, "app"))
	require.NoError(t, err)
	for seed := range uint64(3) {
		values := generated(seed)
		l := newValues(t, values)
		output, err := l.load("web")
		require.NoError(t, err, output)
		file, err := os.ReadFile(filepath.Join(l.directory, "web.env"))
		require.NoError(t, err)
		m.write("/run/example/web.env", string(file))

		text := m.do("systemd-run", "--quiet", "--wait", "--pipe", "--property", "EnvironmentFile=/run/example/web.env",
			"--working-directory", application, python(t), "-c", `
import json, os
from config.env import Env
print(json.dumps([dict(os.environ), {name: Env().str(name) for name in os.environ if os.environ[name]}]))`)
		var got [2]map[string]string
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assertValues(t, values, got[0])
		assertValues(t, values, got[1])
	}
	assert.NotContains(t, m.do("journalctl", "--no-pager"), "Ignoring invalid environment")
}
