package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"bluegreen/infra/parameters"
	"bluegreen/internal/appspec"
	"bluegreen/stacks"
)

func configuration() []check {
	return []check{
		{"configuration: stack", nil, checkConfiguration},
		{"configuration: secrets", []need{settings}, checkPlainText},
		{"configuration: registry", []need{settings}, checkRegistry},
		{"configuration: appspec.yml", nil, checkAppspec},
	}
}

func checkConfiguration(_ context.Context, p *patient) Finding {
	found, err := p.settings()
	if err != nil {
		return failed(oneLine(err), "docs/configuration.md has every setting")
	}
	return ok("%s: project %s, account %s, %s, %s", filepath.Base(p.File), found.Project, found.Account, found.Region, found.Edge.SiteURL())
}

// checkPlainText looks for secrets that whoever reads the stack's file can read.
func checkPlainText(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	names, err := stacks.InPlainText(p.File, found.registry)
	switch {
	case err != nil:
		return failed(oneLine(err), "")
	case len(names) > 0:
		return warning("in plain text in "+filepath.Base(p.File)+": "+strings.Join(names, ", "), "encrypt each: pulumi config set --secret --path environment.NAME")
	}
	return ok("no secret of environment.yaml stands readable in %s", filepath.Base(p.File))
}

// A read of a variable in the settings, and whether something stands for one that
// is not there: env.str("NAME"), env.str("NAME", ""), os.environ["NAME"].
var (
	envRead     = regexp.MustCompile(`\benv(?:\.\w+)?\(\s*"([A-Z][A-Z0-9_]*)"\s*(,)?`)
	environRead = regexp.MustCompile(`\bos\.(?:environ\[|environ\.get\(|getenv\()\s*"([A-Z][A-Z0-9_]*)"`)
)

// checkRegistry compares what environment.yaml lists with what the application's
// Python reads.
func checkRegistry(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	reads, err := readVariables(p.path("app"))
	if err != nil {
		return failed(oneLine(err), "")
	}
	if len(reads) == 0 {
		return notChecked(errors.New("no Python below app reads a variable; see by hand that environment.yaml lists what the application reads"))
	}
	var unknown, valueless []string
	for _, name := range sorted(reads) {
		at := slices.IndexFunc(found.registry, func(v parameters.Variable) bool { return v.Name == name })
		switch {
		case at < 0:
			unknown = append(unknown, name)
		case reads[name] && !found.registry[at].Required && !found.has(name) && found.registry[at].Elsewhere == "":
			valueless = append(valueless, name)
		}
	}
	var problems []string
	if len(unknown) > 0 {
		problems = append(problems, "app reads what environment.yaml does not list: "+strings.Join(unknown, ", "))
	}
	if len(valueless) > 0 {
		problems = append(problems, "app cannot do without what has no value in this stack: "+strings.Join(valueless, ", "))
	}
	if len(problems) > 0 {
		return failed(strings.Join(problems, "; "), "add it there, or give it a value: docs/environment.md")
	}
	return ok("environment.yaml lists all %d variables that app reads, of %d", len(reads), len(found.registry))
}

// has tells whether the stack stores a variable.
func (s settled) has(name string) bool {
	return slices.ContainsFunc(s.variables, func(v parameters.Parameter) bool { return v.Name == name })
}

// readVariables are the variables that the Python files below folder read, and
// whether they fail without them. Tests are left out.
func readVariables(folder string) (map[string]bool, error) {
	reads := map[string]bool{}
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"venv", "node_modules", "__pycache__", "tests"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".py" || strings.HasPrefix(entry.Name(), "test"):
			return nil
		}
		text, err := os.ReadFile(name) // #nosec G304 G122 -- in the checkout
		for _, match := range envRead.FindAllStringSubmatch(string(text), -1) {
			reads[match[1]] = reads[match[1]] || match[2] == ""
		}
		for _, match := range environRead.FindAllStringSubmatch(string(text), -1) {
			reads[match[1]] = reads[match[1]] || strings.HasPrefix(match[0], "os.environ[")
		}
		return err
	})
	return reads, err
}

// checkAppspec reads appspec.yml as a release does, and looks for its scripts in
// the working tree.
func checkAppspec(_ context.Context, p *patient) Finding {
	const advice = "correct it before the next release; bluegreen release bundle says more"
	text, err := os.ReadFile(p.path(appspec.Name))
	if err != nil {
		return failed(oneLine(err), advice)
	}
	spec, err := appspec.ReadStrictly(text)
	if err != nil {
		return failed(appspec.Name+": "+oneLine(err), advice)
	}
	problems, scripts := spec.Problems(), 0
	for _, event := range sorted(spec.Hooks) {
		seconds := 0
		for _, script := range spec.Hooks[event] {
			scripts++
			seconds += script.Seconds()
			info, err := os.Stat(p.path(path.Clean(script.Location)))
			switch {
			case err != nil:
				problems = append(problems, fmt.Errorf("%s: %w", event, err))
			case info.Mode().Perm()&0o111 == 0:
				problems = append(problems, fmt.Errorf("%s: %s is not executable", event, script.Location))
			}
		}
		if seconds > appspec.MaxEventTime {
			problems = append(problems, fmt.Errorf("%s: its timeouts add up to %d s, CodeDeploy allows %d", event, seconds, appspec.MaxEventTime))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return failed(appspec.Name+": "+oneLine(err), advice)
	}
	return ok("%d scripts in %d events, all there and executable", scripts, len(spec.Hooks))
}
