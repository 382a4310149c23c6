package release

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Summary is a release on one page: how it went, what happened when, and what to
// do next, in Markdown as GitHub shows it on the page of a workflow's run.
type Summary struct {
	Result Result
	Err    error   // what Run returned beside the Result
	Events []Event // in order, as Options.Watch was told of them
	Region string  // for links to the console; empty leaves them out
}

// Append writes the page to the end of a file, which need not exist.
func (s Summary) Append(file string) error {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) // #nosec G302 G304 -- the runner reads it; the operator's own argument
	if err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	_, err = out.WriteString(s.Markdown())
	return errors.Join(err, out.Close())
}

// titles are those of the page, by outcome.
var titles = map[Outcome]string{
	Succeeded:   "✅ Released",
	RolledBack:  "↩️ Failed, and the site serves what it served before",
	Attention:   "⚠️ Something needs attention",
	Interrupted: "⏸️ Interrupted; the deployment goes on",
	Failed:      "❌ No verdict, because of an error",
}

// Markdown is the page.
func (s Summary) Markdown() string {
	var page strings.Builder
	title := titles[cmp.Or(s.Result.Outcome, Failed)]
	if s.Result.Outcome == Interrupted && len(s.Result.Deployments) == 0 {
		title = "⏸️ Interrupted; nothing was deployed"
	}
	fmt.Fprintf(&page, "## %s\n\n", title)
	if s.Result.Bundle != nil {
		fmt.Fprintf(&page, "%s: %s.\n\n", escaped(s.Result.Bundle.description()), escaped(s.Result.Bundle.contents()))
	}
	if s.Err != nil {
		fmt.Fprintf(&page, "%s\n\n", fenced(s.Err.Error()))
	}
	s.deployments(&page)
	for _, d := range s.Result.Deployments {
		s.details(&page, d)
	}
	s.next(&page)
	s.timeline(&page)
	return page.String()
}

func (s Summary) deployments(page *strings.Builder) {
	if len(s.Result.Deployments) == 0 {
		return
	}
	page.WriteString("| deployment group | deployment | what | outcome | took | live |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, d := range s.Result.Deployments {
		live := ""
		if d.Live != "" {
			live = "`" + d.Live + "`"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s | %s | %s |\n", d.Group, s.link(d.ID), escaped(cmp.Or(d.Description, d.Revision)), cmp.Or(d.Status, "unknown"), seconds(d.Seconds), live)
	}
	page.WriteString("\n")
	if rest := s.Result.rest(); rest != "" {
		fmt.Fprintf(page, "%s.\n\n", escaped(rest))
	}
}

// details are why a deployment is not as it should be.
func (s Summary) details(page *strings.Builder, d Deployment) {
	if f := d.Failure; f != nil {
		if f.Event != "" {
			fmt.Fprintf(page, "**%s failed** on %s", f.Event, code(f.Instances))
			if f.Script != "" {
				fmt.Fprintf(page, " in `%s`", f.Script)
			}
			fmt.Fprintf(page, ": %s\n\n", escaped(f.Reason))
		}
		if f.Message != "" {
			fmt.Fprintf(page, "%s: %s\n\n", escaped(f.Code), escaped(f.Message))
		}
		if log := strings.TrimSpace(f.Log); log != "" {
			fmt.Fprintf(page, "End of its log:\n\n%s\n\n", fenced(log))
		}
	}
	if d.Rollback != nil {
		fmt.Fprintf(page, "Rolled back by deployment %s: %s.\n\n", s.link(d.Rollback.ID), d.Rollback.Status)
	}
	for _, name := range d.Removed {
		fmt.Fprintf(page, "Removed: Auto Scaling group `%s`, which the deployment left behind.\n\n", name)
	}
}

// next is what to do now.
func (s Summary) next(page *strings.Builder) {
	page.WriteString("### What to do\n\n")
	followed := "last"
	if all := s.Result.Deployments; len(all) > 0 {
		followed = all[len(all)-1].ID
	}
	for _, d := range s.Result.Deployments {
		for _, problem := range d.Problems {
			fmt.Fprintf(page, "- [ ] `%s`: %s\n", d.Group, escaped(problem))
		}
	}
	switch s.Result.Outcome {
	case Succeeded:
		page.WriteString("Nothing. Should the site be wrong all the same: `bluegreen release --stop` while the old instances stay, later `bluegreen release --commit` with an older commit.\n\n")
	case RolledBack:
		page.WriteString("Mend what failed, and release again. With `logs.enabled`, the instances' whole logs are in CloudWatch.\n\n")
	case Attention:
		page.WriteString("\nThen release again, or follow up with `bluegreen release --resume " + followed + "`.\n\n")
	case Interrupted:
		if len(s.Result.Deployments) == 0 {
			page.WriteString("Release again.\n\n")
			return
		}
		page.WriteString("Follow it with `bluegreen release --resume " + followed + "`.\n\n")
	default:
		page.WriteString("Mend what the error names, and run it again. Whether a deployment is under way: `bluegreen release --status`.\n\n")
	}
}

// link leads to a deployment in the console (AWS General Reference, "AWS
// Management Console endpoints").
func (s Summary) link(id string) string {
	if s.Region == "" {
		return "`" + id + "`"
	}
	host := s.Region + ".console.aws.amazon.com"
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		host = s.Region + ".console.amazonaws.cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		host = s.Region + ".console.amazonaws-us-gov.com"
	}
	return fmt.Sprintf("[%s](https://%s/codesuite/codedeploy/deployments/%s?region=%s)", id, host, id, s.Region)
}

// timeline is what happened, as a picture of the lifecycle events and as a table.
func (s Summary) timeline(page *strings.Builder) {
	var rows strings.Builder
	for _, e := range s.Events {
		if e.Kind != KindResult && (e.Kind != KindLifecycle || isOver(e)) {
			fmt.Fprintf(&rows, "| %s | %s |\n", e.Time.UTC().Format(time.TimeOnly), escaped(e.Message))
		}
	}
	if rows.Len() == 0 {
		return
	}
	page.WriteString("### Timeline\n\n")
	if chart := s.chart(); chart != "" {
		page.WriteString("```mermaid\ngantt\n  dateFormat x\n  axisFormat %H:%M:%S\n" + chart + "```\n\n")
	}
	page.WriteString("Times are when the command saw it; the table has UTC, the picture what your browser has.\n\n| time | what |\n| --- | --- |\n" + rows.String() + "\n")
}

func isOver(e Event) bool { return e.Status != string(types.LifecycleEventStatusInProgress) }

// bar is when a lifecycle event was on, on the first to the last of a fleet's
// instances, in milliseconds since 1970.
type bar struct {
	event      string
	begin, end int64
	failed     bool
}

// chart has a section for each fleet of each deployment, and in it a bar for each
// lifecycle event.
func (s Summary) chart() string {
	var sections []string
	bars := map[string][]*bar{}
	for _, e := range s.Events {
		if e.Kind != KindLifecycle || !isOver(e) {
			continue
		}
		section := strings.ToLower(cmp.Or(e.Fleet, e.Group))
		if len(s.Result.Deployments) > 1 {
			section = strings.TrimSpace(e.Group + " " + strings.ToLower(e.Fleet))
		}
		if !slices.Contains(sections, section) {
			sections = append(sections, section)
		}
		end := e.Time.UnixMilli()
		begin := end - int64(e.Seconds*1000)
		at := slices.IndexFunc(bars[section], func(b *bar) bool { return b.event == e.Lifecycle })
		if at < 0 {
			at = len(bars[section])
			bars[section] = append(bars[section], &bar{event: e.Lifecycle, begin: begin, end: end})
		}
		b := bars[section][at]
		b.begin, b.end, b.failed = min(b.begin, begin), max(b.end, end), b.failed || e.Status == string(types.LifecycleEventStatusFailed)
	}
	var text strings.Builder
	for _, section := range sections {
		fmt.Fprintf(&text, "  section %s\n", section)
		for _, b := range bars[section] {
			text.WriteString("  " + b.text() + "\n")
		}
	}
	return text.String()
}

// text is a bar of at least a second, to be seen.
func (b bar) text() string {
	state := "done"
	if b.failed {
		state = "crit"
	}
	return fmt.Sprintf("%s :%s, %d, %d", b.event, state, b.begin, max(b.end, b.begin+1000))
}

// markup is what a text from elsewhere, such as a commit's subject, could mean to
// Markdown or to a table of it.
var markup = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "|", "\\|", "~", "\\~", "#", "\\#",
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "&#64;", "\r", "", "\n", "<br>")

func escaped(text string) string { return markup.Replace(text) }

// code is a list of names.
func code(names []string) string { return "`" + strings.ReplaceAll(some(names), ", ", "`, `") + "`" }

// fenced is a text as it is, whatever is in it.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + text + "\n" + fence
}
