package sandbox

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Report writes the summary for people.
func (r Summary) Report(out io.Writer) {
	fmt.Fprintf(out, "\nStack %s is up: %s (%.0f s)\n\n", r.Stack, past.count(r.Changes), r.Seconds)
	grid := newTable("Component", "Resources", "Which")
	grid.SetColumnConfigs([]table.ColumnConfig{{Number: 3, WidthMax: 90, WidthMaxEnforcer: text.WrapSoft}})
	for _, c := range r.Components {
		grid.AppendRow(table.Row{c.Name, c.Resources, kinds(c.Types)})
	}
	grid.AppendFooter(table.Row{"", r.Resources, ""})
	fmt.Fprintln(out, grid.Render())
	reportOutputs(out, r.Outputs)
	reportSite(out, r.Site, r.Outputs)
	fmt.Fprintf(out, `
Emulated AWS: %s (%s, account %s)

  eval "$(bin/bluegreen sandbox env)"                  the AWS CLI, boto3 and pulumi on this sandbox
  bin/bluegreen sandbox preview --expect-no-changes    what up would change
  bin/bluegreen sandbox destroy                        delete everything and stop
`, r.Endpoint, r.Region, r.Account)
}

// Report writes the changes for people.
func (c Changes) Report(out io.Writer) {
	if len(c.Steps) == 0 {
		fmt.Fprintf(out, "Stack %s: no changes, %s\n", c.Stack, future.count(c.Count))
		return
	}
	grid := newTable("Operation", "Type", "Name", "Properties")
	for _, step := range c.Steps {
		grid.AppendRow(table.Row{step.Operation, title(step.Type), step.Name, strings.Join(step.Properties, ", ")})
	}
	grid.SuppressEmptyColumns()
	fmt.Fprintf(out, "%s\n\nStack %s: %s\n", grid.Render(), c.Stack, future.count(c.Count))
}

// Report writes the status for people.
func (r Status) Report(out io.Writer) {
	if r.Running {
		fmt.Fprintf(out, "Stack %s is up: %d resources\n", r.Stack, r.Resources)
	}
	if r.Problem != "" {
		fmt.Fprintf(out, "Stack %s: %s\n", r.Stack, r.Problem)
	}
	if r.Endpoint == "" {
		return
	}
	fmt.Fprintf(out, "Emulated AWS: %s (%s, account %s)\n", r.Endpoint, r.Region, r.Account)
	reportSite(out, r.Site, r.Outputs)
	fmt.Fprintln(out)
	grid := newTable("Process", "Id", "State", "Since")
	for _, p := range r.Processes {
		state := "running"
		if !p.Alive {
			state = "gone"
		}
		grid.AppendRow(table.Row{p.Name, p.PID, state, p.Started.Local().Format("2006-01-02 15:04:05")})
	}
	fmt.Fprintln(out, grid.Render())
	reportOutputs(out, r.Outputs)
	fmt.Fprintf(out, "\nLogs: %s\n", strings.Join(r.Logs, ", "))
}

// Report writes what was destroyed for people.
func (d Destroyed) Report(out io.Writer) {
	if d.Resources > 0 {
		fmt.Fprintf(out, "%d resources deleted; %s\n", d.Resources, d.Note)
		return
	}
	fmt.Fprintln(out, d.Note)
}

func newTable(columns ...any) table.Writer {
	grid := table.NewWriter()
	grid.SetStyle(table.StyleLight)
	grid.Style().Options = table.OptionsNoBordersAndSeparators
	grid.AppendHeader(columns)
	return grid
}

// readme is the output that Pulumi's console shows; it is a page of its own.
const readme = "readme"

func reportOutputs(out io.Writer, outputs map[string]any) {
	grid := newTable("Output", "Value")
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		if value := shown(outputs[name]); name != readme && value != "" {
			grid.AppendRow(table.Row{name, value})
		}
	}
	if grid.Length() > 0 {
		fmt.Fprintf(out, "\n%s\n", grid.Render())
	}
}

// shown writes a value on one line a list item.
func shown(value any) string {
	switch v := value.(type) {
	case []any:
		lines := make([]string, len(v))
		for i, inner := range v {
			lines[i] = shown(inner)
		}
		return strings.Join(lines, "\n")
	case map[string]any:
		fields := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			fields = append(fields, key+"="+shown(v[key]))
		}
		return strings.Join(fields, " ")
	default:
		return fmt.Sprint(v)
	}
}

// tense is how operations are counted in words.
type tense map[string]string

var (
	past   = tense{"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}
	future = tense{"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete", "same": "unchanged"}
)

// count says "3 created, 40 unchanged".
func (words tense) count(operations map[string]int) string {
	var said []string
	for _, operation := range []string{"create", "update", "replace", "delete", "same"} {
		if n := operations[operation]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, words[operation]))
		}
	}
	if len(said) == 0 {
		return "no resources"
	}
	return strings.Join(said, ", ")
}

// kinds says "Subnet 3, Vpc" for types such as aws:ec2/subnet:Subnet.
func kinds(types map[string]int) string {
	count := map[string]int{}
	for name, n := range types {
		count[name[strings.LastIndex(name, ":")+1:]] += n
	}
	list := make([]string, 0, len(count))
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if count[name] > 1 {
			name = fmt.Sprintf("%s %d", name, count[name])
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}

// reportSite says how a visitor gets to the site of a sandbox with machines.
func reportSite(out io.Writer, site string, outputs map[string]any) {
	if site == "" {
		return
	}
	host := strings.TrimPrefix(fmt.Sprint(outputs["siteUrl"]), "https://")
	fmt.Fprintf(out, "Load balancer: %s, as in: curl --header 'Host: %s' %s\n", site, host, site)
}
