package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bluegreen/sandbox/emulator"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
)

// ErrNotRunning means that there is no sandbox to work on.
var ErrNotRunning = errors.New("no sandbox is running; bluegreen sandbox up starts one")

// errGone says that the emulator of a record has ended without Destroy.
func errGone(record server) error {
	return fmt.Errorf("the emulator has stopped (process %d is gone), and the emulated AWS with it; bluegreen sandbox up creates everything anew", record.PID)
}

// Changes is what a preview found.
type Changes struct {
	Stack string         `json:"stack"`
	Count map[string]int `json:"count"` // resources by operation
	Steps []Step         `json:"steps"` // the resources that would change
}

// Any tells whether Up would change anything.
func (c Changes) Any() bool { return len(c.Steps) > 0 }

// Refresh says whether a preview reads what exists first.
type Refresh string

// Values of Refresh.
const (
	RefreshAsConfigured Refresh = ""      // as Pulumi.yaml says
	RefreshAlways       Refresh = "true"  // whatever Pulumi.yaml says
	RefreshNever        Refresh = "false" // go by the state alone
)

// Preview says what Up would do to the running sandbox.
//
// Errors: ErrNotRunning, and the ones of Up.
func (s *Sandbox) Preview(ctx context.Context, refresh Refresh) (Changes, error) {
	if _, now, err := s.lookup(); err == nil && now == none {
		return Changes{}, fmt.Errorf("%w, and preview --stack-file needs none", ErrNotRunning)
	}
	world, tools, err := s.prepare(ctx, s.file)
	if err != nil {
		return Changes{}, err
	}
	release, interrupted, err := s.exclusive("preview")
	if err != nil {
		return Changes{}, err
	}
	defer release()
	record, now, err := s.settled(ctx)
	switch {
	case err != nil:
		return Changes{}, err
	case now == gone:
		return Changes{}, errGone(record)
	case now == none:
		return Changes{}, ErrNotRunning
	}
	if err := record.fits(tools.EmulatorPin, world); err != nil {
		return Changes{}, err
	}
	if interrupted {
		s.say("The last command was interrupted: this preview is of what it left. bluegreen sandbox up recovers.")
	}
	stack, err := s.open(ctx, tools, record)
	if err != nil {
		return Changes{}, err
	}
	return s.preview(ctx, stack, refresh)
}

func (s *Sandbox) preview(ctx context.Context, stack auto.Stack, refresh Refresh) (Changes, error) {
	if refresh != RefreshAsConfigured {
		// The Automation API can switch a refresh on and not off.
		stack.Workspace().SetEnvVar("PULUMI_OPTION_REFRESH", string(refresh))
	}
	op, err := s.operate(ctx, "preview", "Previewing", func(log io.Writer, stream chan<- events.EngineEvent) error {
		options := []optpreview.Option{
			optpreview.ErrorProgressStreams(log), optpreview.EventStreams(stream), optpreview.SuppressOutputs(),
		}
		if s.Digest == nil {
			options = append(options, optpreview.ProgressStreams(log))
		}
		result, err := stack.Preview(ctx, options...)
		if err != nil || s.Digest == nil {
			return err
		}
		_, err = io.WriteString(s.Digest, result.StdOut)
		return err
	})
	if err != nil {
		return Changes{}, err
	}
	return Changes{Stack: s.Stack, Count: op.changes(), Steps: op.changed()}, nil
}

// PreviewFile previews the real configuration of another stack against an empty
// AWS that lives as long as the preview: no account, no key and no running
// sandbox are needed, and none is touched. Values that are encrypted in the file
// are placeholders here.
func (s *Sandbox) PreviewFile(ctx context.Context, file string) (changes Changes, err error) {
	world, tools, err := s.prepare(ctx, file)
	if err != nil {
		return Changes{}, err
	}
	beside := filepath.Dir(s.Folder)
	if err := os.MkdirAll(beside, 0o750); err != nil {
		return Changes{}, err
	}
	folder, err := os.MkdirTemp(beside, "preview-")
	if err != nil {
		return Changes{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	running, err := emulator.Start(ctx, emulator.Config{
		Python: tools.Python, Address: "127.0.0.1:0", Account: world.Account, Region: world.Region,
		Dir: filepath.Join(folder, logFolder), Seed: world.Seed,
	})
	if err != nil {
		return Changes{}, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()

	aside := *s
	aside.Folder, aside.Stack, aside.file = folder, world.Stack, file
	aside.log = filepath.Join(beside, "preview.log") // outlives the folder
	stack, err := aside.open(ctx, tools, server{Endpoint: running.Endpoint(), World: world})
	if err != nil {
		return Changes{}, err
	}
	return aside.preview(ctx, stack, RefreshAsConfigured)
}
