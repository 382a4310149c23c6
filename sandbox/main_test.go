package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// The test binary is also the process that serves, and a command to be killed.
const (
	asServer = "serve-for-a-test"
	asUp     = "up-for-a-test"   // run folder, stack's file: of the program small
	asSite   = "site-for-a-test" // run folder, stack's file, "up" or "destroy": of the repository's own program
)

func TestMain(m *testing.M) {
	root, err := FindRoot(".")
	if err == nil {
		err = os.Chdir(root) // the program reads the checkout's files in the working folder
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	switch {
	case len(os.Args) == 3 && os.Args[1] == asServer:
		exit(func(ctx context.Context) error { return Serve(ctx, os.Args[2]) })
	case len(os.Args) == 4 && os.Args[1] == asUp:
		exit(func(ctx context.Context) error {
			s, err := open(os.Args[2], os.Args[3], small())
			if err != nil {
				return err
			}
			_, err = s.Up(ctx)
			return err
		})
	case len(os.Args) == 5 && os.Args[1] == asSite:
		exit(func(ctx context.Context) error {
			s, err := open(os.Args[2], os.Args[3], Platform())
			if err != nil {
				return err
			}
			if os.Args[4] == "destroy" {
				_, err = s.Destroy(ctx, false)
				return err
			}
			_, err = s.Up(ctx)
			return err
		})
	}
	m.Run()
}

func exit(run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// open is a sandbox of this checkout with a run folder and a stack's file of its own.
func open(folder, file string, program Program) (*Sandbox, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := New(Options{Root: root, Folder: folder, Program: program, Serve: []string{executable, asServer}, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	s.file = file
	return s, nil
}

// idle is a program for tests that run no engine.
func idle() Program {
	return Program{
		Run: func(*pulumi.Context) error { return nil },
		World: func(string, string) (World, error) {
			return World{Stack: "sandbox", Account: "123456789012", Region: "eu-west-1"}, nil
		},
	}
}

// inFolder is a sandbox with a run folder of its own, which exists.
func inFolder(t *testing.T) *Sandbox {
	t.Helper()
	folder := t.TempDir()
	s, err := open(filepath.Join(folder, "run"), filepath.Join(folder, "Pulumi.sandbox.yaml"), idle())
	require.NoError(t, err)
	s.Progress = io.Discard
	require.NoError(t, os.MkdirAll(s.Folder, 0o700))
	return s
}

// fake is a backend that ends when it is told to.
type fake struct {
	ended  chan error
	closed bool
}

func (f *fake) Endpoint() string { return "http://127.0.0.1:1" }

func (f *fake) Site() string { return "" }

func (f *fake) Wait() error { return <-f.ended }

func (f *fake) Close() error {
	if !f.closed {
		f.closed = true
		close(f.ended)
	}
	return nil
}

var errCrash = errors.New("moto has ended: exit status 1")
