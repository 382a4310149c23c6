package rehearsal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"bluegreen/internal/release"
)

// Entry is a line of the recording: when, and one of what may have happened.
type Entry struct {
	Time    time.Time      `json:"time"`
	Step    *Step          `json:"step,omitempty"`
	Named   *Named         `json:"named,omitempty"`
	Machine *Machine       `json:"machine,omitempty"`
	Target  *Target        `json:"target,omitempty"`
	Release *release.Event `json:"release,omitempty"` // what a release told
	Answer  *Answer        `json:"answer,omitempty"`
}

// Step is the begin or the end of a step of the scenario.
type Step struct {
	Number   int      `json:"number"` // from 1
	Title    string   `json:"title"`
	Short    string   `json:"short"` // a word or two
	Ended    bool     `json:"ended,omitempty"`
	Problems []string `json:"problems,omitempty"` // at its end, what is not as it should be
	Facts    []string `json:"facts,omitempty"`    // at its end, what was found
}

// Named says what a release is of.
type Named struct {
	Release string `json:"release"`         // deployment id
	Title   string `json:"title,omitempty"` // "version 2"
	As      string `json:"as,omitempty"`    // deployment of the same revision, in place of a title
}

// Machine is a new state of a machine.
type Machine struct {
	Instance string `json:"instance"`
	Fleet    string `json:"fleet"` // its Auto Scaling group
	State    string `json:"state"` // Booting, Ready, Interrupted, Killed or Gone
}

// States of a machine.
const (
	Booting     = "booting"
	Ready       = "ready"       // to be released to
	Interrupted = "interrupted" // it goes on for a while
	Killed      = "killed"
	Gone        = "gone"
)

// Target is a new health of a target of the load balancer.
type Target struct {
	Instance string `json:"instance"`
	Health   string `json:"health"` // as AWS has it: "healthy", "draining"; empty for what is a target no more
}

// Answer is what became of a request; the entry's time is when it was sent.
type Answer struct {
	Request string  `json:"request"`           // "GET /"
	Status  int     `json:"status,omitempty"`  // none where there was no answer
	Seconds float64 `json:"seconds"`           // until the end of the answer
	Release string  `json:"release,omitempty"` // that the page names
	Target  string  `json:"target,omitempty"`  // instance that has answered, where the load balancer says so
	Note    string  `json:"note,omitempty"`    // that was answered to be kept
	Failure string  `json:"failure,omitempty"` // why it is one
}

// recorder keeps what happens, in memory and line by line in a file.
type recorder struct {
	mu      sync.Mutex
	entries []Entry
	file    *os.File
	lines   *bufio.Writer
	err     error // of the first line that could not be written
}

func newRecorder(path string) (*recorder, error) {
	file, err := os.Create(path) // #nosec G304 -- in the rehearsal's folder
	if err != nil {
		return nil, err
	}
	return &recorder{file: file, lines: bufio.NewWriter(file)}, nil
}

// add records something at a time; the zero time is now.
func (r *recorder) add(e Entry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	if err := json.NewEncoder(r.lines).Encode(e); err != nil && r.err == nil {
		r.err = err
	}
}

// all is what was recorded so far.
func (r *recorder) all() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Entry(nil), r.entries...)
}

// close writes the rest.
func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.err, r.lines.Flush(), r.file.Close())
}

// ReadRecord reads a recording.
func ReadRecord(from io.Reader) ([]Entry, error) {
	var entries []Entry
	for decoder := json.NewDecoder(from); ; {
		var e Entry
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, fmt.Errorf("recording, entry %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
}
