package instance

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	overhttp "bluegreen/internal/once"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deploymentToken = "a-token-of-the-tests"

// onceFunction is the function that a site leaves out whose hooks cannot reach
// the database.
var onceFunction = regexp.MustCompile(`(?m)^once\(\) \{\n(\t.*\n)*\}\n`)

// newSiteOverHTTP is an instance with a release that has not migrated, although
// all its hooks have run.
func newSiteOverHTTP(t *testing.T) (b *box, client overhttp.Client, files func() int) {
	t.Helper()
	b, files, _ = newSite(t, "")
	b.store.parameters["/example/prod/DJANGO_DEPLOYMENT_ENDPOINTS"] = "True"
	script := filepath.Join(b.bundle, "app/release.sh")
	text, err := os.ReadFile(script) // #nosec G304 -- the test's own folder
	require.NoError(t, err)
	without := onceFunction.ReplaceAllString(string(text), "")
	require.NotEqual(t, string(text), without)
	require.NoError(t, os.WriteFile(script, []byte(without), 0o600))
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "the application needs nothing")
	return b, overhttp.Client{
		Site: fmt.Sprintf("http://127.0.0.1:%d", b.port), Host: "example.com", Token: deploymentToken, Wait: 100 * time.Millisecond, Timeout: 2 * time.Minute,
	}, files
}

// python runs a program with a connection db to the site's database.
func (b *box) python(program string) *exec.Cmd {
	command := exec.Command(python(b.t), "-c", "import os, psycopg\ndb = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)\n"+program) // #nosec G204 -- the test's own program
	command.Env = append(os.Environ(), "DATABASE_URL="+b.store.parameters["/example/prod/DATABASE_URL"])
	command.Stderr = os.Stderr
	return command
}

func (b *box) query(sql string) string {
	b.t.Helper()
	output, err := b.python("rows = db.execute(\"" + sql + "\")\nfor row in rows if rows.description else []: print(*row)").Output()
	require.NoError(b.t, err)
	return strings.TrimSpace(string(output))
}

func TestMigratingOverHTTP(t *testing.T) {
	t.Parallel()
	b, client, files := newSiteOverHTTP(t)
	for name, token := range map[string]string{"wrong": "wrong", "another": deploymentToken + "2"} {
		stranger := client
		stranger.Token = token
		results, err := stranger.Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, overhttp.Failed, results[0].State, name)
		assert.Contains(t, results[0].Problem, "status 401", name)
	}
	for _, header := range []string{"", "Bearer ", "Bearer"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, client.Site+"/migrate/", nil)
		require.NoError(t, err)
		request.Host = client.Host
		request.Header.Set("Authorization", header)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, response.StatusCode, "%q", header)
	}
	assert.Empty(t, b.query("SELECT 1 WHERE to_regclass('django_migrations') IS NOT NULL"), "nobody came in")

	var group sync.WaitGroup // two pipelines at once
	for range 2 {
		group.Go(func() {
			results, err := client.Run(t.Context())
			assert.NoError(t, err)
			for _, result := range results {
				assert.Equal(t, overhttp.Done, result.State, result.Problem)
			}
		})
	}
	group.Wait()
	assert.Greater(t, files(), 100)
	assert.Equal(t, "migrate done\npublishstatic done", b.query("SELECT step, state FROM bluegreen_once ORDER BY step"))
	status, page := b.get("/", "example.com", map[string]string{"X-Forwarded-Proto": "https"})
	assert.Equal(t, 200, status, page)
	output, err := b.hook("d-ONE", "scripts/validate-service")
	require.NoError(t, err, output)
	assert.Equal(t, "d-ONE 0\n", b.shell("python", "manage.py", "shell", "--no-imports", "--command",
		"from django.conf import settings; from notes.models import Note; print(settings.RELEASE, Note.objects.count())"))
}

// shell runs a command as docs/instance.md has it.
func (b *box) shell(arguments ...string) string {
	b.t.Helper()
	bin, err := filepath.Abs("testdata/bin")
	require.NoError(b.t, err)
	command := exec.Command(filepath.Join(b.root, "srv/example/current/scripts/shell"), arguments...) // #nosec G204 -- our own script
	command.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "ROOT=" + b.root}
	command.Stderr = os.Stderr
	output, err := command.Output()
	require.NoError(b.t, err)
	return string(output)
}

func TestAFailedMigrationOverHTTP(t *testing.T) {
	t.Parallel()
	b, client, _ := newSiteOverHTTP(t)
	b.query("CREATE TABLE notes_note (id int)") // which is in the way
	for range 2 {                               // the second pipeline tries again, and sees the failure of its own try
		results, err := client.Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, overhttp.Failed, results[0].State)
		assert.Contains(t, results[0].Problem, `status 500: it failed`)
		assert.Contains(t, results[0].Problem, `notes.0001_initial`)
		assert.Equal(t, overhttp.NotBegun, results[1].State)
	}
	assert.Equal(t, "failed", b.query("SELECT state FROM bluegreen_once"), "nothing goes on behind the back of who was told")
	b.query("DROP TABLE notes_note")
	results, err := client.Run(t.Context())
	require.NoError(t, err)
	for _, result := range results {
		assert.Equal(t, overhttp.Done, result.State, result.Problem)
	}
}

// A migration may take longer than any request: the answers come at once, and
// say that it runs.
func TestALongMigrationOverHTTP(t *testing.T) {
	t.Parallel()
	b, client, _ := newSiteOverHTTP(t)
	for _, name := range [][]string{{"migrate"}, {"migrate", "notes", "0001"}} {
		output, err := manage(t, []string{
			"DJANGO_SETTINGS_MODULE=config.settings.local", "DATABASE_URL=" + b.store.parameters["/example/prod/DATABASE_URL"],
		}, name...).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	held := b.python("with db.transaction():\n  db.execute('LOCK TABLE notes_note')\n  print('held', flush=True)\n  input()")
	release, err := held.StdinPipe()
	require.NoError(t, err)
	says, err := held.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, held.Start())
	t.Cleanup(func() { _ = held.Process.Kill() })
	line, err := bufio.NewReader(says).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", line)

	client.RequestTimeout = 20 * time.Second
	var said []string
	client.Say = func(message string) {
		said = append(said, message)
		if strings.HasPrefix(message, "migrate: running: ") {
			_, _ = release.Write([]byte("\n"))
		}
	}
	results, err := client.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, overhttp.Done, results[0].State, results[0].Problem)
	assert.Contains(t, said, "migrate: running: notes.0002_expand, notes.0003_contract")
	require.NoError(t, held.Wait())
}
