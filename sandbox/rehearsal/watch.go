package rehearsal

import (
	"context"
	"maps"
	"slices"
	"time"
)

const watchInterval = 500 * time.Millisecond

// watch records what changes on machines and targets until the context ends.
// What cannot be seen is looked at again: each step checks its end state itself.
func (r *rehearsal) watch(ctx context.Context) {
	machines, targets := map[string]Machine{}, map[string]string{}
	ticks := time.NewTicker(watchInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		state, err := r.stage.State(ctx)
		if err != nil {
			continue
		}
		r.changes(state, machines, targets)
	}
}

// changes records what is otherwise than before, and remembers it.
func (r *rehearsal) changes(state State, machines map[string]Machine, targets map[string]string) {
	seen := map[string]bool{}
	for _, machine := range state.Machines {
		seen[machine.Instance] = true
		if machines[machine.Instance].State != machine.State {
			machines[machine.Instance] = machine
			if machine.State != Killed { // whoever kills it records that, and when
				r.recorder.add(Entry{Machine: &machine})
			}
		}
	}
	for _, instance := range slices.Sorted(maps.Keys(machines)) {
		before := machines[instance]
		if !seen[instance] && before.State != Gone && before.State != Killed {
			before.State = Gone
			machines[instance] = before
			r.recorder.add(Entry{Machine: &before})
		}
	}
	for _, instance := range slices.Sorted(maps.Keys(state.Targets)) {
		if health := state.Targets[instance]; targets[instance] != health {
			targets[instance] = health
			r.recorder.add(Entry{Target: &Target{Instance: instance, Health: health}})
		}
	}
	for _, instance := range slices.Sorted(maps.Keys(targets)) {
		if _, still := state.Targets[instance]; !still {
			delete(targets, instance)
			r.recorder.add(Entry{Target: &Target{Instance: instance}})
		}
	}
}
