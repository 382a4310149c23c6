package instance

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fault is something wrong with a release that its hooks have started.
type fault struct {
	name string
	make func() (mend func())
	says string
}

// What keeps a site from working fails its release, and the log says what it is.
func TestValidateServiceSaysWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	cache, redisServer := redis(t)
	b, _, database := newSite(t, cache)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	// It works, however long that took here; what is broken from now on stays so.
	b.change("app/release.sh", "start_timeout=120", "start_timeout=3")
	address := b.store.parameters["/example/prod/DATABASE_URL"]

	for _, fault := range []fault{
		{"a migration is missing", func() func() {
			query(t, address, "DELETE FROM django_migrations WHERE name = '0003_contract' RETURNING 1")
			return func() {
				query(t, address, "INSERT INTO django_migrations (app, name, applied) VALUES ('notes', '0003_contract', now()) RETURNING 1")
			}
		}, "want status 200, got 503: {\"release\": \"d-ONE\", \"problems\": [\"database and migrations: not applied: notes.0003_contract\"]}"},
		{"another release answers", func() func() {
			require.NoError(t, os.Symlink("d-ONE", filepath.Join(b.root, "srv/example/releases/d-TWO")))
			b.deployment = "d-TWO"
			return func() {}
		}, "want release d-TWO, got {\"release\": \"d-ONE\", \"problems\": []}"},
		{"the cache is silent", halted(t, redisServer), "cache: does not keep what it is given"},
		{"the database is silent", halted(t, database), "https://example.com/readyz: want status 200, got "},
		{"the worker is silent", func() func() {
			worker := exec.Cmd{Process: &os.Process{Pid: b.pid("example-worker.service")}}
			return halted(t, &worker)()
		}, "worker: Error: No nodes replied within time constraint"},
		{"the worker is dead", func() func() {
			pid := b.pid("example-worker.service")
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			waitFor(t, "the worker ends", func() bool { return zombie(pid) || syscall.Kill(pid, 0) != nil })
			return func() {
				output, err := b.hook("d-ONE", "scripts/before-allow-traffic")
				require.NoError(t, err, output)
			}
		}, "example-worker.service: not running; see above"},
		{"the cache is gone", func() func() {
			require.NoError(t, redisServer.Process.Kill())
			return func() {}
		}, "cache: does not keep what it is given"},
		{"the database is gone", func() func() {
			require.NoError(t, database.Process.Signal(syscall.SIGQUIT))
			return func() {}
		}, "database and migrations: OperationalError"},
	} {
		b.deployment = "d-ONE"
		mend := fault.make()
		output, err := b.hook(b.deployment, "scripts/validate-service")
		assert.Error(t, err, fault.name)
		assert.Contains(t, output, fault.says, fault.name)
		status, _ := b.get("/healthz", "10.0.0.7", nil)
		assert.Equal(t, http.StatusOK, status, "%s: the load balancer would take every instance away", fault.name)
		mend()
	}
}

// halted stops all processes of a server, as a machine that hangs does, until mended.
func halted(t *testing.T, server *exec.Cmd) func() (mend func()) {
	return func() func() {
		all := append([]int{server.Process.Pid}, descendants(t, server.Process.Pid)...)
		for _, pid := range all {
			require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		}
		mend := func() {
			for _, pid := range all {
				_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended
			}
		}
		t.Cleanup(mend)
		return mend
	}
}

// pid is the process of a service.
func (b *box) pid(unit string) int {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.root, "run/systemctl", unit))
	require.NoError(b.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(b.t, err)
	return pid
}
