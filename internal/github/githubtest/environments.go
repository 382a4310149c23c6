package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// environment is a deployment environment.
type environment struct {
	store
	id        int
	wait      int
	reviewers []reviewer
	policy    *branchPolicy
	branches  []branch
	noBypass  bool
}

type reviewer struct {
	Type string `json:"type"`
	ID   int    `json:"id"`
}

// branchPolicy says which branches may deploy: protected ones, or those of a list.
type branchPolicy struct {
	Protected bool `json:"protected_branches"`
	Custom    bool `json:"custom_branch_policies"`
}

type branch struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// AddEnvironment makes an unprotected environment.
func (s *Server) AddEnvironment(name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.environments[name] = &environment{store: s.newStore(), id: s.id()}
}

// AddUser makes a user, or with organization/slug a team, that may review.
func (s *Server) AddUser(name string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.accounts[name] = s.id()
	return s.accounts[name]
}

// Protection says how an environment is protected: numbers of its reviewers, and
// patterns of branches that may deploy; nil patterns are all branches.
func (s *Server) Protection(name string) (reviewers []int, branches []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := s.environments[name]
	if found == nil {
		return nil, nil
	}
	for _, r := range found.reviewers {
		reviewers = append(reviewers, r.ID)
	}
	if found.policy != nil {
		branches = []string{}
		for _, b := range found.branches {
			branches = append(branches, b.Name)
		}
	}
	return reviewers, branches
}

func (s *Server) routeEnvironments() {
	const at = "/repos/{owner}/{name}/environments/{environment}"
	s.handle("GET "+at, s.inEnvironment(func(e *environment, request *http.Request, _ []byte) (int, any) {
		return http.StatusOK, e.show(request.PathValue("environment"))
	}))
	s.handle("PUT "+at, s.putEnvironment)
	s.handle("GET "+at+"/deployment-branch-policies", s.inEnvironment(func(e *environment, _ *http.Request, _ []byte) (int, any) {
		return http.StatusOK, object{"total_count": len(e.branches), "branch_policies": append([]branch{}, e.branches...)}
	}))
	s.handle("POST "+at+"/deployment-branch-policies", s.inEnvironment(func(e *environment, _ *http.Request, body []byte) (int, any) {
		var b branch
		_ = json.Unmarshal(body, &b)
		switch {
		case e.policy == nil || !e.policy.Custom || b.Name == "":
			return http.StatusNotFound, refusal("Not Found")
		case slices.ContainsFunc(e.branches, func(other branch) bool { return other.Name == b.Name }):
			return http.StatusSeeOther, refusal("a policy of this name exists")
		}
		b.ID = s.id()
		if b.Type == "" {
			b.Type = "branch"
		}
		e.branches = append(e.branches, b)
		return http.StatusOK, b
	}))
	s.handle("GET /users/{user}", func(request *http.Request, _ []byte) (int, any) {
		return s.account(request.PathValue("user"), "login")
	})
	s.handle("GET /orgs/{organization}/teams/{team}", func(request *http.Request, _ []byte) (int, any) {
		return s.account(request.PathValue("organization")+"/"+request.PathValue("team"), "slug")
	})
}

func (s *Server) account(name, field string) (int, any) {
	id, exists := s.accounts[name]
	if !exists {
		return http.StatusNotFound, refusal("Not Found")
	}
	return http.StatusOK, object{"id": id, field: name}
}

func (s *Server) inEnvironment(handle func(*environment, *http.Request, []byte) (int, any)) handler {
	return func(request *http.Request, body []byte) (int, any) {
		found := s.environments[request.PathValue("environment")]
		if found == nil {
			return http.StatusNotFound, refusal("Not Found")
		}
		return handle(found, request, body)
	}
}

// putEnvironment creates or updates: what a request leaves out is taken away.
func (s *Server) putEnvironment(request *http.Request, body []byte) (int, any) {
	var wanted struct {
		WaitTimer int           `json:"wait_timer"`
		Reviewers []reviewer    `json:"reviewers"`
		Policy    *branchPolicy `json:"deployment_branch_policy"`
		Bypass    *bool         `json:"can_admins_bypass"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &wanted); err != nil {
			return http.StatusBadRequest, refusal("Problems parsing JSON")
		}
	}
	if wanted.Policy != nil && wanted.Policy.Protected == wanted.Policy.Custom || len(wanted.Reviewers) > 6 {
		return invalid("deployment_branch_policy", "invalid")
	}
	name := request.PathValue("environment")
	found := s.environments[name]
	if found == nil {
		found = &environment{store: s.newStore(), id: s.id()}
		s.environments[name] = found
	}
	found.wait, found.reviewers, found.policy = wanted.WaitTimer, wanted.Reviewers, wanted.Policy
	found.noBypass = wanted.Bypass != nil && !*wanted.Bypass
	if wanted.Policy == nil {
		found.branches = nil
	}
	return http.StatusOK, found.show(name)
}

func (e *environment) show(name string) object {
	rules := []object{}
	if e.wait > 0 {
		rules = append(rules, object{"id": 1, "type": "wait_timer", "wait_timer": e.wait})
	}
	if len(e.reviewers) > 0 {
		list := []object{}
		for _, r := range e.reviewers {
			list = append(list, object{"type": r.Type, "reviewer": object{"id": r.ID}})
		}
		rules = append(rules, object{"id": 2, "type": "required_reviewers", "prevent_self_review": false, "reviewers": list})
	}
	if e.policy != nil {
		rules = append(rules, object{"id": 3, "type": "branch_policy"})
	}
	return object{"id": e.id, "name": name, "protection_rules": rules, "deployment_branch_policy": e.policy, "can_admins_bypass": !e.noBypass}
}
