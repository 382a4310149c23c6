package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bluegreen/infra/parameters"
	"bluegreen/stacks"
)

// application is what app/release.sh says of the application.
type application struct {
	healthPath   string
	readyPath    string
	interfaceOf  string // wsgi or asgi: which of scripts/nginx is used
	onceTimeout  string // seconds
	startTimeout string // seconds
	hosts        []string
	variable     string // that the hosts come from
	encrypted    bool   // its value is, so that nobody knows the hosts
}

// tell prints what release.sh says, as its scripts read it, with a zero byte
// after each.
const tell = `set -euo pipefail
source app/release.sh
printf '%s\0' "$health_path" "$ready_path" "$interface" "$once_timeout" "$start_timeout" "$(host_names)"`

func (p *patient) readApplication(ctx context.Context) (application, error) {
	found, err := p.settings()
	if err != nil {
		return application{}, errSettings
	}
	if _, err := os.Stat(p.path("app", "release.sh")); err != nil {
		return application{}, err
	}
	var a application
	var environment []string
	for _, v := range found.variables {
		if v.Output != allowedHosts {
			continue
		}
		a.variable, a.encrypted = v.Name, v.Value == stacks.Placeholder
		value := v.Value
		if v.Source == parameters.FromOutput {
			value = strings.Join(found.Edge.Hosts(), ",")
		}
		environment = append(environment, v.Name+"="+value)
	}
	said, err := run(ctx, p.Root, environment, "bash", "--noprofile", "--norc", "-c", tell)
	if err != nil {
		return application{}, fmt.Errorf("app/release.sh: %w", err)
	}
	fields := strings.Split(said, "\x00")
	if len(fields) != 7 {
		return application{}, fmt.Errorf("app/release.sh: want health_path, ready_path, interface, once_timeout, start_timeout and host_names, got %q", said)
	}
	a.healthPath, a.readyPath, a.interfaceOf, a.onceTimeout, a.startTimeout = fields[0], fields[1], fields[2], fields[3], fields[4]
	a.hosts = strings.Fields(fields[5])
	return a, nil
}

// allowedHosts is the output of the platform that host names come from.
const allowedHosts = "allowedHosts"

// errNoNumber is for a file of another framework.
var errNoNumber = errors.New("not there")

// number finds the number that the first group of pattern matches in a file of
// the checkout.
func (p *patient) number(pattern, file string) (int, error) {
	text, err := os.ReadFile(p.path(file))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	match := regexp.MustCompile(pattern).FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%s: %s: %w", file, pattern, errNoNumber)
	}
	return strconv.Atoi(string(match[1]))
}

// difference is what is in a and not in b.
func difference(a, b []string) (only []string) {
	for _, one := range a {
		if !slices.Contains(b, one) {
			only = append(only, one)
		}
	}
	return only
}
