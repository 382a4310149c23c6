// Package emulator is AWS on a laptop: moto's server as a child process, and one
// endpoint in front of it.
//
// The endpoint reads from each request which operation of which service it
// calls. A whole service can be answered by a handler of our own
// (Config.Services); the rest passes on to moto unchanged. What moto lacks or
// does otherwise than AWS is corrected inside its process, where the state is
// (motoserver/gaps_*.py, one file for each service). When moto fails all the
// same, the endpoint answers with an AWS error that says so.
//
// The emulated state lives in moto's memory and ends with it.
package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// HealthPath answers about the emulator itself, as Health in JSON. No AWS
// service has such a path.
const HealthPath = "/_bluegreen/health"

// Config says what to start.
type Config struct {
	Python   string                  // interpreter of a virtual environment with requirements.txt installed
	Address  string                  // loopback address and port of the endpoint; "127.0.0.1:0" takes any free port
	Account  string                  // account that every call belongs to, 12 digits
	Region   string                  // region of the endpoint's own calls; a client's call names its own
	Dir      string                  // holds moto.log, requests.log and files made for moto; created when missing
	Seed     Seed                    // what the account holds from the start
	Services map[string]http.Handler // services answered here and not by moto, keyed by signing name ("codedeploy")
	Controls map[string]http.Handler // answers about the sandbox itself, keyed by path, such as codedeploy.ControlPath
}

// Emulator is a running emulated AWS.
type Emulator struct {
	health Health
	moto   *moto
	server *http.Server
	log    *os.File
}

// Health is what HealthPath answers.
type Health struct {
	Moto     bool      `json:"moto"`     // whether moto's process is alive
	Process  int       `json:"process"`  // moto's process id, which is also its process group
	Endpoint string    `json:"endpoint"` // http://ADDRESS:PORT
	Region   string    `json:"region"`
	Account  string    `json:"account"`
	Started  time.Time `json:"started"`
}

// Start starts moto on a free loopback port of its own, waits until it answers,
// seeds it and only then serves the endpoint. The context bounds the start;
// Close ends what was started. An occupied port is an error that names it.
func Start(ctx context.Context, config Config) (e *Emulator, err error) {
	defer func() {
		if err != nil {
			e, err = nil, fmt.Errorf("emulator: %w", err)
		}
	}()
	if err := config.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, err
	}
	listener, err := listen(config.Address)
	if err != nil {
		return nil, err
	}
	log, err := openLog(filepath.Join(config.Dir, requestLogName))
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	child, err := startMoto(ctx, config)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), log.Close())
	}
	e = &Emulator{moto: child, log: log, health: Health{
		Process:  child.command.Process.Pid,
		Endpoint: "http://" + listener.Addr().String(),
		Region:   config.Region,
		Account:  config.Account,
		Started:  time.Now().UTC(),
	}}
	e.server = &http.Server{Handler: e.routes(config), ReadHeaderTimeout: time.Minute}
	if err := config.Seed.create(ctx, child.url, config.Region); err != nil {
		return nil, errors.Join(fmt.Errorf("seed: %w", err), listener.Close(), e.Close())
	}
	go func() { _ = e.server.Serve(listener) }() // returns once Close has closed the listener
	return e, nil
}

// Endpoint is the address for AWS_ENDPOINT_URL: http://ADDRESS:PORT.
func (e *Emulator) Endpoint() string { return e.health.Endpoint }

// Wait returns when moto's process has ended: nil after Close, otherwise an
// error that says how it ended and where its log is.
func (e *Emulator) Wait() error { return e.moto.wait() }

// Close stops moto and the endpoint; the emulated state is gone after it.
func (e *Emulator) Close() error {
	return errors.Join(e.server.Close(), e.moto.stop(), e.log.Close())
}

// routes puts the emulator's own paths beside everything that is AWS. It is not
// an http.ServeMux because that one rewrites paths, and S3 keys may hold "//".
func (e *Emulator) routes(config Config) http.Handler {
	front := newFront(e.moto, config.Services, e.log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if control, ours := config.Controls[r.URL.Path]; ours {
			control.ServeHTTP(w, r)
			return
		}
		switch r.URL.Path {
		case HealthPath:
		case ThrottlePath:
			front.throttle.ServeHTTP(w, r)
			return
		default:
			front.ServeHTTP(w, r)
			return
		}
		now := e.health
		now.Moto = e.moto.alive()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(now) // the client has gone: nobody to tell
	})
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

func (c Config) validate() error {
	var problems []error
	if c.Python == "" {
		problems = append(problems, errors.New("python: no interpreter given; install requirements.txt in a virtual environment and pass its interpreter"))
	}
	if !accountPattern.MatchString(c.Account) {
		problems = append(problems, fmt.Errorf("account: want 12 digits, got %q", c.Account))
	}
	if c.Region == "" {
		problems = append(problems, errors.New("region: none given"))
	}
	if c.Dir == "" {
		problems = append(problems, errors.New("dir: none given; logs need a folder"))
	}
	if address, err := netip.ParseAddrPort(c.Address); err != nil || !address.Addr().IsLoopback() {
		problems = append(problems, fmt.Errorf("address: want a loopback address and a port such as 127.0.0.1:4566, got %q: the emulator accepts every caller", c.Address))
	}
	return errors.Join(problems...)
}

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address: %s is in use by another program; stop that program or choose another port (0 takes any free one)", address)
	}
	return listener, err
}

// openLog starts a log, for its owner only, and keeps that of the last run beside it.
func openLog(path string) (*os.File, error) {
	if err := os.Rename(path, path+".previous"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
}
