package release

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const appspecName = "appspec.yml"

// maxEventTime is how long the scripts of one lifecycle event may take together,
// in seconds (CodeDeploy User Guide, "AppSpec 'hooks' section").
const maxEventTime = 3600

// Lifecycle events that take scripts, and those that are CodeDeploy's own
// (CodeDeploy User Guide, "AppSpec 'hooks' section").
var (
	hookEvents = []string{
		"ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService",
		"BeforeAllowTraffic", "AfterAllowTraffic", "BeforeBlockTraffic", "AfterBlockTraffic",
	}
	ownEvents = []string{"DownloadBundle", "Install", "AllowTraffic", "BlockTraffic"}
)

// appspec is appspec.yml (CodeDeploy User Guide, "AppSpec File structure").
type appspec struct {
	Version string `yaml:"version"`
	OS      string `yaml:"os"`
	Files   []struct {
		Source      string `yaml:"source"`
		Destination string `yaml:"destination"`
	} `yaml:"files"`
	FileExistsBehavior string              `yaml:"file_exists_behavior"`
	Permissions        []map[string]any    `yaml:"permissions"`
	Hooks              map[string][]script `yaml:"hooks"`
}

type script struct {
	Location string `yaml:"location"`
	Timeout  *int   `yaml:"timeout"` // seconds
	RunAs    string `yaml:"runas"`
	Sudo     bool   `yaml:"sudo"`
}

// checkAppspec checks appspec.yml against the bundle that it is in, and returns
// all that is wrong.
func checkAppspec(entries []entry) error {
	byPath := map[string]entry{}
	for _, e := range entries {
		byPath[e.path] = e
	}
	file, ok := byPath[appspecName]
	if !ok {
		return errors.New("appspec.yml: not in the commit; it belongs in the checkout's root, or in the folder that --directory names")
	}
	var spec appspec
	decoder := yaml.NewDecoder(bytes.NewReader(file.content))
	decoder.KnownFields(true) // CodeDeploy ignores a misspelt key, and with it what it says
	if err := decoder.Decode(&spec); err != nil && !errors.Is(err, io.EOF) {
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			err = errors.New(strings.Join(wrong.Errors, "; "))
		}
		return fmt.Errorf("appspec.yml: %w", err)
	}
	errs := spec.check(byPath)
	for i := range errs {
		errs[i] = fmt.Errorf("appspec.yml: %w", errs[i])
	}
	return errors.Join(errs...)
}

func (a appspec) check(entries map[string]entry) (errs []error) {
	if a.Version != "0.0" {
		errs = append(errs, fmt.Errorf("version: want 0.0, got %q", a.Version))
	}
	if a.OS != "linux" {
		errs = append(errs, fmt.Errorf("os: want linux, got %q", a.OS))
	}
	if behaviours := []string{"", "DISALLOW", "OVERWRITE", "RETAIN"}; !slices.Contains(behaviours, a.FileExistsBehavior) {
		errs = append(errs, fmt.Errorf("file_exists_behavior: want DISALLOW, OVERWRITE or RETAIN, got %q", a.FileExistsBehavior))
	}
	for i, file := range a.Files {
		there := false
		for name := range entries {
			there = there || below(name, file.Source)
		}
		switch {
		case file.Source == "":
			errs = append(errs, fmt.Errorf("files[%d].source: want a file or folder of the bundle", i))
		case !there:
			errs = append(errs, fmt.Errorf("files[%d].source: %s is not in the bundle; commit it, and name it with --path unless it is below scripts or app", i, file.Source))
		}
		if !path.IsAbs(file.Destination) {
			errs = append(errs, fmt.Errorf("files[%d].destination: want an absolute path, got %q", i, file.Destination))
		}
	}
	for _, event := range slices.Sorted(maps.Keys(a.Hooks)) {
		errs = append(errs, checkHook(event, a.Hooks[event], entries)...)
	}
	return errs
}

func checkHook(event string, scripts []script, entries map[string]entry) (errs []error) {
	wrong := func(format string, arguments ...any) {
		errs = append(errs, fmt.Errorf("hooks."+event+format, arguments...))
	}
	switch {
	case slices.Contains(ownEvents, event):
		wrong(": is CodeDeploy's own event and takes no script; want one of %s", strings.Join(hookEvents, ", "))
	case !slices.Contains(hookEvents, event):
		wrong(": no such lifecycle event; want one of %s", strings.Join(hookEvents, ", "))
	}
	if len(scripts) == 0 {
		wrong(": has no script; leave it out")
	}
	total := 0
	for i, s := range scripts {
		file, ok := entries[path.Clean(s.Location)]
		switch {
		case s.Location == "":
			wrong("[%d].location: want a script of the bundle", i)
		case !ok:
			wrong("[%d].location: %s is not in the bundle", i, s.Location)
		case !file.executable():
			wrong("[%d].location: %s is not executable; run: git update-index --chmod=+x %s, and commit", i, s.Location, s.Location)
		}
		if s.Timeout == nil {
			continue
		}
		if *s.Timeout < 1 {
			wrong("[%d].timeout: want seconds, 1 or more, got %d", i, *s.Timeout)
		}
		total += *s.Timeout
	}
	if total > maxEventTime {
		wrong(": the timeouts add up to %d seconds; CodeDeploy allows %d for one event", total, maxEventTime)
	}
	return errs
}
