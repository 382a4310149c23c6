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
	// Hosting is nil where instances are records only.
	Hosting *hosting `json:"hosting,omitempty"`
}

// server is the record of a process that serves, or did.
type server struct {
	PID      int       `json:"pid"`
	Endpoint string    `json:"endpoint"`
	Started  time.Time `json:"started"`
	Pin      string    `json:"pin"`
	World    World     `json:"world"`
	Site     string    `json:"site,omitempty"` // where the load balancer answers; none without machines
}

// backend is what Serve keeps running. A type of its own for the tests, where no
// moto is at hand.
type backend interface {
	Endpoint() string
	Site() string // of the load balancer; "" without one
	Wait() error
	Close() error
}

// emulatedAWS is the emulator, with CodeDeploy in front of it, and machines where
// they were ordered.
type emulatedAWS struct {
	*emulator.Emulator
	codedeploy *codedeploy.Service
	hosts      *hosts // nil without machines
}

func startAWS(ctx context.Context, config emulator.Config, folder string, ordered *hosting) (backend, error) {
	options := codedeploy.Options{Account: config.Account, Region: config.Region}
	var machines *hosts
	if ordered != nil {
		var err error
		if machines, err = startHosts(ctx, folder, config.Region, *ordered); err != nil {
			return nil, err
		}
		machines.equip(&options, &config)
	}
	running := emulatedAWS{hosts: machines}
	var err error
	if running.codedeploy, err = codedeploy.New(options); err != nil {
		return nil, errors.Join(err, running.closeHosts())
	}
	config.Services = map[string]http.Handler{codedeploy.SigningName: running.codedeploy}
	if config.Controls == nil {
		config.Controls = map[string]http.Handler{}
	}
	config.Controls[codedeploy.ControlPath] = running.codedeploy
	if running.Emulator, err = emulator.Start(ctx, config); err != nil {
		return nil, errors.Join(err, running.closeHosts())
	}
	running.codedeploy.Connect(running.Endpoint())
	if machines != nil {
		machines.connect(running.Endpoint())
	}
	return running, nil
}

// Site is where the load balancer answers.
func (a emulatedAWS) Site() string {
	if a.hosts == nil {
		return ""
	}
	return a.hosts.balancer.URL()
}

// Close ends deployments first, then what they act on: machines, and last what
// the emulator holds.
func (a emulatedAWS) Close() error {
	a.codedeploy.Close()
	return errors.Join(a.closeHosts(), a.Emulator.Close())
}

func (a emulatedAWS) closeHosts() error {
	if a.hosts == nil {
		return nil
	}
	return a.hosts.close()
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

func serve(ctx context.Context, folder string, start func(ctx context.Context, config emulator.Config, folder string, ordered *hosting) (backend, error)) error {
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
	}, folder, asked.Hosting)
	if err != nil {
		return err
	}
	err = writeJSON(filepath.Join(folder, serverFile), server{
		PID: os.Getpid(), Endpoint: running.Endpoint(), Started: time.Now(), Pin: asked.Pin, World: asked.World,
		Site: running.Site(),
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
