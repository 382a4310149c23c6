package awssource

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/dirhash"
)

// Materialise puts the edited sources into destination, which the plugin's
// go.mod expects to be Destination of the checkout. It returns at once when they
// are there already, made from the same pins. It writes beside destination and
// renames at the end, so an interrupted run leaves nothing that looks complete.
// Two runs at once need a lock around them. report gets one line per step.
//
// Errors: a module that cannot be downloaded, that does not match its pinned
// hash or whose text is not what an edit expects; a folder that cannot be
// written.
func Materialise(ctx context.Context, destination string, report func(string)) error {
	if err := assemble(ctx, modules, destination, report); err != nil {
		return fmt.Errorf("aws plugin sources: %w", err)
	}
	return nil
}

func assemble(ctx context.Context, modules []module, destination string, report func(string)) error {
	wanted, err := stamp()
	if err != nil {
		return err
	}
	made, err := os.ReadFile(filepath.Join(destination, stampFile)) // #nosec G304 -- the caller's folder
	if err == nil && string(made) == wanted {
		return nil
	}
	staging := destination + ".new"
	if err := errors.Join(os.RemoveAll(staging), os.MkdirAll(staging, 0o750)); err != nil {
		return err
	}
	for _, m := range modules {
		if err := m.materialise(ctx, staging, report); err != nil {
			return errors.Join(err, os.RemoveAll(staging))
		}
	}
	if err := os.WriteFile(filepath.Join(staging, stampFile), []byte(wanted), 0o600); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(destination), os.Rename(staging, destination))
}

func (m module) materialise(ctx context.Context, destination string, report func(string)) error {
	report(fmt.Sprintf("downloading %s %s", m.path, m.version))
	cached, err := m.download(ctx)
	if err != nil {
		return err
	}
	report("copying and editing " + m.path)
	root := filepath.Join(destination, m.folder)
	if err := copySource(ctx, cached, root, m.copies); err != nil {
		return fmt.Errorf("%s: copy: %w", m.path, err)
	}
	for _, e := range m.edits {
		if err := e.run(root); err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
	}
	return nil
}

// copySource copies the wanted files of from, which is read-only in the module
// cache, to writable ones in to.
func copySource(ctx context.Context, from, to string, wanted func(string) bool) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil || !entry.Type().IsRegular() || !wanted(filepath.ToSlash(relative)) {
			return err
		}
		text, err := os.ReadFile(name) // #nosec G304 -- verified module
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
}

// stampFile marks a complete copy with what it was made from.
const stampFile = "stamp"

// code is this package: it has the pins, the services and the edits, so that its
// hash changes with any of them.
//
//go:embed *.go
var code embed.FS

// stamp identifies what Materialise makes.
func stamp() (string, error) {
	names, err := fs.Glob(code, "*.go")
	if err != nil {
		return "", err
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return code.Open(name) })
}
