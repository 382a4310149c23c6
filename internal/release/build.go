package release

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// buildScript makes what a bundle carries beside the commit: an instance neither
// compiles nor downloads.
const buildScript = "scripts/build"

// built runs the commit's own build script in a copy of the bundle's files, and
// returns them with what the script made of them. A copy, because a checkout may
// hold other files than the commit, and what an earlier build has left.
func (s Source) built(ctx context.Context, entries []entry) (_ []entry, err error) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.path == buildScript })
	if s.Unbuilt || s.GitHub != "" || i < 0 {
		return entries, nil
	}
	if !entries[i].executable() {
		return nil, fmt.Errorf("%s: is not executable; git update-index --chmod=+x %[1]s", buildScript)
	}
	folder, err := os.MkdirTemp("", "bluegreen-bundle-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // what is left is in the system's folder for that
	for _, e := range entries {
		if err := e.write(folder); err != nil {
			return nil, err
		}
	}
	if err := s.runBuild(ctx, folder); err != nil {
		return nil, err
	}
	return readAll(folder)
}

func (s Source) runBuild(ctx context.Context, folder string) error {
	command := exec.CommandContext(ctx, filepath.Join(folder, buildScript)) // #nosec G204 -- the user's own script, as on their instances
	command.Dir, command.Env = folder, os.Environ()
	for name, value := range s.Environment {
		command.Env = append(command.Env, name+"="+value)
	}
	// The script's own programs end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	var said bytes.Buffer
	command.Stdout = &said
	if s.Output != nil {
		command.Stdout = io.MultiWriter(&said, s.Output)
	}
	command.Stderr = command.Stdout
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w:\n%s", buildScript, err, lastLines(said.String()))
	}
	return nil
}

// lastLines is enough of what a script said to see why it failed.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// write puts the entry into a folder.
func (e entry) write(folder string) error {
	file := filepath.Join(folder, filepath.FromSlash(e.path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // #nosec G301 -- what instances may read
		return err
	}
	if e.mode&fs.ModeSymlink != 0 {
		return os.Symlink(string(e.content), file)
	}
	return os.WriteFile(file, e.content, e.mode.Perm())
}

// readAll reads every file of a folder.
func readAll(folder string) (entries []entry, err error) {
	err = filepath.WalkDir(folder, func(file string, found fs.DirEntry, err error) error {
		if err != nil || found.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		e, err := readEntry(folder, filepath.ToSlash(name))
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// readEntry reads a file or a link as it is now.
func readEntry(folder, name string) (entry, error) {
	file := filepath.Join(folder, filepath.FromSlash(name))
	info, err := os.Lstat(file)
	if err != nil {
		return entry{}, err
	}
	e := entry{path: name, mode: 0o644}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		var target string
		target, err = os.Readlink(file)
		e.mode, e.content = fs.ModeSymlink, []byte(target)
	case info.Mode().IsRegular():
		if info.Mode().Perm()&0o100 != 0 {
			e.mode = 0o755
		}
		e.content, err = os.ReadFile(file) // #nosec G304 -- a file of the checkout, as git lists it, or of its build
	default:
		err = fmt.Errorf("%s: is neither a file nor a link; a bundle cannot have it", name)
	}
	return e, err
}
