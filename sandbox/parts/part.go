package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"bluegreen/sandbox/progress"

	"github.com/gofrs/flock"
)

// bench is where parts are made.
type bench struct {
	root   string
	folder string
	mutex  sync.Mutex // guards tools
	tools  Tools
}

// newBench is the bench of a checkout. Its paths are absolute, since a part is
// made by commands that run in folders of their own.
func newBench(root string) (*bench, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	return &bench{root: root, folder: Folder(root)}, nil
}

// part is a folder of the bench that is made once.
type part struct {
	name string // what the folder's name begins with
	pin  string // hash of what it is made from
	file string // the product, relative to the folder
	runs bool   // a process in the background may run from it for weeks
	make func(ctx context.Context, folder string, log *log) error
}

func (b *bench) place(p part) string { return filepath.Join(b.folder, p.name+"-"+p.pin) }

// sizeFile holds the size of a part's product, as it was made.
const sizeFile = ".size"

// ready gives the path of the part's product, or "" when it has to be made. A
// product that is gone or cut short counts as not made: the interpreter of a
// virtual environment is a link to a Python that may have been removed.
func (b *bench) ready(p part) string {
	file := filepath.Join(b.place(p), p.file)
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return ""
	}
	made, err := os.ReadFile(filepath.Join(b.place(p), sizeFile))
	if err == nil && string(made) != size(file) {
		return ""
	}
	b.used(p)
	return file
}

// size is the size of a file, or of a link itself, as text.
func size(file string) string {
	info, err := os.Lstat(file)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(info.Size(), 10)
}

// ensure makes the part unless it is ready. One process at a time makes a part;
// the others wait and then find it ready.
func (b *bench) ensure(ctx context.Context, p part, step *progress.Step) (string, error) {
	unlock, err := b.lock(ctx, p, step)
	if err != nil {
		return "", err
	}
	defer unlock()
	if file := b.ready(p); file != "" {
		return file, nil
	}
	place := b.place(p)
	staging := filepath.Join(b.folder, "."+p.name+".making") // leftovers of an interrupted run are removed here
	if err := errors.Join(os.RemoveAll(staging), os.RemoveAll(place), os.MkdirAll(staging, 0o750)); err != nil {
		return "", err
	}
	log, err := openLog(filepath.Join(b.folder, p.name+".log"), step)
	if err != nil {
		return "", err
	}
	err = p.make(ctx, staging, log)
	if err = errors.Join(log.explain(err), log.close()); err != nil {
		return "", errors.Join(err, os.RemoveAll(staging))
	}
	if _, err := os.Stat(filepath.Join(staging, p.file)); err != nil {
		return "", errors.Join(fmt.Errorf("made without %s; see %s", p.file, log.path), os.RemoveAll(staging))
	}
	if err := errors.Join(os.WriteFile(filepath.Join(staging, sizeFile), []byte(size(filepath.Join(staging, p.file))), 0o600), os.Rename(staging, place)); err != nil {
		return "", err
	}
	return filepath.Join(place, p.file), b.prune(p)
}

// lock waits until no other process makes a part of this name.
func (b *bench) lock(ctx context.Context, p part, step *progress.Step) (func(), error) {
	if err := os.MkdirAll(b.folder, 0o750); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(b.folder, "."+p.name+".lock"))
	got, err := lock.TryLock()
	if err == nil && !got {
		step.Say("waiting for another process that makes it")
		got, err = lock.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil || !got {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	return func() { _ = lock.Unlock() }, nil // the operating system unlocks at exit in any case
}
