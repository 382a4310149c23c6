// Package progress shows what a long command is doing: a live line a step on a
// terminal, plain lines elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	pretty "github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"
)

// reportEvery is how often a step that goes on says so where nobody watches a
// terminal: often enough for a build server that ends silent jobs.
const reportEvery = 15 * time.Second

// plainWidth is how much of what a step is doing a plain line shows.
const plainWidth = 100

// Board shows steps. Its methods, and those of its steps, may be called at once.
type Board struct {
	out     io.Writer
	total   int
	mutex   sync.Mutex
	started int
	live    pretty.Writer // nil where out is no terminal
	done    chan struct{} // closed when live has ended
}

// Step is one thing being done.
type Step struct {
	board   *Board
	label   string // "[2/4] AWS plugin"
	began   time.Time
	mutex   sync.Mutex
	doing   string
	tracker *pretty.Tracker // nil where out is no terminal
	stop    chan struct{}
}

// New makes a board for total steps; with more than one, each says its number.
func New(out io.Writer, total int) *Board {
	b := &Board{out: out, total: total}
	width, terminal := terminalWidth(out)
	if !terminal {
		return b
	}
	b.live, b.done = pretty.NewWriter(), make(chan struct{})
	b.live.SetOutputWriter(out)
	b.live.SetAutoStop(false)
	b.live.SetTrackerPosition(pretty.PositionRight)
	b.live.SetMessageLength(max(20, width-16))
	b.live.SetUpdateFrequency(100 * time.Millisecond)
	b.live.SetStyle(pretty.StyleBlocks)
	b.live.Style().Visibility.Percentage = false
	b.live.Style().Visibility.Value = false
	b.live.Style().Visibility.Tracker = false
	b.live.Style().Visibility.TrackerOverall = false
	go func() {
		b.live.Render()
		close(b.done)
	}()
	return b
}

// Close ends the board after its last step.
func (b *Board) Close() {
	if b.live != nil {
		b.live.Stop()
		<-b.done
	}
}

// Start begins a step.
func (b *Board) Start(title string) *Step {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.started++
	if b.total > 1 {
		title = fmt.Sprintf("[%d/%d] %s", b.started, b.total, title)
	}
	s := &Step{board: b, label: title, began: time.Now(), stop: make(chan struct{})}
	if b.live != nil {
		s.tracker = &pretty.Tracker{Message: s.label}
		b.live.AppendTracker(s.tracker)
		return s
	}
	fmt.Fprintf(b.out, "%s: started\n", s.label)
	go s.report()
	return s
}

// Say tells what the step is doing now.
func (s *Step) Say(doing string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.doing = doing
	if s.tracker != nil {
		s.tracker.UpdateMessage(s.label + ": " + doing)
	}
}

func (s *Step) report() {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.mutex.Lock()
			doing := s.doing
			s.mutex.Unlock()
			if len(doing) > plainWidth {
				doing = doing[:plainWidth] + " …"
			}
			s.print(doing)
		}
	}
}

func (s *Step) print(text string) {
	s.board.mutex.Lock()
	defer s.board.mutex.Unlock()
	fmt.Fprintf(s.board.out, "%s: %s (%s)\n", s.label, text, time.Since(s.began).Round(time.Second))
}

// End ends the step, well or with an error, which the caller reports.
func (s *Step) End(err error) {
	close(s.stop)
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	if s.tracker == nil {
		s.print(outcome)
		return
	}
	s.tracker.UpdateMessage(s.label) // the tracker itself says how it went
	if err != nil {
		s.tracker.MarkAsErrored()
	} else {
		s.tracker.MarkAsDone()
	}
}

func terminalWidth(out io.Writer) (width int, terminal bool) {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	return width, err == nil
}
