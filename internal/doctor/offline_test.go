package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The repository's own stacks pass without a network.
func TestOwnStacksPass(t *testing.T) {
	t.Setenv(noAcquisition, "")
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		found := examine(t, Options{Root: root, Stack: stack, Offline: true})
		for _, one := range found {
			assert.NotEqual(t, Failed, one.Status, "%s: %s: %s", stack, one.Check, one.text())
			group, _, _ := strings.Cut(one.Check, ":")
			switch group {
			case "configuration", "names", "health", "timers":
				if one.Check != "health: site" && one.Check != "timers: instance leaves" {
					assert.Equal(t, OK, one.Status, "%s: %s: %s", stack, one.Check, one.text())
				}
			case "tools", "plugins":
				assert.NotEmpty(t, one.Found)
			default:
				assert.Equal(t, Finding{Check: one.Check, Status: NotChecked, Found: "offline"}, one, stack)
			}
		}
	}
}

// Each row breaks something that was well, and one line says so.
func TestBrokenCheckouts(t *testing.T) {
	t.Setenv(noAcquisition, "")
	whole := examine(t, Options{Root: checkout(t), Offline: true})
	for _, row := range []struct {
		check     string
		file      string
		old, with string
		status    Status
		said      string
	}{
		{"configuration: stack", "Pulumi.prod.yaml", "minSize: 2", "minSize: 5", Failed, "5 exceeds"},
		{"configuration: stack", "Pulumi.prod.yaml", "domain: example.com", "domian: example.com", Failed, "domian"},
		{"configuration: secrets", "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:environment: {MAILGUN_API_KEY: abc}\n  bluegreen:fleet:", Warning, "in plain text in Pulumi.prod.yaml: MAILGUN_API_KEY; encrypt each"},
		{"configuration: registry", "environment.yaml", "  CONN_MAX_AGE:", "  CONN_MAX_AGES:", Failed, "app reads what environment.yaml does not list: CONN_MAX_AGE"},
		{"configuration: registry", "app/config/settings/base.py", `env.str("DJANGO_ADMIN_URL", "admin/")`, `env.str("MAILGUN_DOMAIN")`, Failed, "cannot do without what has no value in this stack: MAILGUN_DOMAIN"},
		{"configuration: registry", "app/config/settings/base.py", `env.str("DJANGO_ADMIN_URL", "admin/")`, `os.environ["NEW_ONE"]`, Failed, "NEW_ONE"},
		{"configuration: appspec.yml", "appspec.yml", "scripts/before-install", "scripts/before-instal", Failed, "BeforeInstall"},
		{"configuration: appspec.yml", "appspec.yml", "runas:", "runsas:", Failed, "runsas"},
		{"configuration: appspec.yml", "appspec.yml", "timeout: 1800", "timeout: 3500", Failed, "add up to 3800 s, CodeDeploy allows 3600"},
		{"names: application", "app/release.sh", `tr ',' ' ' <<<"$DJANGO_ALLOWED_HOSTS"`, "echo example.com", Failed, "www.example.com, but the application does not answer"},
		{"names: application", "app/release.sh", `tr ',' ' ' <<<"$DJANGO_ALLOWED_HOSTS"`, "echo example.com www.example.com old.example.com", Warning, "answers to old.example.com"},
		{"names: nginx", "scripts/nginx/wsgi.conf", "server_name @names@;", "server_name example.com;", Failed, "has no server_name @names@"},
		{"health: path", "Pulumi.prod.yaml", "domain: example.com", "domain: example.com\n    healthCheckPath: /up", Failed, "asks /up (edge.healthCheckPath), nginx passes on /healthz"},
		{"health: application", "app/deployment/middleware.py", `"/healthz"`, `"/health"`, Warning, "no source below app mentions /healthz"},
		{"timers: request, nginx", "Pulumi.prod.yaml", "domain: example.com", "domain: example.com\n    idleTimeout: 120", Warning, "want edge.idleTimeout 120 s < proxy_read_timeout 65 s (scripts/nginx/wsgi.conf)"},
		{"timers: request, gunicorn", "Pulumi.prod.yaml", "domain: example.com", "domain: example.com\n    idleTimeout: 120", Warning, "120 s < timeout 65 s (app/gunicorn.conf.py)"},
		{"timers: connection", "scripts/nginx/wsgi.conf", "keepalive_timeout 4100s", "keepalive_timeout 30s", Failed, "keepalive_timeout 30 s"},
		{"timers: instance leaves", "Pulumi.prod.yaml", "domain: example.com", "domain: example.com\n    deregistrationDelay: 59", Warning, "60 s <= edge.deregistrationDelay 59 s"},
		{"timers: graceful stop", "app/gunicorn.conf.py", "graceful_timeout = 75", "graceful_timeout = 30", Failed, "65 s (app/gunicorn.conf.py) < graceful_timeout 30 s"},
		{"timers: stop of web", "scripts/systemd/web.service", "TimeoutStopSec=90", "TimeoutStopSec=75", Failed, "75 s (app/gunicorn.conf.py) < web's TimeoutStopSec 75 s"},
		{"timers: stop of a worker", "app/config/settings/base.py", "CELERY_TASK_TIME_LIMIT = 540", "CELERY_TASK_TIME_LIMIT = 700", Failed, "700 s (app/config/settings/base.py) < worker's TimeoutStopSec 600 s"},
		{"timers: task", "app/config/settings/base.py", `"visibility_timeout": 3600`, `"visibility_timeout": 300`, Failed, "second worker"},
		{"timers: hook ApplicationStop", "scripts/systemd/worker.service", "TimeoutStopSec=600", "TimeoutStopSec=800", Failed, "920 s (scripts/systemd) < timeout of ApplicationStop 900 s"},
		{"timers: hook AfterBlockTraffic", "scripts/systemd/worker.service", "TimeoutStopSec=600", "TimeoutStopSec=870", Failed, "900 s (scripts/systemd) < timeout of AfterBlockTraffic 900 s"},
		{"timers: hook once-per-release", "app/release.sh", "once_timeout=1500", "once_timeout=2500", Failed, "once_timeout 2500 s (app/release.sh) < timeout of scripts/once-per-release 1800 s"},
		{"timers: hook ValidateService", "app/release.sh", "start_timeout=120", "start_timeout=180", Failed, "start_timeout 180 s"},
		{"timers: variables", "scripts/environment.py", "LONGEST = 120", "LONGEST = 300", Failed, "LONGEST 300 s"},
		{"timers: hook ApplicationStart", "scripts/systemd/web.service", "TimeoutStartSec=150", "TimeoutStartSec=1000", Failed, "1000 s"},
		{"timers: termination wait", "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:release: {terminationWaitMinutes: 1}\n  bluegreen:fleet:", Failed, "edge.deregistrationDelay 60 s < release.terminationWaitMinutes 60 s"},
		{"timers: alarms", "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:release: {alarms: {evaluationPeriods: 10}}\n  bluegreen:fleet:", Warning, "600 s < release.terminationWaitMinutes 600 s"},
		{"timers: next release", "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:release: {terminationWaitMinutes: 40}\n  bluegreen:fleet:", Warning, "2400 s < release --wait-for-running 1800 s"},
		{"timers: next up", "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:release: {waitForDeploymentMinutes: 5}\n  bluegreen:fleet:", Warning, "600 s < release.waitForDeploymentMinutes 300 s"},
		{"timers: release", "appspec.yml", "timeout: 1800", "timeout: 3300", Failed, "AfterInstall and edge.deregistrationDelay 3660 s"},
		{"plugins: bluegreen", "Pulumi.yaml", "name: bluegreen\n      path: cmd", "name: bluegreen\n      path: cmds", Failed, "cmds"},
		{"plugins: versions", "tools/go.mod", "github.com/pulumi/pulumi/pkg/v3 v3.230.0", "github.com/pulumi/pulumi/pkg/v3 v3.229.0", Failed, "go.mod has Pulumi v3.230.0, tools/go.mod v3.229.0"},
	} {
		t.Run(row.check, func(t *testing.T) {
			expect(t, whole, row.check, OK, "")
			folder := checkout(t)
			change(t, folder, row.file, row.old, row.with)
			expect(t, examineOne(t, Options{Root: folder, Offline: true}, row.check), row.check, row.status, row.said)
		})
	}
}

func TestScriptsWithoutTheirRights(t *testing.T) {
	folder := checkout(t)
	require.NoError(t, os.Chmod(filepath.Join(folder, "scripts/validate-service"), 0o644))
	require.NoError(t, os.Chmod(filepath.Join(folder, "cmd/pulumi-resource-bluegreen/plugin/pulumi-resource-bluegreen"), 0o644))
	found := examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "configuration: appspec.yml", Failed, "ValidateService: scripts/validate-service is not executable")
	expect(t, found, "plugins: bluegreen", Failed, "not executable; run: chmod +x")
}

// What cannot be looked at is never ok: another framework has no gunicorn, and
// nothing can be said of a configuration with mistakes.
func TestNotCheckedSaysWhy(t *testing.T) {
	folder := checkout(t)
	require.NoError(t, os.Remove(filepath.Join(folder, "app/gunicorn.conf.py")))
	found := examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "timers: stop of web", NotChecked, "app/gunicorn.conf.py: no graceful_timeout there")
	expect(t, found, "timers: hook ApplicationStop", OK, "")

	require.NoError(t, os.RemoveAll(filepath.Join(folder, "app/config")))
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "app/deployment")))
	found = examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "configuration: registry", NotChecked, "no Python below app reads a variable")
	expect(t, found, "timers: task", NotChecked, "app/config/settings/base.py")

	change(t, folder, "app/release.sh", "health_path=", "healthy_path=")
	found = examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "health: path", NotChecked, "health_path: unbound variable")
	expect(t, found, "timers: hook ValidateService", NotChecked, "app/release.sh")

	change(t, folder, "Pulumi.prod.yaml", "bluegreen:account: \"111122223333\"", "bluegreen:account: \"1\"")
	found = examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "configuration: stack", Failed, "account: want 12 digits")
	for _, check := range []string{"names: application", "health: path", "timers: alarms", "configuration: registry"} {
		expect(t, found, check, NotChecked, errSettings.Error())
	}
}

// A value that only the stack's key makes readable is no value to compare with.
func TestEncryptedHosts(t *testing.T) {
	folder := checkout(t)
	change(t, folder, "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:environment: {DJANGO_ALLOWED_HOSTS: {secure: abc}}\n  bluegreen:fleet:")
	found := examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "names: application", NotChecked, "environment.DJANGO_ALLOWED_HOSTS is encrypted")
	expect(t, found, "health: path", OK, "")
}

func TestAllowedHostsOfTheirOwn(t *testing.T) {
	folder := checkout(t)
	change(t, folder, "Pulumi.prod.yaml", "bluegreen:fleet:", "bluegreen:environment: {DJANGO_ALLOWED_HOSTS: example.com}\n  bluegreen:fleet:")
	expect(t, examine(t, Options{Root: folder, Offline: true}), "names: application", Failed, "remove environment.DJANGO_ALLOWED_HOSTS")
}

func TestTools(t *testing.T) {
	folder := checkout(t)
	home := t.TempDir()
	t.Setenv("PULUMI_HOME", home)
	t.Setenv(noAcquisition, "true")
	well := map[string]string{
		"go": "echo go version go1.26.3 linux/amd64", "git": "echo git version 2.40.0", "pulumi": "echo v3.240.1", "pulumi-language-go": "true",
		"python3": `[ "$1" = --version ] && echo Python 3.12.1 || echo pip 24.0 from here`,
	}
	programs(t, well)
	found := examine(t, Options{Root: folder, Offline: true})
	for _, name := range []string{"go", "git", "python", "pip", "pulumi", "pulumi's Go"} {
		expect(t, found, "tools: "+name, OK, "")
	}
	expect(t, found, "plugins: aws", Failed, noAcquisition+" is set; run: pulumi plugin install resource aws v")
	expect(t, found, "plugins: random", Failed, "pulumi plugin install resource random v")

	for _, plugin := range []string{"aws", "random"} {
		version, err := required(filepath.Join(folder, "go.mod"), sdks[plugin])
		require.NoError(t, err)
		place := filepath.Join(home, "plugins", "resource-"+plugin+"-"+version)
		require.NoError(t, os.MkdirAll(place, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(place, "pulumi-resource-"+plugin), nil, 0o755))
	}
	t.Setenv(noAcquisition, "")
	programs(t, map[string]string{
		"go": "echo go version go1.19.3 linux/amd64", "git": "exit 3", "pulumi": "echo v3.1.0", "python3": `[ "$1" = --version ] && echo Python 3.9.1 || echo no module >&2; exit 1`,
	})
	found = examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "tools: go", Failed, "1.19.3, want 1.26.0 or later; install")
	expect(t, found, "tools: git", Failed, "git --version: exit status 3; install git")
	expect(t, found, "tools: pulumi", Failed, "3.1.0, want 3.230.0 or later")
	expect(t, found, "tools: pulumi's Go", Warning, "neither on PATH nor beside")
	expect(t, found, "tools: pip", Failed, "no module; install pip")
	expect(t, found, "plugins: aws", OK, "6.83.2")
	expect(t, found, "plugins: random", OK, "")

	programs(t, nil)
	found = examine(t, Options{Root: folder, Offline: true})
	expect(t, found, "tools: go", Failed, "not installed, want 1.26.0")
	expect(t, found, "tools: python", Failed, "not installed, want 3.11")
	expect(t, found, "tools: pulumi", Warning, "does without it: the sandbox")
	expect(t, found, "tools: pulumi's Go", NotChecked, "pulumi is not installed")
}
