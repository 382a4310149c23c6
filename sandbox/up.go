package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"bluegreen/sandbox/parts"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// Summary is what a sandbox holds after Up.
type Summary struct {
	Stack      string         `json:"stack"`
	Endpoint   string         `json:"endpoint"`
	Region     string         `json:"region"`
	Account    string         `json:"account"`
	Changes    map[string]int `json:"changes"` // resources by operation; only "same" when nothing changed
	Resources  int            `json:"resources"`
	Components []Component    `json:"components"`
	Outputs    map[string]any `json:"outputs"` // secrets concealed
	Seconds    float64        `json:"seconds"`
	Site       string         `json:"site,omitempty"` // where the load balancer answers; none without machines
}

// Up starts the emulated AWS unless it runs, and brings the stack in it to what
// the configuration says. It recovers from a killed emulator and from a killed
// Up.
//
// Errors: a mistake in the configuration, everything that parts.Ensure reports,
// an occupied port, a running emulator that does not fit any more, another
// command at work, and what the engine reports about resources.
func (s *Sandbox) Up(ctx context.Context) (Summary, error) {
	began := time.Now()
	if s.Machines {
		if err := CheckMachines(ctx); err != nil {
			return Summary{}, err
		}
	}
	world, tools, err := s.prepare(ctx, s.file)
	if err != nil {
		return Summary{}, err
	}
	release, interrupted, err := s.exclusive("up")
	if err != nil {
		return Summary{}, err
	}
	defer release()
	record, err := s.ensureServer(ctx, tools, world)
	if err != nil {
		return Summary{}, err
	}
	record, stack, err := s.recovered(ctx, interrupted, tools, record)
	if err != nil {
		return Summary{}, err
	}
	op, err := s.operate(ctx, "up", "Creating and updating", func(log io.Writer, stream chan<- events.EngineEvent) error {
		_, err := stack.Up(ctx, optup.ProgressStreams(log), optup.ErrorProgressStreams(log),
			optup.EventStreams(stream), optup.SuppressOutputs(), optup.ShowSecrets(false))
		return err
	})
	if err != nil {
		err = s.aboutLeftovers(err)
		return Summary{}, errors.Join(err, s.rememberFailure(err))
	}
	if err := errors.Join(s.keepCheckpoint(), writeFile(s.path(completeFile), nil), removeFile(s.path(leftoversFile)), removeFile(s.path(failedFile))); err != nil {
		return Summary{}, err
	}
	state, err := s.deployment(ctx, record)
	if err != nil {
		return Summary{}, err
	}
	list := components(state)
	return Summary{
		Stack: s.Stack, Endpoint: record.Endpoint, Region: world.Region, Account: world.Account,
		Changes: op.changes(), Resources: total(list), Components: list, Outputs: outputs(state),
		Seconds: time.Since(began).Seconds(), Site: record.Site,
	}, nil
}

// prepare checks the configuration, before anything takes time, and gets the parts.
func (s *Sandbox) prepare(ctx context.Context, file string) (World, parts.Tools, error) {
	world, err := s.Program.World(s.projectFile(), file)
	if err != nil {
		return World{}, parts.Tools{}, err
	}
	tools, err := s.tools(ctx)
	return world, tools, err
}

func (s *Sandbox) tools(ctx context.Context) (parts.Tools, error) {
	policy, err := parts.PolicyFromEnvironment()
	if err != nil {
		return parts.Tools{}, err
	}
	return s.ensure(ctx, parts.Options{Root: s.Root, Plugins: policy, Output: s.Progress})
}

// ensureServer finds the running emulator, or starts one. The state of an
// emulator that is gone describes what no longer exists.
func (s *Sandbox) ensureServer(ctx context.Context, tools parts.Tools, world World) (server, error) {
	record, now, err := s.settled(ctx)
	switch {
	case err != nil:
		return server{}, err
	case now == gone:
		s.say("The emulator has stopped (process %d is gone), and the emulated AWS with it. Creating everything anew.", record.PID)
		return s.fresh(ctx, tools, world)
	case now == none:
		return s.fresh(ctx, tools, world)
	}
	if _, err := record.health(ctx); err != nil {
		return server{}, fmt.Errorf("the emulator, process %d, does not answer at %s: %w; run bluegreen sandbox destroy --force, then up", record.PID, record.Endpoint, err)
	}
	if s.Port != 0 && record.Endpoint != fmt.Sprintf("http://127.0.0.1:%d", s.Port) {
		return server{}, fmt.Errorf("the sandbox runs already, at %s, not at port %d; leave --port away, or run bluegreen sandbox destroy first", record.Endpoint, s.Port)
	}
	if s.Machines && record.Site == "" {
		return server{}, errors.New("the sandbox runs already, without machines; run bluegreen sandbox destroy, then up --machines")
	}
	return record, record.fits(tools.EmulatorPin, world)
}

// fresh starts an emulator and forgets what was recorded of an earlier one.
func (s *Sandbox) fresh(ctx context.Context, tools parts.Tools, world World) (server, error) {
	if err := errors.Join(os.RemoveAll(s.path("state")), removeFile(s.path(completeFile)), removeFile(s.path(leftoversFile)), removeFile(s.path(failedFile))); err != nil {
		return server{}, err
	}
	record, err := s.start(ctx, tools, world)
	if err == nil {
		s.say("Emulated AWS at %s (process %d).", record.Endpoint, record.PID)
	}
	return record, err
}

// open brings the workspace up to date and opens the stack in it.
func (s *Sandbox) open(ctx context.Context, tools parts.Tools, record server) (auto.Stack, error) {
	if err := errors.Join(os.MkdirAll(s.path("state"), 0o700), os.MkdirAll(s.path("home"), 0o700)); err != nil {
		return auto.Stack{}, err
	}
	if err := s.copyConfiguration(ctx, s.file); err != nil {
		return auto.Stack{}, err
	}
	return s.stack(ctx, tools, record)
}
