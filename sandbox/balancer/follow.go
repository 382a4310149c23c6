package balancer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

const (
	lookInterval = 200 * time.Millisecond // between looks at registrations and checks
	readInterval = 2 * time.Second        // between looks at listeners and settings
)

// follow looks what the emulated AWS and HAProxy say, and brings them together,
// until the context ends.
func (b *Balancer) follow(ctx context.Context) {
	ticks := time.NewTicker(lookInterval)
	defer ticks.Stop()
	for {
		err := b.lookNow(ctx)
		if ctx.Err() != nil {
			return
		}
		b.publish(err)
		select {
		case <-ticks.C:
		case <-b.kick:
		case <-ctx.Done():
			return
		}
	}
}

// look asks for a look at once.
func (b *Balancer) look() {
	select {
	case b.kick <- struct{}{}:
	default: // it is asked for already
	}
}

func (b *Balancer) connected() *elb {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.elb
}

// lookNow does as much as it can, and returns everything that went wrong.
func (b *Balancer) lookNow(ctx context.Context) error {
	from, next := b.connected(), b.plan
	var problems []error
	if from != nil && time.Since(b.read) >= readInterval {
		read, err := from.plan(ctx)
		if err == nil {
			next, b.read = read, time.Now()
		}
		problems = append(problems, err)
	}
	p, retiring := b.proxy.now()
	if p == nil || !next.equal(b.plan) {
		err := b.replan(ctx, from, next)
		problems = append(problems, err)
		p, retiring = b.proxy.now()
	}
	if from == nil || p == nil {
		return errors.Join(problems...)
	}
	found, err := p.watch(ctx)
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	for _, g := range b.groups {
		if err := b.lookAt(ctx, from, p, g, found, retiring); err != nil {
			problems = append(problems, fmt.Errorf("target group %s: %w", g.name, err))
		}
	}
	return errors.Join(problems...)
}

// replan starts HAProxy with another plan, or with the same when it was killed.
func (b *Balancer) replan(ctx context.Context, from *elb, next plan) error {
	groups := map[string]*group{}
	for _, s := range next.groups {
		groups[s.arn] = &group{settings: s, targets: map[string]*target{}}
		if known := b.groups[s.arn]; known != nil {
			groups[s.arn].targets = known.targets
		}
	}
	if err := b.proxy.run(ctx, render(next, groups)); err != nil {
		return err
	}
	var problems []error
	for arn := range b.groups {
		if groups[arn] == nil { // nobody uses it any more
			problems = append(problems, from.tell(ctx, arn, nil))
		}
	}
	b.plan, b.groups = next, groups
	p, _ := b.proxy.now()
	for _, g := range groups {
		for _, t := range g.targets {
			t.checked, t.serving = t.toCheck(), t.open
			if t.checked && p != nil {
				problems = append(problems, g.prime(ctx, p, t))
			}
		}
	}
	return errors.Join(problems...)
}

// lookAt brings one target group up to date.
func (b *Balancer) lookAt(ctx context.Context, from *elb, p *process, g *group, found map[string]seen, retiring bool) error {
	registered, err := from.registered(ctx, g.arn)
	if err != nil {
		return err
	}
	now := time.Now()
	g.register(registered, b.options.Address, now)
	err = errors.Join(g.judge(ctx, p, found, retiring, now), g.apply(ctx, p))
	healths, news := map[string]health{}, false
	for instance, t := range g.targets {
		healths[instance] = t.health
		news = news || t.health != draining && registered[instance].shown != t.health
	}
	if g.told != nil && !news && maps.Equal(healths, g.told) {
		return err
	}
	if failure := from.tell(ctx, g.arn, healths); failure != nil {
		return errors.Join(err, failure)
	}
	g.told = healths
	return err
}
