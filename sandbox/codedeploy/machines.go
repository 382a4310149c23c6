package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
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

// Command is a lifecycle event to perform: what the agent gets told.
type Command struct {
	Event               string // "ApplicationStart"
	DeploymentID        string
	Application         string
	DeploymentGroup     string
	DeploymentGroupID   string
	Revision            types.RevisionLocation // whose hook is to run: for ApplicationStop and traffic hooks on original instances, the last successful one there
	FileExistsBehavior  types.FileExistsBehavior
	DeploymentCreatedAt time.Time
}

// ScriptError is the failure of a hook's script.
type ScriptError struct {
	Code    types.LifecycleErrorCode // ScriptFailed when empty
	Script  string                   // as appspec.yml names it
	Message string
}

// Error says what happened.
func (e *ScriptError) Error() string { return e.Message }

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
