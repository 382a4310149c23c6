package once

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/cenkalti/backoff/v5"
)

const (
	largestAnswer = 1 << 20 // bytes that are read
	shownAnswer   = 2000    // characters of it in a message
)

// asker makes the requests for one step.
type asker struct {
	Client
	address *url.URL
	http    *http.Client
	again   bool // the next request may begin a step again that has failed before
}

// answer is what the application says of a step.
type answer struct {
	Release string   `json:"release"`
	State   string   `json:"state"`
	Pending []string `json:"pending"` // migrations that the release has and the database has not
}

// ask makes one request. No error is a step that is done; a permanent one ends
// the asking, any other is worth another request.
func (a *asker) ask(ctx context.Context) error {
	address := *a.address
	if a.again {
		address.RawQuery = "again=1"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), nil)
	if err != nil {
		return backoff.Permanent(err)
	}
	request.Host = a.Host
	request.Header.Set("Authorization", "Bearer "+a.Token)
	request.Header.Set("Accept", "application/json")
	response, err := a.http.Do(request)
	if err != nil {
		return a.unanswered(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return fmt.Errorf("its answer breaks off: %w", err)
	}
	return a.judge(ctx, response, body)
}

// unanswered tells a site that nobody can trust from one that cannot be reached
// just now.
func (a *asker) unanswered(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the address, which has been said
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return backoff.Permanent(fmt.Errorf("%s: %w", a.address.Host, err))
	}
	return fmt.Errorf("no answer: %w", err)
}

// judge decides what an answer means.
func (a *asker) judge(ctx context.Context, response *http.Response, body []byte) error {
	refused := func(format string, arguments ...any) error {
		return backoff.Permanent(fmt.Errorf("status %d: "+format+"%s", append(append([]any{response.StatusCode}, arguments...), a.quoted(body))...))
	}
	switch status := response.StatusCode; status {
	case http.StatusOK, http.StatusAccepted, http.StatusInternalServerError:
		return a.state(ctx, response.StatusCode, body)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("status %d", status)
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused("the site does not take the token; %s has to be the SINGLE_CD_AUTHORIZATION_TOKEN of this stack", TokenVariable)
	case http.StatusNotFound:
		return refused("there is no such path; set DJANGO_DEPLOYMENT_ENDPOINTS to True for the site, or correct --site-url")
	default:
		if to, err := response.Location(); err == nil {
			return refused("redirects to %s, where the token does not follow; correct --site-url", a.clean(to.Redacted()))
		}
		return refused("not understood")
	}
}

// state reads an answer of the application itself.
func (a *asker) state(ctx context.Context, status int, body []byte) error {
	var said answer
	if err := json.Unmarshal(body, &said); err != nil {
		return backoff.Permanent(fmt.Errorf("status %d: want JSON of the application%s", status, a.quoted(body)))
	}
	if said.Release != "" {
		ours, err := a.Accept(ctx, said.Release)
		if err != nil {
			return fmt.Errorf("release %s: %w", a.clean(said.Release), err)
		}
		if !ours { // it has done nothing of ours: the old release has other migrations
			return fmt.Errorf("release %s answers, not the one that was deployed", a.clean(said.Release))
		}
	}
	a.again = false
	pending := a.clean(strings.Join(said.Pending, ", "))
	switch {
	case status == http.StatusInternalServerError:
		return backoff.Permanent(fmt.Errorf("status %d: it failed; the journal of the web service on the instance says why%s", status, a.quoted(body)))
	case status == http.StatusAccepted && pending != "":
		return errors.New("running: " + pending)
	case status == http.StatusAccepted:
		return errors.New("running")
	case pending != "":
		return backoff.Permanent(fmt.Errorf("status %d: it is done, and yet not applied: %s", status, pending))
	case said.State != string(Done):
		return backoff.Permanent(fmt.Errorf("status %d: want state done%s", status, a.quoted(body)))
	default:
		return nil
	}
}

// quoted is the beginning of an answer, for a message.
func (a *asker) quoted(body []byte) string {
	text := []rune(a.clean(strings.TrimSpace(string(body))))
	if len(text) == 0 {
		return ""
	}
	if len(text) > shownAnswer {
		text = append(text[:shownAnswer], '…')
	}
	return "; it says: " + string(text)
}

// clean takes out of a text of the site what is not for logs: the token, should
// a page of an error repeat it, and what a terminal would obey.
func (a *asker) clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), a.Token, "***")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
