package release

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bluegreen/internal/appspec"
)

// checkAppspec checks appspec.yml against the bundle that it is in, and returns
// all that is wrong.
func checkAppspec(entries []entry) error {
	byPath := map[string]entry{}
	for _, e := range entries {
		byPath[e.path] = e
	}
	file, ok := byPath[appspec.Name]
	if !ok {
		return errors.New("appspec.yml: not in the commit; it belongs in the checkout's root, or in the folder that --directory names")
	}
	spec, err := appspec.ReadStrictly(file.content) // CodeDeploy ignores a misspelt key, and with it what it says
	if err != nil {
		return fmt.Errorf("appspec.yml: %w", err)
	}
	errs := append(spec.Problems(), checkFiles(spec.Files, byPath)...)
	for _, event := range slices.Sorted(maps.Keys(spec.Hooks)) {
		errs = append(errs, checkHook(event, spec.Hooks[event], byPath)...)
	}
	for i := range errs {
		errs[i] = fmt.Errorf("appspec.yml: %w", errs[i])
	}
	return errors.Join(errs...)
}

func checkFiles(files []appspec.File, entries map[string]entry) (errs []error) {
	for i, file := range files {
		there := file.Source == ""
		for name := range entries {
			there = there || below(name, file.Source)
		}
		if !there {
			errs = append(errs, fmt.Errorf("files[%d].source: %s is not in the bundle; commit it, and name it with --path unless it is below scripts or app", i, file.Source))
		}
		if file.Destination != "" && !path.IsAbs(file.Destination) {
			errs = append(errs, fmt.Errorf("files[%d].destination: want an absolute path, got %q", i, file.Destination))
		}
	}
	return errs
}

func checkHook(event string, scripts []appspec.Script, entries map[string]entry) (errs []error) {
	wrong := func(format string, arguments ...any) {
		errs = append(errs, fmt.Errorf("hooks."+event+format, arguments...))
	}
	known := strings.Join(appspec.HookEvents, ", ")
	switch {
	case slices.Contains(appspec.OwnEvents, event):
		wrong(": is CodeDeploy's own event and takes no script; want one of %s", known)
	case !slices.Contains(appspec.HookEvents, event):
		wrong(": no such lifecycle event; want one of %s", known)
	}
	if len(scripts) == 0 {
		wrong(": has no script; leave it out")
	}
	total := 0
	for i, s := range scripts {
		file, ok := entries[path.Clean(s.Location)]
		switch {
		case s.Location == "":
		case !ok:
			wrong("[%d].location: %s is not in the bundle", i, s.Location)
		case !file.executable():
			wrong("[%d].location: %s is not executable; run: git update-index --chmod=+x %s, and commit", i, s.Location, s.Location)
		}
		if s.Timeout != nil {
			total += *s.Timeout
		}
	}
	if total > appspec.MaxEventTime {
		wrong(": the timeouts add up to %d seconds; CodeDeploy allows %d for one event", total, appspec.MaxEventTime)
	}
	return errs
}
