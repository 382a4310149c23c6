package sandbox

import (
	"bytes"
	"context"
	"testing"

	"bluegreen/internal/cost"
	"bluegreen/internal/preview"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// digested runs a preview and reads its digest.
func digested(t *testing.T, s *Sandbox, run func() (Changes, error)) (Changes, preview.Digest, string) {
	t.Helper()
	var written bytes.Buffer
	s.Digest = &written
	defer func() { s.Digest = nil }()
	changes, err := run()
	require.NoError(t, err)
	text := written.String()
	digest, err := preview.Parse(&written)
	require.NoError(t, err)
	return changes, digest, text
}

func resources(states []preview.State) map[string]int {
	count := map[string]int{}
	for _, state := range states {
		if state.Real() {
			count[state.Type]++
		}
	}
	return count
}

// wantDigestOfProduction checks the digest of an offline preview: nothing is
// there yet, and no secret of the file is known.
func wantDigestOfProduction(t *testing.T, changes Changes, digest preview.Digest) {
	t.Helper()
	assert.Equal(t, "prod", digest.Stack())
	assert.True(t, digest.Whole())
	assert.False(t, digest.Failed())
	assert.Empty(t, digest.Before(), "of an empty AWS")
	count := resources(digest.After())
	total := 0
	for _, n := range count {
		total += n
	}
	assert.Equal(t, changes.Count["create"], total, "both count the same resources")
	assert.Equal(t, 1, count["aws:rds/instance:Instance"])
	assert.Equal(t, 1, count["bluegreen:index:Fleet"])
	assert.Equal(t, 3, count["aws:ec2/subnet:Subnet"])

	database := one(t, digest.After(), "aws:rds/instance:Instance")
	assert.Equal(t, "db.t4g.small", database.Inputs["instanceClass"])
	assert.True(t, preview.Secret(database.Inputs["password"]))
	assert.False(t, preview.Known(database.Inputs["vpcSecurityGroupIds"]), "made by the update")
	for _, state := range digest.After() {
		if state.Type == "random:index/randomPassword:RandomPassword" {
			assert.False(t, state.Outputs["result"] != nil && preview.Known(state.Outputs["result"]), state.Name())
		}
	}
}

func one(t *testing.T, states []preview.State, token string) preview.State {
	t.Helper()
	for _, state := range states {
		if state.Type == token {
			return state
		}
	}
	t.Fatalf("no %s", token)
	return preview.State{}
}

// secrets are the values of the encrypted parameters in the emulated AWS.
func (e emulated) secrets(ctx context.Context, t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	pages := ssm.NewGetParametersByPathPaginator(e.ssm, &ssm.GetParametersByPathInput{
		Path: aws.String("/example/sandbox/"), Recursive: aws.Bool(true), WithDecryption: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, parameter := range page.Parameters {
			if parameter.Type == ssmtypes.ParameterTypeSecureString {
				values[aws.ToString(parameter.Name)] = aws.ToString(parameter.Value)
			}
		}
	}
	return values
}

// wantNoSecretInDigest previews a sandbox that exists, whose state has every
// generated secret.
func wantNoSecretInDigest(t *testing.T, s *Sandbox, summary Summary) {
	t.Helper()
	changes, digest, text := digested(t, s, func() (Changes, error) { return s.Preview(t.Context(), RefreshAlways) })
	assert.Empty(t, changes.Steps)
	assert.Empty(t, digest.Changed())
	assert.True(t, digest.Whole(), "what stays is listed")
	assert.Len(t, digest.Before(), len(digest.After()))
	total := 0
	for _, n := range resources(digest.After()) {
		total += n
	}
	assert.Equal(t, summary.Resources, total)
	compared := cost.OfPreview(digest, "")
	assert.Empty(t, compared.Changes, "what stays costs what it did")
	assert.Empty(t, compared.After.Unknown())
	assert.NotZero(t, compared.After.Total())
	values := clients(summary).secrets(t.Context(), t)
	assert.Greater(t, len(values), 3)
	for name, value := range values {
		assert.Greater(t, len(value), 8, name)
		assert.NotContains(t, text, value, name)
	}
}
