package codedeploy

import (
	"context"
	"time"

	"bluegreen/sandbox/lifecycle"
)

// Machines do what happens on instances: what the CodeDeploy agent does.
// BlockTraffic and AllowTraffic are CodeDeploy's own and never come here.
type Machines interface {
	// Run performs one lifecycle event on an instance and returns the log of its
	// script. It is called for many instances at once, for each instance in order.
	// An ended context means that the deployment was stopped. An error that is a
	// *ScriptError says which script failed and how.
	Run(ctx context.Context, instance string, command Command) (log string, err error)
}

// Command is a lifecycle event to perform.
type Command = lifecycle.Command

// ScriptError is the failure of a hook's script.
type ScriptError = lifecycle.ScriptError

// Simulation is Machines where every event succeeds after a while.
type Simulation struct {
	EventTime time.Duration // of each event; none by default
}

// Run waits.
func (s Simulation) Run(ctx context.Context, _ string, _ Command) (string, error) {
	if s.EventTime <= 0 {
		return "", ctx.Err()
	}
	timer := time.NewTimer(s.EventTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return "", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
