package once

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const token = "a-token-of-the-tests"

// script is a site that gives its answers in order, the last for ever.
type script struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][]http.HandlerFunc // by path
	asked   []string                      // paths with their query
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RequestURI())
	assert.Equal(s.t, http.MethodPost, r.Method)
	assert.Equal(s.t, "Bearer "+token, r.Header.Get("Authorization"))
	answers := s.answers[r.URL.Path]
	if len(answers) == 0 {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	if len(answers) > 1 {
		s.answers[r.URL.Path] = answers[1:]
	}
	s.mu.Unlock()
	answers[0](w, r)
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var (
	done    = say(200, `{"release": "d-1", "state": "done", "pending": []}`)
	running = say(202, `{"release": "d-1", "state": "running", "pending": ["notes.0002_expand"]}`)
	failed  = say(500, `{"release": "d-1", "state": "failed"}`)
)

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// serve is a client of a site with these answers of /migrate/; static files are done.
func serve(t *testing.T, migrate ...http.HandlerFunc) (*script, Client) {
	t.Helper()
	s := &script{t: t, answers: map[string][]http.HandlerFunc{"/migrate/": migrate, "/collectstatic/": {done}}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, Client{Site: server.URL, Token: token, Timeout: time.Minute, Wait: time.Millisecond}
}

func run(t *testing.T, c Client) []Result {
	t.Helper()
	results, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, results, len(Steps))
	return results
}

func TestItAsksUntilEachStepIsDone(t *testing.T) {
	for name, answers := range map[string][]http.HandlerFunc{
		"at once":                      {done},
		"while it runs":                {running, running, running, done},
		"a load balancer without them": {say(503, ""), say(502, "<html>"), say(504, ""), done},
		"a connection that is lost":    {hangUp, running, hangUp, done},
		"the old release":              {say(200, `{"release": "d-0", "state": "done"}`), say(500, `{"release": "d-0", "state": "failed"}`), done},
		"no name of a release":         {say(202, `{}`), say(200, `{"state": "done"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := serve(t, answers...)
			c.Accept = func(_ context.Context, release string) (bool, error) { return release == "d-1", nil }
			for _, result := range run(t, c) {
				assert.Equal(t, Done, result.State, result.Problem)
				assert.Empty(t, result.Problem)
			}
			assert.Len(t, s.asked, len(answers)+1)
			assert.Equal(t, "/migrate/?again=1", s.asked[0])
			assert.Equal(t, "/collectstatic/?again=1", s.asked[len(s.asked)-1], "static files come last")
		})
	}
}

// Only the first answer of ours may begin a failed step again: who waits for its
// end has to see how it ended.
func TestItBeginsAFailedStepAgainOnce(t *testing.T) {
	s, c := serve(t, say(503, ""), running, running, failed)
	results := run(t, c)
	assert.Equal(t, []string{"/migrate/?again=1", "/migrate/?again=1", "/migrate/", "/migrate/"}, s.asked)
	assert.Equal(t, Failed, results[0].State)
	assert.Equal(t, Result{Step: "collectstatic", State: NotBegun}, results[1])
}

func TestSomeAnswersEndIt(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"wrong token": {say(401, `{"error": "not authorized"}`), `status 401: the site does not take the token; CI_CD_DEPLOYMENT_AUTH_TOKEN has to be the SINGLE_CD_AUTHORIZATION_TOKEN of this stack; it says: {"error": "not authorized"}`},
		"forbidden":   {say(403, ""), "status 403: the site does not take the token"},
		"no endpoint": {say(404, ""), "status 404: there is no such path; set DJANGO_DEPLOYMENT_ENDPOINTS to True"},
		"failed":      {failed, `status 500: it failed; the journal of the web service on the instance says why; it says: {"release": "d-1", "state": "failed"}`},
		"a page":      {say(200, "<html>hello"), "status 200: want JSON of the application; it says: <html>hello"},
		"a crash":     {say(500, "<h1>Server Error (500)</h1>"), "want JSON of the application; it says: <h1>Server Error"},
		"no state":    {say(200, "{}"), "want state done"},
		"still pending": {say(200, `{"state": "done", "pending": ["notes.0002_expand"]}`),
			"it is done, and yet not applied: notes.0002_expand"},
		"a method":       {say(405, ""), "status 405: not understood"},
		"another scheme": {http.RedirectHandler("https://example.com/migrate/", http.StatusMovedPermanently).ServeHTTP, "status 301: redirects to https://example.com/migrate/, where the token does not follow; correct --site-url"},
		"another host":   {http.RedirectHandler("http://attacker.example/", http.StatusTemporaryRedirect).ServeHTTP, "status 307: redirects to http://attacker.example/"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := serve(t, test.answer)
			results := run(t, c)
			assert.Equal(t, Failed, results[0].State)
			assert.Contains(t, results[0].Problem, test.want)
			assert.Equal(t, NotBegun, results[1].State)
			assert.Len(t, s.asked, 1, "asked once")
		})
	}
}

func TestTheSecondStepMayFail(t *testing.T) {
	s, c := serve(t, done)
	s.answers["/collectstatic/"] = []http.HandlerFunc{failed}
	results := run(t, c)
	assert.Equal(t, Done, results[0].State)
	assert.Equal(t, Failed, results[1].State)
}

func TestItIsBounded(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{"a step that never ends": running, "a site that is down": say(503, ""), "no answer": hangUp} {
		t.Run(name, func(t *testing.T) {
			_, c := serve(t, answer)
			c.Timeout = 50 * time.Millisecond
			results := run(t, c)
			assert.Equal(t, Unfinished, results[0].State)
			assert.Contains(t, results[0].Problem, "not done after 50ms; at last: ")
			assert.Equal(t, NotBegun, results[1].State)
		})
	}
}

// A load balancer or a migration in the request may hold an answer back.
func TestARequestIsBounded(t *testing.T) {
	held := make(chan struct{})
	s, c := serve(t, func(http.ResponseWriter, *http.Request) { <-held }, done)
	t.Cleanup(func() { close(held) })
	c.RequestTimeout = time.Second
	for _, result := range run(t, c) {
		assert.Equal(t, Done, result.State, result.Problem)
	}
	assert.GreaterOrEqual(t, len(s.asked), 3)
}

func TestAnInterruptionEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); running(w, r) })
	results, err := c.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, Unfinished, results[0].State)
}

// What a site says may repeat the request, and try to fool a terminal.
func TestMessagesShowNoSecret(t *testing.T) {
	body := "Authorization: Bearer " + token + "\x1b[2J\r\n" + strings.Repeat("x", 5000)
	var said []string
	_, c := serve(t, say(202, fmt.Sprintf(`{"pending": ["%s"]}`, token)), say(500, `{"trace": "`+strings.Repeat(token, 2)+`"}`))
	c.Say = func(message string) { said = append(said, message) }
	for _, problem := range append(said, run(t, c)[0].Problem, (&asker{Client: c}).quoted([]byte(body))) {
		assert.NotContains(t, problem, token)
		assert.NotContains(t, problem, "\x1b")
		assert.NotContains(t, problem, "\n")
		assert.Less(t, len([]rune(problem)), shownAnswer+200)
	}
	assert.Contains(t, said, "migrate: running: ***")
}

func TestACertificateThatNobodyTrustsEndsIt(t *testing.T) {
	server := httptest.NewTLSServer(done)
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	results := run(t, Client{Site: server.URL, Token: token, Wait: time.Millisecond})
	assert.Equal(t, Failed, results[0].State)
	assert.Contains(t, results[0].Problem, "certificate")
}

func TestAnotherHostName(t *testing.T) {
	var host string
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) { host = r.Host; done(w, r) })
	c.Host = "example.com"
	run(t, c)
	assert.Equal(t, "example.com", host)
}

func TestMistakes(t *testing.T) {
	const name = "CI_CD_DEPLOYMENT_AUTH_TOKEN: "
	for _, test := range []struct {
		client Client
		want   string
	}{
		{Client{Token: token}, "site URL: not known; name the stack with --stack, or give --site-url"},
		{Client{Token: token, Site: "http://example.com"}, "site URL: want https, because the token must not travel in the clear"},
		{Client{Token: token, Site: "http://localhost.example.com"}, "want https"},
		{Client{Token: token, Site: "ftp://127.0.0.1"}, "want https"},
		{Client{Token: token, Site: "example.com"}, "site URL: want an address like https://example.com"},
		{Client{Token: token, Site: "https://user:hidden@example.com"}, `got "https://user:xxxxx@example.com"`},
		{Client{Token: token, Site: "https://exa mple.com"}, "site URL: want an address like https://example.com; "},
		{Client{Site: "https://example.com"}, name + "required, and not set or empty"},
		{Client{Site: "https://example.com", Token: token + "\n"}, name + "want no spaces, line breaks"},
		{Client{Site: "https://example.com", Token: token, Timeout: -1}, "timeout: want 0 or more"},
	} {
		_, err := test.client.Run(t.Context())
		require.ErrorContains(t, err, test.want)
		assert.NotContains(t, err.Error(), token)
		assert.NotContains(t, err.Error(), "hidden")
	}
	err := Client{}.Validate()
	require.ErrorContains(t, err, "site URL")
	require.ErrorContains(t, err, name, "all at once")
	for _, good := range []string{"https://example.com", "https://example.com:8443/", "http://localhost:8000", "http://127.0.0.2", "http://[::1]:80"} {
		assert.NoError(t, Client{Site: good, Token: token}.Validate(), good)
	}
}
