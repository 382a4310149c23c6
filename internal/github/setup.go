package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	api "github.com/google/go-github/v80/github"
)

// mostReviewers is GitHub's limit for an environment (GitHub Docs, "Managing
// environments for deployment").
const mostReviewers = 6

// Deployers are the branches that may deploy to a stack.
var Deployers = []string{"main", "master"}

// SetupOptions say how a repository is to be set up for a stack.
type SetupOptions struct {
	Stack       string
	Environment string
	Reviewers   []string // users, and teams as ORGANIZATION/TEAM, one of whom approves each job
	Tags        []string // patterns of tags that may deploy, as in v*; none by default
	Numbers     *Numbers // those that the stack's roles trust; nil if they trust nobody on GitHub
}

// Setup is what would be done, and with Apply is.
type Setup struct {
	Repository  string   `json:"repository"`
	Environment string   `json:"environment"`
	Steps       []string `json:"steps"`   // what is to be done, in order; none if all is as wanted
	Notices     []string `json:"notices"` // what stays as somebody else set it

	client *Client
	todo   []func(context.Context) error
	exists bool
	wanted *api.CreateUpdateEnvironment
}

// PlanSetup compares a repository with what a stack needs. What is there already
// and protects stays: waits, reviewers and further branches are kept. Errors: a
// reviewer who does not exist.
func (c *Client) PlanSetup(ctx context.Context, options SetupOptions) (*Setup, error) {
	s := &Setup{Repository: c.Repository(), Environment: options.Environment, Steps: []string{}, Notices: []string{}, client: c}
	now, _, err := c.api.Repositories.GetEnvironment(ctx, c.owner, c.name, url.PathEscape(options.Environment))
	if err != nil && !absent(err) {
		return nil, explain(err)
	}
	s.exists = err == nil
	if now == nil {
		now = &api.Environment{}
	}
	s.wanted = asIs(now)
	if !s.exists {
		s.note(nil, "create environment %s", options.Environment)
	}
	reviewers, err := c.reviewers(ctx, options.Reviewers)
	if err != nil {
		return nil, err
	}
	change := s.addReviewers(options.Reviewers, reviewers)
	if err := s.planBranches(ctx, now, options); err != nil {
		return nil, err
	}
	if !s.exists || change || now.DeploymentBranchPolicy == nil {
		s.todo = append([]func(context.Context) error{s.putEnvironment}, s.todo...)
	}
	if options.Numbers != nil {
		if err := s.checkNumbers(ctx, *options.Numbers); err != nil {
			return nil, err
		}
	}
	return s, s.planLabel(ctx)
}

// note adds a step.
func (s *Setup) note(do func(context.Context) error, format string, arguments ...any) {
	s.Steps = append(s.Steps, fmt.Sprintf(format, arguments...))
	if do != nil {
		s.todo = append(s.todo, do)
	}
}

// asIs is the request that changes nothing of an environment: what a request
// leaves out, GitHub takes away.
func asIs(now *api.Environment) *api.CreateUpdateEnvironment {
	wanted := &api.CreateUpdateEnvironment{CanAdminsBypass: now.CanAdminsBypass, DeploymentBranchPolicy: now.DeploymentBranchPolicy}
	for _, rule := range now.ProtectionRules {
		switch rule.GetType() {
		case "wait_timer":
			wanted.WaitTimer = rule.WaitTimer
		case "required_reviewers":
			wanted.PreventSelfReview = rule.PreventSelfReview
			for _, required := range rule.Reviewers {
				reviewer := &api.EnvReviewers{Type: required.Type}
				switch who := required.Reviewer.(type) {
				case *api.User:
					reviewer.ID = who.ID
				case *api.Team:
					reviewer.ID = who.ID
				}
				wanted.Reviewers = append(wanted.Reviewers, reviewer)
			}
		}
	}
	return wanted
}

// reviewers finds users and teams. All that do not exist are reported.
func (c *Client) reviewers(ctx context.Context, names []string) (found []*api.EnvReviewers, err error) {
	var errs []error
	for _, name := range names {
		kind, id := "User", int64(0)
		organization, team, isTeam := strings.Cut(strings.TrimPrefix(name, "@"), "/")
		if isTeam {
			var one *api.Team
			one, _, err = c.api.Teams.GetTeamBySlug(ctx, organization, team)
			kind, id = "Team", one.GetID()
		} else {
			var one *api.User
			one, _, err = c.api.Users.Get(ctx, organization)
			id = one.GetID()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reviewer %s: %w", name, explain(err)))
			continue
		}
		found = append(found, &api.EnvReviewers{Type: &kind, ID: &id})
	}
	return found, errors.Join(errs...)
}

// addReviewers asks for who is not a reviewer yet.
func (s *Setup) addReviewers(names []string, found []*api.EnvReviewers) (change bool) {
	for i, reviewer := range found {
		same := func(other *api.EnvReviewers) bool {
			return other.GetType() == reviewer.GetType() && other.GetID() == reviewer.GetID()
		}
		if slices.ContainsFunc(s.wanted.Reviewers, same) {
			continue
		}
		s.wanted.Reviewers = append(s.wanted.Reviewers, reviewer)
		s.note(nil, "let a job of environment %s wait for approval by %s, or another of its reviewers", s.Environment, names[i])
		change = true
	}
	return change
}

// planBranches lets Deployers deploy, and tags where asked, and nothing else.
func (s *Setup) planBranches(ctx context.Context, now *api.Environment, options SetupOptions) error {
	policy := now.DeploymentBranchPolicy
	if policy.GetProtectedBranches() {
		s.Notices = append(s.Notices, fmt.Sprintf("environment %s takes jobs of protected branches; protect %s", options.Environment, strings.Join(Deployers, " or ")))
		return nil
	}
	type pattern struct{ kind, name string }
	var have []pattern
	if policy != nil {
		list, _, err := s.client.api.Repositories.ListDeploymentBranchPolicies(ctx, s.client.owner, s.client.name, url.PathEscape(options.Environment))
		if err != nil {
			return explain(err)
		}
		for _, one := range list.BranchPolicies {
			kind := one.GetType()
			if kind == "" {
				kind = "branch"
			}
			have = append(have, pattern{kind, one.GetName()})
		}
	} else {
		s.wanted.DeploymentBranchPolicy = &api.BranchPolicy{ProtectedBranches: api.Ptr(false), CustomBranchPolicies: api.Ptr(true)}
		s.note(nil, "let no other branch or tag than these deploy to environment %s", options.Environment)
	}
	var want []pattern
	for _, branch := range Deployers {
		want = append(want, pattern{"branch", branch})
	}
	for _, tag := range options.Tags {
		want = append(want, pattern{"tag", tag})
	}
	for _, one := range want {
		if slices.Contains(have, one) {
			continue
		}
		s.note(func(ctx context.Context) error {
			_, _, err := s.client.api.Repositories.CreateDeploymentBranchPolicy(repeatable(ctx), s.client.owner, s.client.name,
				url.PathEscape(options.Environment), &api.DeploymentBranchPolicyRequest{Name: &one.name, Type: &one.kind})
			return explain(err)
		}, "let %s %s deploy to environment %s", one.kind, one.name, options.Environment)
	}
	for _, one := range have {
		if !slices.Contains(want, one) {
			s.Notices = append(s.Notices, fmt.Sprintf("%s %s may deploy to environment %s, too; it stays so", one.kind, one.name, options.Environment))
		}
	}
	return nil
}

// putEnvironment creates the environment or changes its protection, and looks
// whether GitHub kept it: some plans leave it out without a word.
func (s *Setup) putEnvironment(ctx context.Context) error {
	c := s.client
	if len(s.wanted.Reviewers) > mostReviewers {
		return fmt.Errorf("environment %s: %d reviewers, and GitHub takes %d; a team counts as one", s.Environment, len(s.wanted.Reviewers), mostReviewers)
	}
	plan := "; a private repository needs a plan that has protected environments"
	kept, _, err := c.api.Repositories.CreateUpdateEnvironment(ctx, c.owner, c.name, url.PathEscape(s.Environment), s.wanted)
	if err != nil {
		text := explain(err)
		var answer *api.ErrorResponse
		if errors.As(err, &answer) && (answer.Response.StatusCode == http.StatusUnprocessableEntity || absent(err)) {
			text = fmt.Errorf("%w%s", text, plan)
		}
		return fmt.Errorf("environment %s: %w", s.Environment, text)
	}
	if got := asIs(kept); len(got.Reviewers) < len(s.wanted.Reviewers) || got.DeploymentBranchPolicy == nil {
		return fmt.Errorf("environment %s: GitHub did not keep its protection%s", s.Environment, plan)
	}
	return nil
}

// planLabel makes the label of issues on drift.
func (s *Setup) planLabel(ctx context.Context) error {
	c := s.client
	_, _, err := c.api.Issues.GetLabel(ctx, c.owner, c.name, driftLabel)
	if err == nil {
		return nil
	}
	if !absent(err) {
		return explain(err)
	}
	s.note(func(ctx context.Context) error {
		_, _, err := c.api.Issues.CreateLabel(ctx, c.owner, c.name, &api.Label{
			Name: api.Ptr(driftLabel), Color: api.Ptr("d93f0b"), Description: api.Ptr("What is there differs from what the code says"),
		})
		return explain(err)
	}, "create label %s", driftLabel)
	return nil
}

// Apply does it. Errors: the first failure; setting up again goes on from there.
func (s *Setup) Apply(ctx context.Context) error {
	for _, do := range s.todo {
		if err := do(ctx); err != nil {
			return fmt.Errorf("%w\nrunning this again does what is left", err)
		}
	}
	return nil
}

// Report prints what would be done.
func (s *Setup) Report(out io.Writer) {
	if len(s.Steps) == 0 {
		fmt.Fprintf(out, "%s, environment %s: all is set up\n", s.Repository, s.Environment)
	} else {
		fmt.Fprintf(out, "%s, environment %s:\n", s.Repository, s.Environment)
	}
	for _, step := range s.Steps {
		fmt.Fprintf(out, "  %s\n", step)
	}
	for _, notice := range s.Notices {
		fmt.Fprintf(out, "  note: %s\n", notice)
	}
}
