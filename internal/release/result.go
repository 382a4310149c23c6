package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bluegreen/internal/once"
)

// Outcome is how a release went.
type Outcome string

// The outcomes. In a Result, the one of its last deployment; Attention when that
// was rolled back and others before it were not.
const (
	Succeeded   Outcome = "succeeded"      // traffic is on the new instances, and the old ones are gone or going
	RolledBack  Outcome = "rolledBack"     // it failed or was stopped, and the site serves what it served before
	Attention   Outcome = "needsAttention" // something is not as it should be; Problems say what, and what to do
	Interrupted Outcome = "interrupted"    // the caller stopped following; the deployment, if there is one, goes on
	Failed      Outcome = "error"          // no verdict, because of an error
)

// ExitCode is what a command that had this outcome exits with: 0, 2, 3, 130 for
// an interruption as shells have it, and 1 for errors.
func (o Outcome) ExitCode() int {
	switch o {
	case Succeeded:
		return 0
	case RolledBack:
		return 2
	case Attention:
		return 3
	case Interrupted:
		return 130
	default:
		return 1
	}
}

// Result is what became of a release.
type Result struct {
	Outcome     Outcome      `json:"outcome"`
	Bundle      *Bundle      `json:"bundle,omitempty"`  // what was made and uploaded
	Deployments []Deployment `json:"deployments"`       // in order
	Reached     []string     `json:"reached,omitempty"` // deployment groups that an earlier run has released to, and that were left alone
	NotStarted  []string     `json:"notStarted,omitempty"`
}

// Deployment is what became of one deployment.
type Deployment struct {
	ID          string        `json:"id"`
	Application string        `json:"application"`
	Group       string        `json:"group"` // deployment group
	Description string        `json:"description,omitempty"`
	Revision    string        `json:"revision"`         // s3://BUCKET/KEY or github.com/OWNER/NAME@COMMIT
	Status      string        `json:"status,omitempty"` // as CodeDeploy has it
	Outcome     Outcome       `json:"outcome"`
	InPlace     bool          `json:"inPlace,omitempty"`  // the instances stay, and get the revision in the place of the one before
	Seconds     float64       `json:"seconds"`            // from its creation to the verdict, or its end
	Live        string        `json:"live,omitempty"`     // Auto Scaling group that has the traffic
	Failure     *Failure      `json:"failure,omitempty"`  // why it ended
	Rollback    *Rollback     `json:"rollback,omitempty"` // the deployment that undid it
	OverHTTP    []once.Result `json:"overHttp,omitempty"` // what the site was asked for, in order
	Removed     []string      `json:"removed,omitempty"`  // Auto Scaling groups, left behind by it
	Problems    []string      `json:"problems,omitempty"` // what is not as it should be, and what to do
}

// Failure is why a deployment did not succeed.
type Failure struct {
	Code      string   `json:"code,omitempty"` // CodeDeploy's error code
	Message   string   `json:"message,omitempty"`
	Event     string   `json:"event,omitempty"`     // lifecycle event that failed first
	Instances []string `json:"instances,omitempty"` // on which it failed
	Script    string   `json:"script,omitempty"`    // as appspec.yml names it
	Reason    string   `json:"reason,omitempty"`    // of the script's failure
	Log       string   `json:"log,omitempty"`       // end of the script's log
}

// Rollback is the deployment that undid another.
type Rollback struct {
	ID     string `json:"id"`
	Status string `json:"status"` // as CodeDeploy has it
}

// alone is a result of one deployment, or of none.
func (d Deployment) alone() Result {
	if d.ID == "" {
		return Result{}
	}
	return Result{Deployments: []Deployment{d}}
}

func (r Result) outcome(err error) Outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted
	case err != nil:
		return Failed
	case len(r.Deployments) == 0:
		return Interrupted
	case r.partly():
		return Attention
	default:
		return r.Deployments[len(r.Deployments)-1].Outcome
	}
}

// Report writes the result for people.
func (r Result) Report(out io.Writer) {
	for _, d := range r.Deployments {
		d.report(out)
	}
	if rest := r.rest(); rest != "" {
		fmt.Fprintln(out, rest)
	}
}

func (d Deployment) report(out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n", d.Group, d.verdict())
	if f := d.Failure; f != nil {
		f.report(out)
	}
	if d.Rollback != nil {
		fmt.Fprintf(out, "  rollback: %s: %s\n", d.Rollback.ID, d.Rollback.Status)
	}
	for _, step := range d.OverHTTP {
		fmt.Fprintf(out, "  over HTTP: %s: %s, %s\n", step.Step, step.State, seconds(step.Seconds))
	}
	for _, name := range d.Removed {
		fmt.Fprintf(out, "  removed: Auto Scaling group %s, which the deployment left behind\n", name)
	}
	for _, problem := range d.Problems {
		fmt.Fprintf(out, "  attention: %s\n", problem)
	}
}

func (d Deployment) verdict() string {
	live := ""
	if d.Live != "" {
		live = "; live: " + d.Live
	}
	switch d.Outcome {
	case Succeeded:
		return fmt.Sprintf("released %s with deployment %s in %s%s", cmp.Or(d.Description, d.Revision), d.ID, seconds(d.Seconds), live)
	case RolledBack:
		if d.InPlace {
			return fmt.Sprintf("deployment %s %s after %s; its instances run what they ran before%s", d.ID, strings.ToLower(d.Status), seconds(d.Seconds), live)
		}
		return fmt.Sprintf("deployment %s %s after %s; the site serves what it served before%s", d.ID, strings.ToLower(d.Status), seconds(d.Seconds), live)
	case Interrupted:
		return fmt.Sprintf("deployment %s goes on; follow it with: bluegreen release --resume %s", d.ID, d.ID)
	case Attention:
		return fmt.Sprintf("deployment %s is %s, and something needs attention%s", d.ID, d.Status, live)
	default:
		return fmt.Sprintf("deployment %s was %s when last seen; follow it with: bluegreen release --resume %s", d.ID, cmp.Or(d.Status, "new"), d.ID)
	}
}

func (f Failure) report(out io.Writer) {
	if f.Message != "" {
		fmt.Fprintf(out, "  %s: %s\n", f.Code, f.Message)
	}
	if f.Event == "" {
		return
	}
	script := ""
	if f.Script != "" {
		script = " in " + f.Script
	}
	fmt.Fprintf(out, "  failed: %s on %s%s: %s\n", f.Event, strings.Join(f.Instances, ", "), script, f.Reason)
	if log := strings.TrimSpace(f.Log); log != "" {
		fmt.Fprintf(out, "  end of its log:\n    %s\n", strings.ReplaceAll(log, "\n", "\n    "))
	}
}
