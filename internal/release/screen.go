package release

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// sayEvery is how often a deployment says that it goes on where nothing changes
// and nobody watches a terminal: often enough for a build server that ends
// silent jobs.
const sayEvery = 30 * time.Second

func newReporter(out io.Writer, asJSON bool) reporter {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return &jsonLines{encoder}
	}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) { // #nosec G115 -- a file descriptor is small
		return newBoard(file)
	}
	return &lines{out: out, last: time.Now()}
}

// jsonLines is one event a line, for programs.
type jsonLines struct{ encoder *json.Encoder }

func (j *jsonLines) say(e Event)   { _ = j.encoder.Encode(e) } // who reads is gone: nobody to tell
func (j *jsonLines) show(snapshot) {}
func (j *jsonLines) close()        {}

// lines is plain text.
type lines struct {
	out  io.Writer
	last time.Time
}

func (l *lines) say(e Event) {
	if e.Kind == KindResult {
		return // the caller reports it
	}
	fmt.Fprintf(l.out, "%s  %s\n", e.Time.Local().Format(time.TimeOnly), e.Message)
	l.last = time.Now()
}

func (l *lines) show(now snapshot) {
	if time.Since(l.last) >= sayEvery {
		l.say(Event{Time: time.Now(), Message: fmt.Sprintf("deployment %s: %s, %s", now.id(), now.info.Status, now.overview())})
	}
}

func (l *lines) close() {}

// board is lines with a live table below them.
type board struct {
	lines
	size   func() (width, height int)
	mu     sync.Mutex
	shown  *snapshot
	height int // of the table on the screen
	stop   chan struct{}
	done   chan struct{}
}

func newBoard(file *os.File) *board {
	b := &board{lines: lines{out: file}, stop: make(chan struct{}), done: make(chan struct{})}
	b.size = func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd())) // #nosec G115 -- as above
		if err != nil {
			return 80, 24
		}
		return width, height
	}
	go b.tick()
	return b
}

// tick lets the times of what goes on run.
func (b *board) tick() {
	defer close(b.done)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticks.C:
			b.mu.Lock()
			b.draw(b.erase())
			b.mu.Unlock()
		}
	}
}

func (b *board) say(e Event) {
	if e.Kind == KindLifecycle && e.Status == string(types.LifecycleEventStatusInProgress) {
		return // the table has it
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var above strings.Builder
	above.WriteString(b.erase())
	(&lines{out: &above}).say(e)
	b.draw(above.String())
}

func (b *board) show(now snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown = &now
	b.draw(b.erase())
}

// close leaves the last table where it is.
func (b *board) close() {
	close(b.stop)
	<-b.done
}

// erase takes the table off the screen.
func (b *board) erase() string {
	if b.height == 0 {
		return ""
	}
	up := fmt.Sprintf("\x1b[%dA\x1b[J", b.height)
	b.height = 0
	return up
}

// draw puts the table below what is said, in one write so that nothing flickers.
func (b *board) draw(above string) {
	if b.shown != nil {
		width, height := b.size()
		drawn := b.shown.table(width-1, height-1)
		b.height = strings.Count(drawn, "\n")
		above += drawn
	}
	_, _ = io.WriteString(b.out, above) // a terminal that is gone: nobody to tell
}

// frame is how many lines of a table are not instances.
const frame = 5

// table is a snapshot as a table that fits a terminal.
func (n snapshot) table(width, height int) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Size.WidthMax = max(width, 20)
	t.AppendHeader(table.Row{"Fleet", "Instance", "Status", "Lifecycle event", "Time"})
	room := max(height-frame, 1)
	for i, target := range n.targets {
		if i == room-1 && len(n.targets) > room {
			t.AppendRow(table.Row{"", fmt.Sprintf("… and %d more", len(n.targets)-i)})
			break
		}
		event, took := latest(target)
		t.AppendRow(table.Row{target.InstanceLabel, aws.ToString(target.TargetId), target.Status, event, took})
	}
	head := fmt.Sprintf("%s  deployment %s: %s, %s", n.group(), n.id(), n.info.Status, span(between(n.info.CreateTime, n.info.CompleteTime)))
	return text.Trim(head, width) + "\n" + t.Render() + "\n"
}

// latest is the lifecycle event that an instance is in, or the last it was in.
func latest(target types.InstanceTarget) (name, took string) {
	for _, e := range target.LifecycleEvents {
		if e.StartTime != nil {
			name, took = aws.ToString(e.LifecycleEventName), span(between(e.StartTime, e.EndTime))
		}
		if e.Status == types.LifecycleEventStatusFailed {
			return name + " failed", took
		}
	}
	return name, took
}
