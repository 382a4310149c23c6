package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bluegreen/sandbox/parts/awssource"
	"bluegreen/sandbox/progress"
)

// Plugin is a provider plugin that is ready to run.
type Plugin struct {
	Name    string // "aws"
	Version string // "6.83.2"
	Path    string // the executable
}

// Install puts the plugin where the engine looks for it in a PULUMI_HOME: a
// link, in a folder that says name and version.
func (p Plugin) Install(home string) error {
	return Link(p.Path, filepath.Join(home, pluginFolder(p.Name, p.Version), pluginFile(p.Name)))
}

// Link makes, or changes, a symbolic link to a part.
func Link(target, link string) error {
	if now, err := os.Readlink(link); err == nil && now == target {
		return nil
	}
	return errors.Join(os.MkdirAll(filepath.Dir(link), 0o750), os.RemoveAll(link), os.Symlink(target, link))
}

func pluginFolder(name, version string) string {
	return filepath.Join("plugins", "resource-"+name+"-v"+version)
}

func pluginFile(name string) string { return "pulumi-resource-" + name }

// provider is a plugin that the stacks need. The version is that of the Go SDK
// in go.mod, which asks the engine for it.
type provider struct {
	name    string
	version string
	title   string
	inputs  []string // what the build's pin covers, relative to the checkout
	build   func(ctx context.Context, root, binary string, log *log) error
}

var awsPlugin = provider{
	name:    "aws",
	version: awssource.Version,
	title:   "AWS plugin",
	inputs:  []string{"sandbox/awsplugin", "sandbox/parts/awssource"},
	build: func(ctx context.Context, root, binary string, log *log) error {
		if err := awssource.Materialise(ctx, awssource.Destination(root), log.line); err != nil {
			return err
		}
		return log.build(ctx, filepath.Join(root, "sandbox", "awsplugin"), awssource.BuildCommand(binary)...)
	},
}

var randomPlugin = provider{
	name:    "random",
	version: "4.18.4",
	title:   "random plugin",
	inputs:  []string{"sandbox/randomplugin", "go.mod"},
	build: func(ctx context.Context, root, binary string, log *log) error {
		return log.build(ctx, root, "go", "build", "-o", binary, "./sandbox/randomplugin")
	},
}

// plugin is the recipe of a provider plugin.
func (b *bench) plugin(p provider, policy Policy) recipe {
	return recipe{
		title: p.title,
		needs: func(ctx context.Context) error {
			if policy == Official {
				return nil
			}
			return needsGo(ctx)
		},
		find: func(context.Context) (product, error) {
			built, err := b.builtPart(p)
			if err != nil {
				return product{}, err
			}
			if policy != Build {
				if file := installedPlugin(p); file != "" {
					return official(p, file), nil
				}
				if file := b.ready(b.officialPart(p)); file != "" {
					return official(p, file), nil
				}
			}
			if file := b.ready(built); file != "" && policy != Official {
				return fromSource(p, file), nil
			}
			return product{}, nil
		},
		make: func(ctx context.Context, step *progress.Step) (product, error) {
			return b.makePlugin(ctx, p, policy, step)
		},
		use: func(t *Tools, made product) {
			t.Plugins = append(t.Plugins, Plugin{Name: p.name, Version: p.version, Path: made.path})
		},
	}
}

func official(p provider, file string) product {
	return product{file, p.version + " official, " + file}
}

func fromSource(p provider, file string) product {
	return product{file, p.version + " built from source"}
}

// makePlugin downloads the official plugin where that is possible, else builds.
func (b *bench) makePlugin(ctx context.Context, p provider, policy Policy, step *progress.Step) (product, error) {
	if policy != Build {
		step.Say("looking for the official release")
		err := b.reachable(ctx, p)
		if err == nil {
			var file string
			if file, err = b.ensure(ctx, b.officialPart(p), step); err == nil {
				return official(p, file), nil
			}
		}
		if policy == Official || ctx.Err() != nil {
			return product{}, fmt.Errorf("the official release %s cannot be downloaded: %w; %s=%s builds it instead", p.version, err, PolicyVariable, Build)
		}
		step.Say("no official release here, building")
	}
	built, err := b.builtPart(p)
	if err != nil {
		return product{}, err
	}
	file, err := b.ensure(ctx, built, step)
	return fromSource(p, file), err
}

func (b *bench) builtPart(p provider) (part, error) {
	hash, err := pin(b.root, []string{p.version}, p.inputs...)
	return part{name: p.name, pin: hash, file: pluginFile(p.name), make: func(ctx context.Context, folder string, log *log) error {
		return p.build(ctx, b.root, filepath.Join(folder, pluginFile(p.name)), log)
	}}, err
}

// installedPlugin finds an official plugin in the user's own Pulumi installation.
func installedPlugin(p provider) string {
	home := os.Getenv("PULUMI_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "" // no home, no installation
		}
		home = filepath.Join(user, ".pulumi")
	}
	folder := filepath.Join(home, pluginFolder(p.name, p.version))
	file := filepath.Join(folder, pluginFile(p.name))
	if _, err := os.Stat(folder + ".partial"); err == nil {
		return "" // Pulumi marks an unfinished installation so
	}
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return "" // a link is our own, in the PULUMI_HOME of the sandbox's shell
	}
	return file
}
