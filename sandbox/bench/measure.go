package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a command and everything it started took.
type usage struct {
	wall time.Duration
	cpu  time.Duration // user and system, of all its processes
	peak int64         // bytes resident at once, of all its processes; 0 where /proc is not to be had
}

const samplePeriod = 200 * time.Millisecond

// measure runs a command in a process group of its own. Its output is shown
// only if it fails.
func measure(command *exec.Cmd) (usage, error) {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
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
			peak = max(peak, resident(command.Process.Pid))
		case err := <-done:
			if err != nil {
				return usage{}, fmt.Errorf("%w\n%s", err, output.String())
			}
			state := command.ProcessState
			return usage{wall: time.Since(start), cpu: state.UserTime() + state.SystemTime(), peak: peak}, nil
		}
	}
}

// resident sums the resident memory of a process group, in bytes.
func resident(group int) (bytes int64) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, entry := range entries {
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // not a process, or one that has just ended
		}
		// After the name in parentheses: state ppid pgrp …, rss is the 22nd.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		const pgrp, rss = 2, 21
		if len(fields) > rss && fields[pgrp] == strconv.Itoa(group) {
			pages, _ := strconv.ParseInt(fields[rss], 10, 64)
			bytes += pages * int64(os.Getpagesize())
		}
	}
	return bytes
}
