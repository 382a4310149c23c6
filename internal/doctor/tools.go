package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// tool is a program that work with the stack takes.
type tool struct {
	name     string
	ask      []string // the command line that tells its version
	least    func(p *patient) (string, error)
	advice   string
	optional string // who does without it; empty for nobody
}

// The oldest Python that the scripts were tried with, on a machine that makes
// bundles.
const leastPython = "v3.11"

func tools() []check {
	var checks []check
	for _, t := range []tool{
		{"go", []string{"go", "version"}, goVersion, "install that or a later one: the program and the fleet's plugin are built with it", ""},
		{"git", []string{"git", "--version"}, nil, "install git: a release is a commit", ""},
		{"python", []string{"python3", "--version"}, func(*patient) (string, error) { return leastPython, nil }, "install that or a later one: scripts/build and the sandbox need it", ""},
		{"pip", []string{"python3", "-m", "pip", "--version"}, nil, "install pip: scripts/build downloads wheels with it", ""},
		{"pulumi", []string{"pulumi", "version"}, engineVersion, "install that or a later 3.x: pulumi.com/docs/install", "the sandbox, which brings its own"},
	} {
		checks = append(checks, check{"tools: " + t.name, nil, t.check})
	}
	return append(checks, check{"tools: pulumi's Go", nil, checkLanguageHost})
}

var versionText = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

func (t tool) check(ctx context.Context, p *patient) Finding {
	least := ""
	if t.least != nil {
		var err error
		if least, err = t.least(p); err != nil {
			return failed(oneLine(err), "bring the file back with git checkout")
		}
	}
	want := ""
	if least != "" {
		want = ", want " + strings.TrimPrefix(least, "v") + " or later"
	}
	said, err := run(ctx, p.Root, nil, t.ask...)
	switch {
	case errors.Is(err, exec.ErrNotFound) && t.optional != "":
		return warning("not installed"+want+"; does without it: "+t.optional, t.advice)
	case errors.Is(err, exec.ErrNotFound):
		return failed("not installed"+want, t.advice)
	case err != nil:
		return failed(oneLine(err), t.advice)
	}
	version := versionText.FindString(said)
	if version == "" {
		return failed(fmt.Sprintf("%s says no version, but %q", strings.Join(t.ask, " "), strings.TrimSpace(said)), t.advice)
	}
	if least != "" && semver.Compare("v"+version, least) < 0 {
		return failed(version+want, t.advice)
	}
	return ok("%s%s", version, want)
}

// checkLanguageHost looks for what runs a program in Go, which comes beside an
// official pulumi.
func checkLanguageHost(context.Context, *patient) Finding {
	const host = "pulumi-language-go"
	if found, err := exec.LookPath(host); err == nil {
		return ok("%s", found)
	}
	engine, err := exec.LookPath("pulumi")
	if err != nil {
		return notChecked(errors.New("pulumi is not installed"))
	}
	if real, err := filepath.EvalSymlinks(engine); err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(real), host)); err == nil {
			return ok("beside %s", real)
		}
	}
	return warning(fmt.Sprintf("%s is neither on PATH nor beside %s: pulumi preview and pulumi up need it; does without it: the sandbox", host, engine),
		"install Pulumi from pulumi.com/docs/install")
}

// goVersion is the version that go.mod asks for.
func goVersion(p *patient) (string, error) {
	file, err := readModule(p.path("go.mod"))
	if err != nil {
		return "", err
	}
	return "v" + file.Go.Version, nil
}

// enginePackage is the SDK, whose version the CLI must not be older than.
const enginePackage = "github.com/pulumi/pulumi/sdk/v3"

func engineVersion(p *patient) (string, error) { return required(p.path("go.mod"), enginePackage) }

// required is the version of a module that a go.mod requires.
func required(path, module string) (string, error) {
	file, err := readModule(path)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(file.Require, func(r *modfile.Require) bool { return r.Mod.Path == module })
	if at < 0 {
		return "", fmt.Errorf("%s: does not require %s", path, module)
	}
	return file.Require[at].Mod.Version, nil
}

func readModule(path string) (*modfile.File, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- in the checkout
	if err != nil {
		return nil, err
	}
	file, err := modfile.ParseLax(path, text, nil)
	if err == nil && file.Go == nil {
		err = fmt.Errorf("%s: says no version of Go", path)
	}
	return file, err
}

// programTime bounds one program.
const programTime = time.Minute

// run runs a program in a folder, with further variables, and returns what it
// prints. Its errors end in its own words.
func run(ctx context.Context, folder string, environment []string, line ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	command := exec.CommandContext(ctx, line[0], line[1:]...) // #nosec G204 -- programs named in this package
	command.Dir = folder
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = time.Second
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		said := strings.TrimSpace(string(failed.Stderr))
		return "", fmt.Errorf("%s: %s", strings.Join(line[:min(2, len(line))], " "), cmp.Or(said, err.Error()))
	}
	return string(out), err
}
