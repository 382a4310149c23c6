package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts"

	"github.com/gofrs/flock"
)

const (
	startTimeout  = 90 * time.Second // a first start compiles Python's sources
	stopTimeout   = time.Minute      // after which the process is killed; machines take a while
	healthTimeout = 3 * time.Second
	pollInterval  = 50 * time.Millisecond
)

// life is how a process that serves is doing.
type life int

const (
	none     life = iota // nothing serves, nothing did
	starting             // a process is about to write its record
	serving
	gone // there is the record of a process that has ended
)

// lookup tells how the emulator's process is doing, and its record from serving
// on. The lock decides, not the process id: a system gives ids again.
func (s *Sandbox) lookup() (record server, now life, err error) {
	if _, err := os.Stat(s.path(serverLock)); errors.Is(err, fs.ErrNotExist) {
		return server{}, none, nil
	}
	lock := flock.New(s.path(serverLock))
	free, err := lock.TryRLock()
	if err != nil {
		return server{}, none, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if free {
		now, err = gone, lock.Unlock()
	} else {
		now = serving
	}
	missing := readJSON(s.path(serverFile), &record)
	if errors.Is(missing, fs.ErrNotExist) {
		return server{}, now.unrecorded(), err
	}
	return record, now, errors.Join(err, missing)
}

// unrecorded is what a life means where no record is.
func (l life) unrecorded() life {
	if l == serving {
		return starting
	}
	return none
}

// settled is lookup for a command that works on the run folder: an emulator that
// a killed command has started is waited for.
func (s *Sandbox) settled(ctx context.Context) (server, life, error) {
	for deadline := time.Now().Add(startTimeout); ; {
		record, now, err := s.lookup()
		if err != nil || now != starting {
			return record, now, err
		}
		if time.Now().After(deadline) {
			return server{}, now, fmt.Errorf("a process that serves this sandbox has not said so within %s; its logs are in %s", startTimeout, s.path(logFolder))
		}
		select {
		case <-ctx.Done():
			return server{}, now, ctx.Err()
		case <-time.After(pollInterval):
		}
	}
}

// health asks a running emulator whether it works.
func (r server) health(ctx context.Context) (health emulator.Health, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Endpoint+emulator.HealthPath, nil)
	if err != nil {
		return health, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return health, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		return health, fmt.Errorf("%s: %w", request.URL, err)
	}
	if !health.Moto {
		return health, errors.New("moto has ended")
	}
	return health, nil
}

// fits tells whether a running emulator can go on serving this checkout. What it
// holds would be lost with it, so that is for the user to decide.
func (r server) fits(pin string, world World) error {
	const advice = "run bluegreen sandbox destroy, then up"
	if r.Pin != pin {
		return fmt.Errorf("the running emulator, process %d, was started from an older sandbox/emulator (%s, now %s), and the emulated AWS lives in it; %s",
			r.PID, r.Pin, pin, advice)
	}
	if !reflect.DeepEqual(r.World, world) {
		return fmt.Errorf("the running emulator, process %d, was started for another account, region or set of existing zones and providers than the configuration names now "+
			"(account %s, now %s; region %s, now %s; zones %v, now %v); %s",
			r.PID, r.World.Account, world.Account, r.World.Region, world.Region, r.World.Seed.Zones, world.Seed.Zones, advice)
	}
	return nil
}

// start starts the emulator's process, which outlives this one, and waits until
// it has written its record.
func (s *Sandbox) start(ctx context.Context, tools parts.Tools, world World) (server, error) {
	ordered, err := s.orderMachines(ctx)
	if err != nil {
		return server{}, err
	}
	if err := os.MkdirAll(s.path(logFolder), 0o700); err != nil {
		return server{}, err
	}
	if err := errors.Join(removeFile(s.path(serverFile)), writeJSON(s.path(orderFile), order{
		World: world, Python: tools.Python, Port: s.Port, Pin: tools.EmulatorPin, Hosting: ordered,
	})); err != nil {
		return server{}, err
	}
	log, err := os.OpenFile(s.path(logFolder, serveLog), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return server{}, err
	}
	defer log.Close()
	command := slices.Concat(s.Serve, []string{s.Folder})
	process := exec.Command(command[0], command[1:]...) // #nosec G204 -- this executable
	process.Dir, process.Stdout, process.Stderr = s.Root, log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // survives the terminal
	if err := process.Start(); err != nil {
		return server{}, fmt.Errorf("start the emulator: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	record, err := s.started(ctx, process.Process.Pid, ended)
	if err != nil {
		_ = process.Process.Kill() // it may have ended already
		return server{}, err
	}
	return record, nil
}

func (s *Sandbox) started(ctx context.Context, pid int, ended <-chan error) (server, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the emulator has not started within %s; its logs are in %s", startTimeout, s.path(logFolder)))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return server{}, context.Cause(ctx)
		case err := <-ended:
			return server{}, fmt.Errorf("the emulator did not start: %s", s.lastWords(err))
		case <-tick.C:
			if record, now, err := s.lookup(); err == nil && now == serving && record.PID == pid {
				return record, nil
			}
		}
	}
}

// lastWords is what a process that did not live to serve has printed, or how it
// ended when that is nothing.
func (s *Sandbox) lastWords(ended error) string {
	text, err := os.ReadFile(s.path(logFolder, serveLog))
	if err != nil || len(text) == 0 {
		return fmt.Sprint(errors.Join(ended, err))
	}
	return strings.TrimPrefix(lastLines(string(text), 8), "bluegreen: ")
}

// stop ends the emulator's process, by force where it does not end itself.
func (s *Sandbox) stop(ctx context.Context, record server) error {
	process, err := os.FindProcess(record.PID)
	if err != nil {
		return err
	}
	for _, attempt := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, stopTimeout}, {syscall.SIGKILL, stopTimeout}} {
		if err := process.Signal(attempt.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop the emulator, process %d: %w", record.PID, err)
		}
		for deadline := time.Now().Add(attempt.wait); time.Now().Before(deadline); time.Sleep(pollInterval) {
			if _, now, err := s.lookup(); err != nil || now != serving {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return fmt.Errorf("the emulator, process %d, does not end", record.PID)
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lastLines is the end of a text.
func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
