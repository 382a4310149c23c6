package storage

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the bucket and the account: a policy grants one thing at most, and
// that only below the account's own folder.
func TestPolicyGrantsLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arn := "arn:aws:s3:::" + rapid.StringMatching(`[a-z0-9][a-z0-9-]{1,61}[a-z0-9]`).Draw(t, "bucket")
		account := rapid.StringMatching(`[0-9]{12}`).Draw(t, "account")
		one, err := bucket{}.policy(arn)
		require.NoError(t, err)
		two, err := bucket{allow: logWriters(account)}.policy(arn)
		require.NoError(t, err)

		assert.Empty(t, grants(t, one))
		assert.Equal(t, []any{arn + "/AWSLogs/" + account + "/*"}, grants(t, two))
	})
}

func grants(t require.TestingT, document string) (resources []any) {
	var parsed struct{ Statement []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(document), &parsed))
	for _, s := range parsed.Statement {
		if s["Effect"] == "Allow" {
			resources = append(resources, s["Resource"])
		}
	}
	return resources
}
