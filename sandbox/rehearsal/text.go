package rehearsal

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// textColumns is how many characters the time has in the text.
const textColumns = 100

// Characters of the text's lanes.
var laneCharacters = map[string]rune{Booting: '·', Ready: '░', serving: '█', draining: '▒'}

// WriteText writes a timeline for a terminal: machines, requests, delays and
// failures over time, and the steps as a table.
func (t Timeline) WriteText(out io.Writer) {
	requests, failures, p50, p99 := t.Total()
	fmt.Fprintf(out, "%s requests, %s; half of them within %s, 99 of 100 within %s\n\n",
		grouped(requests), failed(failures), milliseconds(p50), milliseconds(p99))
	numbers := []rune(strings.Repeat(" ", textColumns+2))
	for _, step := range t.Steps {
		for i, digit := range fmt.Sprint(step.Number) {
			if at := t.column(step.From) + i; at < len(numbers) {
				numbers[at] = digit
			}
		}
	}
	t.row(out, "step", string(numbers))
	for _, fleet := range t.Fleets {
		for i, lane := range fleet.Lanes {
			name := ""
			if i == 0 {
				name = t.fleetName(fleet)
			}
			t.row(out, name, t.laneText(lane))
		}
	}
	most, rate, delay, lost := 1.0, t.perColumn(func(s Second) float64 { return float64(s.count()) }),
		t.perColumn(func(s Second) float64 { return s.P99 }), t.perColumn(func(s Second) float64 { return float64(s.Failures) })
	for _, n := range rate {
		most = max(most, n)
	}
	t.row(out, "requests", bars(rate, most))
	t.row(out, "99 of 100", bars(delay, 1))
	marks := strings.Builder{}
	for _, n := range lost {
		marks.WriteRune(map[bool]rune{true: '×', false: ' '}[n > 0])
	}
	t.row(out, "failed", marks.String())
	fmt.Fprintf(out, "\n%18s  · starts  ░ without visitors  █ serves  ▒ drains  × failed or killed; %s in all, delays up to 1 s\n\n", "", minutes(t.Length))
	t.table(out)
}

func (t Timeline) row(out io.Writer, name, content string) {
	fmt.Fprintf(out, "%18s  %s\n", text.Trim(name, 18), strings.TrimRight(content, " "))
}

func (t Timeline) fleetName(fleet Fleet) string {
	if fleet.Release == "" {
		return "no release yet"
	}
	return t.Title(fleet.Release)
}

func (t Timeline) column(second float64) int {
	return min(int(second/max(t.Length, 1)*textColumns), textColumns-1)
}

func (t Timeline) laneText(lane Lane) string {
	line := []rune(strings.Repeat(" ", textColumns))
	for _, span := range lane.Spans {
		for at := t.column(span.From); at <= t.column(span.To); at++ {
			line[at] = laneCharacters[span.State]
		}
	}
	for _, mark := range lane.Marks {
		if mark.Failed {
			line[t.column(mark.At)] = '×'
		}
	}
	return string(line)
}

// perColumn is the most that a value has in the seconds of each column.
func (t Timeline) perColumn(value func(Second) float64) []float64 {
	columns := make([]float64, textColumns)
	for i := range columns {
		from := int(float64(i) / textColumns * t.Length)
		until := max(from, int(float64(i+1)/textColumns*t.Length)-1)
		for _, second := range t.Seconds[min(from, len(t.Seconds)):min(until+1, len(t.Seconds))] {
			columns[i] = max(columns[i], value(second))
		}
	}
	return columns
}

// bars writes values as bars of eight heights.
func bars(values []float64, most float64) string {
	var line strings.Builder
	for _, value := range values {
		switch {
		case value <= 0:
			line.WriteByte(' ')
		default:
			line.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, int(value/most*7.99))])
		}
	}
	return line.String()
}

// table is the steps.
func (t Timeline) table(out io.Writer) {
	grid := table.NewWriter()
	grid.SetStyle(table.StyleLight)
	grid.Style().Options = table.OptionsNoBordersAndSeparators
	grid.AppendHeader(table.Row{"", "Step", "At", "Took", "Requests", "Failed", "End state"})
	grid.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft}, {Number: 7, WidthMax: 80, WidthMaxEnforcer: text.WrapSoft},
	})
	for _, step := range t.Steps {
		state := "as it should be"
		if len(step.Problems) > 0 {
			state = ""
			for _, problem := range step.Problems {
				first, _, _ := strings.Cut(problem, "\n") // the rest is in the recording
				state += text.Trim(first, 240) + "\n"
			}
		}
		grid.AppendRow(table.Row{step.Number, step.Title, clock(step.From), minutes(step.To - step.From), grouped(step.Requests), step.Failed, state})
	}
	fmt.Fprintln(out, grid.Render())
}
