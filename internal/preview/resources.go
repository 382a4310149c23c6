package preview

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// Stack is the name of the previewed stack, "" in a digest without steps.
func (d Digest) Stack() string {
	for _, step := range d.Steps {
		return step.URN.Stack().String()
	}
	return ""
}

// Changed are the steps that change something: each replacement once, nothing
// that stays or is only read. Components and the stack itself are among them;
// Real tells resources.
func (d Digest) Changed() []Step {
	return slices.DeleteFunc(slices.Clone(d.Steps), func(step Step) bool {
		return slices.Contains(quiet, step.Op) || slices.Contains(halves, step.Op)
	})
}

// Failed tells whether the preview itself failed: something said an error.
func (d Digest) Failed() bool {
	return slices.ContainsFunc(d.Diagnostics, func(said Diagnostic) bool { return said.Severity == "error" })
}

// Whole tells whether every unchanged resource is listed, as with --show-sames.
// If not, Before and After lack them.
func (d Digest) Whole() bool {
	listed := 0
	for _, step := range d.Steps {
		if step.Op == Same {
			listed++
		}
	}
	return listed >= d.ChangeSummary[Same]
}

// Before are the resources that exist.
func (d Digest) Before() []State {
	return d.states(func(step Step) *State { return step.OldState })
}

// After are the resources that would exist. The engine leaves id and outputs away
// until it has them; those of what stays are known all the same.
func (d Digest) After() []State {
	return d.states(func(step Step) *State {
		if step.NewState == nil || step.OldState == nil || step.Op != Same && step.Op != Update {
			return step.NewState
		}
		state := *step.NewState
		state.ID = cmp.Or(state.ID, step.OldState.ID)
		if step.Op == Same && len(state.Outputs) == 0 {
			state.Outputs = step.OldState.Outputs
		}
		return &state
	})
}

// states picks one state of each resource. A preview that refreshes reports a
// resource twice: what it read, then what it would do.
func (d Digest) states(of func(Step) *State) []State {
	var states []State
	at := map[urn.URN]int{}
	for _, step := range d.Steps {
		state := of(step)
		if state == nil || state.Delete || slices.Contains(halves, step.Op) {
			continue
		}
		if index, seen := at[state.URN]; seen {
			states[index] = *state
			continue
		}
		at[state.URN] = len(states)
		states = append(states, *state)
	}
	return states
}

// Real tells whether the step is about a resource of a provider: not a component,
// the stack, or the provider itself, which are grouping and wiring.
func (s Step) Real() bool {
	state := s.NewState
	if state == nil {
		state = s.OldState
	}
	return state != nil && state.Real()
}

// Real tells whether the state is of a resource of a provider.
func (s State) Real() bool {
	return s.Custom && !strings.HasPrefix(s.Type, "pulumi:")
}

// Name is the resource's name in the program.
func (s State) Name() string { return s.URN.Name() }
