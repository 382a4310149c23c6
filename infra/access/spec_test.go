package access

import (
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Args)
		want   string
	}{
		{"default with a repository", nil, ""},
		{"keys without a repository", func(a *Args) { a.CI, a.GitHub = Keys, GitHubSpec{} }, ""},
		{"keys with a malformed repository", func(a *Args) { a.CI, a.GitHub = Keys, GitHubSpec{Repository: "website"} },
			`github.repository: want owner/name as GitHub shows it, got "website"`},
		{"boundary", func(a *Args) { a.PermissionsBoundary = boundary }, ""},
		{"no boundary's name", func(a *Args) { a.PermissionsBoundary = "boundary" },
			`permissionsBoundary: want a policy's ARN like arn:aws:iam::123456789012:policy/boundary, got "boundary"`},
		{"a role's ARN", func(a *Args) { a.PermissionsBoundary = "arn:aws:iam::123456789012:role/boundary" },
			`permissionsBoundary: want a policy's ARN like arn:aws:iam::123456789012:policy/boundary, got "arn:aws:iam::123456789012:role/boundary"`},
		{"ci", func(a *Args) { a.CI = "gitlab" }, `ci: want one of github, keys, none, got "gitlab"`},
		{"state", func(a *Args) { a.StateBucket = "s3://state" }, `stateBucket: want a bucket's name without s3://, got "s3://state"`},
		{"all at once", func(a *Args) { a.PermissionsBoundary, a.StateBucket, a.CI, a.GitHub = "x", "X", GitHub, GitHubSpec{} }, strings.Join([]string{
			`permissionsBoundary: want a policy's ARN like arn:aws:iam::123456789012:policy/boundary, got "x"`,
			`stateBucket: want a bucket's name without s3://, got "X"`,
			"github.repository: required when ci is github; set it to owner/name, or ci to keys or none",
			`github.environment: want the name of a GitHub environment, of letters, digits, spaces and ._/-, got ""`,
		}, "\n")},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := complete(test.change).Spec.Validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestBadArgsRegisterNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		args Args
		want string
	}{
		{"nothing at all", Args{Spec: Spec{CI: None}}, strings.Join([]string{
			"access example-prod: site: required", "account: required", "region: required", "partition: required",
			"storageBucketArn: required", "releaseBucketArn: required",
		}, "\n")},
		{"a boundary that the up role may change", complete(func(a *Args) { a.PermissionsBoundary = "arn:aws:iam::123456789012:policy/example-prod-up-boundary" }),
			"access example-prod: permissionsBoundary: the up role may change policies named example-prod-up-*, this one among them; give it another name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			err := recorder.Run(func(ctx *pulumi.Context) error {
				_, err := New(ctx, "example-prod", test.args)
				return err
			})
			require.ErrorContains(t, err, test.want)
			assert.Empty(t, recorder.Resources())
		})
	}
}
