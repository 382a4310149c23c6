package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"bluegreen/sandbox/parts"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
)

// completeFile is there once an Up in the running emulator has succeeded: from
// then on the emulated AWS holds something that would be missed.
const completeFile = "complete"

// leftoversFile is there from the recovery of a killed engine to the next Up that
// succeeds: meanwhile, something may exist that Pulumi does not know of.
const leftoversFile = "leftovers"

// leftBehind is how long an engine that lost its command may take to end: it
// notices, finishes its calls, and saves its state.
const leftBehind = 30 * time.Second

// recovered opens the stack and makes up for a command that was killed: its
// lock is removed, a state that was only half written is replaced, and the
// operations that it left half-way are resolved.
func (s *Sandbox) recovered(ctx context.Context, interrupted bool, tools parts.Tools, record server) (server, auto.Stack, error) {
	locked, err := s.unlock(ctx)
	if err != nil {
		return record, auto.Stack{}, err
	}
	torn, err := s.torn()
	if err != nil {
		return record, auto.Stack{}, err
	}
	if torn && !s.complete() {
		return s.again(ctx, tools, record, "while its state was being written")
	}
	if torn {
		if err := s.restoreCheckpoint(); err != nil {
			return record, auto.Stack{}, err
		}
	}
	stack, err := s.open(ctx, tools, record)
	if err != nil || !interrupted && !locked && !torn {
		return record, stack, err
	}
	state, err := s.deployment(ctx, record)
	if err != nil || len(state.PendingOperations) == 0 && !torn {
		return record, stack, err
	}
	if !s.complete() {
		return s.again(ctx, tools, record, fmt.Sprintf("with %d resources half-way", len(state.PendingOperations)))
	}
	s.say("The last command was interrupted with %d resources half-way. Reading what exists.", len(state.PendingOperations))
	return record, stack, errors.Join(writeFile(s.path(leftoversFile), nil), s.refresh(ctx, stack))
}

// complete tells whether an Up in the running emulator has succeeded.
func (s *Sandbox) complete() bool {
	_, err := os.Stat(s.path(completeFile))
	return err == nil
}

// again begins an interrupted first creation anew: what exists now has names
// that a second attempt would collide with, and nothing in it would be missed.
func (s *Sandbox) again(ctx context.Context, tools parts.Tools, record server, how string) (server, auto.Stack, error) {
	s.say("The first creation was interrupted %s. Beginning again with an empty AWS.", how)
	world := record.World
	if err := s.stop(ctx, record); err != nil {
		return record, auto.Stack{}, err
	}
	record, err := s.fresh(ctx, tools, world)
	if err != nil {
		return record, auto.Stack{}, err
	}
	stack, err := s.open(ctx, tools, record)
	return record, stack, err
}

// aboutLeftovers adds what to do to an error of Up, where a killed engine may
// have created what now cannot be created.
func (s *Sandbox) aboutLeftovers(err error) error {
	if _, missing := os.Stat(s.path(leftoversFile)); err == nil || missing != nil {
		return err
	}
	return fmt.Errorf("%w\nan engine was killed earlier: what it had created without recording it is reported as existing; delete that with the AWS CLI, or begin anew with bluegreen sandbox destroy --force, then up", err)
}

// refresh reads what exists into the state and forgets creations of which
// nothing is known.
func (s *Sandbox) refresh(ctx context.Context, stack auto.Stack) error {
	_, err := s.operate(ctx, "refresh", "Reading what exists", func(log io.Writer, stream chan<- events.EngineEvent) error {
		_, err := stack.Refresh(ctx, optrefresh.ProgressStreams(log), optrefresh.ErrorProgressStreams(log),
			optrefresh.EventStreams(stream), optrefresh.ClearPendingCreates(), optrefresh.ShowSecrets(false))
		return err
	})
	return err
}

// holder is what Pulumi writes into a lock.
type holder struct {
	PID      int    `json:"pid"`
	Hostname string `json:"hostname"`
}

// unlock removes the lock of an engine that was killed, and waits for one that
// lost its command and is about to end. It tells whether there was a lock.
func (s *Sandbox) unlock(ctx context.Context) (found bool, err error) {
	for deadline := time.Now().Add(leftBehind); ; {
		locks, err := s.locks()
		if err != nil || len(locks) == 0 {
			return found, err
		}
		var living *holder
		for file, held := range locks {
			if alive(held) {
				living = &held
			} else if err := removeFile(file); err != nil {
				return true, err
			}
		}
		if living == nil {
			return true, nil
		}
		if !found {
			s.say("Waiting for a Pulumi engine (process %d) that works on this stack.", living.PID)
		}
		found = true
		if time.Now().After(deadline) {
			return true, fmt.Errorf("a Pulumi engine, process %d, works on this stack; wait for it to end, then try again", living.PID)
		}
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-time.After(pollInterval):
		}
	}
}

// locks reads the locks of Pulumi's file backend.
func (s *Sandbox) locks() (map[string]holder, error) {
	found := map[string]holder{}
	err := filepath.WalkDir(s.path("state", ".pulumi", "locks"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".json" {
			return err
		}
		var held holder
		if err := readJSON(name, &held); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		found[name] = held
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	return found, err
}

func alive(held holder) bool {
	host, err := os.Hostname()
	if err != nil || host != held.Hostname || held.PID <= 0 {
		return false
	}
	return !errors.Is(syscall.Kill(held.PID, 0), syscall.ESRCH)
}
