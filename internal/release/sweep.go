package release

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// greenName is how CodeDeploy names the copy that a deployment makes.
func greenName(group, id string) string { return fmt.Sprintf("CodeDeploy_%s_%s", group, id) }

// sweep deletes the Auto Scaling group that a failed deployment left behind, with
// its instances: its own copy only, and never one that the deployment group
// names or that may have traffic.
func (s *session) sweep(ctx context.Context, group types.DeploymentGroupInfo, now snapshot, d *Deployment) (problems []string, err error) {
	name := greenName(d.Group, now.id())
	found, err := s.fleets(ctx, []string{name})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	left := found[0]
	kept := func(why string) ([]string, error) {
		return []string{fmt.Sprintf("Auto Scaling group %s of the failed deployment is still there, and %s; it is not removed", name, why)}, nil
	}
	live := names(group.AutoScalingGroups)
	switch {
	case slices.Contains(live, name):
		return kept("the deployment group names it, so that it counts as live")
	case aws.ToString(left.Status) != "":
		return nil, nil // it is being deleted
	case len(left.TargetGroupARNs) > 0:
		return kept("a target group is attached to it: " + targetGroupName(left.TargetGroupARNs[0]))
	}
	fleets, err := s.fleets(ctx, live)
	if err != nil {
		return nil, err
	}
	serving, err := s.served(ctx, attached(fleets, targetGroups(group.LoadBalancerInfo)), instancesOf(left))
	if err != nil {
		return nil, err
	}
	if len(serving) > 0 {
		return kept("the target group has its instances " + some(serving))
	}
	s.say(Event{Kind: KindRemoved, Deployment: d.ID, Group: d.Group, Instances: instancesOf(left), Message: "removing Auto Scaling group " + name + ", which the deployment left behind"})
	_, err = s.scaling.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &name, ForceDelete: aws.Bool(true)})
	if err != nil {
		return []string{fmt.Sprintf("Auto Scaling group %s of the failed deployment is still there: %s; delete it with: aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name %s", name, err, name)}, nil
	}
	d.Removed = append(d.Removed, name)
	return nil, nil
}
