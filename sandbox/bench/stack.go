package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"bluegreen/sandbox"
)

// stack is a stack that is up in a sandbox of its own.
type stack struct {
	*bench
	size      size
	root      string // its copy of the checkout
	resources int
	emulator  int // process
}

// with measures how a stack comes up, then does more with it. Whatever happens,
// nothing of it is left.
func (b *bench) with(ctx context.Context, z size, more func(context.Context, *stack) error) (err error) {
	s := &stack{bench: b, size: z}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s stack: %w", z.name, err)
		}
	}()
	if s.root, err = b.checkout(ctx, z); err != nil {
		return err
	}
	defer os.RemoveAll(s.root)
	if _, err := b.started(ctx, b.launcher()); err != nil { // else up would measure its build
		return err
	}
	defer func() {
		err = errors.Join(err, s.command(context.WithoutCancel(ctx), "destroy", "--force").Run())
	}()
	up, err := s.measure(s.command(ctx, "up"), "up")
	if err != nil {
		return err
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	s.row("up", up)
	return more(ctx, s)
}

// command is one of the sandbox's on this stack.
func (s *stack) command(ctx context.Context, arguments ...string) *exec.Cmd {
	run := exec.CommandContext(ctx, s.tool(), append([]string{"sandbox"}, arguments...)...)
	run.Args = append(run.Args, "--root", s.root)
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) } // it has an engine to end
	return run
}

// measure measures a command of this stack, with its emulated AWS beside it.
func (s *stack) measure(command *exec.Cmd, what string) (usage, error) {
	s.say("%s stack: %s", s.size.name, what)
	if s.emulator == 0 {
		return measure(command)
	}
	return measure(command, s.emulator)
}

// row adds a line about this stack.
func (s *stack) row(what string, used usage, notes ...string) {
	notes = append([]string{fmt.Sprintf("%d resources", s.resources)}, notes...)
	s.bench.row(what+", "+s.size.name, used, strings.Join(notes, ", "))
}

// look asks how many resources there are, and which process is the emulated AWS.
func (s *stack) look(ctx context.Context) error {
	out, err := s.command(ctx, "status", "--json").Output()
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	var answer sandbox.Status
	if err := json.Unmarshal(out, &answer); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	for _, process := range answer.Processes {
		if process.Name == "emulator" {
			s.resources, s.emulator = answer.Resources, process.PID
			return nil
		}
	}
	return errors.New("status: names no emulator")
}

// preview measures one that has nothing to do.
func (s *stack) preview(ctx context.Context) (usage, error) {
	return s.measure(s.command(ctx, "preview", "--expect-no-changes"), "zero-change preview")
}

// destroyed measures a destroy.
func (s *stack) destroyed(ctx context.Context, what string) error {
	used, err := s.measure(s.command(ctx, "destroy"), what)
	if err != nil {
		return err
	}
	s.row(what, used)
	return nil
}
