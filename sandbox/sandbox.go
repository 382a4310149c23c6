// Package sandbox is AWS on a laptop for a stack of this repository: it runs the
// same Pulumi program with the real engine and the real AWS provider against an
// emulated AWS, on loopback and without an account.
//
// The emulated AWS lives in a process of its own, from the first Up until
// Destroy; a run folder holds that process's record and logs, Pulumi's state and
// copies of the configuration. The checkout itself is never written to. One
// command at a time works on a run folder; a command that was killed is
// recovered from by the next one.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ProjectName is the name in the checkout's Pulumi.yaml.
const ProjectName = "bluegreen"

// Options says which sandbox of which checkout.
type Options struct {
	Root     string    // the checkout; see FindRoot
	Folder   string    // the run folder; the default is <Root>/.sandbox/run
	Stack    string    // the stack; the default is "sandbox"
	File     string    // its configuration; the default is <Root>/Pulumi.<Stack>.yaml
	Port     int       // the endpoint's loopback port; 0 takes any free one
	Program  Program   // what runs; Platform is the repository's own
	Serve    []string  // command that calls Serve with the run folder, which is appended; the default is this executable's "sandbox serve"
	Progress io.Writer // what is being done; results are returned

	// Digest gets what "pulumi preview --json --show-sames" prints, from Preview
	// and PreviewFile; none by default. Secrets in it are concealed.
	Digest io.Writer

	// Machines boots a machine for each instance, and puts a load balancer before
	// them; needs root and what CheckMachines checks.
	Machines bool
	Pace     float64 // shortens the load balancer's waits; DefaultPace by default, 1 is as on AWS
	SitePort int     // the load balancer's loopback port; 0 takes any free one
}

// Program is what a sandbox runs, and the AWS that it needs.
type Program struct {
	Run pulumi.RunFunc
	// World reads a stack's configuration and says which AWS it needs. Its
	// errors are about the configuration.
	World func(projectFile, stackFile string) (World, error)
}

// World is the emulated AWS that a stack needs.
type World struct {
	Stack   string        `json:"stack"`
	Account string        `json:"account"` // 12 digits
	Region  string        `json:"region"`
	Seed    emulator.Seed `json:"seed"`
}

// Sandbox is one sandbox.
type Sandbox struct {
	Options
	ensure      func(context.Context, parts.Options) (parts.Tools, error)
	environment []string // of the process; child processes get it filtered
	file        string   // the stack's configuration
	log         string   // what the engine printed during the last operation
}

// New prepares a sandbox; it touches nothing.
func New(options Options) (*Sandbox, error) {
	if options.Program.Run == nil || options.Program.World == nil {
		return nil, errors.New("sandbox: no program given")
	}
	if options.Folder == "" {
		options.Folder = filepath.Join(options.Root, ".sandbox", "run")
	}
	var err error
	if options.Folder, err = filepath.Abs(options.Folder); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if options.Stack == "" {
		options.Stack = "sandbox"
	}
	if options.File == "" {
		options.File = filepath.Join(options.Root, "Pulumi."+options.Stack+".yaml")
	}
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	options.Pace = cmp.Or(options.Pace, DefaultPace)
	if options.Pace < 0 || options.Pace > 1 {
		return nil, fmt.Errorf("pace %g: want more than 0 and at most 1", options.Pace)
	}
	if options.Port < 0 || options.Port > 65535 {
		return nil, fmt.Errorf("port %d: want 1 to 65535, or 0 for any free one", options.Port)
	}
	if len(options.Serve) == 0 {
		executable, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		options.Serve = []string{executable, "sandbox", "serve"}
	}
	return &Sandbox{
		Options:     options,
		ensure:      parts.Ensure,
		environment: os.Environ(),
		file:        options.File,
		log:         filepath.Join(options.Folder, "pulumi.log"),
	}, nil
}

// FindRoot finds the checkout that folder is in: the nearest folder upwards with
// a Pulumi.yaml of this project.
func FindRoot(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	for at := folder; ; at = filepath.Dir(at) {
		project, err := workspace.LoadProject(filepath.Join(at, "Pulumi.yaml"))
		if err == nil && project.Name == ProjectName {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s: no Pulumi.yaml of project %s here or above; run this in the checkout, or name it with --root", folder, ProjectName)
		}
	}
}

func (s *Sandbox) path(elements ...string) string {
	return filepath.Join(append([]string{s.Folder}, elements...)...)
}

func (s *Sandbox) projectFile() string { return filepath.Join(s.Root, "Pulumi.yaml") }

// say tells the user something that is worth a line.
func (s *Sandbox) say(format string, arguments ...any) {
	fmt.Fprintf(s.Progress, format+"\n", arguments...)
}
