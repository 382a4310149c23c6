package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// names are the host names of the site: they begin in edge of the stack's file,
// and come to the certificate, DNS, the application and nginx.
func names() []check {
	return []check{
		{"names: application", []need{settings, inApplication}, checkHostNames},
		{"names: nginx", []need{settings, inApplication}, checkServerNames},
	}
}

// checkHostNames compares what the application answers to, by the function that
// nginx's server names come from, with the names that the load balancer has.
func checkHostNames(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	app, _ := p.application()
	if app.encrypted {
		return notChecked(fmt.Errorf("environment.%s is encrypted; parameters: host names looks at what is stored", app.variable))
	}
	hosts := found.Edge.Hosts()
	if missing := difference(hosts, app.hosts); len(missing) > 0 {
		return failed(fmt.Sprintf("certificate and DNS have %s, but the application does not answer to it", strings.Join(missing, ", ")),
			"remove environment."+app.variable+" from the stack's file, so that it follows edge, or correct host_names in app/release.sh")
	}
	if extra := difference(app.hosts, append(hosts, found.Edge.Names...)); len(extra) > 0 {
		return warning(fmt.Sprintf("the application answers to %s, which has neither certificate nor record", strings.Join(extra, ", ")),
			"add it to edge.names, or leave it out of environment."+app.variable)
	}
	return ok("%s: edge, %s and host_names in app/release.sh agree", strings.Join(hosts, ", "), app.variable)
}

// checkServerNames looks whether nginx gets those names: scripts/configure-nginx
// puts them into the file of the application's interface.
func checkServerNames(_ context.Context, p *patient) Finding {
	app, _ := p.application()
	file := filepath.Join("scripts", "nginx", app.interfaceOf+".conf")
	text, err := os.ReadFile(p.path(file))
	if err != nil {
		return failed(oneLine(err), "set interface in app/release.sh to wsgi or asgi")
	}
	var missing []string
	for _, line := range []string{"server_name @names@;", "location = @health@ {", "location = @ready@ {"} {
		if !strings.Contains(string(text), line) {
			missing = append(missing, strings.TrimRight(line, "; {"))
		}
	}
	if len(missing) > 0 {
		return failed(fmt.Sprintf("%s: has no %s", file, strings.Join(missing, ", ")), "bring it back: scripts/configure-nginx puts the site's names and paths there")
	}
	return ok("%s takes them from app/release.sh", file)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
