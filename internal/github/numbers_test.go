package github

import (
	"testing"
	"time"

	"bluegreen/internal/github/githubtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Roles of a new repository have to trust its numbers.
func TestNumbersOfARepository(t *testing.T) {
	const (
		lacks = "example/website is 4711 of owner 815, made on 2 September 2026, and since July 2026 tokens have these numbers, which the configuration lacks: " +
			"jobs could take no role; run: pulumi config set --path access.github.ownerId 815 && pulumi config set --path access.github.repositoryId 4711, then pulumi up"
		wrong = "example/website is 4711 of owner 815 on GitHub, and 2 of owner 1 in the configuration: "
	)
	old, young := time.Date(2026, 7, 14, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		made       time.Time
		configured *Numbers
		want       string
	}{
		{"old, without", old, &Numbers{}, ""},
		{"young, without", young, &Numbers{}, lacks},
		{"young, with", young, &Numbers{githubtest.OwnerID, githubtest.RepositoryID}, ""},
		{"old, with others", old, &Numbers{1, 2}, wrong},
		{"young, and no role trusts GitHub", young, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake, client := world(t)
			fake.SetMade(c.made)
			client.api.BaseURL = client.api.BaseURL.JoinPath("../../") // not Enterprise Server's, which has no such tokens
			plan, err := client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod", Numbers: c.configured})
			require.NoError(t, err)
			if c.want == "" {
				assert.Empty(t, plan.Notices)
				return
			}
			require.Len(t, plan.Notices, 1)
			assert.Contains(t, plan.Notices[0], c.want)
		})
	}
	fake, client := world(t)
	fake.SetMade(young)
	plan, err := client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod", Numbers: &Numbers{}})
	require.NoError(t, err)
	assert.Empty(t, plan.Notices, "Enterprise Server")
}
