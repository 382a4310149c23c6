package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// store is the secrets and variables of a repository or an environment.
type store struct {
	keys
	secrets   map[string]kept
	variables map[string]kept
}

// kept is a value and when it was written.
type kept struct {
	value   string
	written time.Time
}

func (s *Server) newStore() store {
	return store{keys: newKeys(s.id()), secrets: map[string]kept{}, variables: map[string]kept{}}
}

// Secret is the opened value of a secret, and whether it exists. environment ""
// is the repository.
func (s *Server) Secret(environment, name string) (string, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at := s.find(environment)
	if at == nil {
		return "", false
	}
	secret, exists := at.secrets[name]
	return secret.value, exists
}

// Secrets are the names of all secrets, sorted.
func (s *Server) Secrets(environment string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if at := s.find(environment); at != nil {
		return slices.Sorted(maps.Keys(at.secrets))
	}
	return nil
}

// Variables are all variables.
func (s *Server) Variables(environment string) map[string]string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	values := map[string]string{}
	if at := s.find(environment); at != nil {
		for name, variable := range at.variables {
			values[name] = variable.value
		}
	}
	return values
}

// SetSecret writes a secret as somebody in the browser would, an hour later.
func (s *Server) SetSecret(environment, name, value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.clock = s.clock.Add(time.Hour)
	s.find(environment).secrets[name] = kept{value, s.now()}
}

// SetVariable writes a variable as somebody in the browser would.
func (s *Server) SetVariable(environment, name, value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.find(environment).variables[name] = kept{value, s.now()}
}

func (s *Server) find(environment string) *store {
	if environment == "" {
		return &s.store
	}
	if found := s.environments[environment]; found != nil {
		return &found.store
	}
	return nil
}

// of is the store that a request is about.
func (s *Server) of(request *http.Request) *store { return s.find(request.PathValue("environment")) }

// routeStores serves both levels. An environment's secrets go by the
// repository's number, its variables by its name, as go-github has it.
func (s *Server) routeStores() {
	for _, at := range []string{"/repos/{owner}/{name}/actions", "/repositories/{id}/environments/{environment}", "/repos/{owner}/{name}/environments/{environment}"} {
		s.handle("GET "+at+"/secrets/public-key", s.in(func(at *store, _ *http.Request, _ []byte) (int, any) {
			return http.StatusOK, object{"key_id": at.id, "key": base64.StdEncoding.EncodeToString(at.public[:])}
		}))
		s.handle("GET "+at+"/secrets", s.in(s.listSecrets))
		s.handle("PUT "+at+"/secrets/{secret}", s.in(s.putSecret))
		s.handle("DELETE "+at+"/secrets/{secret}", s.in(func(at *store, request *http.Request, _ []byte) (int, any) {
			return remove(at.secrets, request.PathValue("secret"))
		}))
		s.handle("GET "+at+"/variables", s.in(s.listVariables))
		s.handle("POST "+at+"/variables", s.in(func(at *store, _ *http.Request, body []byte) (int, any) {
			variable := read(body)
			if _, exists := at.variables[variable.Name]; exists {
				return http.StatusConflict, refusal("Already exists - Variable already exists")
			}
			return s.putVariable(at, variable, http.StatusCreated)
		}))
		s.handle("PATCH "+at+"/variables/{variable}", s.in(func(at *store, request *http.Request, body []byte) (int, any) {
			variable := read(body)
			variable.Name = request.PathValue("variable")
			if _, exists := at.variables[variable.Name]; !exists {
				return http.StatusNotFound, refusal("Not Found")
			}
			return s.putVariable(at, variable, http.StatusNoContent)
		}))
		s.handle("DELETE "+at+"/variables/{variable}", s.in(func(at *store, request *http.Request, _ []byte) (int, any) {
			return remove(at.variables, request.PathValue("variable"))
		}))
	}
}

// in finds the store first.
func (s *Server) in(handle func(*store, *http.Request, []byte) (int, any)) handler {
	return func(request *http.Request, body []byte) (int, any) {
		at := s.of(request)
		if at == nil || request.PathValue("id") != "" && request.PathValue("id") != "4711" {
			return http.StatusNotFound, refusal("Not Found")
		}
		return handle(at, request, body)
	}
}

var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// acceptable tells whether GitHub takes a name.
func acceptable(name string) bool {
	return validName.MatchString(name) && !strings.HasPrefix(strings.ToUpper(name), "GITHUB_")
}

func (s *Server) listSecrets(at *store, request *http.Request, _ []byte) (int, any) {
	list := []object{}
	for _, name := range slices.Sorted(maps.Keys(at.secrets)) {
		list = append(list, object{"name": name, "created_at": at.secrets[name].written, "updated_at": at.secrets[name].written})
	}
	return http.StatusOK, object{"total_count": len(list), "secrets": page(s, request, list, 100)}
}

func (s *Server) listVariables(at *store, request *http.Request, _ []byte) (int, any) {
	list := []object{}
	for _, name := range slices.Sorted(maps.Keys(at.variables)) {
		list = append(list, object{"name": name, "value": at.variables[name].value, "updated_at": at.variables[name].written})
	}
	return http.StatusOK, object{"total_count": len(list), "variables": page(s, request, list, 30)}
}

// putSecret opens the sealed box; one for another key is refused.
func (s *Server) putSecret(at *store, request *http.Request, body []byte) (int, any) {
	var sealed struct {
		EncryptedValue string `json:"encrypted_value"`
		KeyID          string `json:"key_id"`
	}
	_ = json.Unmarshal(body, &sealed)
	raw, err := base64.StdEncoding.DecodeString(sealed.EncryptedValue)
	value, opened := box.OpenAnonymous(nil, raw, at.public, at.private)
	name := request.PathValue("secret")
	if err != nil || !opened || sealed.KeyID != at.id || !acceptable(name) || len(value) > 48*1024 {
		return invalid("encrypted_value", "invalid")
	}
	_, exists := at.secrets[name]
	at.secrets[strings.ToUpper(name)] = kept{string(value), s.now()}
	if exists {
		return http.StatusNoContent, nil
	}
	return http.StatusCreated, object{}
}

type variable struct{ Name, Value string }

func read(body []byte) (v variable) {
	_ = json.Unmarshal(body, &v)
	return v
}

func (s *Server) putVariable(at *store, v variable, status int) (int, any) {
	if !acceptable(v.Name) || v.Value == "" || len(v.Value) > 48*1024 {
		return invalid("name", "invalid")
	}
	at.variables[strings.ToUpper(v.Name)] = kept{v.Value, s.now()}
	if status == http.StatusCreated {
		return status, object{}
	}
	return status, nil
}

func remove(from map[string]kept, name string) (int, any) {
	if _, exists := from[name]; !exists {
		return http.StatusNotFound, refusal("Not Found")
	}
	delete(from, name)
	return http.StatusNoContent, nil
}
