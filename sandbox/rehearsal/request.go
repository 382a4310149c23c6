package rehearsal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Request is a kind of request that visitors make, and what its answer has to be.
type Request struct {
	Method string
	Path   string      // with its query
	Header http.Header // beside Host
	Weight int         // how often, beside the others; 1 by default
	Status int         // that the answer has to have; 0 is any below 500
	// Release finds the release in the answer's body; its first group is the
	// release. An answer without one is a failure. nil for requests whose answer
	// names none.
	Release *regexp.Regexp
	// Note is the form field that is given a text that no other request has; what
	// is answered with Status must have been kept. Empty for requests that write
	// nothing.
	Note string
	Form url.Values // the other fields
}

// Name is how a request is called in the record.
func (r Request) Name() string { return r.Method + " " + r.Path }

// ParseRequest reads "GET /path 200"; without a status, any below 500 is right.
func ParseRequest(text string) (Request, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 && len(fields) != 3 {
		return Request{}, fmt.Errorf("request %q: want METHOD PATH STATUS, as in \"GET /path 200\"", text)
	}
	r := Request{Method: fields[0], Path: fields[1], Weight: 1}
	var problems []error
	if r.Method != strings.ToUpper(r.Method) {
		problems = append(problems, fmt.Errorf("request %q: want a method like GET, got %q", text, r.Method))
	}
	if _, err := url.ParseRequestURI(r.Path); err != nil || !strings.HasPrefix(r.Path, "/") {
		problems = append(problems, fmt.Errorf("request %q: want a path like /path, got %q", text, r.Path))
	}
	if len(fields) == 3 {
		var err error
		if r.Status, err = strconv.Atoi(fields[2]); err != nil || r.Status < 100 || r.Status > 599 {
			problems = append(problems, fmt.Errorf("request %q: want a status from 100 to 599, got %q", text, fields[2]))
		}
	}
	return r, errors.Join(problems...)
}

// anyPage is the load of an application that nothing is known of.
var anyPage = []Request{{Method: http.MethodGet, Path: "/", Weight: 1}}

// judge says which release an answer is of, and why it is a failure: "" for
// one that is right.
func (r Request) judge(status int, body []byte, problem string) (release, failure string) {
	switch {
	case status == 0:
		return "", problem
	case r.Status != 0 && status != r.Status:
		return "", fmt.Sprintf("status %d, want %d", status, r.Status)
	case r.Status == 0 && status >= http.StatusInternalServerError:
		return "", fmt.Sprintf("status %d, want less than 500", status)
	case r.Release == nil:
		return "", problem
	}
	found := r.Release.FindSubmatch(body)
	if found == nil {
		return "", "the page names no release"
	}
	return string(found[1]), problem
}
