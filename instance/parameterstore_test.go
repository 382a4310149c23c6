package instance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// parameterStore answers as AWS does where an instance asks: instance metadata,
// version 2 only, and GetParametersByPath in pages.
type parameterStore struct {
	*httptest.Server

	mutex      sync.Mutex
	parameters map[string]string // by full name
	refuse     []string          // error codes for the next calls
	calls      int
}

const (
	pageSize      = 10 // the most that AWS answers at once (Systems Manager API reference, GetParametersByPath)
	metadataToken = "a-token"
	accessKey     = "AKIDINSTANCE"
)

func newParameterStore(t *testing.T, parameters map[string]string) *parameterStore {
	t.Helper()
	store := &parameterStore{parameters: parameters}
	store.Server = httptest.NewServer(store)
	t.Cleanup(store.Close) // a test may have closed it
	return store
}

func (s *parameterStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		s.getParametersByPath(w, r)
		return
	}
	const credentials = "/latest/meta-data/iam/security-credentials/"
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		_, _ = w.Write([]byte(metadataToken))
	case r.Header.Get("X-aws-ec2-metadata-token") != metadataToken:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == credentials:
		_, _ = w.Write([]byte("role"))
	case r.URL.Path == credentials+"role":
		answer(w, http.StatusOK, map[string]string{
			"Code": "Success", "AccessKeyId": accessKey, "SecretAccessKey": "secret", "Token": "session",
			"Expiration": "2099-01-01T00:00:00Z",
		})
	case r.URL.Path == "/latest/meta-data/placement/availability-zone/":
		_, _ = w.Write([]byte("eu-west-1a"))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *parameterStore) getParametersByPath(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls++
	var ask struct {
		Path           string
		WithDecryption bool
		NextToken      string
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || !strings.Contains(r.Header.Get("Authorization"), accessKey) {
		answer(w, http.StatusBadRequest, map[string]string{"__type": "UnrecognizedClientException"})
		return
	}
	if len(s.refuse) > 0 {
		answer(w, http.StatusBadRequest, map[string]string{"__type": s.refuse[0], "message": "ordered by the test"})
		s.refuse = s.refuse[1:]
		return
	}
	type parameter struct{ Name, Value string }
	var found []parameter
	for name, value := range s.parameters {
		rest, below := strings.CutPrefix(name, ask.Path)
		if !ask.WithDecryption {
			value = "encrypted"
		}
		if below && !strings.Contains(rest, "/") {
			found = append(found, parameter{name, value})
		}
	}
	slices.SortFunc(found, func(a, b parameter) int { return strings.Compare(a.Name, b.Name) })
	from, _ := strconv.Atoi(ask.NextToken) // "" is the first page
	to := min(from+pageSize, len(found))
	page := map[string]any{"Parameters": found[from:to]}
	if to < len(found) {
		page["NextToken"] = strconv.Itoa(to)
	}
	answer(w, http.StatusOK, page)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
