package release

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"bluegreen/internal/appspec"
)

// Bundle is what the CodeDeploy agent unpacks on an instance: a tar archive,
// compressed with gzip. Of CodeDeploy's formats it is the one that keeps modes
// and links and that every Linux unpacks by itself; for a zip, Ubuntu lacks the
// program. The same commit makes the same bytes wherever and whenever it is
// bundled: files are sorted, have the commit's time and no owner, and come from
// git's objects, where no setting of a checkout has touched them.
type Bundle struct {
	Commit  string `json:"commit"`  // full id
	Subject string `json:"subject"` // first line of its message
	Dirty   bool   `json:"dirty"`   // whether it has uncommitted changes, too
	Files   int    `json:"files"`
	Size    int    `json:"size"`   // bytes
	SHA256  string `json:"sha256"` // of the archive, in hex

	content []byte
}

// entry is a file of a bundle.
type entry struct {
	path    string      // from the bundle's root, with slashes
	mode    fs.FileMode // 0644, 0755, or fs.ModeSymlink
	content []byte      // or where the link points
}

func (e entry) executable() bool { return e.mode.Perm()&0o100 != 0 }

// usual are the parts of a bundle that a site has. Those that it does not have
// are left out: appspec.yml says what it cannot do without.
var usual = []string{appspec.Name, "scripts", "app"}

func (s Source) validate() error {
	var errs []error
	if s.GitHub != "" && s.AllowDirty {
		errs = append(errs, errors.New("allow dirty: GitHub has no uncommitted changes; commit and push them, or release a bundle"))
	}
	switch {
	case s.GitHub != "" && strings.Count(strings.Trim(s.GitHub, "/"), "/") != 1:
		errs = append(errs, fmt.Errorf("github: want owner/name, got %q", s.GitHub))
	case s.GitHub == "" && s.Bucket == "":
		errs = append(errs, errMissingBucket)
	}
	if s.Commit != "" && s.AllowDirty {
		errs = append(errs, errors.New("allow dirty: a named commit has no uncommitted changes; leave out one of the two"))
	}
	return errors.Join(errs...)
}

// MakeBundle bundles a commit, and checks its appspec.yml. Errors, all at once:
// uncommitted changes, a path that is not there, what is wrong in appspec.yml,
// what an archive cannot hold.
func MakeBundle(ctx context.Context, s Source) (*Bundle, error) {
	b, entries, err := s.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if err := checkAppspec(entries); err != nil {
		return nil, fmt.Errorf("bundle of %s: %w", b.short(), err)
	}
	if b.content, err = archive(entries, b.at); err != nil {
		return nil, fmt.Errorf("bundle of %s: %w", b.short(), err)
	}
	sum := sha256.Sum256(b.content)
	b.Files, b.Size, b.SHA256 = len(entries), len(b.content), hex.EncodeToString(sum[:])
	return &b.Bundle, nil
}

// read collects the files of a bundle.
func (s Source) read(ctx context.Context) (*draft, []entry, error) {
	tree, err := openTree(ctx, s.Folder)
	if err != nil {
		return nil, nil, err
	}
	paths := slices.Concat(usual, s.Paths)
	if s.GitHub != "" {
		paths = []string{"."} // GitHub's revision is the whole repository
	}
	head, err := tree.commit(ctx, cmp.Or(s.Commit, "HEAD"))
	if err != nil {
		return nil, nil, err
	}
	if s.Commit == "" {
		changes, err := tree.changes(ctx, paths)
		if err != nil {
			return nil, nil, err
		}
		head.Dirty = len(changes) > 0
		if head.Dirty && !s.AllowDirty {
			return nil, nil, fmt.Errorf("uncommitted changes in %s; commit them, or release them as they are with --allow-dirty, or name a commit with --commit", some(changes))
		}
	}
	var entries []entry
	if head.Dirty {
		entries, err = tree.workingFiles(ctx, paths)
	} else {
		var unfit error
		entries, unfit, err = tree.committedFiles(ctx, head.Commit, paths)
		if s.GitHub == "" {
			err = errors.Join(err, unfit)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return head, entries, s.present(entries)
}

// present checks that every path that was asked for is there.
func (s Source) present(entries []entry) error {
	var errs []error
	for _, wanted := range s.Paths {
		if !slices.ContainsFunc(entries, func(e entry) bool { return below(e.path, wanted) }) {
			errs = append(errs, fmt.Errorf("path %s: no such file or folder in the commit", wanted))
		}
	}
	return errors.Join(errs...)
}

// below tells whether a file is, or is below, a path of appspec.yml or of the
// command line. "/" is the bundle's root.
func below(file, of string) bool {
	of = strings.TrimPrefix(path.Clean("/"+of), "/")
	return of == "" || file == of || strings.HasPrefix(file, of+"/")
}

// archive writes files as a tar, compressed with gzip.
func archive(entries []entry, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	files := tar.NewWriter(packed)
	for _, e := range entries {
		header := &tar.Header{Name: e.path, Mode: int64(e.mode.Perm()), ModTime: at, Typeflag: tar.TypeReg, Size: int64(len(e.content))}
		body := e.content
		if e.mode&fs.ModeSymlink != 0 {
			header.Typeflag, header.Linkname, header.Mode, header.Size, body = tar.TypeSymlink, string(e.content), 0o777, 0, nil
		}
		if err := files.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
		if _, err := files.Write(body); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
	}
	err = errors.Join(files.Close(), packed.Close())
	return out.Bytes(), err
}

// WriteTo writes the archive.
func (b *Bundle) WriteTo(out io.Writer) (int64, error) {
	n, err := out.Write(b.content)
	return int64(n), err
}

// Report writes what the bundle is, for people.
func (b *Bundle) Report(out io.Writer) {
	fmt.Fprintln(out, "Bundle of", b.description()+":", b.contents())
}

func (b *Bundle) contents() string {
	return fmt.Sprintf("%d files, %s, sha256 %s", b.Files, bytesOf(b.Size), b.SHA256)
}

func (b *Bundle) short() string { return b.Commit[:min(12, len(b.Commit))] }

// description is what CodeDeploy shows of a deployment: the commit and its
// subject.
func (b *Bundle) description() string {
	dirty := ""
	if b.Dirty {
		dirty = "with uncommitted changes: "
	}
	return clip(b.Commit + " " + dirty + b.Subject)
}
