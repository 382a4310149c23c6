package cost

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var page = filepath.Join("..", "..", "docs", "cost.md")

// The numbers of docs/cost.md are those of the price table and of the stacks'
// real files. UPDATE_GOLDEN=1 writes them anew.
func TestTheNumbersOfThePage(t *testing.T) {
	kept, err := os.ReadFile(page)
	require.NoError(t, err)
	made := string(kept)
	for name, text := range map[string]string{"stacks": stacksTable(t), "tutorial": tutorialTable(t), "sources": sourcesTable(t)} {
		block := regexp.MustCompile(`(?s)(<!-- ` + name + `: written by make golden -->\n).*?(<!-- end of ` + name + ` -->)`)
		require.Len(t, block.FindAllString(made, -1), 1, name)
		made = block.ReplaceAllStringFunc(made, func(found string) string {
			parts := block.FindStringSubmatch(found)
			return parts[1] + text + parts[2]
		})
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(page, []byte(made), 0o600))
		return
	}
	assert.Equal(t, made, string(kept), "run make golden")
}

func TestThePageHasEveryAssumption(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var amounts map[string]float64
	written, err := yaml.Marshal(Assumed())
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(written, &amounts))
	assert.Len(t, amounts, 14)
	for name, amount := range amounts {
		assert.Contains(t, string(text), fmt.Sprintf("| `%s` | %g |", name, amount))
	}
}

// called is what a type is for people.
var called = map[string]string{
	"LoadBalancer": "load balancer, with its addresses and the site's traffic", "Instance": "database, with storage and logs",
	"Fleet": "instances, with addresses, volumes and releases", "ReplicationGroup": "cache", "LogGroup": "logs", "Key": "encryption key",
	"MetricAlarm": "alarms", "BucketV2": "buckets",
}

func stacksTable(t *testing.T) string {
	t.Helper()
	columns := []Estimate{}
	sums := map[string][]float64{}
	for at, stack := range []string{"prod", "staging", "sandbox"} {
		e := Of(real(t, stack).After(), "")
		columns = append(columns, e)
		for _, line := range e.Lines {
			if line.Kind == Free {
				continue
			}
			name := called[short(line.Type)]
			require.NotEmpty(t, name, line.Type)
			if sums[name] == nil {
				sums[name] = make([]float64, 3)
			}
			sums[name][at] += line.Monthly
		}
	}
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b][0], sums[a][0]), cmp.Compare(a, b))
	})
	var out strings.Builder
	out.WriteString("| a month, in us-east-2 | prod | staging | sandbox, were it on AWS |\n| --- | ---: | ---: | ---: |\n")
	for _, name := range names {
		row(&out, name, sums[name]...)
	}
	for _, sum := range []struct {
		name string
		of   func(Estimate) float64
	}{
		{"**altogether**", Estimate.Total},
		{"of it fixed", func(e Estimate) float64 { return e.Of(Fixed) }},
		{"of it spot instances, 60 % below on-demand", func(e Estimate) float64 { return e.Of(Spot) }},
		{"of it by use, as assumed", func(e Estimate) float64 { return e.Of(ByUse) }},
		{"altogether, if spot were no cheaper than on-demand", Estimate.Ceiling},
		{"rests on prices that were not looked up", Estimate.Unconfirmed},
	} {
		row(&out, sum.name, sum.of(columns[0]), sum.of(columns[1]), sum.of(columns[2]))
	}
	return out.String()
}

func row(out *strings.Builder, name string, amounts ...float64) {
	fmt.Fprintf(out, "| %s |", name)
	for _, amount := range amounts {
		if amount == 0 {
			out.WriteString(" |")
			continue
		}
		fmt.Fprintf(out, " %s |", Dollars(cents(amount)))
	}
	out.WriteString("\n")
}

// month is what an item costs in us-east-2 for so many units.
func month(t *testing.T, item string, units float64) string {
	t.Helper()
	price, known := Prices().price("us-east-2", item)
	require.True(t, known, item)
	return Dollars(cents(units * price.USD))
}

func tutorialTable(t *testing.T) string {
	t.Helper()
	hours := func(item string) string { return month(t, item, HoursPerMonth) }
	var out strings.Builder
	out.WriteString("| | the tutorial | here | why |\n| --- | --- | --- | --- |\n")
	for _, line := range [][4]string{
		{
			"hosted zone", "$0.50", month(t, "route53/zone", 1) + ", with `edge.dns: create` only",
			"a zone that exists already is not in the stack, and costs the same",
		},
		{
			"load balancer", "\"maybe $12\"", hours("alb/hour") + ", and by use",
			"730 hours; capacity units and traffic come on top",
		},
		{
			"its public addresses", "", hours("ipv4/address") + " for each zone: " + month(t, "ipv4/address", 2*HoursPerMonth) + " or " + month(t, "ipv4/address", 3*HoursPerMonth),
			"charged since February 2024, after the tutorial; another " + hours("ipv4/address") + " for each instance",
		},
		{
			"database", "$26, elsewhere $50", hours("rds/db.t4g.micro") + " (staging), " + hours("rds/db.t4g.small/multi") + " (prod)",
			"db.t2.micro there, db.t4g here. $26 is what two db.t2.micro cost, the price of Multi-AZ, which the tutorial says it does without: 2 × 730 × $0.018 = $26.28",
		},
		{
			"its storage, 20 GB", "$4.60", month(t, "rds/gp3", 20) + " (staging), " + month(t, "rds/gp3/multi", 20) + " (prod)",
			"$4.60 is the price of Multi-AZ, again",
		},
		{
			"cache", "$18", hours("cache/valkey/cache.t4g.micro"),
			"Valkey costs a fifth less than Redis OSS, which would be " + hours("cache/redis/cache.t4g.micro"),
		},
		{
			"two instances", "t2.micro, in the free tier", month(t, "ec2/t3.small", 2*HoursPerMonth*0.4) + " spot, " + month(t, "ec2/t3.small", 2*HoursPerMonth) + " on demand (prod)",
			"t3.small here; no free tier is subtracted",
		},
	} {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", line[0], line[1], line[2], line[3])
	}
	return out.String()
}

func sourcesTable(t *testing.T) string {
	t.Helper()
	type entry struct {
		source  Source
		count   int
		regions map[string]bool
	}
	found := map[string]*entry{}
	table := Prices()
	for region, prices := range table.prices {
		for _, price := range prices {
			at := found[price.Source.Document]
			if at == nil {
				at = &entry{source: price.Source, regions: map[string]bool{}}
				found[price.Source.Document] = at
			}
			at.count++
			at.regions[region] = true
		}
	}
	var out strings.Builder
	out.WriteString("| source | day | looked up | prices | regions |\n| --- | --- | --- | ---: | --- |\n")
	for _, document := range slices.Sorted(maps.Keys(found)) {
		e := found[document]
		answer := map[bool]string{true: "yes", false: "**no**"}[e.source.Confirmed]
		fmt.Fprintf(&out, "| %s | %s | %s | %d | %s |\n", document, e.source.Date.Format("2006-01-02"), answer, e.count,
			strings.Join(slices.Sorted(maps.Keys(e.regions)), ", "))
	}
	return out.String()
}
