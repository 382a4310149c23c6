package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"bluegreen/infra/policy"
)

// Where GitHub's tokens come from and whom they are for (GitHub Docs,
// "Configuring OpenID Connect in Amazon Web Services").
const (
	issuer   = "token.actions.githubusercontent.com"
	audience = "sts.amazonaws.com"
)

// GitHubSpec says which workflows may take the roles.
type GitHubSpec struct {
	// Repository is "owner/name", spelt as GitHub shows it: tokens are
	// compared with regard to case. Required.
	Repository string `json:"repository"`
	// OwnerID is GitHub's number for the owner. With RepositoryID it stands in
	// the tokens of repositories that were made, renamed or transferred after
	// 15 July 2026, and of those that opted in (GitHub Docs, "OpenID Connect
	// reference", "Immutable subject claims"). Set both or none. To see them:
	// gh api repos/OWNER/NAME --jq '.owner.id, .id'
	OwnerID int `json:"ownerId"`
	// RepositoryID is GitHub's number for the repository; see OwnerID.
	RepositoryID int `json:"repositoryId"`
	// Environment is the GitHub environment that jobs must run in to change or
	// release the stack; the default is the stack's name. Which branches and
	// reviewers it asks for is set on GitHub: a token that names an
	// environment does not name the branch.
	Environment string `json:"environment"`
	// PullRequests lets jobs of pull requests take the preview role, and jobs
	// of the branches main and master, where drift is looked for. A preview
	// reads the stack's parameters, so whoever can push a branch then can,
	// too; pull requests from forks get no token. Without it previews run in
	// the environment. The default is true.
	PullRequests bool `json:"pullRequests"`
	// CreateProvider makes the account's entry for GitHub's tokens. An account
	// has one for all stacks: true for the first of them, else false, which is
	// the default. It is never deleted with the stack, so a stack whose project
	// is renamed sets it to false.
	CreateProvider bool `json:"createProvider"`
}

var (
	// GitHub Docs, "Username considerations for external authentication": an
	// enterprise's managed users have _shortcode at the end.
	repositoryOwner = regexp.MustCompile(`^[A-Za-z0-9](-?[A-Za-z0-9])*(_[A-Za-z0-9]+)?$`)
	repositoryName  = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	environmentName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._/-]*[A-Za-z0-9])?$`)
)

// GitHub's limits, in characters.
const (
	longestOwner       = 39
	longestRepository  = 100
	longestEnvironment = 255
)

func (g GitHubSpec) validate() error {
	problems := []error{g.checkRepository()}
	if g.Repository == "" {
		problems = append(problems, errors.New("github.repository: required when ci is github; set it to owner/name, or ci to keys or none"))
	}
	if (g.OwnerID == 0) != (g.RepositoryID == 0) || g.OwnerID < 0 || g.RepositoryID < 0 {
		problems = append(problems, fmt.Errorf("github.ownerId, github.repositoryId: want both or neither, got %d and %d; see: gh api repos/OWNER/NAME --jq '.owner.id, .id'", g.OwnerID, g.RepositoryID))
	}
	if !environmentName.MatchString(g.Environment) || len(g.Environment) > longestEnvironment {
		problems = append(problems, fmt.Errorf("github.environment: want the name of a GitHub environment, of letters, digits, spaces and ._/-, got %q", g.Environment))
	}
	return errors.Join(problems...)
}

// checkRepository refuses a malformed repository, but not none.
func (g GitHubSpec) checkRepository() error {
	owner, name, _ := strings.Cut(g.Repository, "/")
	switch {
	case g.Repository == "":
		return nil
	case !repositoryOwner.MatchString(owner) || len(owner) > longestOwner,
		!repositoryName.MatchString(name) || len(name) > longestRepository,
		name == "." || name == ".." || strings.HasSuffix(strings.ToLower(name), ".git"):
		return fmt.Errorf("github.repository: want owner/name as GitHub shows it, got %q", g.Repository)
	}
	return nil
}

// subject begins the "sub" of every token of the repository.
func (g GitHubSpec) subject() string {
	if g.RepositoryID == 0 {
		return "repo:" + g.Repository
	}
	owner, name, _ := strings.Cut(g.Repository, "/")
	return fmt.Sprintf("repo:%s@%d/%s@%d", owner, g.OwnerID, name, g.RepositoryID)
}

// changers are the subjects that may change or release the stack.
func (g GitHubSpec) changers() []string {
	return []string{g.subject() + ":environment:" + g.Environment}
}

// defaultBranches are those that workflows go by. Whoever can push to one can
// open a pull request, and so has the preview role already.
var defaultBranches = []string{"main", "master"}

// readers are the subjects that may preview it.
func (g GitHubSpec) readers() []string {
	if !g.PullRequests {
		return g.changers()
	}
	subjects := append(g.changers(), g.subject()+":pull_request")
	for _, branch := range defaultBranches {
		subjects = append(subjects, g.subject()+":ref:refs/heads/"+branch)
	}
	return subjects
}

// trustWorkflows lets jobs with one of these subjects, letter for letter, take
// a role. Without the subject any repository on GitHub could.
func trustWorkflows(providerARN string, subjects []string) []policy.Statement {
	return []policy.Statement{{
		Principal: &policy.Principal{Federated: []string{providerARN}},
		Actions:   actions("sts", "AssumeRoleWithWebIdentity"),
		Conditions: []policy.Condition{
			{Operator: "StringEquals", Key: issuer + ":aud", Values: []string{audience}},
			{Operator: "StringEquals", Key: issuer + ":sub", Values: subjects},
		},
	}}
}

// provider is the account's entry for GitHub's tokens.
func (s scope) provider() string { return s.iam("oidc-provider/" + issuer) }
