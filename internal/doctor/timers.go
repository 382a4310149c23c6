package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"bluegreen/internal/appspec"
	"bluegreen/internal/release"
)

// amount is a time in seconds, and where somebody changes it.
type amount struct {
	seconds int
	name    string // as in "edge.idleTimeout"
	where   string // the file; empty for the stack's
}

func (a amount) String() string {
	if a.where == "" {
		return fmt.Sprintf("%s %d s", a.name, a.seconds)
	}
	return fmt.Sprintf("%s %d s (%s)", a.name, a.seconds, a.where)
}

// reading finds an amount. An error is why it could not be found.
type reading func(p *patient) (amount, error)

// relation is two times of which the first has to end first.
type relation struct {
	name       string
	less, more reading
	orEqual    bool
	otherwise  string // what happens if it does not
	worth      Status // of that
}

// timers are all times that depend on each other: what a visitor waits for, what
// stops an instance, what a release waits for. The order of the report is that
// of the events.
func timers() []check {
	web, worker, beat := unit("web"), unit("worker"), unit("beat")
	stop := "TimeoutStopSec"
	var checks []check
	for _, r := range []relation{
		{"request, nginx", setting("edge.idleTimeout"), nginxTimeout, false, "nginx answers 504 before the load balancer's time is over", Warning},
		{"request, gunicorn", setting("edge.idleTimeout"), gunicorn("timeout"), false, "gunicorn ends a request that the load balancer still waits for", Warning},
		{"connection", setting("edge.idleTimeout"), nginxKeepalive, false, "nginx closes connections under requests on their way: visitors get 502", Failed},
		{"instance leaves", setting("edge.idleTimeout"), setting("edge.deregistrationDelay"), true, "an answer that takes longer is cut off when its instance leaves", Warning},
		{"graceful stop", gunicorn("timeout"), gunicorn("graceful_timeout"), false, "a stop cuts off requests that were still allowed", Failed},
		{"stop of web", gunicorn("graceful_timeout"), web(stop), false, "systemd kills gunicorn before it has finished its requests", Failed},
		{"stop of a worker", django("CELERY_TASK_TIME_LIMIT"), worker(stop), false, "systemd kills a worker in the middle of a task", Failed},
		{"task", django("CELERY_TASK_TIME_LIMIT"), django("visibility_timeout"), false, "Redis gives a task to a second worker while the first is at it", Failed},
		{"hook ApplicationStop", sum("stop of beat, workers and web", beat(stop), worker(stop), web(stop)), hook("ApplicationStop", ""), false, "CodeDeploy ends the hook before all has stopped", Failed},
		{"hook AfterBlockTraffic", sum("stop of beat and workers", beat(stop), worker(stop)), hook("AfterBlockTraffic", ""), false, "CodeDeploy ends the hook before all workers have stopped", Failed},
		{"hook once-per-release", once, hook("AfterInstall", "scripts/once-per-release"), false, "CodeDeploy ends the hook in the middle of a migration", Failed},
		{"hook ValidateService", start, hook("ValidateService", ""), false, "CodeDeploy ends the hook before the release had its time to start", Failed},
		{"variables", loading, web("TimeoutStartSec"), false, "systemd gives up while Parameter Store is asked", Failed},
		{"hook ApplicationStart", web("TimeoutStartSec"), hook("ApplicationStart", ""), false, "CodeDeploy ends the hook while a service may still start", Failed},
		{"termination wait", setting("edge.deregistrationDelay"), setting("release.terminationWaitMinutes"), false, "an instance may be ended while it still answers", Failed},
		{"alarms", setting("release.alarms.evaluationPeriods"), setting("release.terminationWaitMinutes"), false, "an alarm comes too late for the way back", Warning},
		{"next release", setting("release.terminationWaitMinutes"), constant("release --wait-for-running", release.DefaultWaitForRunning), false, "a second release gives up waiting for the first", Warning},
		{"next up", setting("release.terminationWaitMinutes"), setting("release.waitForDeploymentMinutes"), false, "pulumi up after a release refuses to change the fleet", Warning},
		{"release", longestEvent, constant("release --timeout, without the termination wait", release.DefaultTimeout), false, "the release command stops following before the deployment ends", Failed},
	} {
		checks = append(checks, check{"timers: " + r.name, []need{settings}, r.check})
	}
	return checks
}

func (r relation) check(_ context.Context, p *patient) Finding {
	less, lessErr := r.less(p)
	more, moreErr := r.more(p)
	if err := errors.Join(lessErr, moreErr); err != nil {
		return notChecked(err)
	}
	sign, holds := "<", less.seconds < more.seconds
	if r.orEqual {
		sign, holds = "<=", less.seconds <= more.seconds
	}
	if holds {
		return ok("%s %s %s", less, sign, more)
	}
	return Finding{Status: r.worth, Found: fmt.Sprintf("want %s %s %s: otherwise %s", less, sign, more, r.otherwise), Advice: "lower the first or raise the second"}
}

func setting(name string) reading {
	return func(p *patient) (amount, error) {
		found, err := p.settings()
		if name == "release.alarms.evaluationPeriods" && !found.Release.Alarms.Enabled {
			return amount{}, errors.New("release.alarms.enabled is false")
		}
		seconds := map[string]int{
			"edge.idleTimeout":                 found.Edge.IdleTimeout,
			"edge.deregistrationDelay":         found.Edge.DeregistrationDelay,
			"release.terminationWaitMinutes":   found.Release.TerminationWaitMinutes * 60,
			"release.waitForDeploymentMinutes": found.Release.WaitForDeploymentMinutes * 60,
			"release.alarms.evaluationPeriods": found.Release.Alarms.EvaluationPeriods * 60,
		}[name]
		return amount{seconds, name, ""}, err
	}
}

func constant(name string, d time.Duration) reading {
	return func(*patient) (amount, error) { return amount{int(d.Seconds()), name, ""}, nil }
}

// in reads a number by its pattern, in a file that a framework of one's own may
// not have.
func in(file, name, pattern string) reading {
	return func(p *patient) (amount, error) {
		seconds, err := p.number(pattern, file)
		if err != nil {
			err = fmt.Errorf("%s: no %s there", file, name)
		}
		return amount{seconds, name, file}, err
	}
}

// unit reads the settings of a service of systemd.
func unit(service string) func(name string) reading {
	return func(name string) reading {
		read := in("scripts/systemd/"+service+".service", name, `(?m)^`+name+`=(\d+)$`)
		return func(p *patient) (amount, error) {
			found, err := read(p)
			found.name = service + "'s " + name
			return found, err
		}
	}
}

func gunicorn(name string) reading {
	return in("app/gunicorn.conf.py", name, `(?m)^`+name+`\s*=\s*(\d+)`)
}

func django(name string) reading {
	return in("app/config/settings/base.py", name, `\b`+name+`"?\s*[=:]\s*(\d+)`)
}

func loading(p *patient) (amount, error) {
	return in("scripts/environment.py", "LONGEST", `(?m)^LONGEST = (\d+)$`)(p)
}

func nginxTimeout(p *patient) (amount, error) {
	return p.ofNginx("proxy_read_timeout", `(?m)^\s*proxy_read_timeout (\d+)s;`)
}

func nginxKeepalive(p *patient) (amount, error) {
	return p.ofNginx("keepalive_timeout", `(?m)^\s*keepalive_timeout (\d+)s;`)
}

func (p *patient) ofNginx(name, pattern string) (amount, error) {
	app, err := p.application()
	if err != nil {
		return amount{}, err
	}
	return in("scripts/nginx/"+app.interfaceOf+".conf", name, pattern)(p)
}

func once(p *patient) (amount, error) {
	app, err := p.application()
	return ofRelease("once_timeout", app.onceTimeout, err)
}

func start(p *patient) (amount, error) {
	app, err := p.application()
	return ofRelease("start_timeout", app.startTimeout, err)
}

func ofRelease(name, text string, err error) (amount, error) {
	if err != nil {
		return amount{}, err
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		err = fmt.Errorf("app/release.sh: %s: want seconds, got %q", name, text)
	}
	return amount{seconds, name, "app/release.sh"}, err
}

// sum is how long several things take that happen one after the other.
func sum(name string, all ...reading) reading {
	return func(p *patient) (amount, error) {
		total := amount{name: name, where: "scripts/systemd"}
		for _, read := range all {
			one, err := read(p)
			if err != nil {
				return amount{}, err
			}
			total.seconds += one.seconds
		}
		return total, nil
	}
}

// hook is how long a script of an event may take, or without one the whole event.
func hook(event, script string) reading {
	return func(p *patient) (amount, error) {
		spec, err := p.appspec()
		if err != nil {
			return amount{}, err
		}
		found := amount{name: "timeout of " + cmp.Or(script, event), where: appspec.Name}
		for _, one := range spec.Hooks[event] {
			if script == "" || one.Location == script {
				found.seconds += one.Seconds()
			}
		}
		if found.seconds == 0 {
			return amount{}, fmt.Errorf("%s: %s: no such script", appspec.Name, event)
		}
		return found, nil
	}
}

// longestEvent is the event of appspec.yml that may take longest, and what an
// instance takes to leave.
func longestEvent(p *patient) (amount, error) {
	spec, err := p.appspec()
	if err != nil {
		return amount{}, err
	}
	found, err := p.settings()
	longest := amount{where: appspec.Name}
	for event, scripts := range spec.Hooks {
		seconds := 0
		for _, one := range scripts {
			seconds += one.Seconds()
		}
		if seconds > longest.seconds || seconds == longest.seconds && event < longest.name {
			longest.seconds, longest.name = seconds, event
		}
	}
	longest.name += " and edge.deregistrationDelay"
	longest.seconds += found.Edge.DeregistrationDelay
	return longest, err
}

func (p *patient) appspec() (appspec.Spec, error) {
	text, err := os.ReadFile(p.path(appspec.Name))
	if err != nil {
		return appspec.Spec{}, err
	}
	spec, err := appspec.Read(text)
	if err != nil {
		return appspec.Spec{}, fmt.Errorf("%s: %w", appspec.Name, err)
	}
	return spec, nil
}
