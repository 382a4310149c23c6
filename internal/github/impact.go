package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bluegreen/internal/preview"
)

// outage says what visitors notice.
type outage int

const (
	none    outage = iota
	perhaps        // it depends on what the table cannot know
	certain
)

// impact is what a change of a resource means.
type impact struct {
	outage outage
	why    string // for whoever does not know the resource
	lost   string // data that would go; "" is none
}

// rule says what changes of one type of resource mean. Creating is never an
// outage. What no rule knows is perhaps one when it is replaced or deleted.
type rule struct {
	replace, remove impact
	update          impact            // of any property but
	properties      map[string]impact // those that are more than that; by name at the top level
}

// unknownImpact is of types that no rule knows.
var unknownImpact = impact{perhaps, "this kind of resource is not in the table; look at what it does", ""}

// impactOf is what one step means.
func impactOf(step preview.Step) impact {
	known, exists := rules[typeOf(step)]
	switch step.Op {
	case preview.Replace:
		if !exists {
			return unknownImpact
		}
		return known.replace
	case preview.Delete:
		if !exists {
			return unknownImpact
		}
		return known.remove
	case preview.Update:
		worst := known.update
		for _, property := range changedProperties(step) {
			if of, special := known.properties[property]; special && of.outage > worst.outage {
				worst = of
			}
		}
		return worst
	}
	return impact{}
}

// changedProperties are names at the top level.
func changedProperties(step preview.Step) (names []string) {
	for path := range step.DetailedDiff {
		if at := strings.IndexAny(path, ".["); at > 0 { // a path that begins with one stays as it is
			path = path[:at]
		}
		names = append(names, path)
	}
	if len(names) == 0 {
		names = slices.Clone(step.DiffReasons)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// typeOf is a step's type token.
func typeOf(step preview.Step) string { return string(step.URN.Type()) }

// consequence is what the same thing means that happens to resources of one type.
type consequence struct {
	impact
	op    preview.Op
	steps []preview.Step
}

// consequences are those that somebody has to know of, the worst first.
func consequences(steps []preview.Step) (all []consequence) {
	for _, step := range steps {
		of := impactOf(step)
		if of.outage == none && of.lost == "" {
			continue
		}
		at := slices.IndexFunc(all, func(other consequence) bool {
			return other.impact == of && other.op == step.Op && typeOf(other.steps[0]) == typeOf(step)
		})
		if at < 0 {
			all = append(all, consequence{of, step.Op, []preview.Step{step}})
			continue
		}
		all[at].steps = append(all[at].steps, step)
	}
	slices.SortStableFunc(all, func(a, b consequence) int { return cmp.Compare(b.outage, a.outage) })
	return all
}

// protected tells whether Pulumi would refuse a step.
func protected(step preview.Step) bool {
	return (step.Op == preview.Delete || step.Op == preview.Replace) && step.OldState != nil && step.OldState.Protect
}

// describe says in words what happens to what.
func (c consequence) describe() string {
	var names, reasons []string
	for _, step := range c.steps {
		names = append(names, step.URN.Name())
		if c.op == preview.Update {
			reasons = append(reasons, changedProperties(step)...)
		} else {
			reasons = append(reasons, step.ReplaceReasons...)
		}
	}
	what := map[preview.Op]string{preview.Replace: "replaced", preview.Delete: "deleted", preview.Update: "changed"}[c.op]
	text := fmt.Sprintf("%s (%s) would be %s", codes(names), code(typeOf(c.steps[0])), what)
	slices.Sort(reasons)
	if reasons = slices.Compact(reasons); len(reasons) > 0 && c.op != preview.Delete {
		text += " because of " + codes(reasons)
	}
	return text
}
