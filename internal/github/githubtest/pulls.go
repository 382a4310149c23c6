package githubtest

import "net/http"

// SetHead says which commit is the newest of a pull request.
func (s *Server) SetHead(number int, commit string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.issue(number).Head = commit
}

func (s *Server) routePulls() {
	s.handle("GET /repos/{owner}/{name}/pulls", func(request *http.Request, _ []byte) (int, any) {
		list := []object{}
		for _, issue := range s.issues {
			if issue.PullRequest && issue.State == request.URL.Query().Get("state") {
				list = append(list, object{"number": issue.Number, "state": issue.State, "head": object{"sha": issue.Head}})
			}
		}
		return http.StatusOK, page(s, request, list, 100)
	})
}
