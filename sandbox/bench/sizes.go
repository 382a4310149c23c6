package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bluegreen/sandbox"
)

// size is a stack of a certain number of resources: a small platform, and
// variables on top.
type size struct {
	name      string
	config    string
	variables int
}

const base = `config:
  pulumi:disable-default-providers: [aws]
  bluegreen:project: bench
  bluegreen:account: "123456789012"
  bluegreen:region: us-east-1
  bluegreen:storage: {protect: false}
`

const small = base + `  bluegreen:network: {zones: [a, b]}
  bluegreen:edge: {domain: example.com, www: false, protect: false}
  bluegreen:access: {ci: none, customerManagedKey: false}
  bluegreen:database: {enabled: false}
  bluegreen:environment: {DATABASE_URL: "postgresql://elsewhere/site"}
`

const large = base + `  bluegreen:network: {zones: [a, b, c, d, e, f], ipv6: true}
  bluegreen:edge: {domain: example.com, names: [a.example.com, b.example.com, c.example.com], protect: false}
  bluegreen:access: {github: {repository: example/website}, protect: false}
  bluegreen:database: {protect: false}
  bluegreen:cache: {enabled: true, protect: false}
`

// sizes measures the commands of the sandbox on growing stacks.
func sizes(ctx context.Context, b *bench) error {
	for _, s := range []size{{"small", small, 0}, {"medium", large, 50}, {"large", large, 350}} {
		if err := b.size(ctx, s); err != nil {
			return fmt.Errorf("%s stack: %w", s.name, err)
		}
	}
	return nil
}

func (b *bench) size(ctx context.Context, s size) (err error) {
	root, err := b.checkout(ctx, s)
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	command := func(ctx context.Context, args ...string) *exec.Cmd {
		run := exec.CommandContext(ctx, b.tool(), append([]string{"sandbox"}, args...)...)
		run.Args = append(run.Args, "--root", root)
		run.Cancel = func() error { return run.Process.Signal(os.Interrupt) } // it has an engine to end
		return run
	}
	defer func() { err = errors.Join(err, command(context.WithoutCancel(ctx), "destroy", "--force").Run()) }()

	b.say("%s stack: up", s.name)
	up, err := measure(command(ctx, "up"))
	if err != nil {
		return err
	}
	resources, emulator, err := look(command(ctx, "status", "--json"))
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d resources", resources)
	b.row("up, "+s.name, up, note)
	for _, step := range []struct {
		what string
		args []string
	}{
		{"zero-change preview", []string{"preview", "--expect-no-changes"}},
		{"zero-change up", []string{"up"}},
	} {
		b.say("%s stack: %s", s.name, step.what)
		used, err := measure(command(ctx, step.args...), emulator)
		if err != nil {
			return err
		}
		b.row(step.what+", "+s.name, used, fmt.Sprintf("%s, %.1f ms each", note, 1000*used.wall.Seconds()/float64(resources)))
	}
	b.say("%s stack: destroy", s.name)
	down, err := measure(command(ctx, "destroy"), emulator)
	if err != nil {
		return err
	}
	b.row("destroy, "+s.name, down, note)
	return nil
}

// look asks how many resources there are, and which process is the emulated AWS.
func look(status *exec.Cmd) (resources, emulator int, err error) {
	out, err := status.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("status: %w", err)
	}
	var answer sandbox.Status
	if err := json.Unmarshal(out, &answer); err != nil {
		return 0, 0, fmt.Errorf("status: %w", err)
	}
	for _, process := range answer.Processes {
		if process.Name == "emulator" {
			return answer.Resources, process.PID, nil
		}
	}
	return 0, 0, errors.New("status: names no emulator")
}

// checkout copies the files of the checkout that git knows, with another stack
// and a longer registry. The parts are shared.
func (b *bench) checkout(ctx context.Context, s size) (root string, err error) {
	root, err = os.MkdirTemp("", "bluegreen-bench-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(root))
		}
	}()
	list := exec.CommandContext(ctx, "git", "ls-files", "-z")
	list.Dir = b.root
	files, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	for _, file := range strings.Split(strings.TrimRight(string(files), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(b.root, file), filepath.Join(root, file)); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(root, "Pulumi.sandbox.yaml"), []byte(s.config), 0o644); err != nil {
		return "", err
	}
	registry, err := os.OpenFile(filepath.Join(root, "environment.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", err
	}
	for i := range s.variables {
		fmt.Fprintf(registry, variable, i, i)
	}
	if err := registry.Close(); err != nil {
		return "", err
	}
	if err := os.Mkdir(filepath.Join(root, ".sandbox"), 0o755); err != nil {
		return "", err
	}
	return root, os.Symlink(filepath.Join(b.root, ".sandbox", "parts"), filepath.Join(root, ".sandbox", "parts"))
}

const variable = `
  BENCH_%d:
    description: One of many.
    readers: [web]
    constant: "%d"
`

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted, not committed yet
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}
