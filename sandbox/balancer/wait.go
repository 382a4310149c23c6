package balancer

import (
	"context"
	"errors"
	"fmt"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// settleTime bounds a wait, beyond what the load balancer's own settings may take.
// CodeDeploy waits for an hour (CodeDeploy User Guide, "Troubleshoot deployment
// issues"); whoever rehearses wants to know sooner.
const settleTime = 2 * time.Minute

// standing is how a target stands after a look.
type standing struct {
	health health
	done   bool          // deregistered, and no request is in flight any more
	most   time.Duration // that it may take to change, by the settings
}

// publish tells everybody who waits how targets stand.
func (b *Balancer) publish(problem error) {
	known := map[string]map[string]standing{}
	for _, g := range b.groups {
		known[g.name] = map[string]standing{}
		for instance, t := range g.targets {
			checks := time.Duration(max(g.passes, g.failures)) * (g.interval + g.timeout)
			known[g.name][instance] = standing{health: t.health, done: t.done, most: max(checks, g.delay)}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problem = problem
	if problem == nil && b.elb != nil {
		b.known = known
		b.looks++
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// AwaitHealthy waits until an instance is healthy in target groups, given by name.
// It gives up two minutes after what checks may take by the settings at most; the
// error says how the target stood then. A target group that no listener uses never
// has a healthy target.
func (b *Balancer) AwaitHealthy(ctx context.Context, targetGroups []string, instance string) error {
	return b.await(ctx, targetGroups, instance, "healthy", func(at standing, registered bool) bool {
		return registered && at.health == healthy
	})
}

// AwaitDrained waits until an instance is deregistered from target groups, given
// by name, and none of its requests is in flight, or the deregistration delay is
// over. The target is shown as draining until then in any case, as AWS does
// (Elastic Load Balancing, "Edit target group attributes for your Application Load
// Balancer", deregistration delay).
func (b *Balancer) AwaitDrained(ctx context.Context, targetGroups []string, instance string) error {
	return b.await(ctx, targetGroups, instance, "deregistered", func(at standing, registered bool) bool {
		return !registered || at.health == draining && at.done
	})
}

func (b *Balancer) await(ctx context.Context, targetGroups []string, instance, want string, there func(standing, bool) bool) error {
	began, first := time.Now(), -1
	for {
		b.mu.Lock()
		if first < 0 {
			first = b.looks
		}
		fresh := b.looks >= first+2 // the look that was under way may have seen how it was before
		missing, most := "", b.patience
		for _, name := range targetGroups {
			at, registered := b.known[name][instance]
			most = max(most, b.patience+at.most)
			if !there(at, registered) {
				missing = fmt.Sprintf("%s in target group %s: want %s, it is %s", instance, name, want, at.describe(registered))
			}
		}
		problem, changed := b.problem, b.changed
		b.mu.Unlock()
		if fresh && missing == "" {
			return nil
		}
		if time.Since(began) > most {
			if missing == "" {
				missing = "the emulated AWS was not read"
			}
			return errors.Join(fmt.Errorf("load balancer: %s, after %s", missing, most), problem)
		}
		if !fresh {
			b.look()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s standing) describe(registered bool) string {
	switch {
	case !registered:
		return "not registered, or no listener uses the target group"
	case s.health.State == elbtypes.TargetHealthStateEnumHealthy:
		return "healthy"
	default:
		return fmt.Sprintf("%s (%s: %s)", s.health.State, s.health.Reason, s.health.Why)
	}
}
