package codedeploy

import "context"

// Traffic tells when a load balancer has done what a traffic event is for. On AWS,
// AllowTraffic lasts until the instance is healthy in its target groups, and
// BlockTraffic until it is deregistered.
type Traffic interface {
	// AwaitHealthy waits until an instance, just registered with target groups that
	// are given by name, is healthy in all. It bounds the wait; an error fails the
	// event.
	AwaitHealthy(ctx context.Context, targetGroups []string, instance string) error
	// AwaitDrained waits until an instance, just deregistered, has no request left.
	AwaitDrained(ctx context.Context, targetGroups []string, instance string) error
}

// allowTraffic makes an instance a target, and waits until requests may reach it.
func (r *run) allowTraffic(ctx context.Context, instance string) error {
	if err := r.cloud.register(ctx, r.balancer, instance); err != nil || r.service.traffic == nil || len(r.balancer) == 0 {
		return err
	}
	return r.service.traffic.AwaitHealthy(ctx, r.balancer, instance)
}

// blockTraffic makes an instance a target no longer, and waits until no request
// does.
func (r *run) blockTraffic(ctx context.Context, instance string) error {
	if err := r.cloud.deregister(ctx, r.balancer, instance); err != nil || r.service.traffic == nil || len(r.balancer) == 0 {
		return err
	}
	return r.service.traffic.AwaitDrained(ctx, r.balancer, instance)
}
