package github

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	requestTimeout = 30 * time.Second
	repetitions    = 6
	longestPause   = 30 * time.Second // between repetitions after a failure
	// unsaid is the shortest wait for a secondary limit whose answer names none
	// (GitHub Docs, "Rate limits for the REST API").
	unsaid = time.Minute
)

// transport adds the token to requests. The client under it takes it off again
// where it is redirected to another host.
type transport struct {
	token string
	under http.RoundTripper
}

func newTransport(options Options) http.RoundTripper {
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	w := &waiter{patience: cmp.Or(options.Patience, DefaultPatience), progress: options.Progress}
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Timeout = requestTimeout
	client.RetryMax = repetitions
	client.RetryWaitMin, client.RetryWaitMax = cmp.Or(options.pause, time.Second), longestPause
	client.CheckRetry, client.Backoff = w.again, w.wait
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler // the last answer is for the caller
	return transport{token: options.Token, under: &retryablehttp.RoundTripper{Client: client}}
}

// RoundTrip sends a request with the token.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if request.Method == http.MethodPost && ctx.Value(repeatableKey{}) == nil {
		ctx = context.WithValue(ctx, onceKey{}, true)
	}
	request = request.Clone(ctx)
	request.Header.Set("Authorization", "Bearer "+t.token)
	return t.under.RoundTrip(request)
}

type (
	onceKey       struct{}
	repeatableKey struct{}
)

// repeatable says that a POST may be sent again: a second one is refused, or does
// no harm.
func repeatable(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, true)
}

// waiter decides what is sent again, and when.
type waiter struct {
	patience time.Duration
	progress io.Writer
	mutex    sync.Mutex
	waited   time.Duration // for limits, so far
}

// again tells whether a request is to be sent again: always after a limit, which
// has kept it from being looked at, else unless it may have been carried out.
func (w *waiter) again(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if response != nil {
		if pause, limited := limit(response, time.Now()); limited {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			return w.waited+pause <= w.patience, nil
		}
	}
	if ctx.Value(onceKey{}) != nil {
		return false, err
	}
	return retryablehttp.DefaultRetryPolicy(ctx, response, err)
}

// wait is how long to wait before a request is sent again.
func (w *waiter) wait(shortest, longest time.Duration, attempt int, response *http.Response) time.Duration {
	pause, limited, said := time.Duration(0), false, "nothing"
	if response != nil {
		pause, limited = limit(response, time.Now())
		said = response.Status
	}
	if !limited {
		pause = retryablehttp.DefaultBackoff(shortest, longest, attempt, nil)
		fmt.Fprintf(w.progress, "GitHub answers %s; asking again in %s\n", said, pause.Round(time.Second))
		return pause
	}
	if pause == unsaid {
		pause <<= attempt
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	pause = min(pause, max(w.patience-w.waited, 0))
	w.waited += pause
	fmt.Fprintf(w.progress, "GitHub asks to wait %s before the next request\n", pause.Round(time.Second))
	return pause
}

// limit tells whether an answer is one of GitHub's limits, and how long to wait
// (GitHub Docs, "Rate limits for the REST API").
func limit(response *http.Response, now time.Time) (time.Duration, bool) {
	if response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	header := response.Header
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil {
		return time.Duration(min(max(seconds, 0), math.MaxInt32)) * time.Second, true
	}
	if header.Get("X-Ratelimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
			return max(time.Unix(reset, 0).Sub(now), 0), true
		}
	}
	if response.StatusCode == http.StatusTooManyRequests || strings.Contains(peek(response), "secondary rate limit") {
		return unsaid, true
	}
	return 0, false
}

// peek reads the beginning of an answer's body and leaves all of it to be read.
func peek(response *http.Response) string {
	start, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	rest := response.Body
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), rest), rest}
	if err != nil {
		return ""
	}
	return string(start)
}
