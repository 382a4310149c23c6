package balancer

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Times of an Application Load Balancer: the first cannot be set, the second is
// its default (Elastic Load Balancing, "Troubleshoot your Application Load
// Balancers", HTTP 504, and "Application Load Balancers", connection idle
// timeout).
const (
	connectTime = 10 * time.Second
	defaultIdle = 60 * time.Second
)

//go:embed haproxy.cfg.tmpl
var configText string

var configTemplate = template.Must(template.New("haproxy.cfg").Funcs(template.FuncMap{
	"ms": milliseconds, "quoted": quoted,
}).Option("missingkey=error").Parse(configText))

// page is what the template shows. Its fields are exported for the template.
type page struct {
	Admin    string // path of the control socket
	Connect  time.Duration
	Idle     time.Duration
	Protocol string
	Port     int
	Status   string // of a fixed response; empty when there is none
	Type     string
	Body     string
	Forward  string // backend that gets the requests; empty when there is none
	Groups   []pageGroup
}

type pageGroup struct {
	Requests, Checks               string   // names of the two backends
	RequestServers, CheckedServers []string // what follows "server"
	LeastBusy                      bool
	Path, Matcher                  string
	Timeout                        time.Duration
}

// render returns the configuration of a plan, with the servers that there are
// when it starts, for a control socket.
func render(p plan, groups map[string]*group) func(admin string) string {
	shown := page{
		Connect: connectTime, Idle: p.front.idle, Protocol: p.front.protocol, Port: p.front.port,
		Status: p.front.fixed.status, Type: p.front.fixed.mediaType, Body: p.front.fixed.body,
	}
	if shown.Idle == 0 {
		shown.Idle = defaultIdle
	}
	for _, s := range p.groups {
		if s.arn == p.front.forward {
			shown.Forward = s.requests()
		}
		one := pageGroup{Requests: s.requests(), Checks: s.checks(), LeastBusy: s.leastBusy, Path: s.path, Matcher: s.matcher, Timeout: s.timeout}
		if known := groups[s.arn]; known != nil {
			for _, t := range known.sorted() {
				if t.open {
					one.RequestServers = append(one.RequestServers, t.server+" "+t.server+s.serving())
				}
				if t.toCheck() {
					one.CheckedServers = append(one.CheckedServers, t.server+" "+t.server+s.checking())
				}
			}
		}
		shown.Groups = append(shown.Groups, one)
	}
	return func(admin string) string {
		shown.Admin = admin
		var text strings.Builder
		if err := configTemplate.Execute(&text, shown); err != nil {
			return err.Error() // HAProxy refuses it, and its message shows this
		}
		return text.String()
	}
}

// checking and serving are the parameters of a server that is checked, and of one
// that gets requests.
func (s settings) checking() string {
	text := fmt.Sprintf(" check inter %s rise %d fall %d", milliseconds(s.interval), s.passes, s.failures)
	if s.checkPort != "" {
		text += " port " + s.checkPort
	}
	return text
}

func (s settings) serving() string {
	if s.slowStart == 0 {
		return ""
	}
	return " slowstart " + milliseconds(s.slowStart)
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
}

// quoted is text as HAProxy reads it unchanged: in strong quotes, which only a
// quote ends.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "'", `'\''`) + "'"
}
