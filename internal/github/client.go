// Package github is what bluegreen does on GitHub: it writes the names and
// secrets of a stack for workflows to read, protects the environment that they
// run in, comments a preview on its pull request, and keeps one issue on drift.
//
// Requests are made one after the other, as GitHub asks for. A limit of GitHub's
// is waited for, within bounds, and a failure that may pass is tried again. The
// token is in no file, no argument and no variable of another process.
package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	api "github.com/google/go-github/v80/github"
)

// DefaultPatience is how long limits of GitHub's are waited for altogether.
const DefaultPatience = 15 * time.Minute

// Options say which repository of which GitHub.
type Options struct {
	Repository string        // owner/name
	API        *url.URL      // as FindAPI gives it
	Token      string        // as FindToken gives it
	Patience   time.Duration // the longest wait for limits altogether; the default is DefaultPatience
	Progress   io.Writer     // what is waited for; the default is nowhere

	pause time.Duration // before the first repetition; the default is a second
}

// Client works on one repository.
type Client struct {
	api         *api.Client
	owner, name string
	id          int // GitHub's number for the repository, once it is known
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`)

// Open prepares a client; it asks nothing. Errors: a repository that is none, no
// token, an address that would show the token to the network.
func Open(options Options) (*Client, error) {
	owner, name, _ := strings.Cut(options.Repository, "/")
	switch {
	case !repositoryName.MatchString(options.Repository):
		return nil, fmt.Errorf("repository: want owner/name, got %q", options.Repository)
	case options.Token == "":
		return nil, errNoToken
	}
	if err := checkAPI(options.API); err != nil {
		return nil, err
	}
	client := api.NewClient(&http.Client{Transport: newTransport(options)})
	client.BaseURL = options.API
	client.UserAgent = "bluegreen"
	client.DisableRateLimitCheck = true // the transport waits instead of refusing
	return &Client{api: client, owner: owner, name: name}, nil
}

// Repository is owner/name.
func (c *Client) Repository() string { return c.owner + "/" + c.name }

// explain says what to do about an answer of GitHub's.
func explain(err error) error {
	var answer *api.ErrorResponse
	var reached *api.RateLimitError
	var abuse *api.AbuseRateLimitError
	switch {
	case errors.As(err, &reached):
		return fmt.Errorf("GitHub's limit of %d requests an hour is reached until %s; run this again then", reached.Rate.Limit, reached.Rate.Reset.UTC().Format(time.RFC3339))
	case errors.As(err, &abuse):
		return errors.New("GitHub refuses further requests for now (its secondary rate limit); run this again in some minutes")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("GitHub's answer was cut off in the middle; run this again")
	case !errors.As(err, &answer) || answer.Response == nil:
		return err
	}
	if pause, limited := limit(answer.Response, time.Now()); limited {
		return fmt.Errorf("GitHub refuses further requests for now (%s); run this again in %s", answer.Message, pause.Round(time.Second))
	}
	said := answer.Message
	for _, problem := range answer.Errors {
		said += "; " + strings.TrimSpace(problem.Field+" "+problem.Code+" "+problem.Message)
	}
	text := fmt.Sprintf("%s %s: %s: %s", answer.Response.Request.Method, answer.Response.Request.URL.Path, answer.Response.Status, said)
	switch answer.Response.StatusCode {
	case http.StatusUnauthorized:
		text += "; the token is wrong or has expired"
	case http.StatusForbidden:
		text += "; the token may not do this"
	case http.StatusNotFound:
		text += "; it does not exist, or the token may not see it"
	}
	return errors.New(text)
}

// absent tells whether GitHub answered that there is no such thing.
func absent(err error) bool {
	var answer *api.ErrorResponse
	return errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode == http.StatusNotFound
}

// pages asks for page after page.
func pages(ask func(api.ListOptions) (*api.Response, error)) error {
	for page := (api.ListOptions{PerPage: 100}); ; {
		response, err := ask(page)
		if err != nil {
			return explain(err)
		}
		if response.NextPage == 0 {
			return nil
		}
		page.Page = response.NextPage
	}
}
