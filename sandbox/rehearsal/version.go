package rehearsal

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// patches make earlier versions, and one with a fault, of the reference
// application as it is in the checkout.
//
//go:embed versions/*.patch
var patches embed.FS

// bundled is what scripts/build has made, which is committed in the versions.
var bundled = []string{"wheels"}

// versions is a git repository that holds an application in several versions,
// each a commit that is ready to be released. It is made of the checkout, which
// stays as it is, and of what scripts/build adds.
type versions struct {
	folder string
	base   string // commit of the application as it is
}

// build is for which instances, and where what it took to build is kept.
type build struct {
	python  string // "3.12"
	machine string // "x86_64"
	cache   string // folder of wheels; empty keeps none
}

// newVersions makes the repository: from the checkout, or with another
// application in place of app.
func newVersions(ctx context.Context, root, app, folder string, b build) (*versions, error) {
	v := &versions{folder: folder}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := v.git(ctx, nil, "init", "--quiet", "."); err != nil {
		return nil, err
	}
	parts := []string{"appspec.yml", "environment.yaml", "scripts"}
	if app == "" {
		parts = append(parts, "app")
	}
	if err := v.git(ctx, nil, append([]string{"-C", root, "--work-tree", root, "add", "--"}, parts...)...); err != nil {
		return nil, err
	}
	if app != "" {
		if err := v.take(ctx, app); err != nil {
			return nil, fmt.Errorf("%s: %w", app, err)
		}
	}
	if err := v.git(ctx, nil, "checkout-index", "--all", "--force"); err != nil {
		return nil, err
	}
	if err := v.build(ctx, b); err != nil {
		return nil, err
	}
	var err error
	v.base, err = v.commit(ctx, "the application as it is")
	return v, err
}

// take puts a folder, less what its .gitignore names, into app.
func (v *versions) take(ctx context.Context, app string) error {
	if _, err := os.Stat(filepath.Join(app, "release.sh")); err != nil {
		return fmt.Errorf("%w; it says how an application is built and started, see docs/instance.md", err)
	}
	own := []string{"GIT_INDEX_FILE=" + filepath.Join(v.folder, ".git", "app-index")}
	if err := v.git(ctx, own, "-C", app, "--work-tree", app, "add", "--all", "."); err != nil {
		return err
	}
	tree, err := v.output(ctx, own, "write-tree")
	if err != nil {
		return err
	}
	return v.git(ctx, nil, "read-tree", "--prefix=app/", tree)
}

// build runs scripts/build, or takes what it gave for the same requirements.
func (v *versions) build(ctx context.Context, b build) error {
	wheels, kept := filepath.Join(v.folder, "wheels"), ""
	if b.cache != "" {
		key, err := v.key(b)
		if err != nil {
			return err
		}
		kept = filepath.Join(b.cache, key)
		if _, err := os.Stat(kept); err == nil {
			return os.CopyFS(wheels, os.DirFS(kept))
		}
	}
	command := exec.CommandContext(ctx, filepath.Join(v.folder, "scripts", "build")) // #nosec G204 -- the checkout's own
	command.Dir, command.Env = v.folder, append(os.Environ(), "PYTHON_VERSION="+b.python, "MACHINE="+b.machine)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/build: %w: %s", err, lastLines(string(output)))
	}
	if kept == "" {
		return nil
	}
	partial := fmt.Sprintf("%s.%d", kept, os.Getpid())
	defer os.RemoveAll(partial)
	if err := os.CopyFS(partial, os.DirFS(wheels)); err != nil {
		return err
	}
	if err := os.Rename(partial, kept); err != nil && !errors.Is(err, fs.ErrExist) { // another rehearsal was first
		return err
	}
	return nil
}

// key is what wheels depend on.
func (v *versions) key(b build) (string, error) {
	sum := sha256.New()
	for _, name := range []string{"scripts/build", "scripts/python.sh", "scripts/uv.txt", "scripts/requirements.txt", "app/requirements.txt"} {
		text, err := os.ReadFile(filepath.Join(v.folder, name))
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	fmt.Fprint(sum, b.python, b.machine)
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// version commits the application with patches on it and returns the commit.
func (v *versions) version(ctx context.Context, title string, names ...string) (string, error) {
	if err := v.git(ctx, nil, "checkout", "--quiet", "--force", v.base); err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := patches.ReadFile("versions/" + name + ".patch")
		if err != nil {
			return "", err
		}
		path := filepath.Join(v.folder, ".git", "patch")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", err
		}
		if err := v.git(ctx, nil, "apply", path); err != nil {
			return "", fmt.Errorf("sandbox/rehearsal/versions/%s.patch does not fit app any more: %w", name, err)
		}
	}
	return v.commit(ctx, title)
}

func (v *versions) commit(ctx context.Context, title string) (string, error) {
	if err := v.git(ctx, nil, "add", "--all", "--force", "."); err != nil {
		return "", err
	}
	if err := v.git(ctx, nil, "commit", "--quiet", "--allow-empty", "--message", title); err != nil {
		return "", err
	}
	return v.output(ctx, nil, "rev-parse", "HEAD")
}

func (v *versions) git(ctx context.Context, environment []string, arguments ...string) error {
	_, err := v.output(ctx, environment, arguments...)
	return err
}

// output runs git with nobody's configuration: a user's hooks, templates and
// signing keys have no place here.
func (v *versions) output(ctx context.Context, environment []string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", slices.Concat([]string{"--git-dir", filepath.Join(v.folder, ".git")}, arguments)...) // #nosec G204 -- git, with our own arguments
	command.Dir = v.folder
	command.Env = slices.Concat(slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "GIT_") }), []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "LC_ALL=C",
		"GIT_AUTHOR_NAME=rehearsal", "GIT_AUTHOR_EMAIL=rehearsal@localhost", "GIT_COMMITTER_NAME=rehearsal", "GIT_COMMITTER_EMAIL=rehearsal@localhost",
	}, environment)
	output, err := command.CombinedOutput()
	text := strings.TrimSpace(string(output))
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(arguments, " "), err, lastLines(text))
	}
	return text, nil
}

// lastLines is the end of what a command has printed.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
