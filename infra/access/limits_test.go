package access

import (
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The limits of IAM, in characters without white space (IAM User Guide, "IAM
// and AWS STS quotas"), hold for the longest names that a stack may have.
func TestPoliciesFitIAM(t *testing.T) {
	const (
		inlineOfRole, inlineOfGroup, managed, trust = 10240, 5120, 6144, 2048
		managedOfRole                               = 10
		longestRoleName, random                     = 64, 8
	)
	long := strings.Repeat("a", 20)
	for _, ci := range []string{GitHub, Keys} {
		for _, where := range []struct{ partition, region string }{{"aws", "ap-southeast-2"}, {"aws-us-gov", "us-gov-west-1"}} {
			var recorder infratest.Recorder
			declare(t, &recorder, complete(func(a *Args) {
				a.Site, a.Partition, a.Region = naming.Site{Project: long, Environment: long}, where.partition, where.region
				a.CI, a.RegionalService, a.StateBucket, a.PermissionsBoundary = ci, true, strings.Repeat("b", 63), boundary
				a.GitHub.Repository, a.GitHub.CreateProvider = strings.Repeat("o", 39)+"/"+strings.Repeat("r", 100), true
				a.StorageBucketARN, a.ReleaseBucketARN = pulumi.String("arn:aws:s3:::"+strings.Repeat("s", 63)), pulumi.String("arn:aws:s3:::"+strings.Repeat("r", 63))
			}))
			for role, texts := range inline(&recorder) {
				assert.LessOrEqual(t, len(strings.Join(texts, "")), inlineOfRole, role)
			}
			for _, role := range recorder.OfType(roleType) {
				assert.LessOrEqual(t, len(role.Text("assumeRolePolicy")), trust, role.Name)
				assert.LessOrEqual(t, len(role.Name)+random, longestRoleName)
				assert.LessOrEqual(t, len(role.Text("description")), 1000)
			}
			for _, p := range recorder.OfType(managedType) {
				assert.LessOrEqual(t, len(p.Text("policy")), managed, p.Name)
			}
			for _, p := range recorder.OfType("aws:iam/groupPolicy:GroupPolicy") {
				assert.LessOrEqual(t, len(p.Text("policy")), inlineOfGroup)
			}
			attachments := map[string]int{}
			for _, a := range recorder.OfType(attachmentType) {
				attachments[a.Text("role")]++
			}
			for role, count := range attachments {
				assert.LessOrEqual(t, count, managedOfRole, role)
			}
		}
	}
}

// What the recorded graph grants, whatever function wrote it.
func TestNothingIsGrantedWholesale(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(func(a *Args) { a.StateBucket, a.GitHub.CreateProvider = "example-state", true }))
	granted := append(recorder.OfType(inlineType), recorder.OfType(managedType)...)
	require.NotEmpty(t, granted)
	for _, p := range granted {
		for _, s := range parse(t, p.Text("policy")).Statement {
			require.Equal(t, "Allow", s.Effect)
			for _, action := range s.Action {
				assert.False(t, strings.HasSuffix(action, ":*") || action == "*", "%s allows %s", p.Name, action)
				if slices.Contains(s.Resource, "*") {
					assert.Contains(t, unbounded, action, p.Name)
				}
			}
		}
	}
}
