package github

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bluegreen/internal/github/githubtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPullRequestOfACommit(t *testing.T) {
	server := githubtest.New(repository)
	served := httptest.NewServer(server)
	t.Cleanup(served.Close)
	address, err := url.Parse(served.URL + "/")
	require.NoError(t, err)
	client, err := Open(Options{Repository: repository, Token: githubtest.Token, API: address})
	require.NoError(t, err)
	var wanted int
	for i := range 120 { // more than a page
		number := server.AddPullRequest()
		server.SetHead(number, strings.Repeat("a", i+1))
		if i == 110 {
			wanted = number
		}
	}
	number, err := client.PullRequestOf(t.Context(), strings.Repeat("a", 111))
	require.NoError(t, err)
	assert.Equal(t, wanted, number)
	number, err = client.PullRequestOf(t.Context(), "b")
	require.NoError(t, err)
	assert.Zero(t, number)
}
