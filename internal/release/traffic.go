package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// traffic checks that target groups are attached to the live Auto Scaling
// groups, and that the healthy targets are their instances. CodeDeploy has been
// seen to leave a group with no target group. It looks again while a target
// group settles, and returns what is wrong then.
func (s *session) traffic(ctx context.Context, targetGroups, live, green []string) (problems []string, err error) {
	if len(targetGroups) == 0 || len(live) == 0 {
		return nil, nil // workers have no traffic
	}
	told := false
	err = s.within(ctx, settleTime, func() (bool, error) {
		if problems, err = s.trafficNow(ctx, targetGroups, live, green); err != nil {
			return false, err
		}
		if len(problems) > 0 && !told {
			told = true
			s.say(Event{Kind: KindNotice, Message: "waiting for the target group to settle: " + strings.Join(problems, "; ")})
		}
		return len(problems) == 0, nil
	})
	return problems, err
}

func (s *session) trafficNow(ctx context.Context, targetGroups, live, green []string) (problems []string, err error) {
	fleets, err := s.fleets(ctx, live)
	if err != nil {
		return nil, err
	}
	members := slices.Clone(green)
	for _, name := range live {
		i := slices.IndexFunc(fleets, func(g asgtypes.AutoScalingGroup) bool { return *g.AutoScalingGroupName == name })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("Auto Scaling group %s does not exist, and it should have the traffic; run pulumi up", name))
			continue
		}
		members = append(members, instancesOf(fleets[i])...)
		for _, wanted := range targetGroups {
			if len(attached(fleets[i:i+1], []string{wanted})) == 0 {
				problems = append(problems, fmt.Sprintf("target group %s is not attached to Auto Scaling group %s: what it launches gets no traffic; attach it with aws autoscaling attach-load-balancer-target-groups, or set fleet.copyLosses to repair and run pulumi up", wanted, name))
			}
		}
	}
	for _, arn := range attached(fleets, targetGroups) {
		health, err := s.health(ctx, arn)
		if err != nil {
			return nil, err
		}
		var healthy, others []string
		for _, target := range health {
			if target.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
				healthy = append(healthy, *target.Target.Id)
			} else {
				others = append(others, fmt.Sprintf("%s is %s %s", *target.Target.Id, target.TargetHealth.State, target.TargetHealth.Reason))
			}
		}
		if len(healthy) == 0 {
			problems = append(problems, fmt.Sprintf("target group %s has no healthy target (%s); see why on the instance, and release again", targetGroupName(arn), strings.Join(others, ", ")))
		}
		strangers := slices.DeleteFunc(healthy, func(id string) bool { return slices.Contains(members, id) })
		if len(strangers) > 0 {
			problems = append(problems, fmt.Sprintf("target group %s also sends traffic to %s, which is not of %s; take it out with aws elbv2 deregister-targets", targetGroupName(arn), some(unique(strangers)), some(live)))
		}
	}
	return problems, nil
}

// fleets reads Auto Scaling groups; those that do not exist are left out.
func (s *session) fleets(ctx context.Context, names []string) ([]asgtypes.AutoScalingGroup, error) {
	if len(names) == 0 {
		return nil, nil // no name at all would ask for every group
	}
	return s.described(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: names})
}

func (s *session) described(ctx context.Context, what *autoscaling.DescribeAutoScalingGroupsInput) ([]asgtypes.AutoScalingGroup, error) {
	var all []asgtypes.AutoScalingGroup
	for pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(s.scaling, what); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("auto scaling groups: %w", err)
		}
		all = append(all, out.AutoScalingGroups...)
	}
	return all, nil
}

func (s *session) health(ctx context.Context, arn string) ([]elbtypes.TargetHealthDescription, error) {
	out, err := s.balancing.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, fmt.Errorf("target group %s: %w", targetGroupName(arn), err)
	}
	return slices.DeleteFunc(out.TargetHealthDescriptions, func(d elbtypes.TargetHealthDescription) bool {
		return d.Target == nil || d.TargetHealth == nil
	}), nil
}

// served finds which of some instances a target group still sends traffic to, or
// is about to.
func (s *session) served(ctx context.Context, arns, instances []string) (found []string, err error) {
	for _, arn := range arns {
		health, err := s.health(ctx, arn)
		if err != nil {
			return nil, err
		}
		for _, target := range health {
			switch target.TargetHealth.State {
			case elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthStateEnumUnused:
				continue
			}
			if slices.Contains(instances, *target.Target.Id) {
				found = append(found, *target.Target.Id)
			}
		}
	}
	return unique(found), nil
}

// attached are the resource names of those target groups that Auto Scaling
// groups have attached.
func attached(fleets []asgtypes.AutoScalingGroup, targetGroups []string) (arns []string) {
	for _, fleet := range fleets {
		for _, arn := range fleet.TargetGroupARNs {
			if slices.Contains(targetGroups, targetGroupName(arn)) {
				arns = append(arns, arn)
			}
		}
	}
	return unique(arns)
}

// targetGroupName is the name in arn:aws:elasticloadbalancing:…:targetgroup/NAME/ID.
func targetGroupName(arn string) string {
	part := strings.Split(arn, "/")
	if len(part) < 3 {
		return arn
	}
	return part[1]
}

func instancesOf(fleet asgtypes.AutoScalingGroup) (ids []string) {
	for _, member := range fleet.Instances {
		ids = append(ids, aws.ToString(member.InstanceId))
	}
	return ids
}
