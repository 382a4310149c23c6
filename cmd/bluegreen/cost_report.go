package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"bluegreen/internal/cost"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// costReport is what the cost command prints.
type costReport struct {
	Estimate   cost.Estimate
	Difference *cost.Comparison
	all        bool
}

// costSums are the sums of an estimate, for programs.
type costSums struct {
	Total       float64 `json:"total"`
	AtLeast     bool    `json:"atLeast"` // something is unknown
	Ceiling     float64 `json:"ceiling"` // with spot instances at the on-demand price
	Fixed       float64 `json:"fixed"`
	Spot        float64 `json:"spot"`
	ByUse       float64 `json:"byUse"`
	Unconfirmed float64 `json:"unconfirmed"` // rests on prices that were not looked up
	OldestPrice string  `json:"oldestPrice"` // the day it is of
	cost.Estimate
}

func sums(e cost.Estimate) costSums {
	return costSums{
		Total: e.Total(), AtLeast: len(e.Unknown()) > 0, Ceiling: e.Ceiling(), Fixed: e.Of(cost.Fixed), Spot: e.Of(cost.Spot),
		ByUse: e.Of(cost.ByUse), Unconfirmed: e.Unconfirmed(), OldestPrice: e.Oldest().Format(time.DateOnly), Estimate: e,
	}
}

func (r costReport) print(cmd *cobra.Command, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return r.json(out)
	}
	r.lines(out)
	if r.Difference != nil {
		r.changes(out)
	}
	e := r.Estimate
	fmt.Fprintln(out)
	if !e.Partial {
		fmt.Fprintf(out, "Stack %s: %s a month: %s fixed, %s spot instances, %s by use\n",
			e.Stack, e.Sum(), cost.Dollars(e.Of(cost.Fixed)), cost.Dollars(e.Of(cost.Spot)), cost.Dollars(e.Of(cost.ByUse)))
	}
	for _, caveat := range e.Caveats() {
		fmt.Fprintln(out, caveat)
	}
	if oldest := e.Oldest(); !oldest.IsZero() {
		fmt.Fprintf(out, "The oldest price in it is %d days old; docs/cost.md says how to look again.\n", int(time.Since(oldest).Hours()/24))
	}
	return nil
}

func (r costReport) json(out io.Writer) error {
	type compared struct {
		Delta   float64       `json:"delta"`
		Before  costSums      `json:"before"`
		Changes []cost.Change `json:"changes"`
	}
	result := struct {
		costSums
		Difference *compared `json:"difference,omitempty"`
	}{costSums: sums(r.Estimate)}
	if r.Difference != nil {
		result.Difference = &compared{Delta: r.Difference.Delta(), Before: sums(r.Difference.Before), Changes: r.Difference.Changes}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(result)
}

// lines is the table of what there is to pay for.
func (r costReport) lines(out io.Writer) {
	grid := costTable("Resource", "What", "A month", "Kind", "Note")
	grid.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 5, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft},
	})
	free := 0
	for _, line := range r.Estimate.Lines {
		amount := cost.Dollars(line.Monthly)
		switch {
		case line.Kind == cost.Free && !r.all:
			free++
			continue
		case line.Kind == cost.Free:
			amount = "free"
		case line.Kind == cost.Unknown:
			amount = "unknown"
		}
		grid.AppendRow(table.Row{line.Resource, line.What, amount, line.Kind, line.Note})
	}
	render(out, grid)
	if free > 0 {
		fmt.Fprintf(out, "\n%d more without a charge of their own; --all lists them.\n", free)
	}
}

// changes is the table of what differs.
func (r costReport) changes(out io.Writer) {
	d := r.Difference
	if len(d.Changes) == 0 {
		fmt.Fprintln(out, "\nNothing costs another amount.")
		return
	}
	fmt.Fprintln(out)
	grid := costTable("Resource", "Before", "After", "Difference")
	right := []table.ColumnConfig{}
	for column := 2; column <= 4; column++ {
		right = append(right, table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	grid.SetColumnConfigs(right)
	for _, change := range d.Changes {
		name := change.Kind() + " " + change.Resource
		if change.Unknown {
			name += ", a part unknown"
		}
		before, after, difference := change.Amounts()
		grid.AppendRow(table.Row{name, before, after, difference})
	}
	grid.AppendFooter(table.Row{"", d.Before.Sum(), d.After.Sum(), d.Sum()})
	render(out, grid)
}

func costTable(columns ...any) table.Writer {
	grid := table.NewWriter()
	grid.SetStyle(table.StyleLight)
	grid.Style().Options = table.OptionsNoBordersAndSeparators
	grid.Style().Format.Footer = text.FormatDefault
	grid.AppendHeader(columns)
	return grid
}

// render writes a table for people on a terminal, and tabs between columns
// elsewhere.
func render(out io.Writer, grid table.Writer) {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) { // #nosec G115 -- a file descriptor is small
		fmt.Fprintln(out, grid.Render())
		return
	}
	fmt.Fprintln(out, grid.RenderTSV())
}
