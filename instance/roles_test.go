package instance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/infra/naming"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rolesOf asks scripts/common.sh what an instance of a deployment group runs.
func rolesOf(t *testing.T, group string) (output string, err error) {
	t.Helper()
	command := exec.Command("bash", "-c", `source ../scripts/common.sh; read_roles; echo "${roles[*]}"`)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "DEPLOYMENT_GROUP_NAME=" + group}
	text, err := command.CombinedOutput()
	return string(text), err
}

func TestTheDeploymentGroupDecidesWhatRuns(t *testing.T) {
	for group, want := range map[string]string{
		// The name that the platform gives the web fleet's group.
		naming.Site{Project: "example", Environment: "prod"}.DeploymentGroup(): "web worker beat\n",
		"example-prod-Celery":       "worker beat\n",
		"example-prod-CeleryWorker": "worker\n",
		"example-prod-CeleryBeat":   "beat\n",
	} {
		output, err := rolesOf(t, group)
		require.NoError(t, err, output)
		assert.Equal(t, want, output, group)
	}
	for _, group := range []string{"", "example-prod-celery", "example-prod-MyCelery", "example-prod-CeleryWorkers", "Celery*"} {
		output, err := rolesOf(t, group)
		require.Error(t, err, group)
		assert.Contains(t, output, "ends in none of: Celery CeleryBeat CeleryWorker DeploymentGroup-01;", group)
	}
}

// systemd itself says whether it understands the units, where it is installed.
func TestUnitsAreUnderstood(t *testing.T) {
	folder := t.TempDir()
	var units []string
	for _, unit := range []string{"web.socket", "web.service", "worker.service", "worker@.service", "beat.service"} {
		text, err := os.ReadFile(filepath.Join(root, "scripts/systemd", unit))
		require.NoError(t, err)
		// The programs are not here; systemd looks for them.
		replaced := strings.NewReplacer(
			"/srv/@project@/current/scripts/load-environment", "/bin/true", "/srv/@project@/current/scripts/run", "/bin/true",
			"@project@", "example", "@user@", "daemon",
		).Replace(string(text))
		assert.NotContains(t, replaced, "@project@")
		file := filepath.Join(folder, "example-"+unit)
		require.NoError(t, os.WriteFile(file, []byte(replaced), 0o600))
		units = append(units, file)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Empty(t, os.Getenv("BLUEGREEN_REQUIRE_MACHINES"), "systemd-analyze: not installed")
		t.Skip("no systemd-analyze here: nobody has looked at the units")
	}
	output, err := exec.Command(analyze, append([]string{"verify", "--man=no", "--generators=no"}, units...)...).CombinedOutput() // #nosec G204 -- systemd's own program
	assert.NoError(t, err, string(output))
	assert.NotContains(t, string(output), "Unknown")
}
