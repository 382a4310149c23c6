package instance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manage runs a command of the reference application.
func manage(t *testing.T, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(python(t), append([]string{"-W", "error::ResourceWarning", "manage.py"}, arguments...)...) // #nosec G204 -- our own application
	command.Dir = filepath.Join(root, "app")
	command.Env = append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), environment...)
	return command
}

func TestTheApplicationsOwnTests(t *testing.T) {
	t.Parallel()
	database, _ := postgres(t)
	cache, _ := redis(t)
	settings := "DJANGO_SETTINGS_MODULE=config.settings.test"
	for name, environment := range map[string][]string{
		"PostgreSQL and Redis": {settings, "DATABASE_URL=" + database, "REDIS_URL=" + cache},
		"neither":              {settings},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := manage(t, environment, "test").CombinedOutput()
			require.NoError(t, err, string(output))
			output, err = manage(t, environment, "makemigrations", "--check", "--dry-run").CombinedOutput()
			assert.NoError(t, err, string(output))
		})
	}
}

// Django's own list of what is wrong with a site in production.
func TestDjangoFindsNothingToSecure(t *testing.T) {
	t.Parallel()
	environment := []string{"DJANGO_SETTINGS_MODULE=config.settings.production", "AWS_DEFAULT_REGION=us-east-2"}
	for name, value := range production("postgresql://example@127.0.0.1:1/none", "redis://127.0.0.1:1/0") {
		environment = append(environment, strings.TrimPrefix(name, "/example/prod/")+"="+value)
	}
	output, err := manage(t, environment, "check", "--deploy", "--fail-level", "WARNING").CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Contains(t, string(output), "no issues (1 silenced)")
}

// production are the variables that the reference application cannot do without.
func production(database, cache string) map[string]string {
	parameters := map[string]string{}
	for name, value := range map[string]string{
		"DJANGO_SECRET_KEY": hostile[3] + hostile[4] + hostile[6], "DJANGO_ALLOWED_HOSTS": "example.com,www.example.com", "DJANGO_ADMIN_URL": "secret-path/",
		"SINGLE_CD_AUTHORIZATION_TOKEN": "a-token-of-the-tests", "DJANGO_SECURE_SSL_REDIRECT": "False", "DATABASE_URL": database,
		"DJANGO_AWS_STORAGE_BUCKET_NAME": "files", "REDIS_URL": cache, "CELERY_BROKER_URL": cache,
	} {
		if value != "" {
			parameters["/example/prod/"+name] = value
		}
	}
	return parameters
}

// bucket takes what is put into it, and lists nothing.
func bucket() (handler http.Handler, keys func() int) {
	var mutex sync.Mutex
	put := map[string]bool{}
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.Method {
		case http.MethodPut:
			mutex.Lock()
			defer mutex.Unlock()
			put[r.URL.Path] = true
		case http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
		}
	})
	return handler, func() int {
		mutex.Lock()
		defer mutex.Unlock()
		return len(put)
	}
}

// newSite is an instance for the reference application.
func newSite(t *testing.T, cache string) (b *box, files func() int, server *exec.Cmd) {
	t.Helper()
	database, server := postgres(t)
	b = newBox(t, siteBundle(t), production(database, cache))
	handler, files := bucket()
	storage := httptest.NewServer(handler)
	t.Cleanup(storage.Close)
	instance := filepath.Join(b.root, "etc/bluegreen.env")
	text, err := os.ReadFile(instance) // #nosec G304 -- the test's own folder
	require.NoError(t, err)
	b.describe(string(text) + "AWS_ENDPOINT_URL_S3=" + storage.URL + "\n")
	return b, files, server
}

// siteBundle is a bundle with the reference application.
func siteBundle(t *testing.T) string {
	t.Helper()
	application := t.TempDir()
	output, err := exec.Command("bash", "-c", `git -C "$1" ls-files -z --cached --others --exclude-standard app | tar -C "$1" --null --files-from - -c | tar -C "$2" -x`, "bash", root, application).CombinedOutput() // #nosec G204 -- our own files
	require.NoError(t, err, string(output))
	return newBundle(t, filepath.Join(application, "app"), filepath.Join(root, "environment.yaml"))
}

var csrf = regexp.MustCompile(`name="csrfmiddlewaretoken" value="([^"]+)"`)

func TestTheReferenceApplicationIsReleased(t *testing.T) {
	t.Parallel()
	cache, _ := redis(t)
	b, files, _ := newSite(t, cache)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	for _, service := range []string{"web", "worker", "beat"} {
		assert.Contains(t, output, "validate-service: "+service+" works")
	}
	assert.Contains(t, output, "Applying notes.0003_contract... OK")
	assert.Greater(t, files(), 100, "static files are published")
	assert.NotContains(t, output, "a-token-of-the-tests", "secrets stay out of the log")

	site, err := os.ReadFile(filepath.Join(b.root, "etc/nginx/sites-available/example"))
	require.NoError(t, err)
	assert.Contains(t, string(site), "client_max_body_size 2G;")
	visitor := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
	status, page := b.get("/", "www.example.com", visitor)
	require.Equal(t, 200, status, page)
	assert.Contains(t, page, "Release d-ONE.")
	assert.Regexp(t, `href="/static/notes/site\.[0-9a-f]{12}\.css"`, page)
	assert.Regexp(t, csrf, page)
	status, _ = b.get("/secret-path/login/", "example.com", visitor)
	assert.Equal(t, 200, status)
	for _, path := range []string{"/migrate/", "/collectstatic/"} {
		status, _ = b.get(path, "example.com", visitor)
		assert.Equal(t, 404, status, "%s exists only where it is asked for", path)
	}

	// A second release on the same machine: no environments to make, nothing to
	// migrate, and no worker any more.
	release := filepath.Join(b.bundle, "app/release.sh")
	text, err := os.ReadFile(release) // #nosec G304 -- the test's own folder
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(release, []byte(strings.Replace(string(text), "'web worker beat'", "'web beat'", 1)), 0o600))
	output, err = b.release("d-TWO")
	require.NoError(t, err, output)
	assert.NotContains(t, output, "made the virtual environment")
	assert.Contains(t, output, "stopping example-worker.service, which is no part of this release")
	_, page = b.get("/", "www.example.com", visitor)
	assert.Contains(t, page, "Release d-TWO.")

	// The same deployment again, as after a lost connection, does nothing twice.
	output, err = b.hook("d-TWO", "scripts/once-per-release")
	require.NoError(t, err, output)
	assert.Contains(t, output, "once: once was done by ")

	// A rollback is a deployment with an id of its own, and a release that knows
	// less than the database has: it unapplies nothing, and works.
	require.NoError(t, os.Remove(filepath.Join(b.bundle, "app/notes/migrations/0003_contract.py")))
	output, err = b.release("d-THREE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "No migrations to apply")
	status, page = b.get("/", "www.example.com", visitor)
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "Release d-THREE.")
	address := b.store.parameters["/example/prod/DATABASE_URL"]
	assert.Equal(t, "1", query(t, address, "SELECT count(*) FROM django_migrations WHERE name = '0003_contract'"))
}

func TestWithoutACacheThereIsNoCelery(t *testing.T) {
	t.Parallel()
	b, _, _ := newSite(t, "")
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "validate-service: web works")
	assert.NotContains(t, output, "worker works")

	b.group = "example-prod-CeleryWorker"
	output, err = b.release("d-TWO")
	require.ErrorContains(t, err, "scripts/application-start")
	assert.Contains(t, output, "worker: each lacks a variable that it needs")
	assert.Contains(t, output, "left to the web fleet")
}
