// Package once asks a site over HTTP for what a release needs once: migrations,
// then static files. It is for hosts whose hooks cannot reach the database; where
// they can, scripts/once-per-release does the same before the release has any
// visitor.
//
// The site's own code is asked, through its load balancer, so that it can only be
// asked when the new release has the traffic. Each answer names the release it
// comes from, and one of another release does not count.
package once

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// TokenVariable is the variable of the environment with the token that lets the
// pipeline in, the stack's output of the same name.
const TokenVariable = "CI_CD_DEPLOYMENT_AUTH_TOKEN"

// Steps are asked for in this order, each when the one before is done.
var Steps = []string{"migrate", "collectstatic"}

// The defaults. A request is to end before a load balancer's 60 seconds are over,
// and everything after the 25 minutes of once_timeout in app/release.sh.
const (
	DefaultTimeout        = 30 * time.Minute
	DefaultRequestTimeout = 30 * time.Second
)

// Waits between two requests, each with half of it more or less by chance, so
// that several clients do not ask in step.
const (
	firstWait   = time.Second
	longestWait = 10 * time.Second
)

// Client asks one site.
type Client struct {
	Site  string // its URL: https, or http on loopback
	Host  string // host name to ask for; that of Site by default
	Token string // what the application knows as SINGLE_CD_AUTHORIZATION_TOKEN

	Timeout        time.Duration // for all steps together; DefaultTimeout by default
	RequestTimeout time.Duration // for one request; DefaultRequestTimeout by default
	Wait           time.Duration // before the second request, growing from there; a second by default

	// Accept tells whether an answer is of the release that was deployed, by the
	// name that it gives itself. Any is by default. A permanent error (package
	// backoff) ends the asking.
	Accept func(ctx context.Context, release string) (bool, error)
	// Say is told of what changes; nobody by default.
	Say func(message string)
}

// Result is what became of a step.
type Result struct {
	Step    string  `json:"step"`
	State   State   `json:"state"`
	Seconds float64 `json:"seconds"`
	Problem string  `json:"problem,omitempty"` // why it is not done
}

// State is how far a step has come.
type State string

// The states of a step.
const (
	Done       State = "done"
	Failed     State = "failed"     // it ran and failed, or was refused
	Unfinished State = "unfinished" // it was not seen to its end; asking again goes on with it
	NotBegun   State = "notBegun"   // one before it is not done
)

// errDeadline is why asking ends without an answer.
var errDeadline = errors.New("the time for it is over")

// Validate reports every mistake at once.
func (c Client) Validate() error {
	var errs []error
	if _, err := c.site(); err != nil {
		errs = append(errs, err)
	}
	if c.Token == "" {
		errs = append(errs, fmt.Errorf("%s: required, and not set or empty; it is the stack's output of this name", TokenVariable))
	} else if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, fmt.Errorf("%s: want no spaces, line breaks or characters beyond ASCII; was a line break copied with it?", TokenVariable))
	}
	for name, wait := range map[string]time.Duration{"timeout": c.Timeout, "request timeout": c.RequestTimeout, "wait": c.Wait} {
		if wait < 0 {
			errs = append(errs, fmt.Errorf("once over HTTP: %s: want 0 or more, got %s", name, wait))
		}
	}
	return errors.Join(errs...)
}

// site checks where the token would go: nobody on the way must be able to read it.
func (c Client) site() (*url.URL, error) {
	site, err := url.Parse(c.Site)
	switch {
	case c.Site == "":
		return nil, errors.New("site URL: not known; name the stack with --stack, or give --site-url")
	case err != nil:
		return nil, fmt.Errorf("site URL: want an address like https://example.com; %w", errors.Unwrap(err))
	case site.Hostname() == "" || site.User != nil || site.RawQuery != "" || site.Fragment != "":
		return nil, fmt.Errorf("site URL: want an address like https://example.com, got %q", site.Redacted())
	case site.Scheme != "https" && (site.Scheme != "http" || !loopback(site.Hostname())):
		return nil, fmt.Errorf("site URL: want https, because the token must not travel in the clear; got %q", site.Redacted())
	}
	return site, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// Run asks for each step until it is done, and returns what became of all of
// them. An error is a mistake in the Client, or the end of ctx; a step that failed
// is in its Result.
func (c Client) Run(ctx context.Context) ([]Result, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.complete()
	site, _ := c.site() // Validate has seen it
	limited, cancel := context.WithTimeoutCause(ctx, c.Timeout, errDeadline)
	defer cancel()
	var results []Result
	open := true
	for _, step := range Steps {
		result := Result{Step: step, State: NotBegun}
		if open {
			began := time.Now()
			result.State, result.Problem = c.finish(limited, site.JoinPath(step+"/"), step)
			result.Seconds = time.Since(began).Seconds()
			open = result.State == Done
		}
		results = append(results, result)
	}
	return results, context.Cause(ctx)
}

func (c *Client) complete() {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.Wait == 0 {
		c.Wait = firstWait
	}
	if c.Accept == nil {
		c.Accept = func(context.Context, string) (bool, error) { return true, nil }
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
}

// finish asks for a step until it is done, has failed, or the time is over.
func (c Client) finish(ctx context.Context, address *url.URL, step string) (State, string) {
	c.Say("asking " + address.String())
	asker := &asker{Client: c, address: address, again: true, http: &http.Client{
		Timeout: c.RequestTimeout,
		// Where a redirect leads, the token must not follow; and it makes a GET of
		// a POST.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	last := ""
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, asker.ask(ctx) },
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: c.Wait, RandomizationFactor: backoff.DefaultRandomizationFactor, Multiplier: backoff.DefaultMultiplier,
			MaxInterval: max(longestWait, c.Wait),
		}),
		backoff.WithMaxElapsedTime(0), // ctx has the deadline
		backoff.WithNotify(func(err error, _ time.Duration) {
			if last != err.Error() {
				last = err.Error()
				c.Say(step + ": " + last)
			}
		}))
	switch {
	case err == nil:
		return Done, ""
	case errors.Is(err, errDeadline):
		return Unfinished, strings.TrimSuffix(fmt.Sprintf("not done after %s; at last: %s", c.Timeout, last), "; at last: ")
	case ctx.Err() != nil:
		return Unfinished, "interrupted"
	default:
		return Failed, err.Error()
	}
}
