package githubtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, address, token, tag string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("If-None-Match", tag)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response
}

func TestConditionalRequests(t *testing.T) {
	fake := New("example/website")
	server := fake.Start()
	defer server.Close()
	address := server.URL + "/api/v3/repos/example/website/actions/variables"
	first := ask(t, address, Token, "")
	assert.Equal(t, http.StatusOK, first.StatusCode)
	again := ask(t, address, Token, first.Header.Get("ETag"))
	assert.Equal(t, http.StatusNotModified, again.StatusCode)
	fake.SetVariable("", "A", "1")
	changed := ask(t, address, Token, first.Header.Get("ETag"))
	assert.Equal(t, http.StatusOK, changed.StatusCode)
	assert.Equal(t, "4999", first.Header.Get("X-Ratelimit-Remaining"))
	assert.Equal(t, "4998", changed.Header.Get("X-Ratelimit-Remaining"), "the one between was free")
}

func TestWhoIsLetIn(t *testing.T) {
	fake := New("example/website")
	server := fake.Start()
	defer server.Close()
	assert.Equal(t, http.StatusUnauthorized, ask(t, server.URL+"/repos/example/website", "wrong", "").StatusCode)
	assert.Equal(t, http.StatusNotFound, ask(t, server.URL+"/repos/example/other", Token, "").StatusCode)
	assert.Equal(t, http.StatusOK, ask(t, server.URL+"/repos/Example/Website", Token, "").StatusCode)
	assert.Equal(t, 3, strings.Count(fake.Log(), "\n"))
	assert.NotContains(t, fake.Log(), Token)
}
