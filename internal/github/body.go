package github

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"bluegreen/internal/cost"
	"bluegreen/internal/preview"
)

// longestBody is GitHub's limit of a comment and of an issue in characters: "body
// is too long (maximum is 65536 characters)" is what its API answers. Bytes are
// counted here, which are never fewer.
const longestBody = 65536

// How many lines of each part are shown, and how many bytes at most: names may be
// long, and all parts together have to leave space within longestBody.
const (
	shownConsequences = 20
	shownChanges      = 60 // rows of the table
	shownErrors       = 20
	spaceOfList       = 9_000
	spaceOfTable      = 18_000
)

// Report says how a preview is shown.
type Report struct {
	Stack   string
	Digest  preview.Digest
	Offline bool   // against an emulated and empty AWS: all of it is new there
	Region  string // of prices; "" is the one of the preview's provider
	Commit  string // that was previewed; "" is not said
	RunURL  string // where all that was left out can be read; "" is nowhere
}

// Marker is in the first line of the one comment on a stack.
func Marker(stackName string) string { return "<!-- bluegreen:preview:" + inert(stackName) + " -->" }

// inert keeps what may be in a comment of HTML: a stack's name has letters,
// digits, hyphens, underscores and periods (Pulumi, "Stacks").
func inert(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, name)
}

// Body is the comment: what somebody can act on first, then a table, then
// everything, as far as there is space. left is how many lines of Full are not
// in it.
func (r Report) Body() (text string, left int) {
	steps := r.changes()
	var out strings.Builder
	fmt.Fprintln(&out, Marker(r.Stack))
	fmt.Fprintf(&out, "### %s\n\n", r.headline(steps))
	if r.Commit != "" { // a commit whose preview makes no digest leaves this text as it is
		fmt.Fprintf(&out, "Of commit %s; a later one has no preview yet, or its preview failed.\n\n", code(clip(r.Commit, 12)))
	}
	switch {
	case r.Digest.Failed():
		r.failure(&out)
	case r.Offline:
		fmt.Fprintf(&out, "This ran without an account and without secrets, against an emulated and empty AWS: the configuration is complete and right as far as that shows, and everything is new. What it would do to what exists, only a preview with the account's role can tell.\n\n")
	default:
		danger(&out, steps)
	}
	if !r.Digest.Failed() {
		r.costs(&out)
	}
	table(&out, steps)
	return r.fold(out.String(), difference(steps))
}

// Full is everything in plain lines, for a log.
func (r Report) Full() string { return strings.Join(difference(r.changes()), "\n") + "\n" }

// changes are those of resources that exist in AWS.
func (r Report) changes() (steps []preview.Step) {
	for _, step := range r.Digest.Changed() {
		if step.Real() {
			steps = append(steps, step)
		}
	}
	return steps
}

func (r Report) headline(steps []preview.Step) string {
	kind := "Preview"
	if r.Offline {
		kind = "Offline preview"
	}
	if r.Digest.Failed() {
		return fmt.Sprintf("%s of stack %s failed", kind, code(r.Stack))
	}
	return fmt.Sprintf("%s of stack %s: %s", kind, code(r.Stack), summary(steps))
}

// summary counts by operation.
func summary(steps []preview.Step) string {
	count := map[preview.Op]int{}
	for _, step := range steps {
		count[step.Op]++
	}
	var parts []string
	for _, op := range []preview.Op{preview.Replace, preview.Delete, preview.Update, preview.Create, preview.Import} {
		if count[op] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", count[op], op))
		}
	}
	if len(parts) == 0 {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

// danger says what is lost and what visitors notice.
func danger(out *strings.Builder, steps []preview.Step) {
	all := consequences(steps)
	var lost, noticed, unknown []string
	worst := none
	for _, one := range all {
		worst = max(worst, one.outage)
		note := ""
		if slices.ContainsFunc(one.steps, protected) {
			note = " It is protected: Pulumi refuses this until its protection is taken away."
		}
		if one.lost != "" {
			lost = append(lost, fmt.Sprintf("- %s. What goes: %s.%s", one.describe(), one.lost, note))
		}
		if one.impact == unknownImpact {
			unknown = append(unknown, fmt.Sprintf("- %s.%s", one.describe(), note))
		}
		if one.outage != none {
			noticed = append(noticed, fmt.Sprintf("- %s: %s.", one.describe(), one.why))
		}
	}
	if len(lost) > 0 {
		fmt.Fprintf(out, "**⚠️ Data would be lost.**\n\n%s\n", listed(lost))
	}
	switch {
	case len(unknown) > 0:
		fmt.Fprintf(out, "**Data: perhaps.** Whether these hold some is not in the table; look at what they are.\n\n%s\n", listed(unknown))
	case len(lost) == 0:
		fmt.Fprint(out, "**Data:** nothing that holds data is replaced or deleted.\n\n")
	}
	switch worst {
	case certain:
		fmt.Fprintf(out, "**Downtime: yes.**\n\n%s\n", listed(noticed))
	case perhaps:
		fmt.Fprintf(out, "**Downtime: perhaps.**\n\n%s\n", listed(noticed))
	default:
		fmt.Fprint(out, "**Downtime: no.** Nothing that serves visitors is replaced, deleted or restarted.\n\n")
	}
}

// listed is a list that stays short.
func listed(lines []string) string {
	shown := fitting(lines, shownConsequences, spaceOfList)
	if shown < len(lines) {
		lines = append(lines[:shown:shown], fmt.Sprintf("- and %d more", len(lines)-shown))
	}
	return strings.Join(lines, "\n") + "\n"
}

// fitting is how many of the first lines are no more than most, and within a
// number of bytes.
func fitting(lines []string, most, space int) int {
	for i, line := range lines {
		space -= len(line) + 1
		if i == most || space < 0 {
			return i
		}
	}
	return len(lines)
}

// costs says what a month costs before and after.
func (r Report) costs(out *strings.Builder) {
	c := cost.OfPreview(r.Digest, r.Region)
	switch {
	case r.Offline:
		fmt.Fprintf(out, "**Cost:** %s a month for all of it.", c.After.Sum())
	case len(r.Digest.Changed()) == 0 && !c.Before.Partial:
		fmt.Fprintf(out, "**Cost:** %s a month, as before.", c.Before.Sum())
		c.After = c.Before
	case c.Before.Partial || c.After.Partial:
		fmt.Fprintf(out, "**Cost:** %s a month; what stays as it is is not in this preview.", c.Sum())
	default:
		fmt.Fprintf(out, "**Cost:** %s a month before, %s after (%s).", c.Before.Sum(), c.After.Sum(), c.Sum())
	}
	for _, caveat := range c.After.Caveats() {
		fmt.Fprintf(out, " %s", prose(caveat))
	}
	fmt.Fprint(out, "\n\n")
}

// failure shows what was said to be wrong.
func (r Report) failure(out *strings.Builder) {
	var lines []string
	for _, said := range r.Digest.Diagnostics {
		if said.Severity != "error" {
			continue
		}
		about := ""
		if said.URN != "" {
			about = said.URN.Name() + ": "
		}
		for _, line := range strings.Split(strings.TrimSpace(about+said.Message), "\n") {
			if keyShaped.MatchString(line) {
				line = "(a line that looks like a credential)"
			}
			lines = append(lines, clip(line, longestValue))
		}
	}
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = block(line)
	}
	if shown := fitting(escaped, shownErrors, spaceOfList); shown < len(lines) {
		lines = append(lines[:shown:shown], fmt.Sprintf("… and %d more lines", len(lines)-shown))
	}
	fmt.Fprintf(out, "What follows is as far as it came.\n\n%s\n\n", pre(lines))
}

// table is a row for each change.
func table(out *strings.Builder, steps []preview.Step) {
	if len(steps) == 0 {
		return
	}
	var rows []string
	for _, step := range steps[:min(len(steps), shownChanges)] {
		properties := ""
		if step.Op == preview.Update || step.Op == preview.Replace {
			properties = codes(changedProperties(step))
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", code(string(step.Op)), code(step.URN.Name()), code(typeOf(step)), properties))
	}
	fmt.Fprint(out, "| Change | Resource | Type | Properties |\n| --- | --- | --- | --- |\n")
	shown := fitting(rows, shownChanges, spaceOfTable)
	for _, row := range rows[:shown] {
		fmt.Fprintln(out, row)
	}
	if shown < len(steps) {
		fmt.Fprintf(out, "| and %d more | | | |\n", len(steps)-shown)
	}
	fmt.Fprintln(out)
}

// fold adds the difference, folded, as far as there is space.
func (r Report) fold(text string, lines []string) (string, int) {
	if len(lines) == 0 {
		return text, 0
	}
	head := "<details><summary>Every change in full</summary>\n\n"
	const tail = "\n\n</details>\n"
	where := "the output of the command that wrote this"
	if r.RunURL != "" {
		where = fmt.Sprintf("[the output of this run](%s)", r.RunURL)
	}
	// The note's own length, with the largest number that it can hold.
	note := func(left int) string {
		return fmt.Sprintf("\n\n%d of %d lines are left out here, where GitHub allows %d characters; all are in %s.", left, len(lines), longestBody, where)
	}
	space := longestBody - len(text) - len(head) - len(pre(nil)) - len(note(len(lines))) - len(tail)
	kept := 0
	for _, line := range lines {
		space -= len(block(line)) + 1
		if space < 0 {
			break
		}
		kept++
	}
	body := text + head + pre(lines[:kept])
	left := len(lines) - kept
	if left > 0 {
		body += note(left)
	}
	return body + tail, left
}

// prose is a sentence of this program's own that may hold a name of somebody
// else's: nothing in it is markdown.
func prose(text string) string {
	var out strings.Builder
	for _, r := range plain(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|!@&~", r) {
			fmt.Fprintf(&out, "&#%d;", r)
			continue
		}
		out.WriteRune(r)
	}
	if shown := out.String(); utf8.RuneCountInString(shown) <= 2000 {
		return shown
	}
	return clip(out.String(), 2000)
}
