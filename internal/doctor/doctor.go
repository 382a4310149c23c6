// Package doctor looks at what a stack depends on, before a run or a release
// stumbles over it: tools, configuration, the application's own numbers, the AWS
// account, DNS, state. Each check says in one line what it found, and what to do
// when that is wrong.
//
// A check is ok only when it has looked. What could not be looked at, offline or
// without credentials, is "not checked", with the reason. A check changes nothing,
// and nothing that is secret leaves it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Status is what a check came to.
type Status string

// The outcomes of a check.
const (
	OK         Status = "ok"
	Failed     Status = "failed"      // something will not work
	Warning    Status = "warning"     // it works, and may surprise
	NotChecked Status = "not checked" // nobody looked; Found says why
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"` // its name, as in "account: credentials"
	Status Status `json:"status"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do, where something is to be done
}

// Diagnosis is what all checks found, in an order that is always the same.
type Diagnosis struct {
	Stack    string         `json:"stack"`
	Findings []Finding      `json:"findings"`
	Counts   map[Status]int `json:"counts"`
}

// Failed tells whether a check failed.
func (d Diagnosis) Failed() bool { return d.Counts[Failed] > 0 }

// Options say what to look at.
type Options struct {
	Root    string // the checkout
	Stack   string // the stack's name, as in "prod" or "organization/project/prod"
	File    string // its configuration; the default is Pulumi.<stack>.yaml in Root
	Offline bool   // look at nothing but files and installed programs
	Site    string // URL to ask instead of the load balancer, with the site's own host names

	// Secrets compares the secrets of CI with the stack's outputs; nil for not at
	// all. An error that Unseen has marked is a reason not to look.
	Secrets func(context.Context) (Drift, error)
	// Progress is told how many checks have ended, of how many; nil for nobody.
	Progress func(done, all int)

	// Of tests; by default the environment's, the system's and the engine's.
	aws      *aws.Config
	resolver resolver
	masked   func(ctx context.Context, stack string) (map[string]any, error)
	patience time.Duration
}

// Drift is how secrets and variables of CI differ from the stack's outputs, by
// name.
type Drift struct {
	Where   string   // as in "environment prod of example/website"
	Missing []string // in CI
	Changed []string // have another value in CI, or one that nobody knows
	Stale   []string // in CI only
}

// ErrNoStack means that the stack has never been made.
var ErrNoStack = errors.New("no stack yet: pulumi up has not made it")

// patience is how long checks may take, which all begin at once. The slowest ask
// the Pulumi CLI, which takes seconds to start on a busy machine.
const patience = 90 * time.Second

// check is one thing to look at. needs are asked first, in their order; the first
// that is not met is why the check is not made.
type check struct {
	name  string
	needs []need
	run   func(ctx context.Context, p *patient) Finding
}

// need says why something cannot be looked at, or nothing.
type need func(ctx context.Context, p *patient) error

// Examine makes all checks, at once, and returns when all have ended. Errors: the
// context has ended.
func Examine(ctx context.Context, o Options) (Diagnosis, error) {
	if o.patience == 0 {
		o.patience = patience
	}
	bounded, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	p := newPatient(bounded, o)
	checks := all()
	d := Diagnosis{Stack: o.Stack, Findings: make([]Finding, len(checks)), Counts: map[Status]int{}}
	var group sync.WaitGroup
	var mutex sync.Mutex
	done := 0
	for i, c := range checks {
		group.Go(func() {
			d.Findings[i] = c.perform(bounded, p)
			mutex.Lock()
			defer mutex.Unlock()
			done++
			if o.Progress != nil {
				o.Progress(done, len(checks))
			}
		})
	}
	group.Wait()
	for _, found := range d.Findings {
		d.Counts[found.Status]++
	}
	return d, ctx.Err()
}

// perform makes one check. What has not ended in time was not seen to its end.
func (c check) perform(ctx context.Context, p *patient) Finding {
	found := c.look(ctx, p)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		found = notChecked(fmt.Errorf("no answer within %s", p.patience))
	}
	found.Check = c.name
	return found
}

func (c check) look(ctx context.Context, p *patient) Finding {
	for _, need := range c.needs {
		if err := need(ctx, p); err != nil {
			return notChecked(err)
		}
	}
	return c.run(ctx, p)
}

// all are the checks in the order of the report.
func all() []check {
	var checks []check
	for _, group := range [][]check{
		tools(), plugins(), configuration(), names(), health(), timers(), account(), state(), domain(), live(), stored(), quotas(), secrets(),
	} {
		checks = append(checks, group...)
	}
	return checks
}
