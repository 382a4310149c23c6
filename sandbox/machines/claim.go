package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// What a Host's folder has.
const (
	lockFile    = "lock"
	recordFile  = "host.json"
	diskFolder  = "disks" // a folder for each machine: its layer and what it is mounted on
	sweepPeriod = 20 * time.Millisecond
)

// record tells who had the folder. Its name is part of everything outside the
// folder, and random, so that whatever has the name belongs to that Host.
type record struct {
	Name string `json:"name"`
}

// claim makes this process the one that has the folder, and removes what a
// killed one has left.
func claim(ctx context.Context, folder, name string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(folder, lockFile))
	if got, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	} else if !got {
		return nil, fmt.Errorf("%s: another process has machines here; end it, or choose another folder", folder)
	}
	var before record
	text, err := os.ReadFile(filepath.Join(folder, recordFile)) // #nosec G304 -- our own
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err == nil {
		err = sweep(ctx, folder, before.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	text, unwritable := json.Marshal(record{name})
	err = errors.Join(err, unwritable, os.WriteFile(filepath.Join(folder, recordFile), text, 0o600))
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock, nil
}

// sweep removes everything of a Host: processes that are left, the network
// namespace, the control groups, the disks, the record. Mounts went with the
// processes.
func sweep(ctx context.Context, folder, name string) error {
	if !strings.HasPrefix(name, "bluegreen-") {
		return fmt.Errorf("%s: not the record of machines: name %q", filepath.Join(folder, recordFile), name)
	}
	problems := []error{endGroups(ctx, name)}
	if _, err := os.Stat(namespace{name}.path()); err == nil {
		problems = append(problems, run(ctx, "", "ip", "netns", "delete", name))
	}
	problems = append(problems, os.RemoveAll(filepath.Join(folder, diskFolder)))
	if err := errors.Join(problems...); err != nil {
		return err // the record stays, so that the next Start tries again
	}
	return os.Remove(filepath.Join(folder, recordFile))
}

// hierarchies are where control groups are: one folder, or two where version 1
// is mounted beside version 2 (systemd's "hybrid" layout).
func hierarchies() []string {
	const root = "/sys/fs/cgroup"
	var found unix.Statfs_t
	if err := unix.Statfs(root, &found); err == nil && found.Type == unix.CGROUP2_SUPER_MAGIC {
		return []string{root}
	}
	return slices.DeleteFunc([]string{root + "/systemd", root + "/unified"}, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, "cgroup.procs"))
		return err != nil
	})
}

// makeGroups makes the control groups of one machine, and returns the files that
// a process writes itself into.
func makeGroups(name, id string) (files []string, err error) {
	for _, hierarchy := range hierarchies() {
		folder := filepath.Join(hierarchy, name, id)
		if err := os.MkdirAll(folder, 0o755); err != nil { // #nosec G301 -- as all control groups
			return nil, err
		}
		files = append(files, filepath.Join(folder, "cgroup.procs"))
	}
	if len(files) == 0 {
		return nil, errors.New("/sys/fs/cgroup: no control groups are mounted here, and systemd needs them")
	}
	return files, nil
}

// endGroups kills what is in a control group and below, and removes it. A
// killed process needs a moment to go.
func endGroups(ctx context.Context, group string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		left := 0
		for _, hierarchy := range hierarchies() {
			left += endGroup(filepath.Join(hierarchy, group))
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("control group %s: %d groups do not go: %w", group, left, ctx.Err())
		case <-time.After(sweepPeriod):
		}
	}
}

// endGroup returns how many groups are left.
func endGroup(folder string) (left int) {
	var groups []string
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return nil // one that has just gone
	})
	slices.Reverse(groups) // the innermost first
	for _, group := range groups {
		for _, pid := range processes(group) {
			_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
		}
		if err := unix.Rmdir(group); err != nil && !errors.Is(err, fs.ErrNotExist) {
			left++
		}
	}
	return left
}

func processes(group string) (pids []int) {
	text, _ := os.ReadFile(filepath.Join(group, "cgroup.procs")) // #nosec G304 -- our own group
	for line := range strings.Lines(string(text)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids
}
