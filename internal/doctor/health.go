package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func health() []check {
	return []check{
		{"health: path", []need{settings, inApplication}, checkHealthPath},
		{"health: application", []need{settings}, checkHealthAnswer},
	}
}

// checkHealthPath compares the path that the load balancer asks with the one that
// nginx lets through to the application for any host name.
func checkHealthPath(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	app, _ := p.application()
	switch asked := found.Edge.HealthCheckPath; {
	case asked != app.healthPath:
		return failed(fmt.Sprintf("the load balancer asks %s (edge.healthCheckPath), nginx passes on %s (health_path in app/release.sh)", asked, app.healthPath),
			"make them the same: every instance would be unhealthy")
	case app.healthPath == app.readyPath:
		return failed(fmt.Sprintf("health_path and ready_path in app/release.sh are both %s", asked),
			"use two: a database that is down must not take every instance out of service")
	}
	return ok("%s in edge.healthCheckPath and in app/release.sh", app.healthPath)
}

// checkHealthAnswer looks for the path in the application's own source.
func checkHealthAnswer(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	place, err := mentions(p.path("app"), found.Edge.HealthCheckPath)
	switch {
	case err != nil:
		return failed(oneLine(err), "")
	case place == "":
		return warning(fmt.Sprintf("no source below app mentions %s", found.Edge.HealthCheckPath),
			"see that the application answers it with "+found.Edge.Matcher+": every instance would be unhealthy")
	}
	file, err := filepath.Rel(p.Root, place)
	if err != nil {
		file = place
	}
	return ok("%s answers %s", file, found.Edge.HealthCheckPath)
}

// sources are the endings of files that may answer a request.
var sources = []string{".py", ".rb", ".js", ".ts", ".go", ".php", ".java", ".rs", ".ex"}

// mentions is the first source below folder with path in it, as a piece of text
// of its own. Tests do not count.
func mentions(folder, path string) (file string, err error) {
	quoted := []string{`"` + path + `"`, "'" + path + "'", `"` + strings.TrimPrefix(path, "/") + `"`, "'" + strings.TrimPrefix(path, "/") + "'"}
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"venv", "node_modules", "__pycache__", "tests"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || !slices.Contains(sources, filepath.Ext(name)) || strings.Contains(entry.Name(), "test"):
			return nil
		}
		text, err := os.ReadFile(name) // #nosec G304 G122 -- in the checkout
		if slices.ContainsFunc(quoted, func(q string) bool { return strings.Contains(string(text), q) }) {
			file = name
			return filepath.SkipAll
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("app: not there: %w", err)
	}
	return file, err
}
