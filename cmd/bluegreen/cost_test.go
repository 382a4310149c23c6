package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/internal/cost"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// digestOf is what the stack of a real file would consist of.
func digestOf(t *testing.T, stack string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(checkoutRoot, "internal", "cost", "testdata", stack+".json"))
	require.NoError(t, err)
	return file
}

// exported is a state with one key, one password, and a region.
const exported = `{"version": 3, "deployment": {"resources": [
  {"urn": "urn:pulumi:prod::bluegreen::pulumi:providers:aws::aws", "type": "pulumi:providers:aws", "custom": true, "inputs": {"region": "eu-west-1"}},
  {"urn": "urn:pulumi:prod::bluegreen::aws:kms/key:Key::example-prod-parameters", "type": "aws:kms/key:Key", "custom": true, "inputs": {"enableKeyRotation": true}},
  {"urn": "urn:pulumi:prod::bluegreen::random:index/randomPassword:RandomPassword::password", "type": "random:index/randomPassword:RandomPassword", "custom": true,
   "outputs": {"result": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}}}
]}}`

// priceOf runs the command and decodes what it prints.
func priceOf(t *testing.T, arguments ...string) (result struct {
	Total      float64
	AtLeast    bool
	Region     string
	Stack      string
	Lines      []cost.Line
	Difference *struct {
		Delta   float64
		Changes []cost.Change
	}
},
) {
	t.Helper()
	out, errs, code := invoke(t, ".", append([]string{"cost", "--json"}, arguments...)...)
	require.Zero(t, code, errs)
	require.NoError(t, json.Unmarshal([]byte(out), &result))
	return result
}

func TestCostOfAPreview(t *testing.T) {
	prod := digestOf(t, "prod")
	out, errs, code := invoke(t, ".", "cost", "--preview", prod)
	require.Zero(t, code, errs)
	assert.Contains(t, out, "example-prod-alb-01\tapplication load balancer\t$16.43\tfixed\t\n", "tabs where no terminal is")
	assert.Regexp(t, `\nStack prod: \$\d+\.\d\d a month: \$\d+\.\d\d fixed, \$\d+\.\d\d spot instances, \$\d+\.\d\d by use\n`, out)
	assert.Regexp(t, `The oldest price in it is \d+ days old; docs/cost.md says how to look again.`, out)
	assert.NotContains(t, out, "security", "what is free is counted")
	all, _, _ := invoke(t, ".", "cost", "--all", "--preview", prod)
	assert.Contains(t, all, "\tSecurityGroup\tfree\tfree\t")

	result := priceOf(t, "--preview", prod)
	assert.Equal(t, "prod", result.Stack)
	assert.Equal(t, "us-east-2", result.Region)
	assert.False(t, result.AtLeast)
	assert.Nil(t, result.Difference, "nothing was there before")
	sum := 0.0
	for _, line := range result.Lines {
		sum += line.Monthly
	}
	assert.InDelta(t, sum, result.Total, 0.001)
}

func TestCostGoesByAssumptionsAndRegion(t *testing.T) {
	prod := digestOf(t, "prod")
	plain := priceOf(t, "--preview", prod).Total
	more := priceOf(t, "--preview", prod, "--assume", "trafficGB=150", "--assume", "zoneGB=20").Total
	assert.InDelta(t, plain+9, more, 0.001) // 100 x 0.09
	file := filepath.Join(t.TempDir(), "usage.yaml")
	require.NoError(t, os.WriteFile(file, []byte("trafficGB: 150\n"), 0o600))
	assert.InDelta(t, more, priceOf(t, "--preview", prod, "--usage", file).Total, 0.001)
	elsewhere := priceOf(t, "--preview", prod, "--region", "ap-south-1")
	assert.True(t, elsewhere.AtLeast)
	assert.Zero(t, elsewhere.Total)
}

func TestCostOfAStateAgainstAPreview(t *testing.T) {
	state := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(state, []byte(exported), 0o600))
	assert.InDelta(t, 1.03, priceOf(t, "--state", state).Total, 0.001)

	result := priceOf(t, "--preview", digestOf(t, "prod"), "--against", "state="+state)
	require.NotNil(t, result.Difference)
	assert.InDelta(t, result.Total-1.03, result.Difference.Delta, 0.001)
	for _, change := range result.Difference.Changes {
		assert.NotContains(t, change.Resource, "parameters", "the key is in both")
	}
	out, _, _ := invoke(t, ".", "cost", "--state", state, "--against", "state="+state)
	assert.Contains(t, out, "Nothing costs another amount.")
	assert.Contains(t, out, "Stack prod: $1.03 a month")
}

func TestMistakesAboutCost(t *testing.T) {
	prod := digestOf(t, "prod")
	empty := filepath.Join(t.TempDir(), "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte(`{"changeSummary": {"same": 3}}`), 0o600))
	for line, want := range map[string]string{
		"":                               "at least one of the flags in the group [stack stack-file preview state] is required",
		"--stack a --state b":            "none of the others can be",
		"--preview=":                     "nothing to estimate: the value is empty",
		"--preview absent.json":          "absent.json: no such file",
		"--preview " + empty:             empty + ": lists no resource; make it with pulumi preview --json --show-sames",
		"--state " + prod:                "want what pulumi stack export prints",
		"--stack-file absent.yaml":       "absent.yaml",
		"--preview x --against prod":     "--against prod: want stack=…, stack-file=…, preview=…, state=…, as in state=export.json",
		"--preview x --against state=":   "--against state=: want ",
		"--preview x --assume releases":  "--assume releases: want NAME=VALUE, as in releases=40",
		"--preview x --assume releases=": "--assume releases=: want NAME=VALUE, as in releases=40",
		"--preview x --assume relase=1":  "--assume relase=1: yaml: unmarshal errors",
		"--preview x --usage absent":     "absent: no such file",
	} {
		out, errs, code := invoke(t, ".", append([]string{"cost"}, strings.Fields(line)...)...)
		assert.Equal(t, 1, code, line)
		assert.Contains(t, errs, want, line)
		assert.Empty(t, out, line)
	}
}
