package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"

	"github.com/gofrs/flock"
)

// Files of the run folder that Serve and its starter share.
const (
	orderFile  = "serve.json"    // what to serve
	serverFile = "emulator.json" // what is being served
	serverLock = "emulator.lock" // held by the process that serves, for as long as it lives
	logFolder  = "emulator"      // logs of the emulator
	serveLog   = "serve.log"     // what Serve's process prints
)

// order is what Serve is asked to start.
type order struct {
	World  World  `json:"world"`
	Python string `json:"python"`
	Port   int    `json:"port"`
	Pin    string `json:"pin"` // of the emulator
}

// server is the record of a process that serves, or did.
type server struct {
	PID      int       `json:"pid"`
	Endpoint string    `json:"endpoint"`
	Started  time.Time `json:"started"`
	Pin      string    `json:"pin"`
	World    World     `json:"world"`
}

// backend is what Serve keeps running. A type of its own for the tests, where no
// moto is at hand.
type backend interface {
	Endpoint() string
	Wait() error
	Close() error
}

// emulatedAWS is the emulator, with CodeDeploy in front of it.
type emulatedAWS struct {
	*emulator.Emulator
	codedeploy *codedeploy.Service
}

func startAWS(ctx context.Context, config emulator.Config) (backend, error) {
	service, err := codedeploy.New(codedeploy.Options{Account: config.Account, Region: config.Region})
	if err != nil {
		return nil, err
	}
	config.Services = map[string]http.Handler{codedeploy.SigningName: service}
	config.Controls = map[string]http.Handler{codedeploy.ControlPath: service}
	running, err := emulator.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	service.Connect(running.Endpoint())
	return emulatedAWS{running, service}, nil
}

// Close ends deployments first: they act on what the emulator holds.
func (a emulatedAWS) Close() error {
	a.codedeploy.Close()
	return a.Emulator.Close()
}

// Serve runs the emulated AWS of a run folder until the context ends. It is the
// whole of the background process that Up starts; its record and its lock tell
// the others that it lives.
//
// Errors: another process serves this folder; the emulator cannot start, or has
// ended by itself.
func Serve(ctx context.Context, folder string) error {
	return serve(ctx, folder, startAWS)
}

func serve(ctx context.Context, folder string, start func(context.Context, emulator.Config) (backend, error)) error {
	lock := flock.New(filepath.Join(folder, serverLock))
	waiting, cancel := context.WithTimeout(ctx, 5*time.Second) // whoever looks whether it is held holds it for a moment
	defer cancel()
	if _, err := lock.TryLockContext(waiting, 50*time.Millisecond); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: another process serves this sandbox", folder)
	} else if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	defer func() { _ = lock.Unlock() }() // the end of the process unlocks too
	var asked order
	if err := readJSON(filepath.Join(folder, orderFile), &asked); err != nil {
		return fmt.Errorf("this command is for bluegreen sandbox up, which writes what to serve: %w", err)
	}
	running, err := start(ctx, emulator.Config{
		Python:  asked.Python,
		Address: fmt.Sprintf("127.0.0.1:%d", asked.Port),
		Account: asked.World.Account,
		Region:  asked.World.Region,
		Dir:     filepath.Join(folder, logFolder),
		Seed:    asked.World.Seed,
	})
	if err != nil {
		return err
	}
	err = writeJSON(filepath.Join(folder, serverFile), server{
		PID: os.Getpid(), Endpoint: running.Endpoint(), Started: time.Now(), Pin: asked.Pin, World: asked.World,
	})
	if err != nil {
		return errors.Join(err, running.Close())
	}
	ended := make(chan error, 1)
	go func() { ended <- running.Wait() }()
	select {
	case <-ctx.Done():
		return errors.Join(running.Close(), <-ended)
	case err := <-ended:
		return errors.Join(err, running.Close())
	}
}
