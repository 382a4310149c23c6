package sandbox

import (
	"slices"
	"strings"
)

// quiet are the operations that change nothing.
var quiet = []string{"same", "read", "refresh"}

// halves are the operations that a replacement consists of. The engine reports
// them beside the replacement itself.
var halves = []string{"create-replacement", "delete-replaced", "read-replacement", "discard-replaced"}

// steps are what happens to resources: each replacement once, without what is
// only read, and without the coming and going of what exists in Pulumi only.
func (o *operation) steps() []Step {
	replaced := map[string]bool{}
	for _, step := range o.all {
		if step.Operation == "replace" {
			replaced[step.URN] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(o.all), func(step Step) bool {
		switch {
		case replaced[step.URN] && slices.Contains(halves, step.Operation):
			return true
		case step.Operation == "read" || step.Operation == "refresh":
			return true
		default:
			return !step.real && slices.Contains([]string{"create", "delete", "same"}, step.Operation)
		}
	})
}

// changes counts the steps by operation.
func (o *operation) changes() map[string]int {
	count := map[string]int{}
	for _, step := range o.steps() {
		count[step.Operation]++
	}
	return count
}

// changed are the steps that change something, each component's together.
func (o *operation) changed() []Step {
	changed := slices.DeleteFunc(o.steps(), func(step Step) bool { return slices.Contains(quiet, step.Operation) })
	slices.SortStableFunc(changed, func(a, b Step) int { return strings.Compare(a.URN, b.URN) })
	return changed
}

// title is a type as people say it: aws:ec2:Vpc for aws:ec2/vpc:Vpc.
func title(token string) string {
	first, rest, ok := strings.Cut(token, "/")
	_, name, named := strings.Cut(rest, ":")
	if !ok || !named {
		return token
	}
	return first + ":" + name
}
