package sandbox

import (
	"context"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveFake runs serve with a fake backend and waits for its record.
func serveFake(t *testing.T, s *Sandbox) (f *fake, stop func(), ended <-chan error) {
	t.Helper()
	require.NoError(t, writeJSON(s.path(orderFile), order{Pin: "p1", World: World{Account: "123456789012", Region: "eu-west-1"}}))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	f = &fake{ended: make(chan error, 1)}
	result := make(chan error, 1)
	go func() {
		result <- serve(ctx, s.Folder, func(context.Context, emulator.Config, string, *hosting) (backend, error) { return f, nil })
	}()
	require.Eventually(t, func() bool {
		_, now, err := s.lookup()
		return err == nil && now == serving
	}, 10*time.Second, 10*time.Millisecond)
	return f, cancel, result
}

func TestLifeOfAnEmulator(t *testing.T) {
	s := inFolder(t)
	_, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, none, now)

	_, stop, ended := serveFake(t, s)
	record, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, serving, now)
	assert.Equal(t, os.Getpid(), record.PID)
	assert.Equal(t, "http://127.0.0.1:1", record.Endpoint)
	assert.Equal(t, "p1", record.Pin)

	stop()
	require.NoError(t, <-ended)
	record, now, err = s.lookup()
	require.NoError(t, err)
	assert.Equal(t, gone, now, "the process with the recorded id lives: it is this one, and serves no more")
	assert.Equal(t, os.Getpid(), record.PID)
}

func TestAnEmulatorThatCrashesEndsItsProcess(t *testing.T) {
	s := inFolder(t)
	f, _, ended := serveFake(t, s)
	f.ended <- errCrash
	require.ErrorIs(t, <-ended, errCrash)
	_, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, gone, now)
}

func TestOneProcessServesAFolder(t *testing.T) {
	s := inFolder(t)
	serveFake(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, Serve(ctx, s.Folder), "another process serves this sandbox")
}

func TestServeNeedsAnOrder(t *testing.T) {
	err := Serve(t.Context(), t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "bluegreen sandbox up")
}

func TestAnEmulatorThatIsStartingIsWaitedFor(t *testing.T) {
	s := inFolder(t)
	require.NoError(t, writeJSON(s.path(orderFile), order{}))
	begin := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = serve(ctx, s.Folder, func(context.Context, emulator.Config, string, *hosting) (backend, error) {
			<-begin
			return &fake{ended: make(chan error, 1)}, nil
		})
	}()
	require.Eventually(t, func() bool {
		_, now, err := s.lookup()
		return err == nil && now == starting
	}, 10*time.Second, 10*time.Millisecond)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "the emulated AWS is starting", status.Problem)
	time.AfterFunc(100*time.Millisecond, func() { close(begin) })
	_, now, err := s.settled(t.Context())
	require.NoError(t, err)
	assert.Equal(t, serving, now)
}

func TestAnOccupiedPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	s := inFolder(t)
	s.Port = listener.Addr().(*net.TCPAddr).Port
	world, err := s.Program.World("", "")
	require.NoError(t, err)
	_, err = s.start(t.Context(), parts.Tools{Python: "python3"}, world)
	require.ErrorContains(t, err, listener.Addr().String()+" is in use by another program")
	_, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, none, now)
}

func TestStopAsksTheRecordedProcessToEnd(t *testing.T) {
	s := inFolder(t)
	serveFake(t, s) // holds the lock, so that the folder counts as served throughout
	process := exec.Command("sleep", "60")
	require.NoError(t, process.Start())
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.stop(ctx, server{PID: process.Process.Pid}), context.DeadlineExceeded)
	require.ErrorContains(t, <-ended, "signal: terminated")
}

func TestARunningEmulatorHasToFit(t *testing.T) {
	world := World{Account: "123456789012", Region: "eu-west-1", Seed: emulator.Seed{Zones: []string{"example.com"}}}
	record := server{PID: 7, Pin: "p1", World: world}
	require.NoError(t, record.fits("p1", world))
	require.EqualError(t, record.fits("p2", world),
		"the running emulator, process 7, was started from an older sandbox/emulator (p1, now p2), and the emulated AWS lives in it; run bluegreen sandbox destroy, then up")
	other := world
	other.Region = "eu-central-1"
	require.ErrorContains(t, record.fits("p1", other), "region eu-west-1, now eu-central-1")
}
