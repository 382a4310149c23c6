// Package githubtest is a GitHub for tests: one repository behind the documented
// parts of the REST API that bluegreen uses. It opens sealed secrets with its own
// keys, counts a rate limit, answers conditional requests, fails when told to,
// and keeps a log of what it was asked, without the token.
package githubtest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// Token is the only one that a Server takes.
const Token = "ghp_forTestsOnly0123456789"

// Server is an http.Handler; an API address ends in its root, or in /api/v3.
type Server struct {
	mux   *http.ServeMux
	mutex sync.Mutex

	owner, name  string
	store        // secrets and variables of the repository
	environments map[string]*environment
	issues       []*Issue
	labels       map[string]bool
	accounts     map[string]int // users, and teams as organization/slug, by their number

	made      time.Time // the repository
	clock     time.Time // each write is a second later than the one before
	nextID    int
	remaining int // requests until the limit
	failures  []*Failure
	log       strings.Builder
	link      string // to the next page of the list that is being answered
}

// Failure is an answer that is given in place of the right one.
type Failure struct {
	Method  string // "" is any
	Path    string // a part of the path; "" is any
	Times   int    // how often; 0 is always
	Status  int
	Header  map[string]string
	Message string
	Carried bool // the request is carried out, and only its answer is lost
	seen    int
}

// New is a GitHub with one empty repository.
func New(repository string) *Server {
	owner, name, _ := strings.Cut(repository, "/")
	s := &Server{
		owner: owner, name: name, environments: map[string]*environment{}, labels: map[string]bool{}, accounts: map[string]int{},
		clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nextID: 100, remaining: 5000, mux: http.NewServeMux(),
	}
	s.made = s.clock
	s.store = s.newStore()
	s.routeStores()
	s.routeEnvironments()
	s.routeIssues()
	s.routePulls()
	s.handle("GET /repos/{owner}/{name}", func(*http.Request, []byte) (int, any) {
		return http.StatusOK, object{"id": RepositoryID, "full_name": repository, "name": name, "owner": object{"login": owner, "id": OwnerID}, "created_at": s.made}
	})
	return s
}

// Start serves it on loopback; Close ends that.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

// Fail makes requests fail, as often as the failure says.
func (s *Server) Fail(failure Failure) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failures = append(s.failures, &failure)
}

// Log is every request: method, path, status and body, a line each.
func (s *Server) Log() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.log.String()
}

// Forget empties the log.
func (s *Server) Forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.log.Reset()
}

// RepositoryID and OwnerID are the numbers of the repository and its owner.
const (
	RepositoryID = 4711
	OwnerID      = 815
)

// SetMade says when the repository was made; it was at the beginning of 2026.
func (s *Server) SetMade(at time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.made = at
}

type object = map[string]any

// handler answers with a status and what becomes JSON; nil is no body.
type handler func(request *http.Request, body []byte) (int, any)

func (s *Server) handle(pattern string, handle handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
		owner, name := request.PathValue("owner"), request.PathValue("name")
		if owner != "" && (!strings.EqualFold(owner, s.owner) || !strings.EqualFold(name, s.name)) {
			s.answer(w, request, http.StatusNotFound, refusal("Not Found"))
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil || len(body) > 0 && !json.Valid(body) {
			s.answer(w, request, http.StatusBadRequest, refusal("Problems parsing JSON"))
			return
		}
		status, result := handle(request, body)
		s.answer(w, request, status, result)
	})
}

// ServeHTTP answers one request at a time.
func (s *Server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	body, _ := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.URL.Path = strings.TrimPrefix(request.URL.Path, "/api/v3")
	request.URL.RawPath = strings.TrimPrefix(request.URL.RawPath, "/api/v3")
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { fmt.Fprintf(&s.log, "%s %s %d %s\n", request.Method, request.URL, seen.status, body) }()

	s.remaining--
	seen.Header().Set("X-Ratelimit-Limit", "5000")
	seen.Header().Set("X-Ratelimit-Remaining", strconv.Itoa(max(s.remaining, 0)))
	seen.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	if request.Header.Get("Authorization") != "Bearer "+Token {
		s.answer(seen, request, http.StatusUnauthorized, refusal("Bad credentials"))
		return
	}
	if failure := s.failing(request); failure != nil {
		if failure.Carried {
			s.mux.ServeHTTP(httptest.NewRecorder(), request)
		}
		for name, value := range failure.Header {
			seen.Header().Set(name, value)
		}
		s.answer(seen, request, failure.Status, refusal(failure.Message))
		return
	}
	s.mux.ServeHTTP(seen, request)
}

// failing is the failure that a request meets, if any.
func (s *Server) failing(request *http.Request) *Failure {
	for _, failure := range s.failures {
		if failure.Method != "" && failure.Method != request.Method || !strings.Contains(request.URL.Path, failure.Path) ||
			failure.Times > 0 && failure.seen >= failure.Times {
			continue
		}
		failure.seen++
		return failure
	}
	return nil
}

// answer sends JSON, or 304 to who has it already.
func (s *Server) answer(w http.ResponseWriter, request *http.Request, status int, result any) {
	w.Header().Set("Date", s.clock.Format(http.TimeFormat))
	if result == nil {
		w.WriteHeader(status)
		return
	}
	text, _ := json.Marshal(result)
	if s.link != "" {
		w.Header().Set("Link", s.link)
		s.link = ""
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if request.Method == http.MethodGet && status == http.StatusOK {
		sum := sha256.Sum256(text)
		tag := `"` + hex.EncodeToString(sum[:]) + `"`
		w.Header().Set("ETag", tag)
		if request.Header.Get("If-None-Match") == tag {
			s.remaining++ // a conditional request that changes nothing is free
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func refusal(message string) object {
	return object{"message": message, "documentation_url": "https://docs.github.com/rest"}
}

// invalid is the answer to a body that is well-formed and wrong.
func invalid(field, code string) (int, any) {
	return http.StatusUnprocessableEntity, object{"message": "Validation Failed", "errors": []object{{"field": field, "code": code}}}
}

// now is the time of a write.
func (s *Server) now() time.Time {
	s.clock = s.clock.Add(time.Second)
	return s.clock
}

func (s *Server) id() int {
	s.nextID++
	return s.nextID
}

// page is the part of a list that a request asks for; the answer links to the next.
func page[T any](s *Server, request *http.Request, list []T, most int) []T {
	query := request.URL.Query()
	size, number := 30, 1
	if given, err := strconv.Atoi(query.Get("per_page")); err == nil {
		size = min(given, most)
	}
	if given, err := strconv.Atoi(query.Get("page")); err == nil {
		number = given
	}
	from := min((number-1)*size, len(list))
	to := min(from+size, len(list))
	if to < len(list) {
		query.Set("page", strconv.Itoa(number+1))
		s.link = fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, request.Host, request.URL.Path, query.Encode())
	}
	return list[from:to]
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// keys are a pair that secrets are sealed for.
type keys struct {
	public, private *[32]byte
	id              string
}

func newKeys(id int) keys {
	public, private, _ := box.GenerateKey(rand.Reader) // fails with the reader only, which never does
	return keys{public, private, strconv.Itoa(id)}
}
