package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// replaceFleet is a blue/green deployment: new instances, the revision on them,
// traffic to them, and then the original ones go.
func (r *run) replaceFleet(ctx context.Context) error {
	blue, err := r.blue.instances(ctx, r.cloud)
	if err != nil {
		return err
	}
	if len(blue) == 0 {
		return &failed{types.ErrorCodeNoInstances, errNoInstances}
	}
	green, err := r.provision(ctx, len(blue))
	if err != nil {
		return err
	}
	originals, replacements := r.pair(blue, green)
	if err := r.roll(ctx, replacements, installEvents(), r.hosts); err != nil {
		return err
	}
	if err := r.awaitReady(ctx); err != nil {
		return err
	}
	if err := r.roll(ctx, replacements, allowEvents(), r.hosts); err != nil {
		return err
	}
	if err := r.attach(ctx, r.green); err != nil {
		return err
	}
	if err := r.roll(ctx, originals, blockEvents(), allAtOnce()); err != nil {
		return err
	}
	if err := r.detach(ctx, r.blue); err != nil {
		return err
	}
	if !r.settings.SwitchAtEnd {
		if err := r.follow(ctx, r.green); err != nil {
			return err
		}
	}
	if err := r.terminate(ctx, blue); err != nil {
		return err
	}
	if r.settings.SwitchAtEnd {
		return r.follow(ctx, r.green)
	}
	return nil
}

// provision makes the replacement environment, or finds it, and returns its
// instances when they are in service.
func (r *run) provision(ctx context.Context, size int) ([]string, error) {
	if !r.copies() {
		r.locked(func() { r.green = environmentOf(r.info.TargetInstances) })
		found, err := r.green.instances(ctx, r.cloud)
		if err == nil && len(found) == 0 {
			err = &failed{types.ErrorCodeNoInstances, errNoInstances}
		}
		return found, err
	}
	name := fmt.Sprintf("CodeDeploy_%s_%s", *r.info.DeploymentGroupName, r.id())
	r.locked(func() {
		r.source, r.copied = r.blue.groups[0], name
		r.green = environment{groups: []string{name}}
		r.info.TargetInstances = &types.TargetInstances{AutoScalingGroups: []string{name}}
	})
	if err := r.cloud.copyGroup(ctx, r.source, name, size, *r.settings.Copy); err != nil {
		return nil, because(types.ErrorCodeAutoScalingConfiguration, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, provisionTime, fmt.Errorf("the instances of %s were not in service within %s", name, provisionTime))
	defer cancel()
	for {
		members, err := r.green.instances(ctx, r.cloud)
		if err != nil || len(members) >= size {
			return members, err
		}
		select {
		case <-time.After(provisionInterval):
		case <-ctx.Done():
			return nil, because(types.ErrorCodeAutoScalingConfiguration, context.Cause(ctx))
		}
	}
}

// pair makes the instances of both environments targets.
func (r *run) pair(blue, green []string) (originals, replacements []*target) {
	r.locked(func() {
		for _, instance := range green {
			replacements = append(replacements, r.service.newTarget(r.deployment, instance, types.TargetLabelGreen, installEvents(), allowEvents()))
		}
		for _, instance := range blue {
			originals = append(originals, r.service.newTarget(r.deployment, instance, types.TargetLabelBlue, blockEvents()))
		}
		r.targets = slices.Concat(replacements, originals)
	})
	return originals, replacements
}

// awaitReady waits for ContinueDeployment where the deployment group wants that.
func (r *run) awaitReady(ctx context.Context) error {
	option := r.info.BlueGreenDeploymentConfiguration.DeploymentReadyOption
	if option == nil || option.ActionOnTimeout != types.DeploymentReadyActionStopDeployment {
		return nil
	}
	r.locked(func() { r.info.Status = types.DeploymentStatusReady })
	timedOut, err := r.pause(ctx, option.WaitTimeInMinutes, types.DeploymentWaitTypeReadyWait)
	if timedOut {
		err = &halt{code: types.ErrorCodeTimeout, message: "The deployment was stopped because traffic was not rerouted within the wait time."}
		r.cancel(err)
		return err
	}
	r.locked(func() { r.info.Status = types.DeploymentStatusInProgress })
	return err
}

// attach lets Auto Scaling register what an environment launches from now on.
func (r *run) attach(ctx context.Context, e environment) error {
	if !r.settings.Copy.TargetGroups && r.copies() && r.undoes == nil {
		return nil
	}
	for _, name := range e.groups {
		if err := r.cloud.attach(ctx, name, r.balancer); err != nil {
			return because(types.ErrorCodeElasticLoadBalancingInvalid, err)
		}
	}
	return nil
}

func (r *run) detach(ctx context.Context, e environment) error {
	for _, name := range e.groups {
		if err := r.cloud.detach(ctx, name, r.balancer); err != nil {
			return because(types.ErrorCodeElasticLoadBalancingInvalid, err)
		}
	}
	return nil
}

// follow makes the deployment group name an environment.
func (r *run) follow(ctx context.Context, e environment) (err error) {
	r.locked(func() {
		info := r.group.info
		if err = r.service.setAutoScalingGroups(ctx, &info, e.groups); err != nil {
			err = because(types.ErrorCodeAutoScalingConfiguration, err)
			return
		}
		info.Ec2TagFilters, info.Ec2TagSet = e.filters, e.set
		r.group.info = info
		r.switched = r.undoes == nil
	})
	return err
}

// terminate ends the original environment after the wait, where the deployment
// group wants that. A copied Auto Scaling group is deleted itself; of others, the
// instances are terminated.
func (r *run) terminate(ctx context.Context, instances []string) error {
	option := r.info.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess
	if option == nil || option.Action != types.InstanceActionTerminate {
		return nil
	}
	r.locked(func() { r.info.InstanceTerminationWaitTimeStarted = true })
	if _, err := r.pause(ctx, option.TerminationWaitTimeInMinutes, types.DeploymentWaitTypeTerminationWait); err != nil {
		return err
	}
	if r.copies() {
		return because(types.ErrorCodeAutoScalingConfiguration, r.cloud.deleteGroup(ctx, r.source))
	}
	return because(types.ErrorCodeInternalError, r.cloud.terminate(ctx, instances))
}

// reroute undoes a blue/green deployment: traffic back to the original instances,
// and the copied Auto Scaling group goes. The traffic events swap fleets.
func (r *run) reroute(ctx context.Context) error {
	undone := r.undoes
	var moved []string // replacement instances that may have traffic
	r.locked(func() {
		r.blue, r.green = undone.blue, undone.green
		for _, t := range undone.targets {
			if t.info.InstanceLabel == types.TargetLabelGreen && t.met(allowTraffic) {
				moved = append(moved, t.id())
			}
		}
	})
	blue, err := r.blue.instances(ctx, r.cloud)
	if err != nil {
		return err
	}
	if len(blue) == 0 {
		return &failed{types.ErrorCodeNoInstances, errNoInstances}
	}
	there, err := r.green.instances(ctx, r.cloud)
	if err != nil && !errors.Is(err, errNoGroup) {
		return err
	}
	moved = slices.DeleteFunc(moved, func(instance string) bool { return !slices.Contains(there, instance) })
	var originals, replacements []*target
	r.locked(func() {
		for _, instance := range blue {
			originals = append(originals, r.service.newTarget(r.deployment, instance, types.TargetLabelBlue, allowEvents()))
		}
		for _, instance := range moved {
			replacements = append(replacements, r.service.newTarget(r.deployment, instance, types.TargetLabelGreen, blockEvents()))
		}
		r.targets = slices.Concat(originals, replacements)
	})
	if err := r.roll(ctx, originals, allowEvents(), allAtOnce()); err != nil {
		return err
	}
	if err := r.attach(ctx, r.blue); err != nil {
		return err
	}
	if err := r.roll(ctx, replacements, blockEvents(), allAtOnce()); err != nil {
		return err
	}
	return r.abandon(ctx, len(moved) > 0)
}

// abandon ends the replacement environment of the deployment that is undone.
func (r *run) abandon(ctx context.Context, moved bool) error {
	if moved {
		if err := r.detach(ctx, r.green); err != nil {
			return err
		}
	}
	if r.undoes.switched {
		if err := r.follow(ctx, r.blue); err != nil {
			return err
		}
	}
	if r.undoes.copied == "" || r.settings.KeepGreen {
		return nil
	}
	return because(types.ErrorCodeAutoScalingConfiguration, r.cloud.deleteGroup(ctx, r.undoes.copied))
}
