package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Status is what there is.
type Status struct {
	Running   bool           `json:"running"`
	Problem   string         `json:"problem,omitempty"` // why it does not run, or what is wrong with it
	Stack     string         `json:"stack"`
	Endpoint  string         `json:"endpoint,omitempty"`
	Region    string         `json:"region,omitempty"`
	Account   string         `json:"account,omitempty"`
	Site      string         `json:"site,omitempty"` // where the load balancer answers; none without machines
	Processes []Process      `json:"processes"`
	Resources int            `json:"resources"`
	Outputs   map[string]any `json:"outputs"` // secrets concealed
	Folder    string         `json:"folder"`
	Logs      []string       `json:"logs"`
}

// Process is a process of the sandbox.
type Process struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	Alive   bool      `json:"alive"`
	Started time.Time `json:"started"`
}

// failedFile is there from an up or a destroy that failed to the next up that
// succeeds.
const failedFile = "failed.json"

// failed is what went wrong, for whoever comes later.
type failed struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

func (s *Sandbox) rememberFailure(err error) error {
	return writeJSON(s.path(failedFile), failed{At: time.Now(), Text: err.Error()})
}

// Status looks at the sandbox. It works beside another command, and changes
// nothing. A sandbox that does not run is no error.
func (s *Sandbox) Status(ctx context.Context) (Status, error) {
	status := Status{
		Stack: s.Stack, Folder: s.Folder, Processes: []Process{}, Outputs: map[string]any{},
		Logs: []string{s.path(logFolder), s.log},
	}
	record, now, err := s.lookup()
	if err != nil {
		return status, err
	}
	switch now {
	case none:
		status.Problem = ErrNotRunning.Error()
		return status, nil
	case starting:
		status.Problem = "the emulated AWS is starting"
		return status, nil
	}
	status.Endpoint, status.Region, status.Account = record.Endpoint, record.World.Region, record.World.Account
	status.Site = record.Site
	status.Processes = append(status.Processes, Process{Name: "emulator", PID: record.PID, Alive: now == serving, Started: record.Started})
	if now == gone {
		status.Problem = errGone(record).Error()
		return status, nil
	}
	health, err := record.health(ctx)
	if err != nil {
		status.Problem = fmt.Sprintf("the emulator, process %d, does not answer: %v; run bluegreen sandbox destroy --force, then up", record.PID, err)
		return status, nil
	}
	status.Running = true
	if !s.complete() {
		status.Problem = "the first creation has not come to its end; unless it is at work now, run bluegreen sandbox up"
	}
	var last failed
	if readJSON(s.path(failedFile), &last) == nil {
		status.Problem = fmt.Sprintf("the last up or destroy failed, at %s; mend that and run it again\n%s", last.At.Local().Format(time.DateTime), last.Text)
	}
	status.Processes = append(status.Processes, Process{Name: "moto", PID: health.Process, Alive: health.Moto, Started: health.Started})
	return status, s.addStack(ctx, &status, record)
}

// addStack adds what Pulumi's state holds, once an Up has made the stack.
func (s *Sandbox) addStack(ctx context.Context, status *Status, record server) error {
	if _, err := os.Stat(s.checkpoint()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if torn, err := s.torn(); err != nil || torn {
		status.Problem = "the state is being written, or an engine was killed meanwhile; unless a command is at work now, run bluegreen sandbox up"
		return err
	}
	state, err := s.deployment(ctx, record)
	if err != nil {
		return err
	}
	status.Resources, status.Outputs = total(components(state)), outputs(state)
	return nil
}
