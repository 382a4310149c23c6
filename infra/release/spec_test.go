package release

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDefaultIsValid(t *testing.T) {
	assert.NoError(t, Default().Validate())
	assert.NoError(t, Default().Fits(1))
}

// What is named changes, the rest keeps its default.
func TestEightyPercentWhenChosen(t *testing.T) {
	spec := Default()
	decoder := json.NewDecoder(strings.NewReader(`{"customConfiguration": {"enabled": true}, "alarms": {"target5xx": 50}}`))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&spec))
	assert.Equal(t, CustomConfiguration{Enabled: true, MinimumHealthyPercent: 80}, spec.CustomConfiguration)
	assert.Equal(t, Alarms{Enabled: true, Target5xx: 50, UnhealthyHosts: 1, EvaluationPeriods: 2}, spec.Alarms)
	assert.NoError(t, spec.Validate())
}

func TestValidateReportsAll(t *testing.T) {
	spec := Spec{
		Mode: "swap", Revision: "gitlab",
		CustomConfiguration:    CustomConfiguration{MinimumHealthyPercent: 100},
		TerminationWaitMinutes: 2881,
		FailureTopic:           FailureTopic{Emails: []string{"ops@example.com", "Ops <ops@example.com>", "ops@example.com", "ops"}},
	}
	assert.EqualError(t, spec.Validate(), `mode: want copy or pair, got "swap"
revision: want s3 or github, got "gitlab"
customConfiguration.minimumHealthyPercent: want 1 to 99, got 100
terminationWaitMinutes: want 0 to 2880, got 2881
alarms.target5xx: want 1 to 1000000, got 0
alarms.unhealthyHosts: want 1 to 1000000, got 0
alarms.evaluationPeriods: want 1 to 1440, got 0
failureTopic.emails: want none while failureTopic.enabled is false, got 4; enable the topic
failureTopic.emails[1]: want an address like ops@example.com, got "Ops <ops@example.com>"
failureTopic.emails[2]: ops@example.com is there twice; remove one
failureTopic.emails[3]: want an address like ops@example.com, got "ops"`)
}

func TestFits(t *testing.T) {
	spec := Default()
	spec.CustomConfiguration.Enabled = true
	assert.EqualError(t, spec.Fits(4), "customConfiguration.minimumHealthyPercent: 80% of a fleet of 4, rounded up, leaves no instance to deploy to; "+
		"raise the fleet's minSize to 5, lower the percentage, or set customConfiguration.enabled to false")
	assert.EqualError(t, spec.Fits(0), "minSize: want at least 1, got 0")
}

// The size that the error names is the least that fits, and a larger one fits
// too: a fleet may grow.
func TestLeastSizeThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Default()
		percent := rapid.IntRange(1, 99).Draw(t, "percent")
		spec.CustomConfiguration = CustomConfiguration{Enabled: true, MinimumHealthyPercent: percent}
		least := (100 + 99 - percent) / (100 - percent)
		assert.Error(t, spec.Fits(least-1))
		assert.NoError(t, spec.Fits(least))
		assert.NoError(t, spec.Fits(least+rapid.IntRange(0, 500).Draw(t, "more")))
	})
}
