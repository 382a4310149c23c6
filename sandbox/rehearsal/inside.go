package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Look asks a machine for its release and its services.
func (l *Live) Look(ctx context.Context, instance string) (Look, error) {
	const script = `basename "$(readlink "/srv/$1/current")"; systemctl list-units --all --plain --no-legend --full "$1-*.service"`
	text, err := l.inside(ctx, instance, "bash", "-c", script, "look", l.project)
	if err != nil {
		return Look{}, err
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	look := Look{Release: strings.TrimSpace(lines[0]), Services: map[string]string{}}
	for _, line := range lines[1:] {
		if fields := strings.Fields(line); len(fields) >= 3 {
			look.Services[fields[0]] = fields[2]
		}
	}
	return look, nil
}

// readData prints Data; it runs with the application's variables.
const readData = `
import json, os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as database:
    def column(query): return [row[0] for row in database.execute(query)]
    print(json.dumps({
        "migrations": column("SELECT name FROM django_migrations WHERE app = 'notes' ORDER BY id"),
        "notes": column("SELECT text FROM notes_note"),
    }))
`

// Data reads the database with the application's own variables.
func (l *Live) Data(ctx context.Context, instance string) (Data, error) {
	text, err := l.inside(ctx, instance, "/srv/"+l.project+"/current/scripts/shell", "python", "-c", readData)
	if err != nil {
		return Data{}, err
	}
	var data Data
	return data, json.Unmarshal([]byte(text), &data)
}

// inside runs a command in a machine and returns what it prints.
func (l *Live) inside(ctx context.Context, instance string, command ...string) (string, error) {
	run, err := l.Shell(ctx, instance, command...)
	if err != nil {
		return "", err
	}
	var errs strings.Builder
	run.Stderr = &errs
	output, err := run.Output()
	if err != nil {
		return "", fmt.Errorf("%s in machine %s: %w: %s", command[0], instance, err, lastLines(errs.String()))
	}
	return string(output), nil
}
