package release

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tree is a folder of a git checkout.
type tree struct{ folder string }

// draft is a bundle in the making.
type draft struct {
	Bundle
	at time.Time // of the commit
}

// openTree finds the checkout that a folder, or the working folder, is in.
func openTree(ctx context.Context, folder string) (tree, error) {
	if folder != "" {
		_, err := tree{folder}.git(ctx, nil, "rev-parse", "--git-dir")
		return tree{folder}, err
	}
	root, err := tree{"."}.git(ctx, nil, "rev-parse", "--show-toplevel")
	return tree{strings.TrimSuffix(string(root), "\n")}, err
}

// git runs git and returns what it says. Its errors end in git's own words.
func (t tree) git(ctx context.Context, input []byte, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "git", append([]string{"-C", t.folder}, arguments...)...) // #nosec G204 -- git, with names after "--" or checked by rev-parse
	command.Env = append(os.Environ(), "LC_ALL=C")
	command.Stdin = bytes.NewReader(input)
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("git is not installed, and a release is a commit; install git")
	}
	if err != nil {
		return nil, fmt.Errorf("git %s in %s: %w: %s", arguments[0], t.folder, err, strings.TrimSpace(errs.String()))
	}
	return out, nil
}

// commit looks a commit up.
func (t tree) commit(ctx context.Context, name string) (*draft, error) {
	id, err := t.git(ctx, nil, "rev-parse", "--verify", "--end-of-options", name+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	told, err := t.git(ctx, nil, "show", "--no-patch", "--no-show-signature", "--format=%H%x00%ct%x00%s", strings.TrimSpace(string(id)))
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	part := strings.SplitN(strings.TrimSuffix(string(told), "\n"), "\x00", 3)
	if len(part) != 3 {
		return nil, fmt.Errorf("commit %s: git show answered %q", name, told)
	}
	seconds, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("commit %s: time: %w", name, err)
	}
	return &draft{Bundle: Bundle{Commit: part[0], Subject: part[2]}, at: time.Unix(seconds, 0).UTC()}, nil
}

// changes lists what in paths differs from the last commit, and what it lacks.
func (t tree) changes(ctx context.Context, paths []string) ([]string, error) {
	out, err := t.git(ctx, nil, append([]string{"status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", "--"}, paths...)...)
	var changed []string
	for _, line := range terminated(out) {
		changed = append(changed, line[min(3, len(line)):]) // "XY path"
	}
	return changed, err
}

// committedFiles reads files of a commit from git's objects. What is unfit for a
// bundle is an error of its own.
func (t tree) committedFiles(ctx context.Context, commit string, paths []string) (entries []entry, unfit, err error) {
	listing, err := t.git(ctx, nil, append([]string{"ls-tree", "-r", "-z", commit, "--"}, paths...)...)
	if err != nil {
		return nil, nil, err
	}
	var wanted bytes.Buffer
	for _, line := range terminated(listing) {
		about, path, _ := strings.Cut(line, "\t")
		part := strings.Fields(about) // mode, type, object
		if len(part) != 3 {
			return nil, nil, fmt.Errorf("git ls-tree answered %q", line)
		}
		mode := fs.FileMode(0o644)
		switch part[0] {
		case "100755":
			mode = 0o755
		case "120000":
			mode = fs.ModeSymlink
		case "160000":
			unfit = errors.Join(unfit, fmt.Errorf("%s: is a submodule, whose files are in another repository; a bundle cannot have it", path))
			continue
		}
		entries = append(entries, entry{path: path, mode: mode})
		fmt.Fprintln(&wanted, part[2])
	}
	contents, err := t.git(ctx, wanted.Bytes(), "cat-file", "--batch")
	if err != nil {
		return nil, nil, err
	}
	for i, reader := 0, bufio.NewReader(bytes.NewReader(contents)); i < len(entries); i++ {
		if err := entries[i].fill(reader); err != nil {
			return nil, nil, err
		}
		if bytes.HasPrefix(entries[i].content, []byte("version https://git-lfs.github.com/spec/")) {
			unfit = errors.Join(unfit, fmt.Errorf("%s: is a Git LFS pointer, not the file; a bundle needs it in git itself", entries[i].path))
		}
	}
	return entries, unfit, nil
}

// fill reads the next of what git cat-file --batch answers, which is in order.
func (e *entry) fill(reader *bufio.Reader) error {
	header, err := reader.ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s: git cat-file: %w", e.path, err)
	}
	part := strings.Fields(header) // object, type, size
	if len(part) != 3 || part[1] != "blob" {
		return fmt.Errorf("%s: git cat-file answered %q", e.path, header)
	}
	size, err := strconv.Atoi(part[2])
	if err != nil {
		return fmt.Errorf("%s: git cat-file: %w", e.path, err)
	}
	content := make([]byte, size+1) // and a line's end
	if _, err := io.ReadFull(reader, content); err != nil {
		return fmt.Errorf("%s: git cat-file: %w", e.path, err)
	}
	e.content = content[:size]
	return nil
}

// workingFiles reads files as they are now, without those that git ignores.
func (t tree) workingFiles(ctx context.Context, paths []string) ([]entry, error) {
	out, err := t.git(ctx, nil, append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	names := terminated(out)
	slices.Sort(names)
	var entries []entry
	for _, name := range slices.Compact(names) {
		e, err := readEntry(t.folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and that not committed
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// terminated splits what git -z says.
func terminated(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
