package github

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// State is how a value on GitHub compares with the stack's.
type State string

// States of a value.
const (
	New       State = "new"
	Changed   State = "changed"
	Unchanged State = "unchanged"
	Stale     State = "stale" // written for this stack once, and no longer an output
)

// Change is one line of a plan. It has no value.
type Change struct {
	State State  `json:"state"`
	Kind  Kind   `json:"kind"`
	Level Level  `json:"level"`
	Name  string `json:"name"`
	Why   string `json:"why,omitempty"`
	Done  bool   `json:"done,omitempty"` // written or deleted by Apply
}

// Plan is what would be written.
type Plan struct {
	Repository  string   `json:"repository"`
	Stack       string   `json:"stack"`
	Environment string   `json:"environment,omitempty"` // empty with everything at the repository's level
	Changes     []Change `json:"changes"`

	values map[string]Value // by key
	record record
	places map[Level]*place
	main   Level // where the record is
}

// key names a value among those of a plan.
func key(level Level, kind Kind, name string) string {
	return string(level) + "/" + string(kind) + "/" + name
}

// held is what a place holds.
type held struct {
	secrets   map[string]time.Time
	variables map[string]string
}

// PlanValues compares values with what is on GitHub. environment is "" where
// everything goes to the repository's level. Errors: an environment that does
// not exist; a record that cannot be read; another stack's values under the same
// names.
func (c *Client) PlanValues(ctx context.Context, stackName, environment string, values []Value) (*Plan, error) {
	p := &Plan{
		Repository: c.Repository(), Stack: stackName, Environment: environment, values: map[string]Value{},
		places: map[Level]*place{Repository: c.place("")}, main: Repository,
	}
	if environment != "" {
		exists, err := c.hasEnvironment(ctx, environment)
		if err != nil {
			return nil, err
		}
		if !exists {
			return nil, errNoEnvironment(p.Repository, environment, stackName)
		}
		p.places[Environment], p.main = c.place(environment), Environment
	}
	holds := map[Level]held{}
	for level, place := range p.places {
		secrets, err := place.secrets(ctx)
		if err != nil {
			return nil, err
		}
		variables, err := place.variables(ctx)
		if err != nil {
			return nil, err
		}
		holds[level] = held{secrets, variables}
	}
	var err error
	if p.record, err = parseRecord(holds[p.main].variables[p.recordName()]); err != nil {
		return nil, fmt.Errorf("variable %s of %s: %w", p.recordName(), p.where(p.main), err)
	}
	if err := p.checkOthers(holds[Repository].variables, values); err != nil {
		return nil, err
	}
	for _, value := range values {
		p.values[key(value.Level, value.Kind, value.Name)] = value
		p.Changes = append(p.Changes, p.compare(value, holds[value.Level]))
	}
	p.findStale(holds)
	return p, nil
}

func (p *Plan) recordName() string { return recordPrefix + suffix(p.Stack) }

// where names a place for people.
func (p *Plan) where(level Level) string {
	if level == Environment {
		return "environment " + p.Environment
	}
	return "repository"
}

// clockSlack is how much later than the answer to writing it a secret may say that
// it was written. What somebody else writes within this time is not noticed.
const clockSlack = time.Minute

// compare finds the state of one value.
func (p *Plan) compare(value Value, holds held) Change {
	change := Change{State: Unchanged, Kind: value.Kind, Level: value.Level, Name: value.Name}
	if value.Kind == Variable {
		now, exists := holds.variables[value.Name]
		switch {
		case !exists:
			change.State = New
		case now != value.value:
			change.State = Changed
		}
		return change
	}
	written, exists := holds.secrets[value.Name]
	known := p.record.find(value.Level, value.Kind, value.Name)
	switch {
	case !exists:
		change.State = New
	case known == nil:
		change.State, change.Why = Changed, "written by somebody else"
	case known.overwritten(written):
		change.State, change.Why = Changed, "written by somebody else at "+written.UTC().Format(time.RFC3339)
	case !isOf(known.Fingerprint, value.value):
		change.State = Changed
	}
	return change
}

// findStale adds what the record has and the stack no longer. What somebody else
// has written since is theirs.
func (p *Plan) findStale(holds map[Level]held) {
	for _, e := range p.record.Entries {
		if _, wanted := p.values[key(e.Level, e.Kind, e.Name)]; wanted {
			continue
		}
		written, isSecret := holds[e.Level].secrets[e.Name]
		value, isVariable := holds[e.Level].variables[e.Name]
		if e.Kind == Secret && isSecret && !e.overwritten(written) || e.Kind == Variable && isVariable && e.holds(value) {
			p.Changes = append(p.Changes, Change{State: Stale, Kind: e.Kind, Level: e.Level, Name: e.Name, Why: "no longer an output"})
		}
	}
	slices.SortStableFunc(p.Changes, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Kind), string(b.Kind)))
	})
}

// checkOthers refuses names at the repository's level that another stack has
// there: each would overwrite the other's.
func (p *Plan) checkOthers(variables map[string]string, values []Value) error {
	for name, text := range variables {
		if !strings.HasPrefix(name, recordPrefix) || name == p.recordName() {
			continue
		}
		other, err := parseRecord(text)
		if err != nil {
			continue // its owner will be told
		}
		for _, value := range values {
			if value.Level == Repository && other.find(Repository, value.Kind, value.Name) != nil {
				return fmt.Errorf("%s %s of the repository: written for another stack, as variable %s says; give each stack an environment instead of --repository-level", value.Kind, value.Name, name)
			}
		}
	}
	return nil
}

// Count is how many changes are in one of these states.
func (p *Plan) Count(states ...State) (count int) {
	for _, change := range p.Changes {
		if slices.Contains(states, change.State) {
			count++
		}
	}
	return count
}

// Report prints the plan as a table.
func (p *Plan) Report(out io.Writer) {
	fmt.Fprintf(out, "%s, stack %s: %d new, %d changed, %d unchanged, %d stale\n", p.Repository, p.Stack,
		p.Count(New), p.Count(Changed), p.Count(Unchanged), p.Count(Stale))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, change := range p.Changes {
		line := fmt.Sprintf("  %s\t%s\t%s\t%s", change.State, change.Kind, p.where(change.Level), change.Name)
		if change.Why != "" {
			line += "\t" + change.Why
		}
		fmt.Fprintln(table, line)
	}
	_ = table.Flush() // as printing to out
}
