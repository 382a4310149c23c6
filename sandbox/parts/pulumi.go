package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bluegreen/sandbox/progress"

	"github.com/Masterminds/semver/v3"
)

// PulumiVersion is the Pulumi CLI that tools/go.mod pins. One on PATH is used
// instead when it is as new and of the same major version.
const PulumiVersion = "3.230.0"

const pulumiPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

// pulumi is the recipe of the Pulumi CLI.
func (b *bench) pulumi() recipe {
	return recipe{
		title: "Pulumi CLI",
		needs: needsGo,
		find: func(ctx context.Context) (product, error) {
			if path, version := installedPulumi(ctx, b.folder); path != "" {
				return product{path, version + " on PATH, " + path}, nil
			}
			p, err := b.pulumiPart()
			if err != nil {
				return product{}, err
			}
			return builtPulumi(b.ready(p)), nil
		},
		make: func(ctx context.Context, step *progress.Step) (product, error) {
			p, err := b.pulumiPart()
			if err != nil {
				return product{}, err
			}
			file, err := b.ensure(ctx, p, step)
			return builtPulumi(file), err
		},
		use: func(t *Tools, p product) { t.Pulumi = p.path },
	}
}

func builtPulumi(file string) product {
	return product{file, PulumiVersion + " built from its Go module"}
}

func (b *bench) pulumiPart() (part, error) {
	hash, err := pin(b.root, []string{PulumiVersion}, "tools/go.mod", "tools/go.sum")
	return part{name: "pulumi", pin: hash, file: "pulumi", make: func(ctx context.Context, folder string, log *log) error {
		variable := "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v" + PulumiVersion
		return log.build(ctx, filepath.Join(b.root, "tools"),
			"go", "build", "-ldflags=-s -w -X "+variable, "-o", filepath.Join(folder, "pulumi"), pulumiPackage)
	}}, err
}

// installedPulumi looks for a fitting Pulumi CLI on PATH. One that does not fit,
// or does not run, is passed over: the built one takes its place. The path is
// that of the file itself: in the shell of `bluegreen sandbox env`, PATH leads to
// the sandbox's own link, which is made from the result.
func installedPulumi(ctx context.Context, parts string) (path, version string) {
	path, err := exec.LookPath("pulumi")
	if err != nil {
		return "", ""
	}
	if path, err = filepath.EvalSymlinks(path); err != nil || inside(path, parts) {
		return "", ""
	}
	cmd := exec.CommandContext(ctx, path, "version") // #nosec G204 -- the user's pulumi
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := cmd.Output()
	version = strings.TrimSpace(string(out))
	if err != nil || !fits(version, PulumiVersion) {
		return "", ""
	}
	return path, version
}

// inside tells whether a file is in a folder, which may be a link.
func inside(path, folder string) bool {
	folder, err := filepath.EvalSymlinks(folder)
	return err == nil && strings.HasPrefix(path, folder+string(filepath.Separator))
}

// FindPulumi is the Pulumi CLI that a sandbox of this checkout would use, without
// making it: one on PATH that fits, else the built one, else whatever is on PATH,
// since every 3.x reads a stack. root may be "" outside a checkout. Errors:
// exec.ErrNotFound when there is none.
func FindPulumi(ctx context.Context, root string) (string, error) {
	if root != "" {
		b, err := newBench(root)
		if err != nil {
			return "", err
		}
		// A checkout of another project has no tools/go.mod to build from.
		if found, err := b.pulumi().find(ctx); err == nil && found.path != "" {
			return found.path, nil
		}
	}
	return exec.LookPath("pulumi")
}

// fits tells whether a tool's version is as new as wanted and of the same major
// version, which is what semantic versioning promises to work.
func fits(version, wanted string) bool {
	got, err := semver.NewVersion(version)
	want := semver.MustParse(wanted)
	return err == nil && got.Major() == want.Major() && !got.LessThan(want)
}

// build runs a go command and counts the packages it compiles: its -v flag
// prints one a line, and cached ones not at all.
func (l *log) build(ctx context.Context, folder string, command ...string) error {
	command = append([]string{command[0], command[1], "-v"}, command[2:]...)
	counter := &compiled{log: l}
	fmt.Fprintf(l.file, "# in %s: %s\n", folder, strings.Join(command, " "))
	l.step.Say("compiling")
	return l.runTo(ctx, counter, folder, goEnvironment, command...)
}

// compiled numbers the packages that a build reports.
type compiled struct {
	log   *log
	count int
}

// Write passes text on and shows how many packages have been compiled.
func (c *compiled) Write(text []byte) (int, error) {
	n, err := c.log.Write(text)
	c.count += strings.Count(string(text), "\n")
	if len(c.log.tail) > 0 {
		c.log.step.Say(fmt.Sprintf("compiling, %d packages, %s", c.count, c.log.tail[len(c.log.tail)-1]))
	}
	return n, err
}
