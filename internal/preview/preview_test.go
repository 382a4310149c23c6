package preview

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written is what the engine printed for a bucket that is new, a database that
// is replaced, a network that stays, and an address that goes, shortened.
const written = `{
  "config": {"bluegreen:project": "example", "bluegreen:token": "[secret]"},
  "steps": [
    {"op": "same", "urn": "urn:pulumi:prod::bluegreen::pulumi:pulumi:Stack::bluegreen-prod",
     "oldState": {"urn": "urn:pulumi:prod::bluegreen::pulumi:pulumi:Stack::bluegreen-prod", "type": "pulumi:pulumi:Stack"},
     "newState": {"urn": "urn:pulumi:prod::bluegreen::pulumi:pulumi:Stack::bluegreen-prod", "type": "pulumi:pulumi:Stack"}},
    {"op": "refresh", "urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main",
     "oldState": {"urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main", "custom": true, "type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}},
     "newState": {"urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main", "custom": true, "type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16", "read": true}}},
    {"op": "same", "urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main",
     "oldState": {"urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main", "custom": true, "id": "vpc-1", "type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}, "outputs": {"arn": "arn:vpc-1"}},
     "newState": {"urn": "urn:pulumi:prod::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::main", "custom": true, "type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}}},
    {"op": "create", "urn": "urn:pulumi:prod::bluegreen::aws:s3/bucketV2:BucketV2::media",
     "newState": {"urn": "urn:pulumi:prod::bluegreen::aws:s3/bucketV2:BucketV2::media", "custom": true, "type": "aws:s3/bucketV2:BucketV2", "inputs": {"bucket": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}}},
    {"op": "replace", "urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database",
     "oldState": {"urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database", "custom": true, "id": "database-1", "protect": true, "type": "aws:rds/instance:Instance", "inputs": {"engine": "mysql", "password": "[secret]"}},
     "newState": {"urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database", "custom": true, "protect": true, "type": "aws:rds/instance:Instance", "inputs": {"engine": "postgres", "password": "[secret]"}},
     "diffReasons": ["engine"], "replaceReasons": ["engine"], "detailedDiff": {"engine": {"kind": "update-replace", "inputDiff": true}}},
    {"op": "create-replacement", "urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database",
     "newState": {"urn": "urn:pulumi:prod::bluegreen::aws:rds/instance:Instance::database", "custom": true, "type": "aws:rds/instance:Instance"}},
    {"op": "delete", "urn": "urn:pulumi:prod::bluegreen::aws:ec2/eip:Eip::address",
     "oldState": {"urn": "urn:pulumi:prod::bluegreen::aws:ec2/eip:Eip::address", "custom": true, "type": "aws:ec2/eip:Eip"}}
  ],
  "diagnostics": [{"message": "deprecated", "severity": "warning"}],
  "duration": 1000,
  "changeSummary": {"create": 1, "delete": 1, "replace": 1, "same": 2}
}`

func parsed(t *testing.T, text string) Digest {
	t.Helper()
	digest, err := Parse(strings.NewReader(text))
	require.NoError(t, err)
	return digest
}

func names(states []State) []string {
	var list []string
	for _, state := range states {
		list = append(list, state.Name())
	}
	return list
}

func TestADigest(t *testing.T) {
	d := parsed(t, written)
	assert.Equal(t, "prod", d.Stack())
	assert.Equal(t, map[Op]int{Create: 1, Delete: 1, Replace: 1, Same: 2}, d.ChangeSummary)
	assert.False(t, d.Failed(), "a warning is no failure")
	assert.True(t, d.Whole())
	assert.Equal(t, []string{"bluegreen-prod", "main", "database", "address"}, names(d.Before()))
	assert.Equal(t, []string{"bluegreen-prod", "main", "media", "database"}, names(d.After()))
	assert.Equal(t, "mysql", d.Before()[2].Inputs["engine"])
	assert.Equal(t, "postgres", d.After()[3].Inputs["engine"])
	assert.NotContains(t, d.After()[1].Inputs, "read", "what it would be, not what was read")
	assert.Equal(t, "vpc-1", d.After()[1].ID, "what stays keeps its id")
	assert.Equal(t, map[string]any{"arn": "arn:vpc-1"}, d.After()[1].Outputs)
	assert.Empty(t, d.After()[3].ID, "what is replaced does not")

	changed := d.Changed()
	require.Len(t, changed, 3, "a replacement is one change")
	replaced := changed[1]
	assert.Equal(t, Replace, replaced.Op)
	assert.Equal(t, []string{"engine"}, replaced.ReplaceReasons)
	assert.Equal(t, PropertyDiff{Kind: "update-replace", InputDiff: true}, replaced.DetailedDiff["engine"])
	assert.True(t, replaced.OldState.Protect)
	assert.Equal(t, "database-1", replaced.OldState.ID)
	for _, step := range changed {
		assert.True(t, step.Real(), step.URN)
	}
	assert.False(t, d.Steps[0].Real(), "the stack is in Pulumi only")
}

func TestADigestWithoutWhatStays(t *testing.T) {
	d := parsed(t, `{"steps": [], "changeSummary": {"same": 128}}`)
	assert.False(t, d.Whole())
	assert.Empty(t, d.Stack())
	assert.Empty(t, d.Changed())
}

func TestAPreviewThatFailed(t *testing.T) {
	d := parsed(t, `{"diagnostics": [{"urn": "", "prefix": "error: ", "message": "no credentials", "severity": "error"}]}`)
	assert.True(t, d.Failed())
	assert.Equal(t, "no credentials", d.Diagnostics[0].Message)
}

func TestWhatIsNoDigest(t *testing.T) {
	for text, want := range map[string]string{
		"Previewing update (prod)":         "want what pulumi preview --json prints: invalid character",
		`{"version": 3, "deployment": {}}`: "with at least one of [config steps diagnostics changeSummary]; got JSON without",
		`{"steps": {}}`:                    "want what pulumi preview --json prints: json: cannot unmarshal object",
	} {
		name := filepath.Join(t.TempDir(), "digest.json")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := ParseFile(name)
		require.ErrorContains(t, err, name+": ")
		require.ErrorContains(t, err, want)
	}
	_, err := ParseFile(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestValuesThatStandForSomethingElse(t *testing.T) {
	later := "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	sealed := map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:…"}
	for _, test := range []struct {
		value         any
		known, secret bool
	}{
		{"db.t4g.small", true, false},
		{20.0, true, false},
		{nil, true, false},
		{[]any{"a", map[string]any{"b": "c"}}, true, false},
		{later, false, false},
		{[]any{"a", later}, false, false},
		{map[string]any{"a": []any{later}}, false, false},
		{"[secret]", false, true},
		{map[string]any{"a": []any{"[secret]"}}, false, true},
		{sealed, false, true},
		{[]any{map[string]any{"a": sealed}}, false, true},
		{"this is no [secret]", true, false},
	} {
		assert.Equal(t, test.known, Known(test.value), "known %v", test.value)
		assert.Equal(t, test.secret, Secret(test.value), "secret %v", test.value)
	}
}
