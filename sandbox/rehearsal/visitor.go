package rehearsal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What the reference application's page has, as its template writes it.
var (
	pageRelease = regexp.MustCompile(`Release ([A-Za-z0-9-]+)\.`)
	pageToken   = regexp.MustCompile(`name="csrfmiddlewaretoken" value="([A-Za-z0-9]+)"`)
	pageStyle   = regexp.MustCompile(`href="(?:https?://[^/"]+)?(/static/[^"]+)"`)
)

// noteField is the form field of the reference application that keeps a text.
const noteField = "text"

// referenceLoad is what visitors of the reference application do: they read the
// page, which asks database and cache, fetch its style sheet, and leave notes.
// It reads the page once, as a browser does, for the names and the token in it.
func referenceLoad(ctx context.Context, site *url.URL, host string) ([]Request, error) {
	seen, err := visit(ctx, site, host, "/")
	if err != nil {
		return nil, err
	}
	token, style := pageToken.FindSubmatch(seen.body), pageStyle.FindSubmatch(seen.body)
	if token == nil || style == nil {
		return nil, fmt.Errorf("%s/: the page has no form or no style sheet; want those of app/notes/templates, got status %d: %.200s", site, seen.status, seen.body)
	}
	at := slices.IndexFunc(seen.cookies, func(c *http.Cookie) bool { return c.Name == "csrftoken" })
	if at < 0 {
		return nil, fmt.Errorf("%s/: the page sets no cookie csrftoken", site)
	}
	return []Request{
		{Method: http.MethodGet, Path: "/", Weight: 7, Status: http.StatusOK, Release: pageRelease},
		{Method: http.MethodGet, Path: string(style[1]), Weight: 2, Status: http.StatusFound},
		{
			Method: http.MethodPost, Path: "/", Weight: 1, Status: http.StatusFound, Note: noteField,
			Header: http.Header{"Cookie": {"csrftoken=" + seen.cookies[at].Value}, "Referer": {"https://" + host + "/"}},
			Form:   url.Values{"csrfmiddlewaretoken": {string(token[1])}, "author": {"Rehearsal"}},
		},
	}, nil
}

// seen is a page that a visitor has got.
type seen struct {
	status  int
	cookies []*http.Cookie
	body    []byte
}

// visit asks the site for a page, on a connection of its own.
func visit(ctx context.Context, site *url.URL, host, path string) (seen, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, site.JoinPath(path).String(), nil)
	if err != nil {
		return seen{}, err
	}
	request.Host, request.Close = host, true
	client := &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return seen{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	return seen{answer.StatusCode, answer.Cookies(), body}, err
}

// body is what a request sends: the form, with the note's own text in it.
func (r Request) body(note string) []byte {
	if r.Form == nil && r.Note == "" {
		return nil
	}
	form := url.Values{}
	for name, values := range r.Form {
		form[name] = values
	}
	if r.Note != "" {
		form.Set(r.Note, note)
	}
	return []byte(form.Encode())
}

// noted gives a request's path a query that names the note, so that its answer
// can be told from the others'.
func (r Request) noted(note string) string {
	if r.Note == "" {
		return r.Path
	}
	separator := "?"
	if strings.Contains(r.Path, "?") {
		separator = "&"
	}
	return r.Path + separator + "note=" + url.QueryEscape(note)
}
