package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"bluegreen/internal/release"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// greenKilled takes the power of the first green machine away while AfterInstall
// runs on it. Of two instances, HalfAtATime wants one to stay healthy and works
// on one at a time: with the first lost, none may be worked on any more, so that
// the deployment has to fail.
func (r *rehearsal) greenKilled(ctx context.Context) (problems, facts []string, err error) {
	var killing killer
	result, err := r.stage.Release(ctx, Revision{Commit: r.Versions.Lost.Commit}, r.teller(r.Versions.Lost.Short, func(e release.Event) {
		if e.Lifecycle == "AfterInstall" && e.Status == string(types.LifecycleEventStatusInProgress) && len(e.Instances) > 0 {
			killing.kill(ctx, r, e.Instances[0])
		}
	}))
	if killed := killing.result(); err == nil {
		err = killed
	}
	if err != nil {
		return nil, nil, err
	}
	problems, facts = r.rolledBack(ctx, result, "AfterInstall")
	return problems, append(facts, killing.instance+" killed"), nil
}

// killer kills one machine, beside the release that goes on.
type killer struct {
	once     sync.Once
	instance string
	done     chan error
}

func (k *killer) kill(ctx context.Context, r *rehearsal, instance string) {
	k.once.Do(func() {
		k.instance, k.done = instance, make(chan error, 1)
		r.recorder.add(Entry{Machine: &Machine{Instance: instance, State: Killed}})
		go func() { k.done <- r.stage.Kill(ctx, instance) }()
	})
}

// result is how the killing went.
func (k *killer) result() error {
	if k.done == nil {
		return fmt.Errorf("the moment to kill a machine never came")
	}
	return <-k.done
}

// blue is the instances of the live group.
func (r *rehearsal) blue(ctx context.Context) ([]string, error) {
	state, err := r.stage.State(ctx)
	if err != nil {
		return nil, err
	}
	blue := state.members(state.Live)
	if len(blue) == 0 {
		return nil, fmt.Errorf("live group %s: no instance is left in it", state.Live)
	}
	return blue, nil
}

// blueInterrupted ends an instance that serves, as capacity rebalancing does. The
// one that takes its place gets the release from CodeDeploy.
func (r *rehearsal) blueInterrupted(ctx context.Context) (problems, facts []string, err error) {
	blue, err := r.blue(ctx)
	if err != nil {
		return nil, nil, err
	}
	victim := slices.Min(blue)
	r.recorder.add(Entry{Machine: &Machine{Instance: victim, State: Interrupted}})
	if err := r.stage.Interrupt(ctx, victim); err != nil {
		return nil, nil, err
	}
	problems, facts = r.settled(ctx, r.expected())
	return problems, append(facts, victim+" interrupted"), nil
}

// blueKilled releases, and takes the power of an old machine away when its
// visitors have moved. The release has succeeded by then and stays.
func (r *rehearsal) blueKilled(ctx context.Context) (problems, facts []string, err error) {
	blue, err := r.blue(ctx)
	if err != nil {
		return nil, nil, err
	}
	blocked := map[string]bool{}
	var killing killer
	problems, facts, err = r.released(ctx, r.Versions.Last, func(e release.Event) {
		if e.Lifecycle == "AfterBlockTraffic" && e.Status != string(types.LifecycleEventStatusInProgress) {
			for _, instance := range e.Instances {
				blocked[instance] = true
			}
		}
		if len(blocked) == len(blue) {
			killing.kill(ctx, r, slices.Min(blue))
		}
	})
	if killed := killing.result(); err == nil {
		err = killed
	}
	return problems, append(facts, killing.instance+" killed"), err
}
