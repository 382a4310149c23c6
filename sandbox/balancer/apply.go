package balancer

import (
	"context"
	"errors"
	"strings"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// HAProxy's answers to commands that succeeded with more than silence.
const (
	added   = "New server registered."
	deleted = "Server deleted."
)

// judge takes what HAProxy saw for every target, and completes deregistrations:
// when no request is in flight any more, or else when the delay is over. Requests
// may also be in flight in a process before this one.
func (g *group) judge(ctx context.Context, p *process, found map[string]seen, retiring bool, now time.Time) error {
	var problems []error
	for _, t := range g.targets {
		t.judge(found[g.checks()+"/"+t.server])
		if t.health != draining || t.open { // found dates from before it was closed
			continue
		}
		late := !now.Before(t.left.Add(g.delay))
		if !t.done && (late || !retiring && found[g.requests()+"/"+t.server].sessions == 0) {
			problems = append(problems, g.drop(ctx, p, t))
		}
		if t.done && late {
			delete(g.targets, t.instance)
		}
	}
	return errors.Join(problems...)
}

// drop ends what is left of a target's requests.
func (g *group) drop(ctx context.Context, p *process, t *target) error {
	if t.serving {
		name := g.requests() + "/" + t.server
		if err := p.order(ctx, "shutdown sessions server "+name); err != nil {
			return err
		}
		gone, err := remove(ctx, p, name)
		if err != nil || !gone {
			return err
		}
	}
	t.serving, t.done = false, true
	return nil
}

// remove removes a server; it tells whether that succeeded: HAProxy needs a moment
// to close its connections first.
func remove(ctx context.Context, p *process, name string) (gone bool, err error) {
	if err := p.order(ctx, "set server "+name+" state maint"); err != nil {
		return false, err
	}
	err = p.order(ctx, "del server "+name, deleted)
	if err != nil && strings.Contains(err.Error(), "still has connections") {
		return false, nil
	}
	return err == nil, err
}

// apply makes HAProxy do what the targets' health asks for.
func (g *group) apply(ctx context.Context, p *process) error {
	var problems []error
	admitted := g.admitted()
	for _, t := range g.sorted() { // closed ones last would leave a moment with fewer than there are
		problems = append(problems, g.applyChecks(ctx, p, t))
		if admitted(t) && !t.open {
			problems = append(problems, g.openTo(ctx, p, t))
		}
	}
	for _, t := range g.sorted() {
		if t.open && !admitted(t) {
			if err := p.order(ctx, "set server "+g.requests()+"/"+t.server+" state drain"); err != nil {
				problems = append(problems, err)
				continue
			}
			t.open = false
		}
	}
	return errors.Join(problems...)
}

func (g *group) applyChecks(ctx context.Context, p *process, t *target) error {
	name := g.checks() + "/" + t.server
	switch {
	case t.toCheck() && !t.checked:
		if err := p.order(ctx, "add server "+name+" "+t.server+g.checking(), added); err != nil {
			return err
		}
		t.checked = true
		return errors.Join(p.order(ctx, "enable health "+name), p.order(ctx, "enable server "+name), g.prime(ctx, p, t))
	case !t.toCheck() && t.checked:
		if err := p.order(ctx, "disable health "+name); err != nil {
			return err
		}
		gone, err := remove(ctx, p, name)
		t.checked = !gone
		return err
	}
	return nil
}

// prime tells HAProxy a target's health, which it does not know by itself: it
// takes a new server for one that fails with its first check.
func (g *group) prime(ctx context.Context, p *process, t *target) error {
	health := "up"
	if t.health.State == elbtypes.TargetHealthStateEnumUnhealthy {
		health = "down"
	}
	return p.order(ctx, "set server "+g.checks()+"/"+t.server+" health "+health)
}

func (g *group) openTo(ctx context.Context, p *process, t *target) error {
	name := g.requests() + "/" + t.server
	if !t.serving {
		if err := p.order(ctx, "add server "+name+" "+t.server+g.serving(), added); err != nil {
			return err
		}
		t.serving = true
	}
	if err := p.order(ctx, "set server "+name+" state ready"); err != nil {
		return err
	}
	t.open = true
	return nil
}
