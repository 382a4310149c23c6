package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// eventTime is how long a lifecycle event may take (CodeDeploy User Guide,
// "CodeDeploy quotas").
const eventTime = time.Hour

// errEventTime is why an event is given up that nobody else gave up.
var errEventTime = errors.New("the lifecycle event took longer than CodeDeploy allows")

// lost is an instance that is no more.
type lost struct{ instance string }

func (l *lost) Error() string {
	return fmt.Sprintf("instance %s is terminated or stopped; nothing can run on it", l.instance)
}

// guarded performs an event for as long as its instance lives, and its time lasts.
// Traffic is taken from an instance that is gone all the same.
func (r *run) guarded(ctx context.Context, t *target, name string) (log string, err error) {
	if r.service.simulated() || name == blockTraffic {
		return r.act(ctx, t, name)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.service.eventTime, errEventTime)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	gone := func() bool {
		alive, err := r.cloud.alive(ctx, t.id())
		return err == nil && !alive // AWS out of reach is no proof
	}
	if gone() {
		return "", &lost{t.id()}
	}
	go func() {
		ticks := time.NewTicker(r.service.launchPoll)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				if gone() {
					end(&lost{t.id()})
					return
				}
			}
		}
	}()
	log, err = r.act(ctx, t, name)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		if _, dead := errors.AsType[*lost](cause); dead || errors.Is(cause, errEventTime) {
			err = cause
		}
	}
	return log, err
}
