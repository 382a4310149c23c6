package rehearsal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Files of a rehearsal's folder.
const (
	recordingFile = "rehearsal.jsonl"
	pictureFile   = "rehearsal.svg"
	textFile      = "rehearsal.txt"
)

// shownFailures is how many failed requests a report tells of.
const shownFailures = 10

// Report is how a rehearsal went.
type Report struct {
	Passed    bool            `json:"passed"` // no request failed, and each end state was right
	Error     string          `json:"error,omitempty"`
	Requests  int             `json:"requests"`
	Failed    int             `json:"failed"`
	P50       float64         `json:"p50"` // seconds until the end of the answer
	P99       float64         `json:"p99"`
	Seconds   float64         `json:"seconds"`
	Steps     []StepReport    `json:"steps"`
	Failures  []FailureReport `json:"failures"` // the first of them
	Recording string          `json:"recording"`
	Picture   string          `json:"picture"`
	timeline  Timeline
}

// StepReport is how a step went.
type StepReport struct {
	Step
	At       float64 `json:"at"` // seconds from the beginning
	Seconds  float64 `json:"seconds"`
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
}

// FailureReport is a request that failed.
type FailureReport struct {
	Time time.Time `json:"time"`
	Step string    `json:"step"`
	Answer
}

func path(folder, name string) string { return filepath.Join(folder, name) }

// report says how it went, and draws it.
func (r *rehearsal) report(ended error) (Report, error) {
	entries := r.recorder.all()
	t := NewTimeline(entries)
	report := Report{
		Recording: path(r.Folder, recordingFile), Picture: path(r.Folder, pictureFile), Seconds: t.Length,
		Steps: []StepReport{}, Failures: []FailureReport{}, timeline: t,
	}
	report.Requests, report.Failed, report.P50, report.P99 = t.Total()
	report.Passed = ended == nil && report.Failed == 0 && report.Requests > 0
	if ended != nil {
		report.Error = ended.Error()
	}
	for _, step := range t.Steps {
		report.Steps = append(report.Steps, StepReport{Step: step.Step, At: step.From, Seconds: step.To - step.From, Requests: step.Requests, Failed: step.Failed})
		report.Passed = report.Passed && step.Ended && len(step.Problems) == 0
	}
	for _, e := range entries {
		if e.Answer != nil && e.Answer.Failure != "" && len(report.Failures) < shownFailures {
			report.Failures = append(report.Failures, FailureReport{Time: e.Time, Step: t.stepAt(e.Time), Answer: *e.Answer})
		}
	}
	return report, writeFiles(r.Folder, t)
}

// stepAt is the title of the step that went on at a time.
func (t Timeline) stepAt(at time.Time) (title string) {
	second := at.Sub(t.Began).Seconds()
	for _, step := range t.Steps {
		if step.From <= second {
			title = step.Title
		}
	}
	return title
}

func writeFiles(folder string, t Timeline) error {
	for name, write := range map[string]func(io.Writer) error{
		pictureFile: t.WriteSVG,
		textFile:    func(out io.Writer) error { t.WriteText(out); return nil },
	} {
		file, err := os.Create(path(folder, name)) // #nosec G304 -- in the rehearsal's folder
		if err != nil {
			return err
		}
		if err := write(file); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Report writes how it went for people.
func (r Report) Report(out io.Writer) {
	fmt.Fprintln(out)
	r.timeline.WriteText(out)
	for _, f := range r.Failures {
		target := ""
		if f.Target != "" {
			target = " by " + f.Target
		}
		fmt.Fprintf(out, "failed: %s %s%s after %s: %s (during: %s)\n", f.Time.Local().Format("15:04:05.000"), f.Request, target, milliseconds(f.Seconds), f.Failure, f.Step)
	}
	if r.Failed > len(r.Failures) {
		fmt.Fprintf(out, "failed: … and %s more, in the recording\n", grouped(r.Failed-len(r.Failures)))
	}
	if r.Error != "" {
		fmt.Fprintf(out, "ended by: %s\n", r.Error)
	}
	verdict := "Passed: no request failed, and each step left behind what it should."
	if !r.Passed {
		wrong := slices.DeleteFunc(slices.Clone(r.Steps), func(s StepReport) bool { return s.Ended && len(s.Problems) == 0 })
		verdict = fmt.Sprintf("FAILED: %s of %s requests failed, %d of %d steps ended wrongly.", grouped(r.Failed), grouped(r.Requests), len(wrong), len(r.Steps))
	}
	fmt.Fprintf(out, "\n%s\nPicture: %s\nRecording: %s\n", verdict, r.Picture, r.Recording)
}
