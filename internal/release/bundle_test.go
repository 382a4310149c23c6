package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unpack lists what is in a bundle.
func unpack(t *testing.T, b *Bundle) (headers []*tar.Header, contents map[string]string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(b.content))
	require.NoError(t, err)
	assert.True(t, packed.ModTime.IsZero())
	contents = map[string]string{}
	for files := tar.NewReader(packed); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return headers, contents
		}
		require.NoError(t, err)
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		headers = append(headers, header)
		contents[header.Name] = string(content)
	}
}

func TestWhatIsInABundle(t *testing.T) {
	folder := checkout(t)
	b, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.NoError(t, err)
	headers, contents := unpack(t, b)
	var names []string
	for _, h := range headers {
		names = append(names, h.Name)
		assert.Equal(t, time.Date(2026, 3, 1, 7, 0, 1, 0, time.UTC), h.ModTime.UTC(), "the commit's time")
		assert.Zero(t, h.Uid+h.Gid)
		assert.Empty(t, h.Uname+h.Gname)
		switch {
		case h.Name == "app/latest.txt":
			assert.EqualValues(t, tar.TypeSymlink, h.Typeflag)
			assert.Equal(t, "data.txt", h.Linkname)
		case strings.HasSuffix(h.Name, ".sh"):
			assert.EqualValues(t, 0o755, h.Mode)
		default:
			assert.EqualValues(t, 0o644, h.Mode)
		}
	}
	assert.Equal(t, []string{"app/data.txt", "app/latest.txt", "app/manage.py", "appspec.yml", "scripts/install.sh", "scripts/link.sh", "scripts/validate.sh"}, names)
	assert.Equal(t, "print('hello')\r\n", contents["app/manage.py"])
	assert.Equal(t, git(t, folder, "rev-parse", "HEAD"), b.Commit)
	assert.Equal(t, "Say hello", b.Subject)
	assert.Equal(t, 7, b.Files)
	assert.Equal(t, len(b.content), b.Size)

	more, err := MakeBundle(t.Context(), Source{Folder: folder, Paths: []string{"deploy", "README.md"}})
	require.NoError(t, err)
	_, contents = unpack(t, more)
	assert.Equal(t, "extra\n", contents["deploy/extra.conf"])
	assert.Contains(t, contents, "README.md")
	_, err = MakeBundle(t.Context(), Source{Folder: folder, Paths: []string{"absent", "gone/too"}})
	require.ErrorContains(t, err, "path absent: no such file or folder")
	require.ErrorContains(t, err, "path gone/too: no such file or folder")
}

// tarReads checks with the program that is on instances.
func TestTarReadsABundle(t *testing.T) {
	b, err := MakeBundle(t.Context(), Source{Folder: checkout(t)})
	require.NoError(t, err)
	into := t.TempDir()
	command := exec.Command("tar", "-xzpf", "-", "-C", into)
	command.Stdin = bytes.NewReader(b.content)
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	info, err := os.Stat(filepath.Join(into, "scripts/install.sh"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	content, err := os.ReadFile(filepath.Join(into, "app/latest.txt"))
	require.NoError(t, err)
	assert.Equal(t, "data\n", string(content))
}

// bundlerVariable makes the test binary write a bundle of the working folder, for
// a process that has a time zone and a mask of its own.
const bundlerVariable = "RELEASE_TEST_BUNDLE_TO"

func playBundler(file string) error {
	syscall.Umask(0o077)
	b, err := MakeBundle(context.Background(), Source{})
	if err != nil {
		return err
	}
	return os.WriteFile(file, b.content, 0o600)
}

func TestTheSameCommitMakesTheSameBytes(t *testing.T) {
	folder := checkout(t)
	here, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.NoError(t, err)

	clone := filepath.Join(t.TempDir(), "clone")
	git(t, folder, "clone", "-q", "-c", "core.autocrlf=true", "--depth=1", "file://"+folder, clone)
	git(t, clone, "config", "core.fileMode", "false")
	later := time.Now().Add(48 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(clone, "appspec.yml"), later, later))
	require.NoError(t, os.Chmod(filepath.Join(clone, "scripts/install.sh"), 0o600))
	file := filepath.Join(t.TempDir(), "bundle")
	other := exec.Command(os.Args[0])
	other.Dir = filepath.Join(clone, "scripts") // the root is found from any folder
	other.Env = append(os.Environ(), bundlerVariable+"="+file, "TZ=Pacific/Auckland", "LANG=de_DE.UTF-8")
	out, err := other.CombinedOutput()
	require.NoError(t, err, string(out))
	there, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(here.content, there), "%d and %d bytes", here.Size, len(there))

	commit(t, folder, "Say it again")
	next, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.NoError(t, err)
	assert.NotEqual(t, here.Commit, next.Commit)
	old, err := MakeBundle(t.Context(), Source{Folder: folder, Commit: "HEAD~1"})
	require.NoError(t, err)
	assert.Equal(t, here.SHA256, old.SHA256)
}

func TestUncommittedChanges(t *testing.T) {
	folder := checkout(t)
	put(t, folder, "README.md", "changed\n")
	put(t, folder, "notes.txt", "new\n")
	b, err := MakeBundle(t.Context(), Source{Folder: folder})
	require.NoError(t, err, "what is not in the bundle may change")
	assert.False(t, b.Dirty)

	put(t, folder, "app/new.py", "new\n")
	put(t, folder, "app/data.txt", "changed\n")
	put(t, folder, ".gitignore", "*.pyc\n")
	put(t, folder, "app/old.pyc", "ignored\n")
	require.NoError(t, os.Remove(filepath.Join(folder, "app/manage.py")))
	_, err = MakeBundle(t.Context(), Source{Folder: folder})
	require.ErrorContains(t, err, "uncommitted changes in app/data.txt, app/manage.py, app/new.py; commit them")
	require.ErrorContains(t, err, "--allow-dirty")

	head, err := MakeBundle(t.Context(), Source{Folder: folder, Commit: "HEAD"})
	require.NoError(t, err)
	assert.Equal(t, b.SHA256, head.SHA256)

	dirty, err := MakeBundle(t.Context(), Source{Folder: folder, AllowDirty: true})
	require.NoError(t, err)
	assert.True(t, dirty.Dirty)
	assert.Equal(t, b.Commit+" with uncommitted changes: Say hello", dirty.description())
	headers, contents := unpack(t, dirty)
	assert.Equal(t, "new\n", contents["app/new.py"])
	assert.Equal(t, "changed\n", contents["app/data.txt"])
	assert.NotContains(t, contents, "app/manage.py")
	assert.NotContains(t, contents, "app/old.pyc")
	for _, h := range headers {
		if h.Name == "scripts/link.sh" {
			assert.EqualValues(t, 0o755, h.Mode)
		}
	}
	again, err := MakeBundle(t.Context(), Source{Folder: folder, AllowDirty: true})
	require.NoError(t, err)
	assert.Equal(t, dirty.SHA256, again.SHA256)
}

func TestWhatABundleCannotHave(t *testing.T) {
	folder := checkout(t)
	put(t, folder, "app/big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
	id := git(t, folder, "rev-parse", "HEAD")
	git(t, folder, "update-index", "--add", "--cacheinfo", "160000,"+id+",app/module")
	git(t, folder, "add", "app/big.bin")
	git(t, folder, "commit", "-q", "-m", "Add what cannot be had")
	_, err := MakeBundle(t.Context(), Source{Folder: folder, Commit: "HEAD"})
	require.ErrorContains(t, err, "app/big.bin: is a Git LFS pointer")
	require.ErrorContains(t, err, "app/module: is a submodule")

	_, err = MakeBundle(t.Context(), Source{Folder: folder, Commit: "no-such-branch"})
	require.ErrorContains(t, err, "commit no-such-branch: git rev-parse")
	_, err = MakeBundle(t.Context(), Source{Folder: folder, Commit: "--all"})
	require.ErrorContains(t, err, "commit --all: git rev-parse")
	_, err = MakeBundle(t.Context(), Source{Folder: t.TempDir()})
	require.ErrorContains(t, err, "not a git repository")
}

func TestABundleOfAFolderOfTheCheckout(t *testing.T) {
	outer := t.TempDir()
	git(t, outer, "init", "-q")
	inner := checkout(t)
	require.NoError(t, os.RemoveAll(filepath.Join(inner, ".git")))
	require.NoError(t, os.Rename(inner, filepath.Join(outer, "site")))
	commit(t, outer, "Have a site in a folder")
	b, err := MakeBundle(t.Context(), Source{Folder: filepath.Join(outer, "site")})
	require.NoError(t, err)
	_, contents := unpack(t, b)
	assert.Contains(t, contents, "appspec.yml")
	assert.Contains(t, contents, "scripts/install.sh")
	put(t, outer, "site/app/data.txt", "changed\n")
	_, err = MakeBundle(t.Context(), Source{Folder: filepath.Join(outer, "site")})
	require.ErrorContains(t, err, "uncommitted changes in")
	_, err = MakeBundle(t.Context(), Source{Folder: outer})
	require.ErrorContains(t, err, "appspec.yml: not in the commit")
}

func TestDescriptionsFit(t *testing.T) {
	b := &Bundle{Commit: strings.Repeat("a", 40), Subject: strings.Repeat("ü", 300)}
	assert.LessOrEqual(t, len(b.description()), maxDescription)
	assert.True(t, strings.HasSuffix(b.description(), "ü…"))
	assert.Equal(t, "short ?", clip("short \xff"))
}
