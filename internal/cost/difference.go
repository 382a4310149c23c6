package cost

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Comparison is two estimates and what they differ in.
type Comparison struct {
	Before  Estimate `json:"before"`
	After   Estimate `json:"after"`
	Changes []Change `json:"changes"` // the largest first
}

// Change is a resource that costs another amount, or about which less or more is
// known.
type Change struct {
	Resource string  `json:"resource"` // its name in the program, without the stack's
	Type     string  `json:"type"`
	Before   float64 `json:"before"` // US dollars a month; 0 where it is not there
	After    float64 `json:"after"`
	// Unknown says that a part of it has no price, before or after.
	Unknown bool `json:"unknown,omitempty"`
	// Unsure says that it is another part before than after: what the difference
	// is, Before and After do not tell.
	Unsure bool `json:"unsure,omitempty"`

	unknown [2]bool // before and after
}

// Amounts are before, after and the difference for people; what has no price is
// in none of them a zero.
func (c Change) Amounts() (before, after, difference string) {
	difference = Signed(c.Delta())
	if c.Unsure {
		difference = "unknown"
	}
	return amount(c.Before, c.unknown[0]), amount(c.After, c.unknown[1]), difference
}

func amount(usd float64, unknown bool) string {
	switch {
	case unknown && usd == 0:
		return "unknown"
	case unknown:
		return "at least " + Dollars(usd)
	}
	return Dollars(usd)
}

// Sum is Delta for people: it says so where what is unknown adds to it, or where
// nobody can tell.
func (c Comparison) Sum() string {
	least := ""
	for _, change := range c.Changes {
		switch {
		case !change.Unsure:
		case change.unknown[0] || change.Before > change.After:
			return "an unknown difference"
		default:
			least = "at least "
		}
	}
	return least + Signed(c.Delta())
}

// Delta is what the change adds to a month.
func (c Change) Delta() float64 { return cents(c.After - c.Before) }

// Delta is what the difference adds to a month, as far as it is known.
func (c Comparison) Delta() float64 { return cents(c.After.Total() - c.Before.Total()) }

// Difference says what two estimates differ in. Resources are the same when type and
// name are, names of two stacks without the stack's.
func Difference(before, after Estimate) Comparison {
	type key struct{ token, name string }
	changes := map[key]*Change{}
	// Unknown lines that are the same on both sides are no change.
	unknown := map[key]map[string]int{}
	add := func(e Estimate, side func(*Change) *float64, sign, position int) {
		for _, line := range e.Lines {
			at := key{line.Type, role(line.Resource, e.Stack)}
			if changes[at] == nil {
				changes[at] = &Change{Resource: at.name, Type: line.Type}
				unknown[at] = map[string]int{}
			}
			*side(changes[at]) += line.Monthly
			if line.Kind == Unknown {
				changes[at].Unknown, changes[at].unknown[position] = true, true
				unknown[at][line.What] += sign
			}
		}
	}
	add(before, func(c *Change) *float64 { return &c.Before }, -1, 0)
	add(after, func(c *Change) *float64 { return &c.After }, 1, 1)

	made := Comparison{Before: before, After: after}
	for at, change := range changes {
		change.Before, change.After = cents(change.Before), cents(change.After)
		change.Unsure = slices.ContainsFunc(slices.Collect(maps.Values(unknown[at])), func(n int) bool { return n != 0 })
		if change.Delta() != 0 || change.Unsure {
			made.Changes = append(made.Changes, *change)
		}
	}
	slices.SortFunc(made.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(abs(b.Delta()), abs(a.Delta())), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Resource, b.Resource))
	})
	return made
}

// role is a name without its stack's: example-alb-01 for example-prod-alb-01.
func role(name, stack string) string {
	if stack == "" {
		return name
	}
	return strings.Replace(name, "-"+stack, "", 1)
}

func abs(n float64) float64 { return max(n, -n) }

// Kind is the type without its module: LoadBalancer.
func (c Change) Kind() string { return short(c.Type) }
