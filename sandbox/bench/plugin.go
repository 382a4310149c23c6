package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// startups is how many starts the median is of.
const startups = 7

// plugin measures the plugin of our own provider: how long a fresh clone's first
// command waits for its build, and how long each command waits for its start.
func plugin(ctx context.Context, b *bench) error {
	folder, err := os.MkdirTemp("", "bluegreen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	used, err := b.cold(ctx, folder, "plugin", "./cmd/pulumi-resource-bluegreen")
	if err != nil {
		return err
	}
	b.row("cold build, plugin", used, "")
	b.say("starts of the plugin")
	for _, start := range []struct{ what, binary string }{
		{"start, plugin", filepath.Join(folder, "plugin")},
		{"start, plugin by its launcher", b.launcher()},
	} {
		if _, err := b.started(ctx, start.binary); err != nil { // into memory, and for the launcher: built
			return err
		}
		var all []usage
		for range startups {
			used, err := b.started(ctx, start.binary)
			if err != nil {
				return err
			}
			all = append(all, used)
		}
		b.row(start.what, median(all), fmt.Sprintf("until it says its port; median of %d", startups))
	}
	return nil
}

// launcher is what Pulumi.yaml has the engine start. It builds the plugin when
// that is missing or stale.
func (b *bench) launcher() string {
	return filepath.Join(b.root, pluginFolder, "pulumi-resource-bluegreen")
}

// started starts a plugin as the engine does, and ends it when it has said which
// port it listens on.
func (b *bench) started(ctx context.Context, binary string) (used usage, err error) {
	command := exec.CommandContext(ctx, binary)                                   // #nosec G204 -- the checkout's own
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it may have a build to clean up after
	command.Stderr = os.Stderr                                                    // of a build
	output, err := command.StdoutPipe()
	if err != nil {
		return usage{}, err
	}
	start := time.Now()
	if err := command.Start(); err != nil {
		return usage{}, err
	}
	_, err = bufio.NewReader(output).ReadString('\n')
	used.wall, used.peak = time.Since(start), resident([]int{command.Process.Pid})
	if err != nil {
		return usage{}, errors.Join(fmt.Errorf("%s: said no port: %w", binary, err), command.Wait())
	}
	if err := command.Process.Kill(); err != nil {
		return usage{}, err
	}
	_ = command.Wait() // it was killed
	used.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return used, nil
}
