package access

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSubjects(t *testing.T) {
	plain := GitHubSpec{Repository: "octo-org/site", Environment: "prod", PullRequests: true}
	assert.Equal(t, []string{"repo:octo-org/site:environment:prod"}, plain.changers())
	assert.Equal(t, []string{"repo:octo-org/site:environment:prod", "repo:octo-org/site:pull_request",
		"repo:octo-org/site:ref:refs/heads/main", "repo:octo-org/site:ref:refs/heads/master"}, plain.readers())

	guarded := plain
	guarded.PullRequests = false
	assert.Equal(t, guarded.changers(), guarded.readers())

	numbered := plain
	numbered.OwnerID, numbered.RepositoryID = 123456, 456789
	assert.Equal(t, []string{"repo:octo-org@123456/site@456789:environment:prod"}, numbered.changers())
	assert.Equal(t, []string{"repo:octo-org@123456/site@456789:environment:prod", "repo:octo-org@123456/site@456789:pull_request",
		"repo:octo-org@123456/site@456789:ref:refs/heads/main", "repo:octo-org@123456/site@456789:ref:refs/heads/master"}, numbered.readers())
}

func TestValidateGitHub(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*GitHubSpec)
		want   string
	}{
		{"plain", func(*GitHubSpec) {}, ""},
		{"a managed user", func(g *GitHubSpec) { g.Repository = "octo-cat_acme/my.site_2" }, ""},
		{"with numbers", func(g *GitHubSpec) { g.OwnerID, g.RepositoryID = 1, 2 }, ""},
		{"none", func(g *GitHubSpec) { g.Repository = "" }, "github.repository: required when ci is github; set it to owner/name, or ci to keys or none"},
		{"no owner", func(g *GitHubSpec) { g.Repository = "site" }, `github.repository: want owner/name as GitHub shows it, got "site"`},
		{"a URL", func(g *GitHubSpec) { g.Repository = "https://github.com/octo-org/site" }, `github.repository: want owner/name as GitHub shows it, got "https://github.com/octo-org/site"`},
		{"a wildcard", func(g *GitHubSpec) { g.Repository = "octo-org/*" }, `github.repository: want owner/name as GitHub shows it, got "octo-org/*"`},
		{"a wildcard owner", func(g *GitHubSpec) { g.Repository = "*/site" }, `github.repository: want owner/name as GitHub shows it, got "*/site"`},
		{"a subject", func(g *GitHubSpec) { g.Repository = "octo-org/site:ref" }, `github.repository: want owner/name as GitHub shows it, got "octo-org/site:ref"`},
		{"numbers in the name", func(g *GitHubSpec) { g.Repository = "octo-org@1/site@2" }, `github.repository: want owner/name as GitHub shows it, got "octo-org@1/site@2"`},
		{"dashes", func(g *GitHubSpec) { g.Repository = "-octo/site" }, `github.repository: want owner/name as GitHub shows it, got "-octo/site"`},
		{"two dashes", func(g *GitHubSpec) { g.Repository = "octo--org/site" }, `github.repository: want owner/name as GitHub shows it, got "octo--org/site"`},
		{"a clone address", func(g *GitHubSpec) { g.Repository = "octo-org/site.git" }, `github.repository: want owner/name as GitHub shows it, got "octo-org/site.git"`},
		{"dots", func(g *GitHubSpec) { g.Repository = "octo-org/.." }, `github.repository: want owner/name as GitHub shows it, got "octo-org/.."`},
		{"a long owner", func(g *GitHubSpec) { g.Repository = strings.Repeat("o", 40) + "/site" }, `github.repository: want owner/name as GitHub shows it, got "` + strings.Repeat("o", 40) + `/site"`},
		{"half the numbers", func(g *GitHubSpec) { g.OwnerID = 1 }, "github.ownerId, github.repositoryId: want both or neither, got 1 and 0; see: gh api repos/OWNER/NAME --jq '.owner.id, .id'"},
		{"negative numbers", func(g *GitHubSpec) { g.OwnerID, g.RepositoryID = -1, -1 }, "github.ownerId, github.repositoryId: want both or neither, got -1 and -1; see: gh api repos/OWNER/NAME --jq '.owner.id, .id'"},
		{"no environment", func(g *GitHubSpec) { g.Environment = "" }, `github.environment: want the name of a GitHub environment, of letters, digits, spaces and ._/-, got ""`},
		{"any environment", func(g *GitHubSpec) { g.Environment = "*" }, `github.environment: want the name of a GitHub environment, of letters, digits, spaces and ._/-, got "*"`},
		{"another claim", func(g *GitHubSpec) { g.Environment = "prod:ref" }, `github.environment: want the name of a GitHub environment, of letters, digits, spaces and ._/-, got "prod:ref"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := GitHubSpec{Repository: "octo-org/site", Environment: "prod"}
			test.change(&spec)
			err := spec.validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}
