package instance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/infra/celery"
	"bluegreen/infra/naming"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rolesOf asks scripts/common.sh what an instance of a deployment group runs,
// on which the first start has written services down; "" for none.
func rolesOf(t *testing.T, group, written string) (output string, err error) {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "etc"), 0o755)) // #nosec G301 -- as on an instance
	instance := "PARAMETER_PATH=/example/prod/\n"
	if written != "" {
		instance += "SERVICES=\"" + written + "\"\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "etc/bluegreen.env"), []byte(instance), 0o600))
	command := exec.Command("bash", "-c", `source ../scripts/common.sh; read_instance; read_roles; echo "${roles[*]}"`)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "ROOT=" + folder, "DEPLOYMENT_GROUP_NAME=" + group, "SERVICES=of the agent's own environment"}
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
		output, err := rolesOf(t, group, "")
		require.NoError(t, err, output)
		assert.Equal(t, want, output, group)
	}
	for _, group := range []string{"", "example-prod-celery", "example-prod-MyCelery", "example-prod-CeleryWorkers", "Celery*"} {
		for _, written := range []string{"", "web"} {
			output, err := rolesOf(t, group, written)
			require.Error(t, err, group)
			assert.Contains(t, output, "ends in none of: Celery CeleryBeat CeleryWorker DeploymentGroup-01;", group)
		}
	}
}

// What the stack says of an instance is what it runs, in every mode, and each
// group that the stack has is one that app/release.sh knows.
func TestTheStackDecidesWhatRuns(t *testing.T) {
	site := naming.Site{Project: "example", Environment: "prod"}
	for _, mode := range []string{celery.Single, celery.Supervised, celery.WorkerFleet, celery.WorkerAndBeatFleets, celery.None} {
		spec := celery.Default()
		if spec.Mode = mode; mode == celery.Supervised {
			spec.Workers = []string{"mail", "slow-reports"}
		}
		require.NoError(t, spec.Validate())
		output, err := rolesOf(t, site.DeploymentGroup(), spec.Web())
		require.NoError(t, err, output)
		assert.Equal(t, spec.Web()+"\n", output, mode)
		for _, fleet := range spec.Fleets() {
			for _, written := range []string{fleet.Services, ""} { // and without it the table says the same
				output, err := rolesOf(t, site.CeleryDeploymentGroup(fleet.Name), written)
				require.NoError(t, err, output)
				assert.Equal(t, fleet.Services+"\n", output, fleet.Name)
			}
		}
	}
}

func TestAServiceThatTheApplicationLacksIsAnError(t *testing.T) {
	output, err := rolesOf(t, "example-prod-DeploymentGroup-01", "web flower")
	require.Error(t, err)
	assert.Contains(t, output, "flower: no function of app/release.sh; write one, or choose another celery.mode of the stack")
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
			"@project@", "example", "@user@", "daemon", "@worker_memory@", "60%",
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
