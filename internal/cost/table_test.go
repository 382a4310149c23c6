package cost

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePriceTable(t *testing.T) {
	table, err := parseTable(tableText)
	require.NoError(t, err)
	assert.Equal(t, []string{"eu-west-1", "us-east-1", "us-east-2"}, table.Regions())
	for _, region := range table.Regions() {
		for item, price := range table.prices[region] {
			assert.Less(t, price.USD, 2.0, "%s in %s: per %s", item, region, price.Unit)
			assert.GreaterOrEqual(t, price.Source.Date.Year(), 2023, "%s in %s", item, region)
		}
	}
}

// Two zones' worth of instances cost about two of one: a slip of the decimal
// point shows here.
func TestPricesAreAlikeInAllRegions(t *testing.T) {
	table := Prices()
	for item, there := range table.prices["us-east-1"] {
		for _, region := range table.Regions() {
			if here, known := table.price(region, item); known {
				assert.Equal(t, there.Unit, here.Unit, "%s in %s", item, region)
				assert.InEpsilon(t, there.USD, here.USD, 0.2, "%s in %s", item, region)
			}
		}
		if single, multi := strings.CutSuffix(item, "/multi"); multi {
			one, known := table.price("us-east-1", single)
			require.True(t, known, single)
			assert.InEpsilon(t, 2*one.USD, there.USD, 0.05, item)
		}
		if name, valkey := strings.CutPrefix(item, "cache/valkey/"); valkey {
			redis, known := table.price("us-east-1", "cache/redis/"+name)
			require.True(t, known, name)
			assert.InEpsilon(t, 0.8*redis.USD, there.USD, 0.001, item)
		}
	}
}

func TestMistakesInAPriceTable(t *testing.T) {
	_, err := parseTable([]byte(`
sources:
  list: {document: AWS Price List, date: 2026-01-02, confirmed: true}
  undated: {document: somebody}
prices:
  - {regions: [us-east-1], unit: hour, source: list, usd: {a: 1, b: 0}}
  - {regions: [us-east-1], unit: hour, source: list, usd: {a: 2}}
  - {regions: [us-east-1], source: list, usd: {c: 1}}
  - {regions: [us-east-1], unit: hour, source: rumour, usd: {d: 1}}
`))
	require.EqualError(t, err, `sources.undated: want a document and a date
prices[0]: b in us-east-1: want a price above zero and a unit, got 0 and "hour"
prices[1]: a in us-east-1: is listed twice; remove one
prices[2]: c in us-east-1: want a price above zero and a unit, got 1 and ""
prices[3]: source "rumour": want one of sources`)
	_, err = parseTable([]byte("price: []"))
	require.ErrorContains(t, err, "prices: yaml: unmarshal errors")
}

func TestUsage(t *testing.T) {
	require.NoError(t, Assumed().Validate())
	usage, err := Assumed().Read([]byte("releases: 40\ntrafficGB: 500\n"))
	require.NoError(t, err)
	want := Assumed()
	want.Releases, want.TrafficGB = 40, 500
	assert.Equal(t, want, usage, "what is not named stays")
	usage, err = Assumed().Read(nil)
	require.NoError(t, err)
	assert.Equal(t, Assumed(), usage)
	for text, problem := range map[string]string{
		"release: 40":                     "field release not found",
		"releases: many":                  "cannot unmarshal",
		"releases: -1\nspotDiscount: 101": "releases: want 0 to 1000000000000, got -1\nspotDiscount: want at most 100 percent, got 101",
		"bucketGB: .nan":                  "bucketGB: want 0 to 1000000000000, got NaN",
		"logGB: .inf":                     "logGB: want 0 to 1000000000000, got +Inf",
	} {
		_, err := Assumed().Read([]byte(text))
		require.ErrorContains(t, err, problem, text)
	}
}
