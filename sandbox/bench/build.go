package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// builds compiles the program and a floor beside it. The floor is a program that imports
// the same SDK packages and does nothing: what is above it is ours to answer
// for.
func builds(ctx context.Context, b *bench) error {
	folder, err := os.MkdirTemp("", "bluegreen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	floor, err := writeFloor(ctx, b.root)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Join(b.root, floor))

	var used [2]usage
	for i, target := range []struct{ name, pkg string }{{"floor", "./" + floor}, {"program", "."}} {
		if used[i], err = b.cold(ctx, folder, target.name, target.pkg); err != nil {
			return err
		}
		b.row("cold build, "+target.name, used[i], "")
	}
	b.row("program over floor", usage{}, fmt.Sprintf("CPU %.2f, memory %.2f",
		used[1].cpu.Seconds()/used[0].cpu.Seconds(), float64(used[1].peak)/float64(used[0].peak)))
	return nil
}

// cold builds a program into a folder with a build cache that is empty.
func (b *bench) cold(ctx context.Context, folder, name, pkg string) (usage, error) {
	b.say("cold build of the %s", name)
	command := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, name), pkg)
	command.Dir = b.root
	command.Env = append(os.Environ(), "GOCACHE="+filepath.Join(folder, "cache-"+name))
	used, err := measure(command)
	if err != nil {
		return usage{}, fmt.Errorf("cold build of the %s: %w", name, err)
	}
	return used, nil
}

// writeFloor writes a program that imports each SDK package the real one
// does, inside the module so that it is built with the same versions.
func writeFloor(ctx context.Context, root string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", ".")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n\t\"github.com/pulumi/pulumi/sdk/v3/go/pulumi\"\n")
	for _, pkg := range strings.Fields(string(out)) {
		if (strings.HasPrefix(pkg, "github.com/pulumi/pulumi-aws/") || strings.HasPrefix(pkg, "github.com/pulumi/pulumi-random/")) &&
			!strings.Contains(pkg, "/internal") {
			fmt.Fprintf(&source, "\t_ %q\n", pkg)
		}
	}
	source.WriteString(")\n\nfunc main() { pulumi.Run(func(*pulumi.Context) error { return nil }) }\n")
	folder := filepath.Join(".sandbox", fmt.Sprintf("floor-%d", os.Getpid()))
	if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(root, folder, "main.go"), []byte(source.String()), 0o644)
}
