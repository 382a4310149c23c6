package github

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluegreen/internal/preview"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPreviewsThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "preview.json")
	for text, said := range map[string]string{
		`{"steps": [{"op": "update", "urn": "x"}]}`: "a resource without a valid URN",
		`{"steps": [{"op": "update", "urn": "urn:pulumi:prod::p::t::n", "newState": {"propertyDependencies": {"a": ["x"]}}}]}`: "a resource without a valid URN",
		`{"steps": [{"op": "update", "urn": "urn:pulumi:dev::p::t::n"}]}`:                                                      `a preview of stack "dev", and --stack is prod`,
		strings.Repeat(" ", largestPreview+1):                                                                                  "33554433 bytes, want at most 33554432",
		"[]":                                                                                                                   "want what pulumi preview --json prints",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ReadPreview(file, "prod")
		require.ErrorContains(t, err, said)
		require.ErrorContains(t, err, file)
	}
	require.NoError(t, os.WriteFile(file, []byte(`{"diagnostics": [{"urn": "x", "severity": "error", "message": "no"}]}`), 0o600))
	digest, err := ReadPreview(file, "prod")
	require.NoError(t, err)
	text, _ := Report{Stack: "prod", Digest: digest}.Body()
	assert.Contains(t, text, "<pre>\nno\n</pre>")
}

// A preview in which one thing is another than it should be is refused or shown,
// and ends no program.
func TestPreviewsThatWereTamperedWith(t *testing.T) {
	some := map[string]any{"instanceClass": "a", "tags": map[string]any{"Name": "b"}, "list": []any{1.0, "x"}}
	text, err := json.Marshal(map[string]any{"steps": []any{
		step(preview.Replace, rds, "database", some, some, map[string]string{"tags.Name": "update-replace", "list[0]": "delete"}),
		step(preview.Create, "bluegreen:index:Fleet", "fleet", nil, some, nil), step(preview.Delete, "aws:lb/loadBalancer:LoadBalancer", "alb", some, nil, nil),
	}, "diagnostics": []any{map[string]any{"urn": "urn:pulumi:prod::p::t::n", "message": "m", "severity": "warning"}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "preview.json")
	rapid.Check(t, func(t *rapid.T) {
		var document any
		require.NoError(t, json.Unmarshal(text, &document))
		tamper(t, document)
		changed, err := json.Marshal(document)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, changed, 0o600))
		digest, err := ReadPreview(file, "prod")
		if err != nil {
			return
		}
		for _, offline := range []bool{false, true} {
			r := Report{Stack: "prod", Digest: digest, Offline: offline}
			text, _ := r.Body()
			require.LessOrEqual(t, len(text), longestBody)
			_, _ = r.DriftBody()
		}
	})
}

// tamper puts something else in one place of a document.
func tamper(t *rapid.T, document any) {
	other := rapid.SampledFrom([]any{nil, "", "x", "urn:pulumi:prod", "[secret]", 1.5, true, []any{}, map[string]any{}, "aws:", "error", "replace"})
	for {
		switch at := document.(type) {
		case map[string]any:
			keys := sortedKeys(at)
			if len(keys) == 0 {
				return
			}
			key := rapid.SampledFrom(keys).Draw(t, "key")
			if rapid.IntRange(0, 2).Draw(t, "here") == 0 {
				at[key] = other.Draw(t, "other")
				return
			}
			document = at[key]
		case []any:
			if len(at) == 0 {
				return
			}
			index := rapid.IntRange(0, len(at)-1).Draw(t, "index")
			if rapid.IntRange(0, 2).Draw(t, "here") == 0 {
				at[index] = other.Draw(t, "other")
				return
			}
			document = at[index]
		default:
			return
		}
	}
}

func sortedKeys(m map[string]any) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
