package access

import (
	"strings"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRolesForGitHub(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(nil))

	assert.Equal(t, []string{"example-prod-CodeDeploy", "example-prod-ec2", "example-prod-preview", "example-prod-release", "example-prod-up"}, names(recorder.OfType(roleType)))
	assert.Empty(t, recorder.OfType(userType))
	assert.Empty(t, recorder.OfType("aws:iam/openIdConnectProvider:OpenIdConnectProvider"), "an account has one for all stacks")
	for _, output := range []string{"preview", "up", "release"} {
		assert.Equal(t, "arn:aws:iam::123456789012:role/example-prod-"+output+"-id", sink.Text(resource.PropertyKey(output)))
	}
	assert.Empty(t, sink.Text("accessKeyId"))
	assert.Empty(t, sink.Text("secretAccessKey"))

	environment, pullRequest := "repo:octo-org/site:environment:prod", "repo:octo-org/site:pull_request"
	for role, subjects := range map[string]oneOrMore{
		"preview": {environment, pullRequest, "repo:octo-org/site:ref:refs/heads/main", "repo:octo-org/site:ref:refs/heads/master"},
		"up":      {environment}, "release": {environment},
	} {
		made, _ := recorder.Named(roleType, "example-prod-"+role)
		assert.Equal(t, []statement{{
			Effect: "Allow", Action: oneOrMore{"sts:AssumeRoleWithWebIdentity"},
			Principal: map[string]oneOrMore{"Federated": {"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}},
			Condition: map[string]map[string]oneOrMore{"StringEquals": {
				"token.actions.githubusercontent.com:aud": {"sts.amazonaws.com"},
				"token.actions.githubusercontent.com:sub": subjects,
			}},
		}}, parse(t, made.Text("assumeRolePolicy")).Statement, role)
	}
}

func TestProviderOfOurOwnOutlivesTheStack(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(func(a *Args) { a.GitHub.CreateProvider = true }))
	made := recorder.OfType("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
	require.Len(t, made, 1)
	assert.Equal(t, "https://token.actions.githubusercontent.com", made[0].Text("url"))
	assert.Equal(t, []any{"sts.amazonaws.com"}, made[0].Value("clientIdLists").Mappable())
	assert.True(t, made[0].Retain)
	up, _ := recorder.Named(roleType, "example-prod-up")
	assert.Equal(t, oneOrMore{"arn:aws:iam::123456789012:openIdConnectProvider/example-prod-github-id"}, parse(t, up.Text("assumeRolePolicy")).Statement[0].Principal["Federated"])
}

func TestUserWithAccessKey(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(func(a *Args) { a.CI = Keys }))

	assert.Equal(t, []string{"example-prod-CodeDeploy", "example-prod-ec2"}, names(recorder.OfType(roleType)))
	assert.Equal(t, []string{"example-prod-Deployment"}, names(recorder.OfType("aws:iam/group:Group")))
	assert.Equal(t, []string{"example-prod-CodeDeploy"}, names(recorder.OfType(userType)))
	member := recorder.OfType("aws:iam/userGroupMembership:UserGroupMembership")
	require.Len(t, member, 1)
	assert.Equal(t, "example-prod-CodeDeploy", member[0].Text("user"))
	assert.Equal(t, []any{"example-prod-Deployment"}, member[0].Value("groups").Mappable())

	granted := recorder.OfType("aws:iam/groupPolicy:GroupPolicy")
	require.Len(t, granted, 1)
	want, err := policy.Document(here.release("arn:aws:s3:::example-prod-releases-1")...)
	require.NoError(t, err)
	assert.Equal(t, want, granted[0].Text("policy"), "the user may do what the release role may, no more")

	assert.Equal(t, "example-prod-CodeDeploy-id", sink.Text("accessKeyId"))
	assert.True(t, sink.Inputs["secretAccessKey"].ContainsSecrets())
	assert.Equal(t, "mock-secret-key", sink.Text("secretAccessKey"))
	assert.Empty(t, sink.Text("release"))
}

func TestNoCI(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(func(a *Args) { a.CI, a.GitHub = None, GitHubSpec{} }))
	assert.Equal(t, []string{"example-prod-CodeDeploy", "example-prod-ec2"}, names(recorder.OfType(roleType)))
	assert.Empty(t, recorder.OfType(userType))
}

func TestStateBucketIsForPreviewAndUp(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(func(a *Args) { a.StateBucket = "example-state" }))
	policies := inline(&recorder)
	for role, want := range map[string]bool{"preview": true, "up": true, "release": false, "ec2": false, "CodeDeploy": false} {
		all := strings.Join(policies["example-prod-"+role], "")
		assert.Equal(t, want, strings.Contains(all, "arn:aws:s3:::example-state/.pulumi/*"), role)
	}
	assert.NotContains(t, strings.Join(policies["example-prod-preview"], ""), "s3:PutObject")
	assert.Contains(t, strings.Join(policies["example-prod-up"], ""), "s3:PutObject")
}
