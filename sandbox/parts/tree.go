package parts

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"bluegreen/sandbox/progress"
)

// treeScript makes the tree. It is handed to bash, so that a tree is never made
// by another version of the script than the pin says.
//
//go:embed tree.sh
var treeScript string

// Source is where the packages of a machine's tree come from.
type Source struct {
	Mirror string // address of a package archive
	Suite  string // release of the distribution, as debootstrap names it
}

// debian is what trees are made from unless the environment says otherwise: the
// release whose systemd, nginx and PostgreSQL are nearest above Ubuntu 24.04's.
var debian = Source{Mirror: "http://deb.debian.org/debian", Suite: "trixie"}

// SourceFromEnvironment reads BLUEGREEN_SANDBOX_MIRROR and
// BLUEGREEN_SANDBOX_SUITE; the defaults are Debian's archive and trixie. What
// is no address, or no name of a release, is an error.
func SourceFromEnvironment() (Source, error) {
	source := debian
	for name, field := range map[string]*string{"BLUEGREEN_SANDBOX_MIRROR": &source.Mirror, "BLUEGREEN_SANDBOX_SUITE": &source.Suite} {
		if value := os.Getenv(name); value != "" {
			*field = value
		}
	}
	return source, source.validate()
}

var (
	mirrorPattern = regexp.MustCompile(`^(https?|file)://[^\s]+$`)
	suitePattern  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

func (s Source) validate() error {
	var problems []error
	if !mirrorPattern.MatchString(s.Mirror) {
		problems = append(problems, fmt.Errorf("BLUEGREEN_SANDBOX_MIRROR: want the address of an archive like %s, got %q", debian.Mirror, s.Mirror))
	}
	if !suitePattern.MatchString(s.Suite) {
		problems = append(problems, fmt.Errorf("BLUEGREEN_SANDBOX_SUITE: want a release like %s, got %q", debian.Suite, s.Suite))
	}
	return errors.Join(problems...)
}

// TreeOptions says which tree.
type TreeOptions struct {
	Root     string    // the checkout
	Source   Source    // SourceFromEnvironment reads it
	UserData string    // script of an instance's first start; its prepare-image prepares the tree
	Output   io.Writer // progress; silent when the tree is there
}

// Tree makes the files that machines start from, unless they are there, and
// returns their folder. That takes root, debootstrap, a package archive, and a
// minute or two. Machines must not write there.
//
// Errors: a wrong Source; a failed installation, with the end of its log.
func Tree(ctx context.Context, options TreeOptions) (string, error) {
	if err := options.Source.validate(); err != nil {
		return "", err
	}
	b, err := newBench(options.Root)
	if err != nil {
		return "", err
	}
	p, err := b.treePart(options)
	if err != nil {
		return "", err
	}
	if file := b.ready(p); file != "" {
		return treeOf(file), nil
	}
	board := progress.New(options.Output, 1)
	defer board.Close()
	step := board.Start(fmt.Sprintf("machines' tree, from %s", options.Source.Suite))
	file, err := b.ensure(ctx, p, step)
	step.End(err)
	if err != nil {
		return "", fmt.Errorf("tree: %w", err)
	}
	return treeOf(file), nil
}

// treeOf is the tree beside the list of its packages.
func treeOf(file string) string { return filepath.Join(filepath.Dir(file), "tree") }

// treePart is a folder with the tree and the list of its packages. Machines run
// from it as long as a sandbox does.
func (b *bench) treePart(options TreeOptions) (part, error) {
	hash, err := pin(b.root, []string{options.Source.Mirror, options.Source.Suite, options.UserData, treeScript})
	return part{name: "tree", pin: hash, file: "packages.txt", runs: true, make: func(ctx context.Context, folder string, log *log) error {
		userData := filepath.Join(folder, "userdata")
		tree := filepath.Join(folder, "tree")
		err := errors.Join(os.WriteFile(userData, []byte(options.UserData), 0o600), os.Mkdir(tree, 0o755)) // #nosec G301 -- the / of machines
		if err != nil {
			return err
		}
		return makeTree(ctx, log, tree, options.Source.Suite, options.Source.Mirror, userData)
	}}, err
}

// makeTree runs the script in namespaces of its own: whatever it has started or
// mounted is gone when it ends, and it ends with this process.
func makeTree(ctx context.Context, log *log, arguments ...string) error {
	runtime.LockOSThread() // whose end would otherwise count as this process's
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "unshare", append([]string{
		"--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-s", "--",
	}, arguments...)...) // #nosec G204 -- checked before
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(treeScript), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("tree.sh: %w", err)
	}
	return nil
}
