package codedeploy

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

const (
	alarmInterval     = 100 * time.Millisecond // between looks at the alarms
	provisionInterval = 20 * time.Millisecond  // between looks at a new group
	provisionTime     = 5 * time.Minute        // for its instances to be in service
)

// run performs a deployment. What it holds does not change, but for the
// deployment itself, which only locked touches.
type run struct {
	*deployment
	service  *Service
	cloud    cloud
	settings Settings
	hosts    hosts
	balancer []string // names of target groups, none without traffic control
}

func (r *run) locked(change func()) {
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	change()
}

// perform does the whole deployment.
func (r *run) perform(ctx context.Context) (err error) {
	r.locked(func() {
		r.info.Status = types.DeploymentStatusInProgress
		r.info.StartTime = now()
		r.group.info.LastAttemptedDeployment = r.last()
	})
	if r.balancer, err = r.targetGroups(); err != nil {
		return err
	}
	stop, err := r.watchAlarms(ctx)
	if err != nil {
		return err
	}
	defer stop()
	switch {
	case r.launched != "":
		return r.install(ctx)
	case r.blueGreen() && r.undoes != nil:
		return r.reroute(ctx)
	case r.blueGreen():
		return r.replaceFleet(ctx)
	default:
		return r.inPlace(ctx)
	}
}

// inPlace brings the revision to the instances that the deployment group has.
func (r *run) inPlace(ctx context.Context) error {
	instances, err := r.blue.instances(ctx, r.cloud)
	if err != nil {
		return err
	}
	if len(instances) == 0 {
		return &failed{types.ErrorCodeNoInstances, errNoInstances}
	}
	rule := r.hosts
	if r.only != nil { // a few of many: no share of them may be out of service
		instances = slices.DeleteFunc(instances, func(id string) bool { return !slices.Contains(r.only, id) })
		rule = hosts{name: oneAtATime}
	}
	events := installEvents()
	if len(r.balancer) > 0 {
		events = slices.Concat(blockEvents(), events, allowEvents())
	}
	var targets []*target
	r.locked(func() {
		for _, instance := range instances {
			at, known := r.service.installed[instance]
			if r.info.UpdateOutdatedInstancesOnly && known && revisionKey(at) == revisionKey(*r.info.Revision) {
				continue
			}
			targets = append(targets, r.service.newTarget(r.deployment, instance, "", events))
		}
		r.targets = targets
	})
	return r.roll(ctx, targets, events, rule)
}

// roll performs events on instances, on as many at once as a rule allows, and
// fails when the rule is broken or none is left. Instances that have failed
// before are passed over.
func (r *run) roll(ctx context.Context, targets []*target, events []string, rule hosts) error {
	var pending []*target
	r.locked(func() {
		pending = slices.DeleteFunc(slices.Clone(targets), (*target).failed)
	})
	all, lost := len(pending), 0
	if all == 0 {
		return nil
	}
	spare := rule.spare(all)
	if spare < 1 {
		return &failed{types.ErrorCodeHealthConstraintsInvalid, errTooFewHosts}
	}
	for len(pending) > 0 {
		room := min(spare-lost, len(pending))
		if room < 1 {
			return &failed{types.ErrorCodeHealthConstraints, errTooManyLost}
		}
		lost += r.batch(ctx, pending[:room], events)
		pending = pending[room:]
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if lost == all {
		return &failed{types.ErrorCodeHealthConstraints, errTooManyLost}
	}
	return nil
}

// batch performs events on instances at the same time, and returns how many
// failed.
func (r *run) batch(ctx context.Context, targets []*target, events []string) (lost int) {
	var together sync.WaitGroup
	for _, t := range targets {
		together.Go(func() { r.instance(ctx, t, events) })
	}
	together.Wait()
	r.locked(func() {
		for _, t := range targets {
			if t.failed() {
				lost++
			}
		}
	})
	return lost
}

// instance performs events on an instance until one fails.
func (r *run) instance(ctx context.Context, t *target, events []string) {
	r.locked(func() { t.set(types.TargetStatusInProgress) })
	for _, name := range events {
		if ctx.Err() != nil {
			return
		}
		if err := r.event(ctx, t, name); err != nil {
			return
		}
	}
	r.locked(func() {
		t.settle()
		if t.installs && slices.Contains(events, downloadBundle) {
			r.service.installed[t.id()] = *r.info.Revision
		}
	})
}

// watchAlarms halts the deployment when one of its alarms goes off. A rollback
// has none: the alarm that caused it may still be on. Nor has the launch of an
// instance, which may be what ends the alarm.
func (r *run) watchAlarms(ctx context.Context) (stop func(), err error) {
	var config *types.AlarmConfiguration
	r.locked(func() {
		if config = r.info.OverrideAlarmConfiguration; config == nil {
			config = r.group.info.AlarmConfiguration
		}
	})
	if config == nil || !config.Enabled || r.undoes != nil || r.launched != "" {
		return func() {}, nil
	}
	var names []string
	for _, alarm := range config.Alarms {
		names = append(names, aws.ToString(alarm.Name))
	}
	look := func() *halt {
		active, err := r.cloud.alarming(ctx, names)
		switch {
		case len(active) > 0:
			return &halt{code: types.ErrorCodeAlarmActive, message: "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: " + quoted(active)}
		case err != nil && ctx.Err() == nil && !config.IgnorePollAlarmFailure:
			return &halt{code: types.ErrorCodeAlarmActive, message: "The state of the alarms cannot be read: " + err.Error()}
		}
		return nil
	}
	if why := look(); why != nil {
		r.cancel(why)
		return nil, why
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticks := time.NewTicker(alarmInterval)
		defer ticks.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ctx.Done():
				return
			case <-ticks.C:
				if why := look(); why != nil {
					r.cancel(why)
					return
				}
			}
		}
	})
	return func() { close(ended); watching.Wait() }, nil
}

// pause waits so many minutes of CodeDeploy's, or until ContinueDeployment. It
// tells whether the time ran out.
func (r *run) pause(ctx context.Context, minutes int32, what types.DeploymentWaitType) (timedOut bool, err error) {
	proceed := make(chan struct{})
	r.locked(func() { r.wait, r.proceed = what, proceed })
	defer r.locked(func() { r.wait = "" })
	timer := time.NewTimer(time.Duration(float64(minutes) * r.settings.Waits * float64(time.Minute)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true, nil
	case <-proceed:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
