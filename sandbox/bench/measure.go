package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usage is what a command took.
type usage struct {
	wall time.Duration
	cpu  time.Duration // user and system, of the command and of what it waited for: engine, plugins, compilers, not an emulated AWS in the background
	peak int64         // bytes resident at once; see measure; 0 where /proc is not to be had
}

const samplePeriod = 200 * time.Millisecond

// measure runs a command. Its memory is that of all its descendants, and of the
// processes beside it with theirs: an emulated AWS that an earlier command has
// left running. Its output is shown only if it fails.
func measure(command *exec.Cmd, beside ...int) (usage, error) {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	start := time.Now()
	if err := command.Start(); err != nil {
		return usage{}, err
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	var peak int64
	ticker := time.NewTicker(samplePeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			peak = max(peak, resident(append(beside, command.Process.Pid)))
		case err := <-done:
			if err != nil {
				return usage{}, fmt.Errorf("%w\n%s", err, output.String())
			}
			state := command.ProcessState
			return usage{wall: time.Since(start), cpu: state.UserTime() + state.SystemTime(), peak: peak}, nil
		}
	}
}

// resident sums the resident memory of processes and of their descendants, in
// bytes. Pages that processes share count for each.
func resident(roots []int) (bytes int64) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	type process struct {
		parent int
		bytes  int64
	}
	all := map[int]process{}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		// After the name in parentheses: state ppid …, rss is the 22nd.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		const ppid, rss = 1, 21
		if len(fields) <= rss {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[ppid])
		pages, _ := strconv.ParseInt(fields[rss], 10, 64)
		all[pid] = process{parent, pages * int64(os.Getpagesize())}
	}
	for pid, p := range all {
		for at := pid; at > 1; at = all[at].parent {
			if slices.Contains(roots, at) {
				bytes += p.bytes
				break
			}
		}
	}
	return bytes
}
