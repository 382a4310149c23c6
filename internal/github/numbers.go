package github

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Numbers are GitHub's of an owner and a repository, as the configuration of a
// stack has them, or 0 and 0.
type Numbers struct {
	Owner, Repository int
}

// numbered is from when on tokens of a repository that is made, renamed or
// transferred have its numbers (GitHub Docs, "OpenID Connect reference",
// "Immutable subject claims"). Enterprise Server has no such tokens.
var numbered = time.Date(2026, time.July, 15, 0, 0, 0, 0, time.UTC)

// checkNumbers says whether the stack's roles would know this repository's jobs:
// without its numbers a role that trusts a new repository can be taken by none.
// Whether an older one was renamed since does not show.
func (s *Setup) checkNumbers(ctx context.Context, configured Numbers) error {
	c := s.client
	repository, _, err := c.api.Repositories.Get(ctx, c.owner, c.name)
	if err != nil {
		return explain(err)
	}
	actual := Numbers{int(repository.GetOwner().GetID()), int(repository.GetID())}
	made := repository.GetCreatedAt()
	told := fmt.Sprintf("%s is %d of owner %d", s.Repository, actual.Repository, actual.Owner)
	const advice = "jobs could take no role; run: pulumi config set --path access.github.ownerId %d && pulumi config set --path access.github.repositoryId %d, then pulumi up"
	switch {
	case configured == actual, strings.Contains(c.api.BaseURL.Path, "/api/v3"):
	case configured != Numbers{}:
		s.Notices = append(s.Notices, fmt.Sprintf("%s on GitHub, and %d of owner %d in the configuration: "+advice, told, configured.Repository, configured.Owner, actual.Owner, actual.Repository))
	case made.After(numbered):
		s.Notices = append(s.Notices, fmt.Sprintf("%s, made on %s, and since July 2026 tokens have these numbers, which the configuration lacks: "+advice,
			told, made.Format("2 January 2006"), actual.Owner, actual.Repository))
	}
	return nil
}
