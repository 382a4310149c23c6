package codedeploy

import "context"

// Traffic tells when what AllowTraffic and BlockTraffic ask of load balancers has
// come about. Target groups are given by name.
type Traffic interface {
	// AwaitHealthy waits until an instance is healthy in all of them.
	AwaitHealthy(ctx context.Context, targetGroups []string, instance string) error
	// AwaitDrained waits until an instance is no target of any of them any more,
	// and has finished its requests.
	AwaitDrained(ctx context.Context, targetGroups []string, instance string) error
}

// direct is Traffic where targets are what they are registered as, at once.
type direct struct{}

func (direct) AwaitHealthy(context.Context, []string, string) error { return nil }
func (direct) AwaitDrained(context.Context, []string, string) error { return nil }

// allow and block do AllowTraffic and BlockTraffic.
func (r *run) allow(ctx context.Context, instance string) error {
	if err := r.cloud.register(ctx, r.balancer, instance); err != nil {
		return err
	}
	return r.service.traffic.AwaitHealthy(ctx, r.balancer, instance)
}

func (r *run) block(ctx context.Context, instance string) error {
	if err := r.cloud.deregister(ctx, r.balancer, instance); err != nil {
		return err
	}
	return r.service.traffic.AwaitDrained(ctx, r.balancer, instance)
}
