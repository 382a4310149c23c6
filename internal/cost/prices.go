package cost

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed prices.yaml
var tableText []byte

// Source is where a price comes from.
type Source struct {
	Document  string    `yaml:"document" json:"document"`
	Date      time.Time `yaml:"date" json:"date"`           // of which day the prices are
	Confirmed bool      `yaml:"confirmed" json:"confirmed"` // looked up for the table, not from general knowledge
}

// Price is what one unit of an item costs in a region.
type Price struct {
	USD    float64
	Unit   string // hour, month, GB-month, GB, …
	Source Source
}

// Table is a price table.
type Table struct {
	prices map[string]map[string]Price // by region, by item
}

// group is a part of the file: prices with one source.
type group struct {
	Regions []string           `yaml:"regions"`
	Unit    string             `yaml:"unit"`
	Source  string             `yaml:"source"`
	USD     map[string]float64 `yaml:"usd"`
}

// parseTable reads a price table and refuses a price without a source or a date,
// one that is not above zero, and one that is there twice.
func parseTable(text []byte) (Table, error) {
	var file struct {
		Sources map[string]Source `yaml:"sources"`
		Prices  []group           `yaml:"prices"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return Table{}, fmt.Errorf("prices: %w", err)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(file.Sources)) {
		if source := file.Sources[name]; source.Document == "" || source.Date.IsZero() {
			problems = append(problems, fmt.Errorf("sources.%s: want a document and a date", name))
		}
	}
	table := Table{prices: map[string]map[string]Price{}}
	for at, group := range file.Prices {
		if err := table.add(group, file.Sources); err != nil {
			problems = append(problems, fmt.Errorf("prices[%d]: %w", at, err))
		}
	}
	return table, errors.Join(problems...)
}

func (t Table) add(group group, sources map[string]Source) error {
	source, known := sources[group.Source]
	if !known {
		return fmt.Errorf("source %q: want one of sources", group.Source)
	}
	var problems []error
	for _, region := range group.Regions {
		if t.prices[region] == nil {
			t.prices[region] = map[string]Price{}
		}
		for _, item := range slices.Sorted(maps.Keys(group.USD)) {
			usd := group.USD[item]
			_, twice := t.prices[region][item]
			switch {
			case twice:
				problems = append(problems, fmt.Errorf("%s in %s: is listed twice; remove one", item, region))
			case usd <= 0 || group.Unit == "":
				problems = append(problems, fmt.Errorf("%s in %s: want a price above zero and a unit, got %g and %q", item, region, usd, group.Unit))
			default:
				t.prices[region][item] = Price{USD: usd, Unit: group.Unit, Source: source}
			}
		}
	}
	return errors.Join(problems...)
}

// Regions are those that the table has prices of.
func (t Table) Regions() []string { return slices.Sorted(maps.Keys(t.prices)) }

// price looks an item up.
func (t Table) price(region, item string) (Price, bool) {
	price, known := t.prices[region][item]
	return price, known
}

// Prices is the repository's price table, of AWS in US dollars.
var Prices = sync.OnceValue(func() Table {
	table, err := parseTable(tableText)
	if err != nil {
		return Table{} // everything is unknown then; a test reads the table
	}
	return table
})
