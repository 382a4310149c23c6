package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pluginFolder is what Pulumi.yaml names as the path of our own provider.
var pluginFolder = filepath.Join("cmd", "pulumi-resource-bluegreen", "plugin")

// shared are the folders of a copy that are links to the checkout's: the parts,
// and the plugin's launcher, which builds it in the checkout that it is really in.
var shared = []string{filepath.Join(".sandbox", "parts"), pluginFolder}

// checkout copies the files of the checkout that git knows, with another stack
// and a longer registry.
func (b *bench) checkout(ctx context.Context, z size) (root string, err error) {
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
		if filepath.Dir(file) == pluginFolder {
			continue
		}
		if err := copyFile(filepath.Join(b.root, file), filepath.Join(root, file)); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(root, "Pulumi.sandbox.yaml"), []byte(z.config), 0o644); err != nil {
		return "", err
	}
	registry, err := os.OpenFile(filepath.Join(root, "environment.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", err
	}
	for i := range z.variables {
		fmt.Fprintf(registry, variable, i, i)
	}
	if err := registry.Close(); err != nil {
		return "", err
	}
	for _, folder := range shared {
		link := filepath.Join(root, folder)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return "", err
		}
		if err := os.Symlink(filepath.Join(b.root, folder), link); err != nil {
			return "", err
		}
	}
	return root, nil
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
