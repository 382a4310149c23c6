package instance

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"bluegreen/infra/edge"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// number is what a pattern's group finds in a file of the checkout, in seconds.
// The pattern has to match once.
func number(t *testing.T, file, pattern string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file)) // #nosec G304 -- our own files
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)`+pattern).FindAllSubmatch(text, -1)
	require.Len(t, found, 1, "%s: %s", file, pattern)
	value, err := strconv.Atoi(string(found[0][1]))
	require.NoError(t, err)
	return value
}

// Whoever waits has to wait longer than what it waits for takes. The times are
// in the files of seven programs.
func TestEveryLimitIsLongerThanWhatItLimits(t *testing.T) {
	unit := func(name, key string) int { return number(t, "scripts/systemd/"+name+".service", "^"+key+`=(\d+)$`) }
	gunicorn := func(key string) int { return number(t, "app/gunicorn.conf.py", "^"+key+` = (\d+)$`) }
	release := func(key string) int { return number(t, "app/release.sh", "^"+key+`=(\d+)`) }
	settings := func(pattern string) int { return number(t, "app/config/settings/base.py", pattern) }
	hook := func(script string) int {
		return number(t, "appspec.yml", `location: scripts/`+script+`\n\s+timeout: (\d+)$`)
	}
	slowestRequest := edge.Default().IdleTimeout // no visitor waits longer
	loaderWaits := number(t, "scripts/environment.py", `^LONGEST = (\d+)$`)
	stopWeb, stopWorker, stopBeat := unit("web", "TimeoutStopSec"), unit("worker", "TimeoutStopSec"), unit("beat", "TimeoutStopSec")
	start := unit("web", "TimeoutStartSec")
	patience := number(t, "scripts/supervise.py", `^PATIENCE = (\d+)$`)
	silence := number(t, "scripts/once.py", `"--silence", type=int, default=(\d+)`)

	for _, test := range []struct {
		what          string
		longer, least int
	}{
		{"nginx waits for the slowest request", number(t, "scripts/nginx/wsgi.conf", `proxy_read_timeout (\d+)s`), slowestRequest + 1},
		{"nginx keeps an idle connection longer than any load balancer", number(t, "scripts/nginx/asgi.conf", `(?s)server_name @names@.*keepalive_timeout (\d+)s`), 4000 + 1},
		{"the load balancer lets the slowest request end", edge.Default().DeregistrationDelay, slowestRequest},
		{"gunicorn lets a worker live through the slowest request", gunicorn("timeout"), slowestRequest + 1},
		{"gunicorn stops after the slowest request", gunicorn("graceful_timeout"), number(t, "scripts/nginx/wsgi.conf", `proxy_read_timeout (\d+)s`) + 1},
		{"systemd stops gunicorn after it has stopped itself", stopWeb, gunicorn("graceful_timeout") + 10},
		{"systemd stops a worker after the longest task", stopWorker, settings(`^CELERY_TASK_TIME_LIMIT = (\d+)$`) + 30},
		{"systemd stops a further worker as late as the first", unit("worker@", "TimeoutStopSec"), stopWorker},
		{"Redis gives a task to nobody else while a worker may do it", settings(`"visibility_timeout": (\d+)`), 2 * stopWorker},
		{"beat keeps its lock between two looks at it", settings(`^CELERY_REDBEAT_LOCK_TIMEOUT = (\d+)$`), 2 * settings(`^CELERY_BEAT_MAX_LOOP_INTERVAL = (\d+)$`)},
		{"systemd starts a service after its variables", start, loaderWaits + 10},
		{"ApplicationStop stops all, one after the other", hook("application-stop"), stopBeat + stopWorker + stopWeb + 60},
		{"AfterBlockTraffic stops all but web", hook("after-block-traffic"), stopBeat + stopWorker + 60},
		{"AfterInstall reads the variables and has time to install", hook("after-install"), loaderWaits + 120},
		{"the once step stops its command, whatever it does, and says so", hook("once-per-release"), release("once_timeout") + silence + 2*patience + 60},
		{"ApplicationStart stops and starts", hook("application-start"), stopWorker + start + 60},
		{"ValidateService waits for each service", hook("validate-service"), release("start_timeout") + number(t, "scripts/validate-service", `timeout (\d+) `) + 30},
		{"BeforeAllowTraffic starts what is not running", hook("before-allow-traffic"), number(t, "scripts/before-allow-traffic", `^timeout (\d+) `) + 30},
	} {
		assert.GreaterOrEqual(t, test.longer, test.least, test.what)
	}
}
