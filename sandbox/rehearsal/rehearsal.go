// Package rehearsal performs a site's whole life on a sandbox with machines, under
// load: first release, releases with migrations, one that fails, killed machines,
// a redeploy, and the end of it all. It records what happens, draws it over time,
// and passes only when no request has failed and each step has left behind what
// it should.
package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"bluegreen/internal/release"
	"bluegreen/sandbox/progress"
)

// DefaultRate is how many requests visitors make a second.
const DefaultRate = 50

// Options says what to rehearse.
type Options struct {
	Stage    Stage
	Folder   string    // of the recording and the pictures
	Rate     int       // requests a second; DefaultRate by default
	Requests []Request // what visitors ask for; what the reference application has by default
	Versions Versions
	Progress io.Writer
	Patience time.Duration // for an end state to come about; 3 minutes by default
	Calm     time.Duration // under load before and after the releases; 5 seconds by default
}

// Versions are commits to release.
type Versions struct {
	First    Version
	Next     []Version // one after the other
	Faulty   Version   // fails in ValidateService; a failure is ordered where there is none
	Lost     Version   // loses a green machine, and is rolled back
	Last     Version   // during which an old machine is killed
	Describe bool      // whether it is the reference application: its pages name the release, its database is looked at
}

// Version is a commit to release.
type Version struct {
	Commit     string
	Title      string   // "version 2, which adds a column"
	Short      string   // a word or two
	Migrations []string // of the notes, that are applied when it serves; nil for whatever
}

// rehearsal is one performance.
type rehearsal struct {
	Options
	stage    Stage
	recorder *recorder
	load     *load
	run      string // distinguishes its notes
	names    bool   // whether pages name the release

	serve      string            // deployment whose release serves now
	live       string            // Auto Scaling group that is live now
	migrations []string          // that are applied now, nil for whatever
	size       int               // of the fleet
	revisions  map[string]string // by deployment
	aliases    map[string]bool   // deployments that are known to be of the same revision as another
	now        *progress.Step
}

// Perform performs a rehearsal. How it went is in the Report, beside an error,
// too: that is what kept the rehearsal from going on.
func Perform(ctx context.Context, options Options) (report Report, err error) {
	options.Rate = cmp.Or(options.Rate, DefaultRate)
	if options.Rate < 0 {
		return Report{}, fmt.Errorf("rate: want 1 or more requests a second, got %d", options.Rate)
	}
	options.Patience = cmp.Or(options.Patience, settleTime)
	options.Calm = cmp.Or(options.Calm, calm)
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	recorder, err := newRecorder(path(options.Folder, recordingFile))
	if err != nil {
		return Report{}, err
	}
	r := &rehearsal{
		Options: options, stage: options.Stage, recorder: recorder, names: options.Versions.Describe,
		revisions: map[string]string{}, aliases: map[string]bool{}, run: fmt.Sprintf("rehearsal-%d", time.Now().Unix()),
	}
	err = r.perform(ctx)
	if r.load != nil {
		r.load.stop()
	}
	err = errors.Join(err, r.stage.Close(context.WithoutCancel(ctx)), recorder.close())
	report, failure := r.report(err)
	return report, errors.Join(err, failure)
}

// perform goes through the steps. A wrong end state does not end it, an error
// does.
func (r *rehearsal) perform(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.watch(watching)
	}()
	defer func() { stop(); <-ended }()
	steps := r.scenario()
	for i, step := range steps {
		told := Step{Number: i + 1, Title: step.title, Short: step.short}
		begun := told
		r.recorder.add(Entry{Step: &begun})
		board := progress.New(r.Progress, 1)
		r.now = board.Start(fmt.Sprintf("[%d/%d] %s", i+1, len(steps), step.title))
		problems, facts, err := step.perform(ctx)
		if err != nil {
			problems = append(problems, err.Error())
		}
		r.now.End(wrong(problems))
		board.Close()
		told.Ended, told.Problems, told.Facts = true, problems, facts
		r.recorder.add(Entry{Step: &told})
		for _, problem := range problems {
			fmt.Fprintf(r.Progress, "  wrong: %s\n", problem)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("step %d, %s, could not be performed, so that the rehearsal has ended there", i+1, step.short)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func wrong(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return errors.New("wrong end state")
}

// say shows what a step is doing.
func (r *rehearsal) say(e release.Event) {
	if e.Kind == release.KindLifecycle {
		r.now.Say(fmt.Sprintf("%s %s %s", e.Fleet, e.Lifecycle, e.Status))
	}
}
