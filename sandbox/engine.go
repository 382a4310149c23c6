package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"bluegreen/sandbox/progress"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// operation follows one run of the engine: what it does, what it says.
type operation struct {
	name     string // "up"
	done     int    // operations on resources that have ended
	running  []string
	all      []Step
	failures []failure
	other    []string // errors that belong to no resource
	warnings []string // of the program
}

// Step is what the engine does, or would do, to one resource.
type Step struct {
	Operation  string   `json:"operation"` // as Pulumi says it: create, update, replace, delete, same, …
	Type       string   `json:"type"`
	Name       string   `json:"name"`
	URN        string   `json:"urn"`
	Properties []string `json:"properties,omitempty"` // paths of the inputs that differ
	real       bool     // it exists in AWS; components, providers and the stack exist in Pulumi only
}

// failure is one resource's error.
type failure struct {
	resource string
	message  string
}

// operate runs one operation of the engine with its progress shown. run gets the
// streams to hand to the Automation API. The error is what the engine said about
// the resources that failed.
func (s *Sandbox) operate(ctx context.Context, name, title string, run func(io.Writer, chan<- events.EngineEvent) error) (*operation, error) {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	board := progress.New(s.Progress, 1)
	op := &operation{name: name}
	defer func() {
		board.Close()
		for _, warning := range op.warnings {
			s.say("warning: %s", warning)
		}
	}()
	step := board.Start(title)

	// The channel is closed only when the engine got as far as connecting to it.
	stream, ended, drained := make(chan events.EngineEvent), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drained)
		for {
			select {
			case event, open := <-stream:
				if !open {
					return
				}
				op.see(event.EngineEvent)
				step.Say(op.state())
			case <-ended:
				return
			}
		}
	}()
	err = run(log, stream)
	close(ended)
	<-drained
	step.End(err)
	if err != nil && ctx.Err() != nil { // the engine was asked to stop
		return op, fmt.Errorf("%s was interrupted; what it had begun is finished and recorded, and running it again goes on from there", name)
	}
	if err != nil {
		return op, op.explain(err, log.Name())
	}
	return op, nil
}

func (o *operation) see(event apitype.EngineEvent) {
	switch {
	case event.ResourcePreEvent != nil:
		o.begin(event.ResourcePreEvent.Metadata)
	case event.ResOutputsEvent != nil:
		o.finish(event.ResOutputsEvent.Metadata)
	case event.ResOpFailedEvent != nil:
		o.finish(event.ResOpFailedEvent.Metadata)
	case event.DiagnosticEvent != nil && event.DiagnosticEvent.Severity == "error":
		o.complain(*event.DiagnosticEvent)
	case event.DiagnosticEvent != nil && event.DiagnosticEvent.Severity == "warning":
		o.warn(*event.DiagnosticEvent)
	}
}

func (o *operation) begin(step apitype.StepEventMetadata) {
	o.running = append(o.running, step.URN)
	state := cmp.Or(step.New, step.Old)
	o.all = append(o.all, Step{
		Operation: string(step.Op), Type: step.Type, Name: urn.URN(step.URN).Name(), URN: step.URN, Properties: properties(step),
		real: state != nil && state.Custom && !strings.HasPrefix(step.Type, "pulumi:"),
	})
}

// properties are the paths that differ; without a detailed difference, the keys.
func properties(step apitype.StepEventMetadata) (paths []string) {
	for path := range step.DetailedDiff {
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		paths = append(paths, step.Diffs...)
	}
	slices.Sort(paths)
	return paths
}

func (o *operation) finish(step apitype.StepEventMetadata) {
	o.done++
	if at := slices.Index(o.running, step.URN); at >= 0 {
		o.running = slices.Delete(o.running, at, at+1)
	}
}

// plain is a message without colours, and the resource that it is about, or ""
// when it is about the program.
func plain(said apitype.DiagnosticEvent) (string, urn.URN) {
	message := strings.TrimSpace(colors.Never.Colorize(said.Message))
	resource := urn.URN(strings.TrimSpace(said.URN))
	if !resource.IsValid() || resource.Type() == "pulumi:pulumi:Stack" {
		resource = ""
	}
	return message, resource
}

func (o *operation) warn(said apitype.DiagnosticEvent) {
	if message, resource := plain(said); resource == "" && !slices.Contains(o.warnings, message) {
		o.warnings = append(o.warnings, message)
	}
}

func (o *operation) complain(said apitype.DiagnosticEvent) {
	message, resource := plain(said)
	if resource == "" {
		o.other = append(o.other, message)
		return
	}
	failed := failure{resource: fmt.Sprintf("%s %s", title(string(resource.Type())), resource.Name()), message: message}
	same := func(other failure) bool { return other.resource == failed.resource }
	// The provider says it first, then the engine in more words.
	o.failures = append(slices.DeleteFunc(o.failures, same), failed)
}

// state is the progress line.
func (o *operation) state() string {
	line := fmt.Sprintf("%d resources", o.done)
	if len(o.running) > 0 {
		newest := urn.URN(o.running[len(o.running)-1]) // the oldest is the stack itself, to the end
		line += fmt.Sprintf(", %d under way: %s %s", len(o.running), title(string(newest.Type())), newest.Name())
	}
	return line
}

const (
	shownFailures = 5   // resources whose errors are shown; the log has all
	shownLength   = 700 // characters of each
)

// explain makes one message of what went wrong.
func (o *operation) explain(err error, log string) error {
	var text strings.Builder
	switch {
	case len(o.failures) > 0:
		fmt.Fprintf(&text, "%s: %d of %d resources failed:", o.name, len(o.failures), len(o.all))
		for _, failed := range o.failures[:min(shownFailures, len(o.failures))] {
			fmt.Fprintf(&text, "\n  %s\n    %s", failed.resource, strings.ReplaceAll(clip(failed.message), "\n", "\n    "))
		}
	case len(o.other) > 0:
		fmt.Fprintf(&text, "%s: %s", o.name, strings.Join(o.other, "\n"))
	default:
		fmt.Fprintf(&text, "%s: %s; running it again recovers", o.name, brief(err))
	}
	fmt.Fprintf(&text, "\nall that the engine said is in %s", log)
	return &engineError{text: text.String(), cause: err}
}

// engineError is a short text for an error of the Automation API, which stays
// reachable for those that ask what kind it is.
type engineError struct {
	text  string
	cause error
}

func (e *engineError) Error() string { return e.text }

func (e *engineError) Unwrap() error { return e.cause }

func clip(text string) string {
	if len(text) > shownLength {
		return text[:shownLength] + " …"
	}
	return text
}
