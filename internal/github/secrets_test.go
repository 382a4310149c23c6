package github

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluegreen/internal/github/githubtest"
	"bluegreen/internal/stack"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const (
	repository = "example/website"
	hidden     = "s3cr3t/of+theStack0123456789"
)

// outputs are those of a stack that uses everything.
func outputs() map[string]stack.Output {
	return map[string]stack.Output{
		"AWS_CODEDEPLOY_REGION":           {Value: "us-east-2"},
		"AWS_CODEDEPLOY_APPLICATION_NAME": {Value: "example-prod"},
		"AWS_CODEDEPLOY_DEPLOYMENT_GROUP": {Value: "example-prod-DeploymentGroup-01"},
		"AWS_AUTOSCALING_GROUP_NAME":      {Value: "example-prod-web"},
		"CI_CD_DEPLOYMENT_AUTH_TOKEN":     {Value: hidden, Secret: true},
		"AWS_ACCESS_KEY_ID":               {Value: "AKIAEXAMPLE"},
		"AWS_SECRET_ACCESS_KEY":           {Value: hidden + "2", Secret: true},
		"AWS_PREVIEW_ROLE_ARN":            {Value: "arn:aws:iam::111122223333:role/preview"},
		"AWS_UP_ROLE_ARN":                 {Value: "arn:aws:iam::111122223333:role/up"},
		"AWS_RELEASE_ROLE_ARN":            {Value: "arn:aws:iam::111122223333:role/release"},
		"releaseBucket":                   {Value: "bundles"},
		"releaseRepository":               {Value: ""},
		"celeryDeploymentGroups":          {Value: []any{"worker", "beat"}},
		"siteUrl":                         {Value: "https://example.com"},
		"nameServers":                     {Value: map[string]any{}},
	}
}

// world is a GitHub with environment prod, and a client of it.
func world(t *testing.T) (*githubtest.Server, *Client) {
	t.Helper()
	fake := githubtest.New(repository)
	fake.AddEnvironment("prod")
	return fake, open(t, fake, nil)
}

func open(t *testing.T, fake *githubtest.Server, progress *bytes.Buffer) *Client {
	t.Helper()
	server := fake.Start()
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL + "/api/v3/")
	require.NoError(t, err)
	options := Options{Repository: repository, API: address, Token: githubtest.Token, pause: time.Millisecond}
	if progress != nil {
		options.Progress = progress
	}
	client, err := Open(options)
	require.NoError(t, err)
	return client
}

func values(t *testing.T, outputs map[string]stack.Output, choice Choice) []Value {
	t.Helper()
	choice.Stack = "prod"
	all, err := Values(outputs, choice)
	require.NoError(t, err)
	return all
}

// write plans and applies, and answers the plan as applied.
func write(t *testing.T, client *Client, outputs map[string]stack.Output) *Plan {
	t.Helper()
	plan, err := client.PlanValues(t.Context(), "prod", "prod", values(t, outputs, Choice{}))
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), false, &bytes.Buffer{}))
	return plan
}

func TestWhatBecomesSecret(t *testing.T) {
	fake, client := world(t)
	plan := write(t, client, outputs())
	assert.Equal(t, 13, plan.Count(New))

	assert.Equal(t, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CI_CD_DEPLOYMENT_AUTH_TOKEN"}, fake.Secrets("prod"))
	opened, _ := fake.Secret("prod", "CI_CD_DEPLOYMENT_AUTH_TOKEN")
	assert.Equal(t, hidden, opened)
	opened, _ = fake.Secret("prod", "AWS_SECRET_ACCESS_KEY")
	assert.Equal(t, hidden+"2", opened)

	variables := fake.Variables("prod")
	delete(variables, "BLUEGREEN_RECORD_PROD")
	assert.Equal(t, map[string]string{
		"AWS_CODEDEPLOY_REGION": "us-east-2", "AWS_CODEDEPLOY_APPLICATION_NAME": "example-prod",
		"AWS_CODEDEPLOY_DEPLOYMENT_GROUP": "example-prod-DeploymentGroup-01", "AWS_AUTOSCALING_GROUP_NAME": "example-prod-web",
		"AWS_PREVIEW_ROLE_ARN": "arn:aws:iam::111122223333:role/preview", "AWS_UP_ROLE_ARN": "arn:aws:iam::111122223333:role/up",
		"AWS_RELEASE_ROLE_ARN": "arn:aws:iam::111122223333:role/release", "AWS_RELEASE_BUCKET": "bundles",
		"AWS_CODEDEPLOY_CELERY_DEPLOYMENT_GROUPS": "worker,beat",
	}, variables)
	assert.Equal(t, map[string]string{"AWS_PREVIEW_ROLE_ARN_PROD": "arn:aws:iam::111122223333:role/preview"}, fake.Variables(""))
	assert.Empty(t, fake.Secrets(""))
	assert.NotContains(t, fake.Log(), hidden)
	assert.NotContains(t, fake.Log(), githubtest.Token)

	all := values(t, outputs(), Choice{AllSecrets: true, RepositoryLevel: true})
	for _, value := range all {
		assert.Equal(t, Secret, value.Kind, value.Name)
		assert.Equal(t, Repository, value.Level, value.Name)
	}
	assert.Len(t, all, 12)
}

func TestASecondRunWritesNothing(t *testing.T) {
	fake, client := world(t)
	write(t, client, outputs())
	fake.Forget()
	plan := write(t, client, outputs())
	assert.Equal(t, len(plan.Changes), plan.Count(Unchanged))
	assert.NotRegexp(t, `(?m)^(PUT|POST|PATCH|DELETE) `, fake.Log())
}

func TestChangesAreFound(t *testing.T) {
	fake, client := world(t)
	write(t, client, outputs())
	states := func(plan *Plan) map[string]State {
		found := map[string]State{}
		for _, change := range plan.Changes {
			if change.State != Unchanged {
				found[change.Name] = change.State
			}
		}
		return found
	}
	next := outputs()
	next["CI_CD_DEPLOYMENT_AUTH_TOKEN"] = stack.Output{Value: "another", Secret: true}
	next["releaseBucket"] = stack.Output{Value: "other"}
	delete(next, "AWS_UP_ROLE_ARN")
	plan := write(t, client, next)
	assert.Equal(t, map[string]State{"CI_CD_DEPLOYMENT_AUTH_TOKEN": Changed, "AWS_RELEASE_BUCKET": Changed, "AWS_UP_ROLE_ARN": Stale}, states(plan))
	opened, _ := fake.Secret("prod", "CI_CD_DEPLOYMENT_AUTH_TOKEN")
	assert.Equal(t, "another", opened)
	assert.Contains(t, fake.Variables("prod"), "AWS_UP_ROLE_ARN", "without prune nothing goes")

	// Somebody writes a secret in the browser: even the same value is written again.
	fake.SetSecret("prod", "AWS_SECRET_ACCESS_KEY", "of somebody else")
	plan = write(t, client, outputs())
	assert.Equal(t, Changed, states(plan)["AWS_SECRET_ACCESS_KEY"])
	var table bytes.Buffer
	plan.Report(&table)
	assert.Regexp(t, `changed +secret +environment prod +AWS_SECRET_ACCESS_KEY +written by somebody else at 2026-01-01T`, table.String())
	opened, _ = fake.Secret("prod", "AWS_SECRET_ACCESS_KEY")
	assert.Equal(t, hidden+"2", opened)
}

// Nothing is deleted but what was written for the stack.
func TestPrune(t *testing.T) {
	fake, client := world(t)
	fake.SetSecret("prod", "THEIR_SECRET", "a")
	fake.SetVariable("prod", "THEIR_VARIABLE", "b")
	fake.SetVariable("prod", "AWS_RELEASE_BUCKET", "bundles") // theirs, with the right value: it is left theirs
	write(t, client, outputs())
	next := outputs()
	for _, gone := range []string{"AWS_UP_ROLE_ARN", "AWS_SECRET_ACCESS_KEY", "AWS_PREVIEW_ROLE_ARN", "releaseBucket"} {
		delete(next, gone)
	}
	plan, err := client.PlanValues(t.Context(), "prod", "prod", values(t, next, Choice{}))
	require.NoError(t, err)
	assert.Equal(t, 4, plan.Count(Stale), "the preview role is in two places")
	require.NoError(t, plan.Apply(t.Context(), true, &bytes.Buffer{}))
	assert.Equal(t, []string{"AWS_ACCESS_KEY_ID", "CI_CD_DEPLOYMENT_AUTH_TOKEN", "THEIR_SECRET"}, fake.Secrets("prod"))
	assert.Contains(t, fake.Variables("prod"), "THEIR_VARIABLE")
	assert.Contains(t, fake.Variables("prod"), "AWS_RELEASE_BUCKET")
	assert.NotContains(t, fake.Variables("prod"), "AWS_UP_ROLE_ARN")
	assert.Empty(t, fake.Variables(""))

	plan, err = client.PlanValues(t.Context(), "prod", "prod", values(t, next, Choice{}))
	require.NoError(t, err)
	assert.Equal(t, len(plan.Changes), plan.Count(Unchanged))
}

// A name that the stack has given up and somebody else has taken is theirs.
func TestPruneLeavesWhatSomebodyElseHasWrittenSince(t *testing.T) {
	fake, client := world(t)
	write(t, client, outputs())
	fake.SetSecret("prod", "AWS_ACCESS_KEY_ID", "theirs")
	fake.SetVariable("prod", "AWS_UP_ROLE_ARN", "theirs")
	next := outputs()
	for _, gone := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_UP_ROLE_ARN", "AWS_RELEASE_ROLE_ARN"} {
		delete(next, gone)
	}
	plan, err := client.PlanValues(t.Context(), "prod", "prod", values(t, next, Choice{}))
	require.NoError(t, err)
	assert.Equal(t, 2, plan.Count(Stale))
	require.NoError(t, plan.Apply(t.Context(), true, &bytes.Buffer{}))
	assert.Equal(t, []string{"AWS_ACCESS_KEY_ID", "CI_CD_DEPLOYMENT_AUTH_TOKEN"}, fake.Secrets("prod"))
	assert.Equal(t, "theirs", fake.Variables("prod")["AWS_UP_ROLE_ARN"])
	assert.NotContains(t, fake.Variables("prod"), "AWS_RELEASE_ROLE_ARN")
}

func TestAFailureInTheMiddleIsFinishedByRunningAgain(t *testing.T) {
	fake, client := world(t)
	fake.Fail(githubtest.Failure{Method: http.MethodPut, Path: "secrets/CI_CD_DEPLOYMENT_AUTH_TOKEN", Times: 1, Status: http.StatusUnprocessableEntity, Message: "no"})
	plan, err := client.PlanValues(t.Context(), "prod", "prod", values(t, outputs(), Choice{}))
	require.NoError(t, err)
	var said bytes.Buffer
	err = plan.Apply(t.Context(), false, &said)
	require.ErrorContains(t, err, "secret CI_CD_DEPLOYMENT_AUTH_TOKEN of environment prod: PUT")
	require.ErrorContains(t, err, "422 Unprocessable Entity: no")
	require.ErrorContains(t, err, "not written: CI_CD_DEPLOYMENT_AUTH_TOKEN; running this again finishes it")
	assert.Contains(t, said.String(), "wrote secret AWS_SECRET_ACCESS_KEY of environment prod\n")
	assert.NotContains(t, err.Error()+said.String(), hidden)

	plan = write(t, client, outputs())
	assert.Equal(t, 1, plan.Count(New), "what was written before is known")
	assert.Equal(t, 12, plan.Count(Unchanged))
}

// stopper interrupts the command when something has been written.
type stopper struct{ stop func() }

func (s stopper) Write(text []byte) (int, error) {
	s.stop()
	return len(text), nil
}

// What was written before an interruption is noted all the same.
func TestAnInterruption(t *testing.T) {
	fake, client := world(t)
	plan, err := client.PlanValues(t.Context(), "prod", "prod", values(t, outputs(), Choice{}))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	err = plan.Apply(ctx, false, stopper{stop})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"AWS_ACCESS_KEY_ID"}, fake.Secrets("prod"))
	again := write(t, client, outputs())
	assert.Equal(t, 1, again.Count(Unchanged))
	assert.Equal(t, 12, again.Count(New))
}

func TestManyOfEach(t *testing.T) {
	fake, client := world(t)
	for i := range 150 {
		fake.SetSecret("prod", "S"+strconv.Itoa(i), "x")
		fake.SetVariable("prod", "V"+strconv.Itoa(i), "x")
	}
	p := client.place("prod")
	secrets, err := p.secrets(t.Context())
	require.NoError(t, err)
	assert.Len(t, secrets, 150)
	variables, err := p.variables(t.Context())
	require.NoError(t, err)
	assert.Len(t, variables, 150)
}

func TestEnvironmentsThatAreNotThere(t *testing.T) {
	_, client := world(t)
	_, err := client.PlanValues(t.Context(), "staging", "staging", nil)
	require.ErrorContains(t, err, "environment staging: not in example/website, or the token may not see it; bluegreen github setup --stack staging makes and protects it")
}

func TestNamesWithASlash(t *testing.T) {
	fake, client := world(t)
	fake.AddEnvironment("aws/prod 1")
	plan, err := client.PlanValues(t.Context(), "prod", "aws/prod 1", values(t, outputs(), Choice{}))
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), false, &bytes.Buffer{}))
	assert.Len(t, fake.Secrets("aws/prod 1"), 3)
}

// Two stacks without environments would overwrite each other's values for ever.
func TestTwoStacksOfOneRepository(t *testing.T) {
	_, client := world(t)
	plan, err := client.PlanValues(t.Context(), "prod", "", values(t, outputs(), Choice{RepositoryLevel: true}))
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), false, &bytes.Buffer{}))
	_, err = client.PlanValues(t.Context(), "staging", "", values(t, outputs(), Choice{RepositoryLevel: true}))
	require.ErrorContains(t, err, "written for another stack, as variable BLUEGREEN_RECORD_PROD says")
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	fake, client := world(t)
	for text, said := range map[string]string{"{": "delete it, and everything is written again", `{"version": 2}`: "version 2, want 1"} {
		fake.SetVariable("prod", "BLUEGREEN_RECORD_PROD", text)
		_, err := client.PlanValues(t.Context(), "prod", "prod", nil)
		require.ErrorContains(t, err, "variable BLUEGREEN_RECORD_PROD of environment prod: ")
		require.ErrorContains(t, err, said)
	}
}

func TestFingerprints(t *testing.T) {
	one, two := fingerprint("1234"), fingerprint("1234")
	assert.NotEqual(t, one, two, "equal secrets do not show")
	assert.True(t, isOf(one, "1234"))
	assert.False(t, isOf(one, "1235"))
	assert.False(t, isOf("", "1234"))
	assert.False(t, isOf("argon2id$!$x", "1234"))
	assert.NotContains(t, one, "1234")
}

func TestNumbersAsTheyAre(t *testing.T) {
	for number, want := range map[float64]string{1: "1", 0.5: "0.5", 1000000: "1000000", 444455556666: "444455556666"} {
		all := values(t, map[string]stack.Output{"A_NUMBER": {Value: number}}, Choice{})
		require.Len(t, all, 1)
		assert.Equal(t, want, all[0].value)
	}
}

func TestOutputsThatNothingCanHold(t *testing.T) {
	_, err := Values(map[string]stack.Output{
		"AWS_LIST": {Value: []any{"a,b"}}, "AWS_MAP": {Value: map[string]any{"a": hidden}, Secret: true}, "AWS_LONG": {Value: strings.Repeat("x", largest+1)},
		"AWS_COUNT": {Value: 3.0}, "lower": {Value: map[string]any{}},
	}, Choice{Stack: "prod"})
	require.ErrorContains(t, err, "output AWS_LIST: want text, or a list of text without commas")
	require.ErrorContains(t, err, "output AWS_MAP: want text, or a list of text")
	require.ErrorContains(t, err, "output AWS_LONG: 49153 bytes long, and GitHub takes 49152")
	assert.NotContains(t, err.Error(), hidden)
	assert.NotContains(t, err.Error(), "COUNT")
}

func TestWrongTokens(t *testing.T) {
	fake := githubtest.New(repository)
	server := fake.Start()
	defer server.Close()
	address, err := url.Parse(server.URL + "/")
	require.NoError(t, err)
	client, err := Open(Options{Repository: repository, API: address, Token: "wrong"})
	require.NoError(t, err)
	_, err = client.PlanValues(t.Context(), "prod", "prod", nil)
	require.ErrorContains(t, err, "401 Unauthorized: Bad credentials; the token is wrong or has expired")
	assert.NotContains(t, err.Error(), `"wrong"`)
	_, err = Open(Options{Repository: "website", API: address, Token: "x"})
	require.ErrorContains(t, err, `repository: want owner/name, got "website"`)
}

// The plan has no value in any form.
func TestAPlanIsNoSecret(t *testing.T) {
	_, client := world(t)
	plan := write(t, client, outputs())
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	assert.NotContains(t, string(text), hidden)
	assert.Contains(t, string(text), `{"state":"new","kind":"secret","level":"environment","name":"CI_CD_DEPLOYMENT_AUTH_TOKEN","done":true}`)
}

// The registry says of each variable of the pipeline what it is on GitHub.
func TestTheRegistrySaysTheSame(t *testing.T) {
	text, err := os.ReadFile("../../environment.yaml")
	require.NoError(t, err)
	var registry struct {
		Variables map[string]struct {
			Readers   []string
			Elsewhere string
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &registry))
	given := outputs()
	given["releaseRepository"] = stack.Output{Value: repository}
	kinds := map[string]Kind{}
	for _, value := range values(t, given, Choice{}) {
		if value.Level == Environment {
			kinds[value.Name] = value.Kind
		}
	}
	documented := map[string]Kind{}
	for name, variable := range registry.Variables {
		if len(variable.Readers) == 1 && variable.Readers[0] == "pipeline" {
			words := strings.FieldsFunc(variable.Elsewhere, func(r rune) bool { return r == ' ' || r == ',' })
			require.Greater(t, len(words), 2, name)
			documented[name] = Kind(words[2]) // A GitHub secret, A GitHub variable
		}
	}
	assert.Equal(t, documented, kinds)
}
