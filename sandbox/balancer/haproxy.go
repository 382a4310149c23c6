package balancer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	configName = "haproxy.cfg"
	accessName = "access.log"  // a line for each request
	outputName = "haproxy.log" // what HAProxy says of itself

	startTime     = 20 * time.Second      // for HAProxy to answer on its control socket
	startInterval = 10 * time.Millisecond // between looks whether it does
)

// haproxy is HAProxy's process, and those before it that finish their requests.
//
// They share one listening socket, which this process opened: nothing is refused
// while one replaces another, or after one was killed.
type haproxy struct {
	folder    string
	namespace string
	socket    *os.File
	ended     func() // called when a process has ended

	mu       sync.Mutex
	count    int // processes started so far
	current  *process
	retiring map[*process]bool
}

// process is one process of HAProxy.
type process struct {
	command *exec.Cmd
	admin   string        // path of its control socket
	done    chan struct{} // closed when it has ended
	asked   bool          // to end, by this process; guarded by haproxy.mu
}

// run starts a process with a configuration and lets the one before it finish its
// requests. When it does not start, the one before goes on.
func (h *haproxy) run(ctx context.Context, configure func(admin string) string) error {
	h.count++
	admin := filepath.Join(h.folder, fmt.Sprintf("admin-%d.sock", h.count))
	config := filepath.Join(h.folder, configName)
	if err := os.WriteFile(config, []byte(configure(admin)), 0o600); err != nil {
		return err
	}
	started, err := h.launch(config, admin)
	if err != nil {
		return err
	}
	if err := h.ready(ctx, started); err != nil {
		_ = started.command.Process.Kill() // gone already, when it ended by itself
		<-started.done
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if before := h.current; before != nil && before.alive() {
		if h.retiring == nil {
			h.retiring = map[*process]bool{}
		}
		h.retiring[before], before.asked = true, true
		_ = before.command.Process.Signal(syscall.SIGUSR1) // it ends when its last request has
	}
	h.current = started
	return nil
}

func (h *haproxy) launch(config, admin string) (*process, error) {
	path, err := haproxyPath()
	if err != nil {
		return nil, err
	}
	access, err := appendTo(filepath.Join(h.folder, accessName))
	if err != nil {
		return nil, err
	}
	defer access.Close()
	output, err := appendTo(filepath.Join(h.folder, outputName))
	if err != nil {
		return nil, err
	}
	defer output.Close()
	arguments := []string{path, "-db", "-f", config}
	if h.namespace != "" {
		// The listening socket stays in the namespace that it was opened in.
		arguments = append([]string{"nsenter", "--net=/run/netns/" + h.namespace}, arguments...)
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Stdout, command.Stderr = access, output
	command.ExtraFiles = []*os.File{h.socket} // descriptor 3
	command.SysProcAttr = childOfThis()
	p := &process{command: command, admin: admin, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// A child ends with the thread that started it (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // ProcessState tells the same
			h.end(p)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("HAProxy did not start: %w", err)
	}
	return p, nil
}

// end takes note of a process that has ended.
func (h *haproxy) end(p *process) {
	h.mu.Lock()
	delete(h.retiring, p)
	asked := p.asked
	h.mu.Unlock()
	if !asked {
		if output, err := appendTo(filepath.Join(h.folder, outputName)); err == nil {
			fmt.Fprintf(output, "HAProxy (process %d) ended by itself: %s\n", p.command.Process.Pid, p.command.ProcessState)
			_ = output.Close() // a log, and nobody to tell
		}
	}
	_ = os.Remove(p.admin) // gone already, when it ended in peace
	close(p.done)
	h.ended()
}

// ready waits until a process answers on its control socket.
func (h *haproxy) ready(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if _, err := p.ask(ctx, "show info"); err == nil {
			return nil
		}
		select {
		case <-time.After(startInterval):
		case <-p.done:
			return fmt.Errorf("HAProxy did not start: %s, it said %q; its configuration is %s", p.command.ProcessState, h.lastWords(), filepath.Join(h.folder, configName))
		case <-ctx.Done():
			return fmt.Errorf("HAProxy does not answer: %w; see %s", context.Cause(ctx), filepath.Join(h.folder, outputName))
		}
	}
}

// lastWords are for messages only, so a log that cannot be read has none.
func (h *haproxy) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(h.folder, outputName))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}

// now is the process that takes requests, nil when it was killed, and whether one
// before it still finishes its own.
func (h *haproxy) now() (current *process, retiring bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil || !h.current.alive() {
		return nil, len(h.retiring) > 0
	}
	return h.current, len(h.retiring) > 0
}

// kill ends every process, and returns when they are gone.
func (h *haproxy) kill() error {
	h.mu.Lock()
	all := []*process{}
	if h.current != nil {
		all = append(all, h.current)
	}
	for p := range h.retiring {
		all = append(all, p)
	}
	for _, p := range all {
		p.asked = true
	}
	h.mu.Unlock()
	var problems []error
	for _, p := range all {
		if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			problems = append(problems, fmt.Errorf("HAProxy: kill process %d: %w", p.command.Process.Pid, err))
			continue
		}
		<-p.done
	}
	return errors.Join(problems...)
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}
