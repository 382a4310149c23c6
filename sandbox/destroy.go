package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
)

// Destroyed is what Destroy did.
type Destroyed struct {
	Resources int    `json:"resources"` // deleted through the engine
	Note      string `json:"note"`      // what else there is to say
}

// Destroy deletes every resource through the engine, as pulumi destroy does,
// then stops the emulated AWS and removes the run folder's state. Where the
// emulator is gone already, or with force, it goes straight to the second part.
// Nothing to destroy is no error.
func (s *Sandbox) Destroy(ctx context.Context, force bool) (Destroyed, error) {
	nothing := Destroyed{Note: "no sandbox is running, nothing to destroy"}
	if _, err := os.Stat(s.Folder); errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	release, interrupted, err := s.exclusive("destroy")
	if err != nil {
		return Destroyed{}, err
	}
	defer release()
	record, now, err := s.settled(ctx)
	switch {
	case err != nil:
		return Destroyed{}, err
	case now == none:
		return nothing, s.clear()
	case now == gone:
		note := fmt.Sprintf("the emulator had stopped (process %d is gone), and the emulated AWS with it; its state is removed", record.PID)
		return Destroyed{Note: note}, s.clear()
	}
	done := Destroyed{Note: "the emulated AWS is stopped"}
	if !force {
		if done.Resources, err = s.destroyStack(ctx, interrupted, record); err != nil {
			return done, err
		}
	}
	if err := s.stop(ctx, record); err != nil {
		return done, err
	}
	return done, s.clear()
}

func (s *Sandbox) destroyStack(ctx context.Context, interrupted bool, record server) (int, error) {
	const advice = "the sandbox is as it was where it could not be deleted; mend that and try again, or bluegreen sandbox destroy --force drops the emulated AWS as a whole"
	tools, err := s.tools(ctx)
	if err != nil {
		return 0, err
	}
	locked, err := s.unlock(ctx)
	if err != nil {
		return 0, err
	}
	torn, err := s.torn()
	switch {
	case err != nil:
		return 0, err
	case torn && !s.complete():
		return 0, nil // what exists goes with the emulated AWS; no state tells what it is
	case torn:
		if err := s.restoreCheckpoint(); err != nil {
			return 0, err
		}
	}
	stack, err := s.open(ctx, tools, record)
	if err != nil {
		return 0, err
	}
	if interrupted || locked || torn {
		state, err := s.deployment(ctx, record)
		if err == nil && (len(state.PendingOperations) > 0 || torn) {
			err = s.refresh(ctx, stack)
		}
		if err != nil {
			return 0, fmt.Errorf("%w\n%s", err, advice)
		}
	}
	op, err := s.operate(ctx, "destroy", "Deleting everything", func(log io.Writer, stream chan<- events.EngineEvent) error {
		_, err := stack.Destroy(ctx, optdestroy.ProgressStreams(log), optdestroy.ErrorProgressStreams(log),
			optdestroy.EventStreams(stream), optdestroy.SuppressOutputs(), optdestroy.ShowSecrets(false))
		return err
	})
	if err != nil {
		return 0, errors.Join(fmt.Errorf("%w\n%s", err, advice), s.rememberFailure(err))
	}
	return op.changes()["delete"], nil
}

// clear empties the run folder. The lock stays: this process holds it.
func (s *Sandbox) clear() error {
	entries, err := os.ReadDir(s.Folder)
	if err != nil {
		return err
	}
	var problems []error
	for _, entry := range entries {
		if entry.Name() != commandLock {
			problems = append(problems, os.RemoveAll(s.path(entry.Name())))
		}
	}
	return errors.Join(problems...)
}
