package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"bluegreen/sandbox"
	"bluegreen/sandbox/machines"
	"bluegreen/sandbox/parts"

	"gopkg.in/yaml.v3"
)

// Site says which application of which checkout is rehearsed, and where.
type Site struct {
	Sandbox sandbox.Options // Folder, Machines and Pace are set by Open
	Folder  string          // of the rehearsal: the sandbox's run folder, versions, recording, pictures
	App     string          // folder of another application than the reference one; it needs a release.sh
	Pace    float64         // of the load balancer
}

// Open checks this computer, and makes the versions that are released. Errors:
// everything that the computer lacks; an application that does not build.
func Open(ctx context.Context, site Site) (*Live, Versions, error) {
	if err := sandbox.CheckMachines(ctx); err != nil {
		return nil, Versions{}, err
	}
	policy, err := parts.PolicyFromEnvironment()
	if err != nil {
		return nil, Versions{}, err
	}
	if _, err := parts.Ensure(ctx, parts.Options{Root: site.Sandbox.Root, Plugins: policy, Output: site.Sandbox.Progress}); err != nil {
		return nil, Versions{}, err
	}
	tree, err := machines.Tree(ctx, site.Sandbox.Root, site.Sandbox.Progress)
	if err != nil {
		return nil, Versions{}, err
	}
	built, err := instancesOf(tree)
	if err != nil {
		return nil, Versions{}, err
	}
	if site.App == "" {
		built.cache = filepath.Join(site.Sandbox.Root, ".sandbox", "wheels")
	}
	folder, err := claim(site.Folder)
	if err != nil {
		return nil, Versions{}, err
	}
	v, err := newVersions(ctx, site.Sandbox.Root, site.App, folder, built)
	if err != nil {
		_ = os.RemoveAll(folder) // so that the same command works when the application is mended
		return nil, Versions{}, fmt.Errorf("versions to release: %w", err)
	}
	released, err := v.reference(ctx)
	if site.App != "" {
		released, err = v.others(ctx)
	}
	if err != nil {
		return nil, Versions{}, err
	}
	options := site.Sandbox
	if options.File, err = stackFile(ctx, site, v.folder); err != nil {
		return nil, Versions{}, err
	}
	options.Folder, options.Machines, options.Pace = filepath.Join(site.Folder, "run"), true, site.Pace
	options.Progress = io.Discard // the rehearsal has a line for each step
	s, err := sandbox.New(options)
	if err != nil {
		return nil, Versions{}, err
	}
	return &Live{Sandbox: s, versions: v}, released, nil
}

// claim makes the folder of the versions. Where there is one, another rehearsal
// is at it or has left its recording there.
func claim(rehearsal string) (string, error) {
	if err := os.MkdirAll(rehearsal, 0o700); err != nil {
		return "", err
	}
	folder := filepath.Join(rehearsal, "versions")
	if err := os.Mkdir(folder, 0o700); errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s: has a rehearsal in it already; choose another folder with --run, or remove it", rehearsal)
	} else if err != nil {
		return "", err
	}
	return folder, nil
}

// stackFile is the stack's configuration. For an application without worker and
// beat, it is a copy that asks for none: the hooks refuse a service that
// release.sh has no function for.
func stackFile(ctx context.Context, site Site, versions string) (string, error) {
	name := "Pulumi." + site.Sandbox.Stack + ".yaml"
	file := filepath.Join(site.Sandbox.Root, name)
	described := exec.CommandContext(ctx, "bash", "-c", `source "$1" && declare -F worker beat`, "bash", filepath.Join(versions, "app", "release.sh")) // #nosec G204 -- the application's own, as the hooks read it
	if site.App == "" || described.Run() == nil {
		return file, nil
	}
	text, err := os.ReadFile(file) // #nosec G304 -- the stack's file in the checkout
	if err != nil {
		return "", err
	}
	var stack map[string]any
	if err := yaml.Unmarshal(text, &stack); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	config, ok := stack["config"].(map[string]any)
	if !ok {
		return "", fmt.Errorf("%s: config: want settings, got none", name)
	}
	config["bluegreen:celery"] = map[string]string{"mode": "none"}
	if text, err = yaml.Marshal(stack); err != nil {
		return "", err
	}
	file = filepath.Join(site.Folder, name)
	return file, os.WriteFile(file, text, 0o600)
}

// The migrations of the reference application, in order.
var migrations = []string{"0001_initial", "0002_expand", "0003_contract"}

// reference is the versions of the reference application: a column is renamed
// over three releases, without a moment at which a running release lacks one.
func (v *versions) reference(ctx context.Context) (Versions, error) {
	all := Versions{Describe: true, Next: make([]Version, 2)}
	for _, one := range []struct {
		of      *Version
		version Version
		patches []string
	}{
		{&all.First, Version{Title: "version 1", Short: "version 1", Migrations: migrations[:1]}, []string{"version-1"}},
		{&all.Next[0], Version{Title: "version 2: its migration adds a column (expand)", Short: "version 2", Migrations: migrations[:2]}, []string{"version-2"}},
		{&all.Next[1], Version{Title: "version 3: its migration drops the old column (contract)", Short: "version 3", Migrations: migrations}, nil},
		{&all.Faulty, Version{Title: "a fault: a cache database that is not there", Short: "faulty"}, []string{"faulty"}},
		{&all.Lost, Version{Title: "version 4", Short: "version 4, lost"}, nil},
		{&all.Last, Version{Title: "version 4", Short: "version 4"}, nil},
	} {
		commit, err := v.version(ctx, one.version.Short, one.patches...)
		if err != nil {
			return Versions{}, err
		}
		*one.of = one.version
		one.of.Commit = commit
	}
	return all, nil
}

// others is the same application again and again: of another one, no earlier
// version is known.
func (v *versions) others(ctx context.Context) (Versions, error) {
	all := Versions{Next: make([]Version, 1)}
	for _, one := range []struct {
		of    *Version
		title string
	}{{&all.First, "first"}, {&all.Next[0], "second"}, {&all.Faulty, "failing"}, {&all.Lost, "third, lost"}, {&all.Last, "third"}} {
		commit, err := v.version(ctx, one.title)
		if err != nil {
			return Versions{}, err
		}
		*one.of = Version{Commit: commit, Title: "the application, " + one.title, Short: one.title}
	}
	return all, nil
}
