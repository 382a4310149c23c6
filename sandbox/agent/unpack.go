package agent

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// unpack puts a bundle's contents where nothing else is then.
func unpack(ctx context.Context, bundle string, format types.BundleType, into string) error {
	if err := errors.Join(os.RemoveAll(into), os.MkdirAll(into, 0o755)); err != nil {
		return err
	}
	var err error
	switch format {
	case types.BundleTypeZip:
		err = unzip(bundle, into)
	case types.BundleTypeTar, types.BundleTypeTarGZip:
		flags := "-xpsf"
		if format == types.BundleTypeTarGZip {
			flags = "-zxpsf"
		}
		var output []byte
		if output, err = exec.CommandContext(ctx, "/bin/tar", "-C", into, flags, bundle).CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
		}
	default:
		return fmt.Errorf("bundle type: want tar, tgz or zip, got %q", format)
	}
	if err != nil {
		return fmt.Errorf("%s: unpacking as %s: %w", bundle, format, err)
	}
	return strip(into)
}

// strip takes away the one folder that everything in an archive is in, if
// appspec.yml is in it, too.
func strip(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return err
	}
	inner := filepath.Join(folder, entries[0].Name())
	inside, err := os.ReadDir(inner)
	if err != nil {
		return err
	}
	for _, e := range inside {
		if !strings.Contains(strings.ToLower(e.Name()), "appspec") {
			continue
		}
		aside := folder + "-temp"
		return errors.Join(os.RemoveAll(aside), os.Rename(inner, aside), os.Remove(folder), os.Rename(aside, folder))
	}
	return nil
}

// unzip keeps modes and links, as the program unzip does, which a machine may
// lack.
func unzip(bundle, into string) error {
	reader, err := zip.OpenReader(bundle)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, file := range reader.File {
		if !filepath.IsLocal(file.Name) {
			return fmt.Errorf("%s: leads out of the bundle", file.Name)
		}
		if err := unzipFile(file, filepath.Join(into, file.Name)); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return nil
}

func unzipFile(file *zip.File, to string) error {
	if file.FileInfo().IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := file.Open()
	if err != nil {
		return err
	}
	defer source.Close()
	if file.Mode()&fs.ModeSymlink != 0 {
		link, err := io.ReadAll(source)
		if err != nil {
			return err
		}
		return os.Symlink(string(link), to)
	}
	mode := file.Mode().Perm()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close(), os.Chmod(to, mode), os.Chtimes(to, file.Modified, file.Modified))
}
