package release

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// watched releases and returns the page about it.
func (w *world) watched(want Outcome, folder string, changes ...func(*Options)) (page string, result Result) {
	w.Helper()
	var events []Event
	result = w.run(want, folder, append(changes, func(o *Options) { o.Watch = func(e Event) { events = append(events, e) } })...)
	require.NotEmpty(w, events)
	assert.Equal(w, KindResult, events[len(events)-1].Kind)
	return Summary{Result: result, Events: events, Region: testRegion}.Markdown(), result
}

func TestSummaryOfASuccess(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	page, result := w.watched(Succeeded, checkout(t))
	d := result.Deployments[0]
	assert.Regexp(t, "^## ✅ Released\n", page)
	assert.Contains(t, page, "| `"+w.group+"` | ["+d.ID+"](https://us-east-2.console.aws.amazon.com/codesuite/codedeploy/deployments/"+d.ID+"?region=us-east-2) |")
	assert.Contains(t, page, "`"+d.Live+"`")
	assert.Contains(t, page, "### What to do\n\nNothing.")
	assert.NotContains(t, page, "failed")
	chart, _, found := strings.Cut(page[strings.Index(page, "```mermaid"):], "```\n")
	require.True(t, found)
	assert.Contains(t, chart, "  section green\n")
	assert.Contains(t, chart, "  section blue\n")
	assert.Regexp(t, `  ValidateService :done, \d{13}, \d{13}\n`, chart)
	assert.NotContains(t, chart, "crit")
	assert.Equal(t, 1, strings.Count(chart, "  ValidateService :"), "one bar for all instances")
	assert.Regexp(t, `\| \d\d:\d\d:\d\d \| green: ValidateService Succeeded on i-\w+.* \|`, page)
	assert.NotContains(t, page, "InProgress on", "what has begun has an end further down")
}

func TestSummaryOfARollback(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	w.run(Succeeded, folder)
	commit(t, folder, "Break <b>it</b> | [here](https://example.com)")
	w.fail("ValidateService")
	page, result := w.watched(RolledBack, folder)
	d := result.Deployments[0]
	assert.Regexp(t, "^## ↩️ Failed, and the site serves what it served before\n", page)
	assert.Contains(t, page, "**ValidateService failed** on `i-")
	assert.Contains(t, page, "```text\nfirst line\nno such table\n```")
	assert.Contains(t, page, "Rolled back by deployment ["+d.Rollback.ID+"]")
	assert.Contains(t, page, "Mend what failed, and release again")
	assert.Regexp(t, `ValidateService :crit, `, page)
	assert.Contains(t, page, `Break &lt;b&gt;it&lt;/b&gt; \| \[here\](https://example.com)`, "nothing of a commit is markup")
}

func TestSummaryOfWhatNeedsAttention(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(noRollback)
	w.fail("AfterAllowTraffic")
	page, result := w.watched(Attention, checkout(t))
	assert.Regexp(t, "^## ⚠️ Something needs attention\n", page)
	for _, problem := range result.Deployments[0].Problems {
		assert.Contains(t, page, "- [ ] `"+w.group+"`: "+escaped(problem)+"\n")
	}
	assert.Contains(t, page, "`bluegreen release --resume "+result.Deployments[0].ID+"`")
}

func TestSummaryWithoutAVerdict(t *testing.T) {
	page := Summary{Err: errors.New("bucket: not known\nsee ``` and more")}.Markdown()
	assert.Regexp(t, "^## ❌ No verdict, because of an error\n\n````text\nbucket: not known\nsee ``` and more\n````\n", page)
	assert.NotContains(t, page, "| deployment group |")
	assert.NotContains(t, page, "Timeline")

	page = Summary{Result: Result{Outcome: Interrupted}}.Markdown()
	assert.Contains(t, page, "nothing was deployed")
	page = Summary{Result: Result{Outcome: Interrupted, Deployments: []Deployment{{ID: "d-1", Group: "web", Outcome: Interrupted}}}}.Markdown()
	assert.Contains(t, page, "`bluegreen release --resume d-1`")
	assert.Contains(t, page, "| `web` | `d-1` |", "no link without a region")
}

func TestLinksToTheConsole(t *testing.T) {
	for region, host := range map[string]string{
		"eu-west-1": "eu-west-1.console.aws.amazon.com", "cn-north-1": "cn-north-1.console.amazonaws.cn", "us-gov-west-1": "us-gov-west-1.console.amazonaws-us-gov.com",
	} {
		assert.Equal(t, "[d-1](https://"+host+"/codesuite/codedeploy/deployments/d-1?region="+region+")", Summary{Region: region}.link("d-1"))
	}
}

// A bar is as long as an event took on all instances, and wide enough to be seen.
func TestBars(t *testing.T) {
	seen := func(group, fleet, event, status string, at, took int) Event {
		return Event{Kind: KindLifecycle, Group: group, Fleet: fleet, Lifecycle: event, Status: status, Time: time.UnixMilli(int64(at * 1000)), Seconds: float64(took)}
	}
	events := []Event{
		seen("web", "Green", "Install", "InProgress", 91, 0),
		seen("web", "Green", "Install", "Succeeded", 100, 10), seen("web", "Blue", "BlockTraffic", "Succeeded", 101, 0), seen("web", "Green", "Install", "Failed", 105, 3),
	}
	assert.Equal(t, "  section green\n  Install :crit, 90000, 105000\n  section blue\n  BlockTraffic :done, 101000, 102000\n", Summary{Events: events}.chart())
	two := Summary{Events: append(events[1:2], seen("worker", "", "Install", "Succeeded", 120, 1)), Result: Result{Deployments: make([]Deployment, 2)}}
	assert.Equal(t, "  section web green\n  Install :done, 90000, 100000\n  section worker\n  Install :done, 119000, 120000\n", two.chart())
}

func TestSummaryIsAppended(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	require.NoError(t, Summary{Result: Result{Outcome: Succeeded}}.Append(file))
	require.NoError(t, Summary{Result: Result{Outcome: RolledBack}}.Append(file))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "\n### What to do\n"))
	assert.Error(t, Summary{}.Append(filepath.Join(t.TempDir(), "none", "summary.md")))
}
