package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// errEventTime is why a script ends that has time left, when its event has none.
var errEventTime = errors.New("the lifecycle event took longer than CodeDeploy allows")

// script runs one script to its end, and to the end of what it writes: who keeps
// its outputs open, as a daemon does that was started carelessly, fails it.
func (a *Agent) script(ctx context.Context, d deployment, s appspec.Script, path string, log *scriptLog) error {
	failed := func(code types.LifecycleErrorCode, format string, arguments ...any) error {
		return &lifecycle.ScriptError{Code: code, Script: s.Location, Message: fmt.Sprintf(format, arguments...)}
	}
	seconds := s.Seconds()
	limited, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	running, err := a.start(d, command(s, path), log)
	if err != nil {
		return failed(types.LifecycleErrorCodeScriptFailed, "%s failed with error %s", named(s), err)
	}
	defer running.hangUp()
	wait := func(done <-chan struct{}) bool {
		select {
		case <-done:
			return true
		case <-limited.Done():
		}
		select { // both: it made it
		case <-done:
			return true
		default:
			return false
		}
	}
	given := func() error { // up, by whoever asked or by CodeDeploy
		endAll(running.pid, d)
		if errors.Is(context.Cause(ctx), errEventTime) {
			return failed(types.LifecycleErrorCodeScriptTimedOut, "%s was ended: %s, %s", named(s), errEventTime, a.EventTime)
		}
		return context.Cause(ctx)
	}
	switch {
	case !wait(running.ended) && ctx.Err() != nil:
		return given()
	case limited.Err() != nil && !running.over():
		endGroup(running.pid)
		return failed(types.LifecycleErrorCodeScriptTimedOut, "Script at specified location: %s failed to complete in %d seconds", s.Location, seconds)
	}
	for i, name := range []string{"STDOUT", "STDERR"} {
		switch {
		case wait(running.outputs[i]):
		case ctx.Err() != nil:
			return given()
		default: // API: the agent's own code for it has no name there
			return failed(types.LifecycleErrorCodeUnknownError, "Script at specified location: %s failed to close %s", s.Location, name)
		}
	}
	if running.err != nil {
		return failed(types.LifecycleErrorCodeScriptFailed, "%s failed with %s", named(s), ending(running.err))
	}
	return nil
}

// ending says how a process ended that did not succeed.
func ending(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return fmt.Sprintf("exit code %d", exit.ExitCode())
	}
	return "error " + err.Error()
}

// process is a script that runs.
type process struct {
	pid     int
	ended   chan struct{} // closed at its end; err is set then
	err     error
	pipes   []*os.File
	outputs []chan struct{} // standard output and error; closed when nobody writes there any more
	readers sync.WaitGroup
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// hangUp stops reading from who still writes.
func (p *process) hangUp() {
	for _, pipe := range p.pipes {
		_ = pipe.Close() // closed already when all is well
	}
	p.readers.Wait()
}

// start starts a program in a process group of its own, with nothing to read.
func (a *Agent) start(d deployment, arguments []string, log *scriptLog) (*process, error) {
	p := &process{ended: make(chan struct{})}
	cmd := exec.Command(arguments[0], arguments[1:]...)
	cmd.Dir, cmd.Env = a.Root, a.environment(d)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var writers []*os.File
	for range 2 {
		reader, writer, err := os.Pipe()
		if err != nil {
			p.hangUp()
			return nil, errors.Join(err, shut(writers))
		}
		p.pipes, writers = append(p.pipes, reader), append(writers, writer)
	}
	cmd.Stdout, cmd.Stderr = writers[0], writers[1]
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) { // no #! line: as every shell does
		again := exec.Command("/bin/sh", arguments...)
		again.Dir, again.Env, again.SysProcAttr, again.Stdout, again.Stderr = cmd.Dir, cmd.Env, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr
		cmd, err = again, again.Start()
	}
	err = errors.Join(err, shut(writers))
	if err != nil {
		p.hangUp()
		return nil, err
	}
	p.pid = cmd.Process.Pid
	for i, label := range []string{"[stdout]", "[stderr]"} {
		closed := make(chan struct{})
		p.outputs = append(p.outputs, closed)
		p.readers.Go(func() {
			defer close(closed)
			log.copy(label, p.pipes[i])
		})
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func shut(files []*os.File) error {
	var errs []error
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// tailSize is how much of a log the agent sends to CodeDeploy, in bytes.
const tailSize = 2048

// scriptLog is the log of an event: a file, and its end for CodeDeploy.
type scriptLog struct {
	path, all string // scripts.log of the deployment, and the log of all deployments
	id        string
	mu        sync.Mutex
	entries   []string
	err       error // of the first write that failed
}

func (a *Agent) scriptLog(d deployment) *scriptLog {
	return &scriptLog{path: d.scriptsLog(), id: d.DeploymentID,
		all: filepath.Join(a.Root, deploymentRoot, "deployment-logs", "codedeploy-agent-deployments.log")}
}

func (l *scriptLog) write(entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
	size := len(strings.Join(l.entries, ""))
	for len(l.entries) > 1 && size > tailSize {
		size -= len(l.entries[0])
		l.entries = l.entries[1:]
	}
	now := time.Now()
	err := appendTo(l.path, now.Format(time.DateTime)+" "+entry)
	if err == nil {
		err = appendTo(l.all, fmt.Sprintf("[%s] [%s]%s\n", now.Format("2006-01-02 15:04:05.000"), l.id, strings.TrimSpace(entry)))
	}
	if l.err == nil {
		l.err = err
	}
}

// copy writes what comes, line by line.
func (l *scriptLog) copy(label string, from io.Reader) {
	for lines := bufio.NewReader(from); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			l.write(label + line)
		}
		if err != nil {
			return
		}
	}
}

func (l *scriptLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.entries, "")
}
