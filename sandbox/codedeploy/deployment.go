package codedeploy

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// deployment is one deployment, running or ended. What runs changes it under the
// service's lock only.
type deployment struct {
	info     types.DeploymentInfo
	owner    *application
	group    *group
	targets  []*target // replacement instances first
	failures []Failure // ordered for this deployment
	cancel   context.CancelCauseFunc
	wait     types.DeploymentWaitType // what it waits for, empty for nothing
	proceed  chan struct{}            // closed to end the wait

	source   string      // Auto Scaling group that is to be replaced, of a copy
	copied   string      // Auto Scaling group that it made
	blue     environment // as the deployment group had it at the start
	green    environment // what replaces it; of a blue/green deployment
	switched bool        // whether the deployment group follows green
	undoes   *deployment // the one that this one rolls back
	launched string      // instance that Auto Scaling has launched, of a launch deployment
	only     []string    // instances that are updated after another deployment; nil for all
}

// environment is a set of instances as a deployment group names it.
type environment struct {
	groups  []string // Auto Scaling groups
	filters []types.EC2TagFilter
	set     *types.EC2TagSet
}

// halt is why a deployment is ended from outside.
type halt struct {
	code     types.ErrorCode // MANUAL_STOP, ALARM_ACTIVE or DEPLOYMENT_GROUP_MISSING
	message  string
	rollback *bool // nil: as the deployment group says
}

func (h *halt) Error() string { return h.message }

// failed is why a deployment ends by itself.
type failed struct {
	code types.ErrorCode
	why  error
}

func (f *failed) Error() string { return f.why.Error() }

func (f *failed) Unwrap() error { return f.why }

// because gives an error of the emulated AWS the code that CodeDeploy has for it.
func because(code types.ErrorCode, err error) error {
	if err == nil {
		return nil
	}
	return &failed{code, err}
}

func (d *deployment) id() string { return *d.info.DeploymentId }

func (d *deployment) blueGreen() bool {
	return d.info.DeploymentStyle.DeploymentType == types.DeploymentTypeBlueGreen
}

// copies tells whether the replacement is a copy of the Auto Scaling group.
func (d *deployment) copies() bool {
	if !d.blueGreen() {
		return false
	}
	option := d.info.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption
	return option != nil && option.Action == types.GreenFleetProvisioningActionCopyAutoScalingGroup
}

// ended tells whether the deployment is over, as AWS's waiters see it.
func (d *deployment) ended() bool {
	switch d.info.Status {
	case types.DeploymentStatusSucceeded, types.DeploymentStatusFailed, types.DeploymentStatusStopped:
		return true
	default:
		return false
	}
}

// view is the deployment as AWS answers it.
func (d *deployment) view() types.DeploymentInfo {
	info := d.info
	info.DeploymentOverview = &types.DeploymentOverview{}
	for _, target := range d.targets {
		switch target.info.Status {
		case types.TargetStatusPending:
			info.DeploymentOverview.Pending++
		case types.TargetStatusInProgress:
			info.DeploymentOverview.InProgress++
		case types.TargetStatusReady:
			info.DeploymentOverview.Ready++
		case types.TargetStatusSucceeded:
			info.DeploymentOverview.Succeeded++
		case types.TargetStatusFailed:
			info.DeploymentOverview.Failed++
		default:
			info.DeploymentOverview.Skipped++
		}
	}
	return info
}

func (d *deployment) last() *types.LastDeploymentInfo {
	return &types.LastDeploymentInfo{
		CreateTime: d.info.CreateTime, DeploymentId: d.info.DeploymentId, EndTime: d.info.CompleteTime, Status: d.info.Status,
	}
}

// environment is what a deployment group names now.
func (g *group) environment() environment {
	e := environment{filters: g.info.Ec2TagFilters, set: g.info.Ec2TagSet}
	for _, member := range g.info.AutoScalingGroups {
		e.groups = append(e.groups, *member.Name)
	}
	return e
}

func environmentOf(instances *types.TargetInstances) environment {
	if instances == nil {
		return environment{}
	}
	return environment{groups: instances.AutoScalingGroups, filters: instances.TagFilters, set: instances.Ec2TagSet}
}

func (e environment) empty() bool { return len(e.groups) == 0 && len(tagSets(e.filters, e.set)) == 0 }

// instances lists the healthy instances of an environment, each once.
func (e environment) instances(ctx context.Context, from cloud) ([]string, error) {
	var all []string
	for _, name := range e.groups {
		members, err := from.healthy(ctx, name)
		if err != nil {
			return nil, because(types.ErrorCodeAutoScalingConfiguration, err)
		}
		all = append(all, members...)
	}
	if sets := tagSets(e.filters, e.set); len(sets) > 0 {
		members, err := from.tagged(ctx, sets)
		if err != nil {
			return nil, because(types.ErrorCodeInternalError, err)
		}
		all = append(all, members...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// autoRollback is whether what a deployment says about rolling back, or else its
// group, includes an event.
func (d *deployment) autoRollback(event types.AutoRollbackEvent) bool {
	config := d.info.AutoRollbackConfiguration
	return config != nil && config.Enabled && slices.Contains(config.Events, event)
}

// targetGroups are the names of the target groups that the deployment controls.
func (d *deployment) targetGroups() ([]string, error) {
	if d.info.DeploymentStyle.DeploymentOption != types.DeploymentOptionWithTrafficControl {
		return nil, nil
	}
	balancers := d.info.LoadBalancerInfo
	if len(balancers.ElbInfoList)+len(balancers.TargetGroupPairInfoList) > 0 {
		return nil, &failed{types.ErrorCodeElasticLoadBalancingInvalid, errors.New("the sandbox emulates neither classic load balancers nor target group pairs; name a target group in targetGroupInfoList")}
	}
	var names []string
	for _, info := range balancers.TargetGroupInfoList {
		names = append(names, aws.ToString(info.Name))
	}
	return names, nil
}
