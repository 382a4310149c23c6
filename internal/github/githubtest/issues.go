package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Issue is an issue, or a pull request, with its comments.
type Issue struct {
	Number      int
	Title, Body string
	State       string // open or closed
	Labels      []string
	Comments    []Comment
	PullRequest bool
	Head        string // of a pull request, its newest commit
	Author      string
}

// Comment is a comment on an issue.
type Comment struct {
	ID     int
	Body   string
	Author string
}

// AddPullRequest makes an open pull request and answers its number.
func (s *Server) AddPullRequest() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.open(Issue{Title: "a pull request", PullRequest: true}).Number
}

// AddComment makes a comment, as somebody else would.
func (s *Server) AddComment(number int, author, body string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	issue := s.issue(number)
	issue.Comments = append(issue.Comments, Comment{s.id(), body, author})
}

// Issues are copies of all issues and pull requests.
func (s *Server) Issues() (all []Issue) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, issue := range s.issues {
		one := *issue
		one.Comments, one.Labels = slices.Clone(issue.Comments), slices.Clone(issue.Labels)
		all = append(all, one)
	}
	return all
}

// Labels are the repository's labels, sorted.
func (s *Server) Labels() (all []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for name := range s.labels {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (s *Server) open(issue Issue) *Issue {
	issue.Number, issue.State, issue.Author = len(s.issues)+1, "open", author
	s.issues = append(s.issues, &issue)
	return &issue
}

func (s *Server) issue(number int) *Issue {
	if number < 1 || number > len(s.issues) {
		return nil
	}
	return s.issues[number-1]
}

// author is whose token Token is.
const author = "github-actions[bot]"

// user is an account as answers show it.
func user(login string) object {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return object{"login": login, "type": kind}
}

// longest is the most characters of a body.
const longest = 65536

func tooLong(body string) bool { return utf8.RuneCountInString(body) > longest }

func (s *Server) routeIssues() {
	const at = "/repos/{owner}/{name}"
	s.handle("GET "+at+"/issues", s.listIssues)
	s.handle("POST "+at+"/issues", func(_ *http.Request, body []byte) (int, any) {
		var wanted Issue
		_ = json.Unmarshal(body, &wanted)
		if wanted.Title == "" || tooLong(wanted.Body) {
			return invalid("body", "is too long (maximum is 65536 characters)")
		}
		for _, label := range wanted.Labels {
			s.labels[label] = true
		}
		return http.StatusCreated, s.open(wanted).show()
	})
	s.handle("PATCH "+at+"/issues/{number}", s.inIssue(s.editIssue))
	s.handle("GET "+at+"/issues/{number}/comments", s.inIssue(func(issue *Issue, request *http.Request, _ []byte) (int, any) {
		list := []object{}
		for _, comment := range issue.Comments {
			list = append(list, comment.show())
		}
		return http.StatusOK, page(s, request, list, 100)
	}))
	s.handle("POST "+at+"/issues/{number}/comments", s.inIssue(func(issue *Issue, _ *http.Request, body []byte) (int, any) {
		var wanted Comment
		_ = json.Unmarshal(body, &wanted)
		if wanted.Body == "" || tooLong(wanted.Body) {
			return invalid("body", "is too long (maximum is 65536 characters)")
		}
		wanted.ID, wanted.Author = s.id(), author
		issue.Comments = append(issue.Comments, wanted)
		return http.StatusCreated, wanted.show()
	}))
	s.handle("GET /user", func(*http.Request, []byte) (int, any) { // as for the token of Actions
		return http.StatusForbidden, refusal("Resource not accessible by integration")
	})
	s.handle("PATCH "+at+"/issues/comments/{id}", s.editComment)
	s.handle("GET "+at+"/labels/{label}", func(request *http.Request, _ []byte) (int, any) {
		if name := request.PathValue("label"); s.labels[name] {
			return http.StatusOK, object{"name": name}
		}
		return http.StatusNotFound, refusal("Not Found")
	})
	s.handle("POST "+at+"/labels", func(_ *http.Request, body []byte) (int, any) {
		var wanted struct{ Name string }
		_ = json.Unmarshal(body, &wanted)
		if wanted.Name == "" || s.labels[wanted.Name] {
			return invalid("name", "already_exists")
		}
		s.labels[wanted.Name] = true
		return http.StatusCreated, object{"name": wanted.Name}
	})
}

func (s *Server) inIssue(handle func(*Issue, *http.Request, []byte) (int, any)) handler {
	return func(request *http.Request, body []byte) (int, any) {
		number, _ := strconv.Atoi(request.PathValue("number"))
		issue := s.issue(number)
		if issue == nil {
			return http.StatusNotFound, refusal("Not Found")
		}
		return handle(issue, request, body)
	}
}

func (s *Server) listIssues(request *http.Request, _ []byte) (int, any) {
	query := request.URL.Query()
	list := []object{}
	for _, issue := range s.issues {
		state := query.Get("state")
		if state == "" {
			state = "open"
		}
		labels := query.Get("labels")
		if state != "all" && issue.State != state || labels != "" && !containsAll(issue.Labels, strings.Split(labels, ",")) {
			continue
		}
		list = append(list, issue.show())
	}
	return http.StatusOK, page(s, request, list, 100)
}

func containsAll(all, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(one string) bool { return !slices.Contains(all, one) })
}

func (s *Server) editIssue(issue *Issue, _ *http.Request, body []byte) (int, any) {
	var wanted struct{ Title, Body, State *string }
	_ = json.Unmarshal(body, &wanted)
	if wanted.Body != nil && tooLong(*wanted.Body) {
		return invalid("body", "is too long (maximum is 65536 characters)")
	}
	for to, from := range map[*string]*string{&issue.Title: wanted.Title, &issue.Body: wanted.Body, &issue.State: wanted.State} {
		if from != nil {
			*to = *from
		}
	}
	return http.StatusOK, issue.show()
}

func (s *Server) editComment(request *http.Request, body []byte) (int, any) {
	var wanted Comment
	_ = json.Unmarshal(body, &wanted)
	for _, issue := range s.issues {
		for i := range issue.Comments {
			if strconv.Itoa(issue.Comments[i].ID) != request.PathValue("id") {
				continue
			}
			if tooLong(wanted.Body) {
				return invalid("body", "is too long (maximum is 65536 characters)")
			}
			issue.Comments[i].Body = wanted.Body
			return http.StatusOK, issue.Comments[i].show()
		}
	}
	return http.StatusNotFound, refusal("Not Found")
}

func (i *Issue) show() object {
	labels := []object{}
	for _, label := range i.Labels {
		labels = append(labels, object{"name": label})
	}
	shown := object{"number": i.Number, "title": i.Title, "body": i.Body, "state": i.State, "labels": labels, "html_url": "https://github.com/issues/" + strconv.Itoa(i.Number), "user": user(i.Author)}
	if i.PullRequest {
		shown["pull_request"] = object{"url": "https://api.github.com/pulls/" + strconv.Itoa(i.Number)}
	}
	return shown
}

func (c Comment) show() object {
	return object{"id": c.ID, "body": c.Body, "user": user(c.Author), "html_url": "https://github.com/comments/" + strconv.Itoa(c.ID)}
}
