// Package release brings a commit to the fleets of a site through AWS
// CodeDeploy, and tells how that went.
//
// A release is a bundle of a commit, its upload (or the commit's name on
// GitHub), one deployment for each deployment group in order, and a verdict on
// each: whether traffic is on the new instances, and otherwise what failed, what
// its rollback did, and what was left behind. What CodeDeploy leaves behind is
// removed, with care: nothing that may have traffic is ever touched.
//
// No state is kept anywhere but in AWS. A deployment goes on when this process
// does not, and Resume takes up any deployment by its id.
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"bluegreen/internal/once"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

const (
	defaultPoll           = 2 * time.Second
	defaultWaitForRunning = 30 * time.Minute
	defaultTimeout        = time.Hour // and CodeDeploy's own wait before it ends the old fleet
)

// Options says what to release, where to, and how patiently.
type Options struct {
	AWS    aws.Config // whose CodeDeploy; Load makes one. Without a Retryer, it gets one that slows down when throttled
	Output io.Writer  // progress; a live table where it is a terminal. Required
	JSON   bool       // progress as one JSON Event a line, the last with the Result

	// Watch is told of every Event, too; nil is nobody.
	Watch func(Event)

	Application string   // CodeDeploy application; Resume and Stop do without when given an id
	Groups      []string // its deployment groups, in order: a later one starts when the former has succeeded
	Source      Source   // of Run

	// IgnoreApplicationStop lets a deployment go on when ApplicationStop fails,
	// whose script is that of the revision before.
	IgnoreApplicationStop bool

	// OverHTTP asks the site for what a release needs once, when traffic is on the
	// new instances and the old ones still stay. Nil is for sites whose hooks do it.
	OverHTTP *once.Client

	WaitForRunning     time.Duration  // for a deployment that runs already; 30 minutes by default
	WaitForTermination bool           // follow until the old fleet is gone, not only until it is going
	OldFleetStays      *time.Duration // how long the old fleet of a pair stays after a success; what its tag says by default
	Timeout            time.Duration  // to follow one deployment and its rollback; an hour and CodeDeploy's termination wait by default
	Poll               time.Duration  // first interval between looks, which other waits are multiples of; 2 seconds by default
}

// Source is what to release: a commit of a git checkout, as a bundle in S3 or by
// its name on GitHub.
type Source struct {
	Folder     string   // root of the bundle, holds appspec.yml; the checkout's root by default
	Commit     string   // any name that git knows; HEAD by default, which must be all there is
	Paths      []string // files and folders beside appspec.yml, environment.yaml, scripts and app
	AllowDirty bool     // bundle the working tree, uncommitted changes and all

	Unbuilt     bool              // leave out what the commit's scripts/build makes
	Environment map[string]string // of scripts/build, besides this process's
	Output      io.Writer         // what scripts/build prints; nil is nowhere, but for the end of a failed one

	Bucket string // S3 bucket of bundles
	Prefix string // before the keys of bundles: "releases/"
	GitHub string // "owner/name"; instead of a bundle
}

// session is one run of this package.
type session struct {
	Options
	clients
	out     reporter
	stopped bool // whether this run has stopped the deployment, which then has no success to wait for
}

// open checks and completes the options.
func (o Options) open() (*session, error) {
	var errs []error
	if o.Output == nil {
		errs = append(errs, errors.New("options: output: want a writer"))
	}
	if o.AWS.Region == "" {
		errs = append(errs, errMissingRegion)
	}
	for name, wait := range map[string]time.Duration{"wait for running": o.WaitForRunning, "timeout": o.Timeout, "poll": o.Poll} {
		if wait < 0 {
			errs = append(errs, fmt.Errorf("options: %s: want 0 or more, got %s", name, wait))
		}
	}
	errs = append(errs, o.checkOverHTTP())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if o.Poll == 0 {
		o.Poll = defaultPoll
	}
	if o.WaitForRunning == 0 {
		o.WaitForRunning = defaultWaitForRunning
	}
	return &session{Options: o, clients: newClients(o.AWS), out: newReporter(o.Output, o.JSON)}, nil
}

// named checks that it is known where to deploy to.
func (o Options) named() error {
	var errs []error
	if o.Application == "" {
		errs = append(errs, errMissingApplication)
	}
	if len(o.Groups) == 0 {
		errs = append(errs, errMissingGroup)
	}
	return errors.Join(errs...)
}

// Run releases a commit and returns when the verdict is clear, or ctx ends: the
// deployment then goes on by itself, and Resume follows it. A release that has
// reached only the first deployment groups is finished by running it again. An error is a
// mistake in the options, in appspec.yml or of a call; how a deployment went is
// in the Result, also beside an error.
func Run(ctx context.Context, o Options) (Result, error) {
	s, err := o.open()
	if err := errors.Join(o.named(), err, o.Source.validate()); err != nil {
		if s != nil {
			s.out.close()
		}
		return Result{}, err
	}
	defer s.out.close()
	made, err := s.order(ctx)
	if err != nil {
		return s.concluded(ctx, Result{}, err)
	}
	groups, reached, err := s.remaining(ctx, made.revision)
	if err != nil {
		return s.concluded(ctx, Result{Bundle: made.bundle}, err)
	}
	for _, name := range reached {
		s.say(Event{Kind: KindNotice, Group: name, Message: fmt.Sprintf("%s: has %s already; going on with %s", name, made.description, groups[0])})
	}
	result, err := s.deployAll(ctx, groups, func(string) order { return made })
	result.Reached = reached
	return s.concluded(ctx, result, err)
}

// RedeployLastGood deploys, to each deployment group, the revision of its last
// successful deployment again.
func RedeployLastGood(ctx context.Context, o Options) (Result, error) {
	if err := o.named(); err != nil {
		return Result{}, err
	}
	s, err := o.open()
	if err != nil {
		return Result{}, err
	}
	defer s.out.close()
	orders := map[string]order{}
	for _, name := range s.Groups { // all of them, before the first is touched
		if orders[name], err = s.lastGood(ctx, name); err != nil {
			return s.concluded(ctx, Result{}, err)
		}
	}
	result, err := s.deployAll(ctx, s.Groups, func(group string) order { return orders[group] })
	return s.concluded(ctx, result, err)
}

// order is what to deploy.
type order struct {
	revision    *types.RevisionLocation
	description string
	bundle      *Bundle // nil where none was made
}

// deployAll deploys to one deployment group after the other.
func (s *session) deployAll(ctx context.Context, groups []string, what func(group string) order) (Result, error) {
	var result Result
	for i, group := range groups {
		this := what(group)
		result.Bundle = this.bundle
		d, err := s.deploy(ctx, group, this)
		if d.ID != "" {
			result.Deployments = append(result.Deployments, d)
		}
		if err != nil || d.Outcome != Succeeded {
			result.NotStarted = groups[i+1:]
			if d.ID == "" {
				result.NotStarted = groups[i:]
			}
			return result, err
		}
	}
	return result, nil
}

// deploy makes one deployment and follows it to its verdict.
func (s *session) deploy(ctx context.Context, group string, what order) (Deployment, error) {
	id, err := s.create(ctx, group, what)
	if err != nil {
		return Deployment{}, err
	}
	s.say(Event{Kind: KindDeployment, Deployment: id, Group: group, Status: string(types.DeploymentStatusCreated),
		Message: fmt.Sprintf("%s: deployment %s of %s; to follow it elsewhere: bluegreen release --resume %s", group, id, what.description, id)})
	d, err := s.see(ctx, id)
	if d.ID == "" { // not even seen, but made
		d = Deployment{ID: id, Group: group, Outcome: Failed}
	}
	return d, err
}

// Resume follows a deployment that exists already, by its id or as "last": the
// last one of the deployment groups. It finishes what a release does after a
// deployment, also when that has ended long ago, and says which of the later
// deployment groups do not have the revision yet.
func Resume(ctx context.Context, o Options, id string) (Result, error) {
	s, err := o.open()
	if err != nil {
		return Result{}, err
	}
	defer s.out.close()
	if id == "last" {
		if id, err = s.last(ctx); err != nil {
			return s.concluded(ctx, Result{}, err)
		}
	}
	d, err := s.see(ctx, id)
	result := d.alone()
	if err == nil {
		result.NotStarted, err = s.lacking(ctx, d)
	}
	return s.concluded(ctx, result, err)
}

// concluded completes a result, and tells programs of it.
func (s *session) concluded(ctx context.Context, r Result, err error) (Result, error) {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: %w", context.Canceled, err) // the call that was cut says it in its own way
	}
	r.Outcome = r.outcome(err)
	if r.Deployments == nil {
		r.Deployments = []Deployment{} // null is no list
	}
	last := Event{Kind: KindResult, Status: string(r.Outcome), Result: &r}
	if err != nil {
		last.Message = err.Error()
	}
	s.say(last)
	return r, err
}
