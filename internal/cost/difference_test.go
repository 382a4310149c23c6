package cost

import (
	"maps"
	"testing"

	"bluegreen/internal/preview"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// grown is production with a larger database and one more type that nothing is
// known about; what stays is listed or not.
func grown(t *testing.T, whole bool) preview.Digest {
	t.Helper()
	digest := preview.Digest{ChangeSummary: map[preview.Op]int{}}
	for _, state := range real(t, "prod").After() {
		after, op := state, preview.Same
		if state.Type == "aws:rds/instance:Instance" {
			after.Inputs = maps.Clone(state.Inputs)
			after.Inputs["instanceClass"], op = "db.t4g.medium", preview.Update
		}
		digest.ChangeSummary[op]++
		if whole || op != preview.Same {
			digest.Steps = append(digest.Steps, preview.Step{Op: op, URN: state.URN, OldState: &state, NewState: &after})
		}
	}
	queue := resource("aws:sqs/queue:Queue", "jobs", nil)
	digest.Steps = append(digest.Steps, preview.Step{Op: preview.Create, URN: queue.URN, NewState: &queue})
	return digest
}

func TestAPreviewBeforeAndAfter(t *testing.T) {
	c := OfPreview(grown(t, true), "")
	assert.InDelta(t, 47.45, c.Delta(), 0.001) // 730 x (0.13 - 0.065)
	require.Len(t, c.Changes, 2)
	assert.Equal(t, Change{Resource: "example-database-01", Type: "aws:rds/instance:Instance", Before: 53.05, After: 100.5}, c.Changes[0])
	assert.Equal(t, Change{Resource: "jobs", Type: "aws:sqs/queue:Queue", Unknown: true, Unsure: true, unknown: [2]bool{false, true}}, c.Changes[1], "listed although it adds no amount")
	assert.Equal(t, `**$119.16 → at least $166.61 a month** (at least +$47.45).

| Resource | Before | After | Difference |
| --- | ---: | ---: | ---: |
| Instance `+"`example-database-01`"+` | $53.05 | $100.50 | +$47.45 |
| Queue `+"`jobs`"+`, a part unknown | $0.00 | unknown | unknown |

1 amount is unknown. Spot instances are taken for 60 % below the on-demand price; without any discount: $184.96. $8.26 of it depends on use, which is assumed. Prices of us-east-2, before tax; the oldest is of 1 January 2025, and $145.14 rests on prices that were not looked up.
`, c.Markdown())
}

// Without --show-sames a digest has no totals, and the difference is the same.
func TestAPreviewOfChangesOnly(t *testing.T) {
	c := OfPreview(grown(t, false), "us-east-2")
	assert.True(t, c.After.Partial)
	assert.InDelta(t, 47.45, c.Delta(), 0.001)
	assert.Contains(t, c.Markdown(), "**at least +$47.45 a month**; what stays as it is was not listed.\n")
}

func TestNothingCostsAnotherAmount(t *testing.T) {
	prod := Of(real(t, "prod").After(), "")
	assert.Contains(t, Difference(prod, prod).Markdown(), "**$119.16 a month**, as before.\n")
	assert.Contains(t, Difference(Estimate{}, prod).Markdown(), "**$0.00 → $119.16 a month** (+$119.16).\n")
	assert.Contains(t, Difference(Estimate{}, prod).Markdown(), "| and 1 more | | | |\n")
	assert.Contains(t, Difference(prod, Estimate{}).Markdown(), "**$119.16 → $0.00 a month** (-$119.16).\n")
}

// What is unknown on both sides is no difference; what becomes known is one.
func TestUnknownOnBothSides(t *testing.T) {
	queue := []preview.State{resource("aws:sqs/queue:Queue", "jobs", nil)}
	same := Difference(Of(queue, "us-east-1"), Of(queue, "us-east-1"))
	assert.Empty(t, same.Changes)
	key := []preview.State{resource("aws:kms/key:Key", "key", nil)}
	moved := Difference(Of(key, "nowhere"), Of(key, "us-east-1"))
	require.Len(t, moved.Changes, 1)
	assert.True(t, moved.Changes[0].Unknown)
	assert.Equal(t, "an unknown difference", moved.Sum())
}

// What loses its price has become neither free nor cheaper.
func TestAPriceThatIsUnknownAfterwards(t *testing.T) {
	database := func(class string) Estimate {
		return Of([]preview.State{resource("aws:rds/instance:Instance", "d", map[string]any{
			"engine": "postgres", "instanceClass": class, "allocatedStorage": 20.0, "storageType": "gp3",
		})}, "us-east-1")
	}
	c := Difference(database("db.t4g.micro"), database("db.x99.huge"))
	assert.Contains(t, c.Markdown(), "**$13.98 → at least $2.30 a month** (an unknown difference).\n")
	assert.Contains(t, c.Markdown(), "| Instance `d`, a part unknown | $13.98 | at least $2.30 | unknown |\n")
}
