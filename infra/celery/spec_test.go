package celery

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestModes(t *testing.T) {
	for mode, want := range map[string]struct {
		web    string
		fleets map[string]string
	}{
		Single:              {"web worker beat", map[string]string{}},
		Supervised:          {"web worker worker@mail worker@reports beat", map[string]string{}},
		WorkerFleet:         {"web", map[string]string{"Celery": "worker beat"}},
		WorkerAndBeatFleets: {"web", map[string]string{"CeleryWorker": "worker", "CeleryBeat": "beat"}},
		None:                {"web", map[string]string{}},
	} {
		spec := Default()
		if spec.Mode = mode; mode == Supervised {
			spec.Workers = []string{"mail", "reports"}
		}
		assert.NoError(t, spec.Validate(), mode)
		assert.Equal(t, want.web, spec.Web(), mode)
		fleets := map[string]string{}
		for _, fleet := range spec.Fleets() {
			fleets[fleet.Name] = fleet.Services
		}
		assert.Equal(t, want.fleets, fleets, mode)
	}
}

// An old worker would drop a task that it does not know.
func TestWorkersComeBeforeBeat(t *testing.T) {
	spec := Default()
	spec.Mode = WorkerAndBeatFleets
	assert.Equal(t, []string{"CeleryWorker", "CeleryBeat"}, []string{spec.Fleets()[0].Name, spec.Fleets()[1].Name})
}

func TestValidateReportsAll(t *testing.T) {
	spec := Spec{Mode: "three", Workers: []string{"Mail", "a", "a", "-"}, Worker: Worker{MinSize: 2, MaxSize: 1, OnDemandBaseCapacity: -1, OnDemandPercentage: 101, CPUTarget: 0.5}}
	assert.EqualError(t, spec.Validate(), `mode: want one of single, supervised, workerFleet, workerAndBeatFleets, none, got "three"
workers: want none with mode three, got 4; remove them, or set mode to supervised
worker.minSize: 2 exceeds worker.maxSize 1; raise the second or lower the first
worker.onDemandBaseCapacity: want 0 or more, got -1
worker.onDemandPercentage: want 0 to 100, got 101
worker.cpuTarget: want 1 to 100 percent, or 0 for none; got 0.5
workers[0]: want lower-case letters, digits and dashes, got "Mail"
workers[2]: "a" is listed twice; remove one
workers[3]: want lower-case letters, digits and dashes, got "-"`)

	spec = Default()
	spec.Mode = Supervised
	assert.EqualError(t, spec.Validate(), "workers: want the name of at least one with mode supervised, got none; name one, or set mode to single")
}
