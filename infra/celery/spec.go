package celery

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Values of Spec.Mode.
const (
	Single              = "single"
	Supervised          = "supervised"
	WorkerFleet         = "workerFleet"
	WorkerAndBeatFleets = "workerAndBeatFleets"
	None                = "none"
)

var modes = []string{Single, Supervised, WorkerFleet, WorkerAndBeatFleets, None}

// Spec is what an operator chooses.
type Spec struct {
	// Mode is where Celery runs: single, a worker and beat beside web on each
	// web instance; supervised, further workers there as well; workerFleet, a
	// second fleet of workers with beat; workerAndBeatFleets, a third one for
	// beat; or none. The default is single.
	Mode string `json:"mode"`
	// Workers are the names of the further workers of mode supervised, as in
	// mail: each runs on every web instance beside the first one.
	Workers []string `json:"workers"`
	// Worker is the fleet of workers of the modes that have one.
	Worker Worker `json:"worker"`
	// Beat is the fleet of beat of mode workerAndBeatFleets.
	Beat Beat `json:"beat"`
}

// Worker is the fleet of workers. What is not here is as the web fleet's.
type Worker struct {
	// InstanceTypes are the EC2 instance types that may be launched, the
	// preferred one first, of the web fleet's architecture. The default is the
	// web fleet's types.
	InstanceTypes []string `json:"instanceTypes"`
	// MinSize is the least number of instances, at least 1: a deployment needs
	// a running one. The default is 1.
	MinSize int `json:"minSize"`
	// MaxSize is the largest number of instances. The default is 1.
	MaxSize int `json:"maxSize"`
	// OnDemandBaseCapacity is how many instances are on-demand before any spot
	// instance. The default is 0.
	OnDemandBaseCapacity int `json:"onDemandBaseCapacity"`
	// OnDemandPercentage is the share of on-demand instances above
	// OnDemandBaseCapacity, 0 to 100. The default is 0: all spot.
	OnDemandPercentage int `json:"onDemandPercentage"`
	// CapacityRebalance replaces a spot instance when EC2 warns that it may be
	// interrupted, before it is. The default is true.
	CapacityRebalance bool `json:"capacityRebalance"`
	// CPUTarget is the processor use in percent that instances are added and
	// removed to keep, 1 to 100. 0, the default, leaves the number alone.
	CPUTarget float64 `json:"cpuTarget"`
}

// Beat is the fleet of beat: one instance, always.
type Beat struct {
	// InstanceTypes are as those of the workers.
	InstanceTypes []string `json:"instanceTypes"`
	// OnDemand buys the instance on demand: while a spot instance is replaced
	// nothing is scheduled. The default is true.
	OnDemand bool `json:"onDemand"`
}

// Default is a worker and beat beside web.
func Default() Spec {
	return Spec{
		Mode:   Single,
		Worker: Worker{MinSize: 1, MaxSize: 1, CapacityRebalance: true},
		Beat:   Beat{OnDemand: true},
	}
}

// A worker's name becomes part of a systemd unit's.
var workerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// Validate reports every mistake at once. Instance types are the fleet's to
// check.
func (s Spec) Validate() error {
	problems := []error{
		check(slices.Contains(modes, s.Mode), "mode: want one of %s, got %q", strings.Join(modes, ", "), s.Mode),
		check(s.Mode != Supervised || len(s.Workers) > 0, "workers: want the name of at least one with mode supervised, got none; name one, or set mode to single"),
		check(s.Mode == Supervised || len(s.Workers) == 0, "workers: want none with mode %s, got %d; remove them, or set mode to supervised", s.Mode, len(s.Workers)),
		check(s.Worker.MinSize >= 1, "worker.minSize: want at least 1, because a deployment needs a running instance; got %d", s.Worker.MinSize),
		check(s.Worker.MinSize <= s.Worker.MaxSize, "worker.minSize: %d exceeds worker.maxSize %d; raise the second or lower the first", s.Worker.MinSize, s.Worker.MaxSize),
		check(s.Worker.OnDemandBaseCapacity >= 0, "worker.onDemandBaseCapacity: want 0 or more, got %d", s.Worker.OnDemandBaseCapacity),
		check(s.Worker.OnDemandPercentage >= 0 && s.Worker.OnDemandPercentage <= 100, "worker.onDemandPercentage: want 0 to 100, got %d", s.Worker.OnDemandPercentage),
		check(s.Worker.CPUTarget == 0 || s.Worker.CPUTarget >= 1 && s.Worker.CPUTarget <= 100, "worker.cpuTarget: want 1 to 100 percent, or 0 for none; got %g", s.Worker.CPUTarget),
	}
	for i, name := range s.Workers {
		problems = append(problems,
			check(workerName.MatchString(name), "workers[%d]: want lower-case letters, digits and dashes, got %q", i, name),
			check(slices.Index(s.Workers, name) == i, "workers[%d]: %q is listed twice; remove one", i, name),
		)
	}
	return errors.Join(problems...)
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
