package naming

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestFixedNames(t *testing.T) {
	site := Site{Project: "example", Environment: "prod"}
	assert.Equal(t, "example-prod", site.Prefix())
	assert.Equal(t, "/example/prod/", site.ParameterPath())
	assert.Equal(t, "example-prod", site.Application())
	assert.Equal(t, "example-prod-DeploymentGroup-01", site.DeploymentGroup())
	assert.Equal(t, "example-prod-EC2AutoScalingGroup", site.AutoScalingGroup())
	assert.Equal(t, "example-prod-EC2AutoScalingGroup-b", site.AutoScalingGroupOfPair("b"))
	assert.Equal(t, "example-prod-CeleryWorker", site.CeleryDeploymentGroup("CeleryWorker"))
	assert.Equal(t, "alias/example-prod-parameters", site.KeyAlias())
}

func TestFit(t *testing.T) {
	assert.Equal(t, "example-prod-alb-01", Fit(24, "example-prod", "alb-01"))
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(10, 64).Draw(t, "limit")
		part := rapid.StringMatching(`[a-z][a-z0-9-]{0,39}`)
		one, two := part.Draw(t, "one"), part.Draw(t, "two")
		short := Fit(limit, one, two)

		assert.LessOrEqual(t, len(short), limit)
		assert.Equal(t, short, Fit(limit, one, two))
		if full := one + "-" + two; len(full) <= limit {
			assert.Equal(t, full, short)
		} else if limit > 20 {
			assert.True(t, strings.HasPrefix(short, strings.TrimRight(full[:limit-9], "-")), "%s does not begin like %s", short, full)
		}
	})
}

// Two long names that differ anywhere stay different.
func FuzzFit(f *testing.F) {
	f.Add("example-production-of-a-long-name-one", "example-production-of-a-long-name-two")
	f.Fuzz(func(t *testing.T, one, two string) {
		// FNV-1a of 32 bits collides, but never for names of one length that
		// differ in a single byte.
		if len(one) == len(two) && differences(one, two) == 1 && Fit(24, one) == Fit(24, two) {
			t.Errorf("%q and %q both become %q", one, two, Fit(24, one))
		}
	})
}

func differences(one, two string) (n int) {
	for i := range len(one) {
		if one[i] != two[i] {
			n++
		}
	}
	return n
}
