// Package cost estimates what a stack costs in a month, from the list of its
// resources and a dated price table.
//
// An estimate hides nothing: what has no price in the table is unknown and makes
// the total a lower bound, what depends on use says how much use was assumed, and
// what is free says why. It asks nobody; AWS's bill is another matter.
package cost

import (
	"cmp"
	"math"
	"slices"
	"time"

	"bluegreen/internal/preview"
)

// HoursPerMonth is what AWS's own calculators take for a month: 365 days of 24
// hours, a twelfth of them.
const HoursPerMonth = 730

// Kind says how sure an amount is.
type Kind string

// Values of Kind.
const (
	Fixed   Kind = "fixed"   // by the hour or month, used or not
	Spot    Kind = "spot"    // at an assumed discount; the ceiling is the on-demand price
	ByUse   Kind = "by use"  // a unit price times an assumed amount
	Free    Kind = "free"    // without a charge of its own
	Unknown Kind = "unknown" // costs something, or may
)

// Line is one thing that a resource is charged for.
type Line struct {
	Resource string  `json:"resource"` // its name in the program
	Type     string  `json:"type"`     // as in aws:lb/loadBalancer:LoadBalancer
	What     string  `json:"what"`     // for people
	Kind     Kind    `json:"kind"`
	Quantity float64 `json:"quantity,omitempty"` // of Unit, in a month
	Unit     string  `json:"unit,omitempty"`
	Price    float64 `json:"price,omitempty"` // of a unit, in US dollars
	Monthly  float64 `json:"monthly"`         // US dollars, to the cent; 0 where it is unknown
	Ceiling  float64 `json:"ceiling"`         // more than Monthly for spot instances only
	Note     string  `json:"note,omitempty"`
	Source   *Source `json:"source,omitempty"` // of the price
}

// Estimate is what a stack costs in a month, in US dollars and before tax.
type Estimate struct {
	Stack  string `json:"stack"`
	Region string `json:"region"`
	Usage  Usage  `json:"usage"`
	Lines  []Line `json:"lines"` // the dearest first; free and unknown ones last
	// Partial says that the list lacked resources, so that only a difference
	// means something.
	Partial bool `json:"partial,omitempty"`
}

// Estimator estimates.
type Estimator struct {
	Table Table
	Usage Usage
}

// Of estimates what resources cost in a region, with the repository's prices and
// the assumed usage. An empty region is the one of the resources' provider.
func Of(resources []preview.State, region string) Estimate {
	return Estimator{Table: Prices(), Usage: Assumed()}.Of(resources, region)
}

// Of estimates what resources cost in a region. An empty region is the one of the
// resources' provider.
func (e Estimator) Of(resources []preview.State, region string) Estimate {
	work := estimation{Estimator: e, region: cmp.Or(region, Region(resources)), resources: resources}
	made := Estimate{Region: work.region, Usage: e.Usage}
	for _, r := range resources {
		if !r.Real() || r.External || r.Delete {
			continue
		}
		made.Stack = cmp.Or(made.Stack, r.URN.Stack().String())
		for _, line := range work.lines(r) {
			line.Resource, line.Type = r.Name(), r.Type
			line.Ceiling = max(line.Ceiling, line.Monthly)
			made.Lines = append(made.Lines, line)
		}
	}
	slices.SortStableFunc(made.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(b.Monthly, a.Monthly), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Resource, b.Resource))
	})
	return made
}

// rank puts amounts before what has none.
func rank(kind Kind) int { return slices.Index([]Kind{Unknown, Free}, kind) }

// OfPreview estimates what a previewed stack costs before and after, as Of does.
func OfPreview(digest preview.Digest, region string) Comparison {
	return Estimator{Table: Prices(), Usage: Assumed()}.OfPreview(digest, region)
}

// OfPreview estimates what a previewed stack costs before and after. A digest
// without the resources that stay gives a difference and no totals.
func (e Estimator) OfPreview(digest preview.Digest, region string) Comparison {
	region = cmp.Or(region, Region(digest.After()), Region(digest.Before()))
	before, after := e.Of(digest.Before(), region), e.Of(digest.After(), region)
	before.Partial, after.Partial = !digest.Whole(), !digest.Whole()
	return Difference(before, after)
}

// Region is the region of the AWS provider among resources, or "".
func Region(resources []preview.State) string {
	for _, r := range resources {
		if region, ok := text(r, "region"); ok && (r.Type == "pulumi:providers:aws" || r.Type == fleetType) {
			return region
		}
	}
	return ""
}

// Total is the sum of all lines.
func (e Estimate) Total() float64 {
	return e.sum(func(line Line) float64 { return line.Monthly })
}

// Ceiling is the total when no spot instance is cheaper than an on-demand one.
func (e Estimate) Ceiling() float64 {
	return e.sum(func(line Line) float64 { return line.Ceiling })
}

// Of is the sum of the lines of a kind.
func (e Estimate) Of(kind Kind) float64 {
	return e.sum(func(line Line) float64 {
		if line.Kind != kind {
			return 0
		}
		return line.Monthly
	})
}

func (e Estimate) sum(of func(Line) float64) (total float64) {
	for _, line := range e.Lines {
		total += of(line)
	}
	return cents(total)
}

// Unknown are the lines without a price: the total is at least what it says.
func (e Estimate) Unknown() []Line {
	return slices.DeleteFunc(slices.Clone(e.Lines), func(line Line) bool { return line.Kind != Unknown })
}

// Oldest is the day of the oldest price in use; zero without prices.
func (e Estimate) Oldest() time.Time {
	var oldest time.Time
	for _, line := range e.Lines {
		if line.Source != nil && (oldest.IsZero() || line.Source.Date.Before(oldest)) {
			oldest = line.Source.Date
		}
	}
	return oldest
}

// Unconfirmed is the part of the total whose prices nobody looked up.
func (e Estimate) Unconfirmed() float64 {
	return e.sum(func(line Line) float64 {
		if line.Source == nil || line.Source.Confirmed {
			return 0
		}
		return line.Monthly
	})
}

// cents rounds dollars to what a bill shows.
func cents(usd float64) float64 { return math.Round(usd*100) / 100 }
