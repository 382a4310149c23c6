package github

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"bluegreen/internal/github/githubtest"
	"bluegreen/internal/preview"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneCommentIsEditedInPlace(t *testing.T) {
	fake, client := world(t)
	number := fake.AddPullRequest()
	marker := Marker("prod")
	fake.AddComment(number, "mallory", marker+"\nnothing to see here")
	for range 120 { // more than a page
		fake.AddComment(number, "somebody", "hello")
	}
	fake.AddComment(number, "mallory", "quoting "+marker)
	comments := func() []githubtest.Comment { return fake.Issues()[number-1].Comments }

	address, err := client.Comment(t.Context(), number, marker, marker+"\none")
	require.NoError(t, err)
	require.Len(t, comments(), 123)
	second, err := client.Comment(t.Context(), number, marker, marker+"\ntwo")
	require.NoError(t, err)
	assert.Equal(t, address, second)
	require.Len(t, comments(), 123)
	assert.Equal(t, marker+"\ntwo", comments()[122].Body)
	assert.Equal(t, marker+"\nnothing to see here", comments()[0].Body, "somebody else's stays theirs")

	_, err = client.Comment(t.Context(), number, Marker("staging"), Marker("staging")+"\none")
	require.NoError(t, err)
	assert.Len(t, comments(), 124, "another stack has its own")

	fake.Forget()
	_, err = client.Comment(t.Context(), number, marker, marker+"\ntwo")
	require.NoError(t, err)
	assert.NotRegexp(t, `(?m)^(POST|PATCH) `, fake.Log(), "the same is not written again")

	_, err = client.Comment(t.Context(), 99, marker, marker)
	require.ErrorContains(t, err, "pull request 99: GET")
	require.ErrorContains(t, err, "404 Not Found")
}

func TestTheLongestBodyIsTaken(t *testing.T) {
	fake, client := world(t)
	number := fake.AddPullRequest()
	var steps []preview.Step
	for range 3000 {
		steps = append(steps, step(preview.Delete, "aws:sqs/queue:Queue", "queue-with-a-long-name-é", map[string]any{}, nil, nil))
	}
	r := report(steps...)
	text, left := r.Body()
	require.Positive(t, left)
	_, err := client.Comment(t.Context(), number, Marker("prod"), text)
	require.NoError(t, err)
}

func TestWhichPullRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"number": 1, "pull_request": {"number": 12}}`), 0o600))
	number, err := FindPullRequest(set(map[string]string{"GITHUB_EVENT_PATH": file, "GITHUB_REF": "refs/pull/7/merge"}))
	require.NoError(t, err)
	assert.Equal(t, 12, number)
	number, err = FindPullRequest(set(map[string]string{"GITHUB_REF": "refs/pull/7/merge"}))
	require.NoError(t, err)
	assert.Equal(t, 7, number)
	_, err = FindPullRequest(set(map[string]string{"GITHUB_REF": "refs/heads/main"}))
	require.ErrorContains(t, err, "--pull-request")
}

func TestOneIssueOnDrift(t *testing.T) {
	fake, client := world(t)
	drift := func(r Report) string {
		t.Helper()
		did, err := client.Drift(t.Context(), r)
		require.NoError(t, err)
		return did
	}
	none := report(step(preview.Same, rds, "database", map[string]any{}, map[string]any{}, nil))
	one := report(step(preview.Update, rds, "database", map[string]any{"port": 1.0}, map[string]any{"port": 2.0}, map[string]string{"port": "update"}))
	two := report(step(preview.Delete, rds, "database", map[string]any{}, nil, nil))

	assert.Equal(t, "no drift, and no issue", drift(none))
	assert.Empty(t, fake.Issues())
	assert.Regexp(t, "^drift; opened https://", drift(one))
	assert.Regexp(t, "^drift as before; see https://", drift(one))
	assert.Regexp(t, "^other drift than before; updated https://", drift(two))
	issues := fake.Issues()
	require.Len(t, issues, 1)
	assert.Equal(t, "Drift: stack prod is not what its code says", issues[0].Title)
	assert.Equal(t, []string{"infrastructure-drift"}, issues[0].Labels)
	assert.Contains(t, issues[0].Body, "**⚠️ Data would be lost.**")
	assert.Regexp(t, "^no drift any more; closed https://", drift(none))
	issues = fake.Issues()
	assert.Equal(t, "closed", issues[0].State)
	assert.Equal(t, "What is in AWS is what the code says again.", issues[0].Comments[0].Body)

	drift(one)
	assert.Len(t, fake.Issues(), 2, "a closed one stays closed")
	staging := one
	staging.Stack = "staging"
	drift(staging)
	assert.Len(t, fake.Issues(), 3, "each stack has its own")
}

func TestSetup(t *testing.T) {
	fake := githubtest.New(repository)
	client := open(t, fake, nil)
	alice, team := fake.AddUser("alice"), fake.AddUser("example/operators")
	options := SetupOptions{Stack: "prod", Environment: "prod", Reviewers: []string{"alice", "example/operators"}, Tags: []string{"v*"}}
	plan, err := client.PlanSetup(t.Context(), options)
	require.NoError(t, err)
	var said bytes.Buffer
	plan.Report(&said)
	assert.Equal(t, `example/website, environment prod:
  create environment prod
  let a job of environment prod wait for approval by alice, or another of its reviewers
  let a job of environment prod wait for approval by example/operators, or another of its reviewers
  let no other branch or tag than these deploy to environment prod
  let branch main deploy to environment prod
  let branch master deploy to environment prod
  let tag v* deploy to environment prod
  create label infrastructure-drift
`, said.String())
	assert.NotRegexp(t, `(?m)^(PUT|POST|PATCH|DELETE) `, fake.Log(), "a plan changes nothing")
	require.NoError(t, plan.Apply(t.Context()))
	reviewers, branches := fake.Protection("prod")
	assert.Equal(t, []int{alice, team}, reviewers)
	assert.Equal(t, []string{"main", "master", "v*"}, branches)
	assert.Equal(t, []string{"infrastructure-drift"}, fake.Labels())

	plan, err = client.PlanSetup(t.Context(), options)
	require.NoError(t, err)
	assert.Empty(t, plan.Steps, "a second run does nothing")
	assert.Empty(t, plan.Notices)

	// Somebody else's protection stays when a reviewer is added.
	bob := fake.AddUser("bob")
	plan, err = client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod", Reviewers: []string{"bob"}})
	require.NoError(t, err)
	assert.Len(t, plan.Steps, 1)
	assert.Equal(t, []string{"tag v* may deploy to environment prod, too; it stays so"}, plan.Notices)
	require.NoError(t, plan.Apply(t.Context()))
	reviewers, branches = fake.Protection("prod")
	assert.Equal(t, []int{alice, team, bob}, reviewers)
	assert.Equal(t, []string{"main", "master", "v*"}, branches)

	_, err = client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod", Reviewers: []string{"nobody", "example/none"}})
	require.ErrorContains(t, err, "reviewer nobody: ")
	require.ErrorContains(t, err, "reviewer example/none: ")
}

// An environment that was made without protection gets it.
func TestSetupOfAnOpenEnvironment(t *testing.T) {
	fake, client := world(t)
	plan, err := client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod"})
	require.NoError(t, err)
	assert.Len(t, plan.Steps, 4)
	fake.Fail(githubtest.Failure{Method: http.MethodPost, Path: "deployment-branch-policies", Times: 1, Status: http.StatusUnprocessableEntity, Message: "no"})
	require.ErrorContains(t, plan.Apply(t.Context()), "running this again does what is left")
	plan, err = client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod"})
	require.NoError(t, err)
	assert.Len(t, plan.Steps, 3)
	require.NoError(t, plan.Apply(t.Context()))
	_, branches := fake.Protection("prod")
	assert.Equal(t, []string{"main", "master"}, branches)
}

func TestPlansWithoutProtectedEnvironments(t *testing.T) {
	fake := githubtest.New(repository)
	client := open(t, fake, nil)
	fake.Fail(githubtest.Failure{Method: http.MethodPut, Path: "environments/", Status: http.StatusNotFound, Message: "Not Found"})
	plan, err := client.PlanSetup(t.Context(), SetupOptions{Stack: "prod", Environment: "prod"})
	require.NoError(t, err)
	require.ErrorContains(t, plan.Apply(t.Context()), "a private repository needs a plan that has protected environments")
}
