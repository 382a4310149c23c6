package github

import (
	"bytes"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluegreen/internal/github/githubtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLimitsAreWaitedFor(t *testing.T) {
	fake := githubtest.New(repository)
	fake.AddEnvironment("prod")
	var said bytes.Buffer
	client := open(t, fake, &said)
	fake.Fail(githubtest.Failure{Path: "public-key", Times: 1, Status: http.StatusForbidden, Header: map[string]string{"Retry-After": "0"}, Message: "You have exceeded a secondary rate limit"})
	fake.Fail(githubtest.Failure{Path: "actions/secrets", Times: 1, Status: http.StatusTooManyRequests, Header: map[string]string{
		"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": strconv.FormatInt(time.Now().Unix(), 10),
	}, Message: "API rate limit exceeded"})
	write(t, client, outputs())
	assert.Equal(t, 2, strings.Count(said.String(), "GitHub asks to wait 0s before the next request\n"))

	fake.Fail(githubtest.Failure{Status: http.StatusForbidden, Header: map[string]string{
		"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10),
	}, Message: "API rate limit exceeded"})
	_, err := client.PlanValues(t.Context(), "prod", "prod", nil)
	require.ErrorContains(t, err, "GitHub's limit of 5000 requests an hour is reached until ", "an hour is longer than the patience")

	fake = githubtest.New(repository)
	fake.Fail(githubtest.Failure{Status: http.StatusForbidden, Header: map[string]string{"Retry-After": "7200"}, Message: "You have exceeded a secondary rate limit"})
	_, err = open(t, fake, nil).PlanValues(t.Context(), "prod", "prod", nil)
	require.ErrorContains(t, err, "GitHub refuses further requests for now (You have exceeded a secondary rate limit); run this again in 2h0m0s")
	require.NotContains(t, err.Error(), "the token may not")
}

func TestHowLongALimitLasts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, test := range []struct {
		status  int
		header  map[string]string
		body    string
		want    time.Duration
		limited bool
	}{
		{200, map[string]string{"Retry-After": "3"}, "", 0, false},
		{403, nil, "Resource not accessible by personal access token", 0, false},
		{403, map[string]string{"X-Ratelimit-Remaining": "12"}, "no", 0, false},
		{403, map[string]string{"Retry-After": "37"}, "", 37 * time.Second, true},
		{429, map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1800000090"}, "", 90 * time.Second, true},
		{403, map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1700000000"}, "", 0, true},
		{403, map[string]string{"Retry-After": "999999999999"}, "", math.MaxInt32 * time.Second, true},
		{403, nil, "You have exceeded a secondary rate limit. Please wait", time.Minute, true},
		{429, nil, "", time.Minute, true},
	} {
		response := &http.Response{StatusCode: test.status, Header: http.Header{}, Body: http.NoBody}
		response.Body = readCloser{strings.NewReader(test.body)}
		for name, value := range test.header {
			response.Header.Set(name, value)
		}
		pause, limited := limit(response, now)
		assert.Equal(t, test.limited, limited, "%+v", test)
		assert.Equal(t, test.want, pause, "%+v", test)
		left := make([]byte, 100)
		n, _ := response.Body.Read(left)
		assert.Equal(t, test.body, string(left[:n]), "the body is still to be read")
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// A variable that was created although the answer was lost is no failure; a
// comment must not appear twice.
func TestServersThatFail(t *testing.T) {
	fake, client := world(t)
	fake.Fail(githubtest.Failure{Method: http.MethodPut, Path: "secrets/", Times: 2, Status: http.StatusBadGateway})
	fake.Fail(githubtest.Failure{Method: http.MethodPost, Path: "variables", Times: 1, Status: http.StatusServiceUnavailable, Carried: true})
	write(t, client, outputs())
	assert.Len(t, fake.Secrets("prod"), 3)
	assert.Len(t, fake.Variables("prod"), 10)

	number := fake.AddPullRequest()
	fake.Fail(githubtest.Failure{Method: http.MethodPost, Path: "comments", Status: http.StatusBadGateway, Carried: true})
	_, _, err := client.api.Issues.CreateComment(t.Context(), client.owner, client.name, number, nil)
	require.Error(t, err)
	assert.Equal(t, 1, strings.Count(fake.Log(), "/comments 502"), "not sent again")
}

func TestAnswersThatAreCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"name": "pr`))
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL + "/")
	require.NoError(t, err)
	client, err := Open(Options{Repository: repository, API: address, Token: githubtest.Token})
	require.NoError(t, err)
	_, err = client.PlanValues(t.Context(), "prod", "prod", nil)
	require.EqualError(t, err, "GitHub's answer was cut off in the middle; run this again")
}
