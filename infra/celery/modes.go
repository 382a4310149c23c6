package celery

import "strings"

// Names of the fleets, which end the names of their deployment groups:
// app/release.sh knows them. Changing one replaces the fleet.
const (
	workersAndBeat = "Celery"
	workers        = "CeleryWorker"
	beat           = "CeleryBeat"
)

// Fleet is a number of instances that run Celery and no web server.
type Fleet struct {
	Name          string   // as in "CeleryWorker"
	Services      string   // what each instance runs, as in "worker beat"
	InstanceTypes []string // none for the web fleet's
	MinSize       int
	MaxSize       int

	onDemandBaseCapacity, onDemandPercentage int
	capacityRebalance                        bool
	cpuTarget                                float64
}

// Web is what each web instance runs, as in "web worker beat".
func (s Spec) Web() string {
	services := []string{"web"}
	switch s.Mode {
	case Single:
		services = append(services, "worker", "beat")
	case Supervised:
		services = append(services, "worker")
		for _, name := range s.Workers {
			services = append(services, "worker@"+name)
		}
		services = append(services, "beat")
	}
	return strings.Join(services, " ")
}

// Fleets are the fleets beside the web fleet, in the order of a release: the
// workers know a new task before beat asks for it.
func (s Spec) Fleets() []Fleet {
	switch s.Mode {
	case WorkerFleet:
		return []Fleet{s.workerFleet(workersAndBeat, "worker beat")}
	case WorkerAndBeatFleets:
		return []Fleet{s.workerFleet(workers, "worker"), s.beatFleet()}
	default:
		return nil
	}
}

func (s Spec) workerFleet(name, services string) Fleet {
	return Fleet{
		Name: name, Services: services, InstanceTypes: s.Worker.InstanceTypes, MinSize: s.Worker.MinSize, MaxSize: s.Worker.MaxSize,
		onDemandBaseCapacity: s.Worker.OnDemandBaseCapacity, onDemandPercentage: s.Worker.OnDemandPercentage,
		capacityRebalance: s.Worker.CapacityRebalance, cpuTarget: s.Worker.CPUTarget,
	}
}

// beatFleet never rebalances: that would start the next beat before the last
// one has ended.
func (s Spec) beatFleet() Fleet {
	fleet := Fleet{Name: beat, Services: "beat", InstanceTypes: s.Beat.InstanceTypes, MinSize: 1, MaxSize: 1}
	if s.Beat.OnDemand {
		fleet.onDemandBaseCapacity, fleet.onDemandPercentage = 1, 100
	}
	return fleet
}
