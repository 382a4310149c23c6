package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// Tags of two permanent Auto Scaling groups that take turns.
const (
	pairTag = "bluegreen:pair"             // APPLICATION/DEPLOYMENT GROUP
	sizeTag = "bluegreen:size"             // least number of instances of whichever serves
	waitTag = "bluegreen:termination-wait" // minutes that the old fleet stays after traffic has left it
)

// lullTime is how long it may take to end a fleet that was started in vain, when
// the caller has gone already.
const lullTime = time.Minute

// half is one of two permanent Auto Scaling groups.
type half struct {
	name              string
	min, max, desired int32
	tags              map[string]string
	instances         []string // all
	ready             int32    // how many are in service and healthy
	arns              []string // attached target groups, of those that the deployment group controls
}

func (h half) size() bool { return h.min > 0 || h.desired > 0 || len(h.instances) > 0 }

// fleets are both of them.
type fleets struct{ live, idle half }

// pair finds the two Auto Scaling groups of a deployment group, and which of
// them has the traffic: the one that has a size; of two, the one that the target
// group has healthy instances of; failing that, the one that the deployment
// group names.
func (s *session) pair(ctx context.Context, group types.DeploymentGroupInfo) (fleets, error) {
	name := aws.ToString(group.DeploymentGroupName)
	key := aws.ToString(group.ApplicationName) + "/" + name
	found, err := s.described(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		Filters: []asgtypes.Filter{{Name: aws.String("tag:" + pairTag), Values: []string{key}}},
	})
	if err != nil {
		return fleets{}, err
	}
	if len(found) != 2 {
		return fleets{}, fmt.Errorf("%s: want two Auto Scaling groups with tag %s = %s, found %d; run pulumi up", name, pairTag, key, len(found))
	}
	one, two := newHalf(found[0], group), newHalf(found[1], group)
	if one.size() != two.size() {
		return ordered(one, two, one.size()), nil
	}
	arns := unique(slices.Concat(one.arns, two.arns))
	served, err := s.served(ctx, arns, slices.Concat(one.instances, two.instances))
	if err != nil {
		return fleets{}, err
	}
	has := func(h half) bool {
		return slices.ContainsFunc(h.instances, func(id string) bool { return slices.Contains(served, id) })
	}
	if has(one) != has(two) {
		return ordered(one, two, has(one)), nil
	}
	live := names(group.AutoScalingGroups)
	if slices.Contains(live, one.name) != slices.Contains(live, two.name) {
		return ordered(one, two, slices.Contains(live, one.name)), nil
	}
	return fleets{}, fmt.Errorf("%s: %s and %s may both be live: each has instances, and the deployment group names %q; scale the one without traffic to 0", name, one.name, two.name, some(live))
}

func ordered(one, two half, first bool) fleets {
	if first {
		return fleets{one, two}
	}
	return fleets{two, one}
}

func newHalf(g asgtypes.AutoScalingGroup, of types.DeploymentGroupInfo) half {
	h := half{
		name: *g.AutoScalingGroupName, min: aws.ToInt32(g.MinSize), max: aws.ToInt32(g.MaxSize), desired: aws.ToInt32(g.DesiredCapacity),
		tags: map[string]string{}, instances: instancesOf(g), arns: attached([]asgtypes.AutoScalingGroup{g}, targetGroups(of.LoadBalancerInfo)),
	}
	for _, member := range g.Instances {
		if member.LifecycleState == asgtypes.LifecycleStateInService && aws.ToString(member.HealthStatus) == "Healthy" {
			h.ready++
		}
	}
	for _, tag := range g.Tags {
		h.tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return h
}

// wanted is the size that the idle fleet is to have: that of the live one.
func (f fleets) wanted() (minimum, desired int32, err error) {
	minimum, desired = f.live.min, f.live.desired
	if least, err := strconv.ParseInt(f.idle.tags[sizeTag], 10, 32); desired == 0 && err == nil && least > 0 {
		minimum, desired = int32(least), int32(least)
	}
	switch {
	case desired == 0:
		return 0, 0, fmt.Errorf("%s: has no instance, and no tag %s says how many %s is to have; set its size", f.live.name, sizeTag, f.idle.name)
	case desired > f.idle.max:
		return 0, 0, fmt.Errorf("%s: its maximum is %d, and %s has %d instances; raise it", f.idle.name, f.idle.max, f.live.name, desired)
	}
	return minimum, desired, nil
}

// wake starts as many instances in the idle fleet as the live one has, and waits
// for them.
func (s *session) wake(ctx context.Context, f fleets) error {
	minimum, desired, err := f.wanted()
	if err != nil {
		return err
	}
	s.say(Event{Kind: KindPair, Message: fmt.Sprintf("%s is live; starting %d instances in %s", f.live.name, desired, f.idle.name)})
	if err := s.resize(ctx, f.idle.name, minimum, desired); err != nil {
		return err
	}
	there := int32(0)
	err = s.within(ctx, launchTime, func() (bool, error) {
		found, err := s.fleets(ctx, []string{f.idle.name})
		if err != nil || len(found) == 0 {
			return false, err
		}
		there = newHalf(found[0], types.DeploymentGroupInfo{}).ready
		return there >= desired, nil
	})
	if err == nil && there < desired {
		err = fmt.Errorf("%s: %d of %d instances are in service after %s; see its activity history", f.idle.name, there, desired, launchTime*s.Poll)
	}
	return err
}

func (s *session) resize(ctx context.Context, name string, minimum, desired int32) error {
	_, err := s.scaling.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: &minimum, DesiredCapacity: &desired,
	})
	if err != nil {
		return fmt.Errorf("%s: size %d: %w", name, desired, err)
	}
	return nil
}

// lull ends the instances of a fleet that has no traffic. It does nothing while a
// deployment is under way, which may need them, and refuses when they have traffic.
func (s *session) lull(ctx context.Context, group types.DeploymentGroupInfo, h half) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lullTime)
	defer cancel()
	busy, err := s.running(ctx, aws.ToString(group.DeploymentGroupName))
	if err != nil || busy != "" {
		return err
	}
	now, err := s.pair(ctx, group)
	if err != nil {
		return err
	}
	if now.idle.name != h.name {
		return fmt.Errorf("%s: is live now, and is not ended", h.name)
	}
	if !now.idle.size() {
		return nil
	}
	serving, err := s.served(ctx, unique(slices.Concat(now.live.arns, now.idle.arns)), now.idle.instances)
	if err != nil {
		return err
	}
	if len(serving) > 0 {
		return fmt.Errorf("%s: the target group has its instances %s, and they are not ended; take them out with aws elbv2 deregister-targets, then set its size to 0", h.name, some(serving))
	}
	s.say(Event{Kind: KindPair, Message: fmt.Sprintf("%s is live; ending the instances of %s", now.live.name, h.name)})
	return s.resize(ctx, h.name, 0, 0)
}

// lead attaches the target groups to the fleet that has been deployed to, so that
// what it launches from now on gets traffic, and detaches them from the other.
// CodeDeploy registers the instances that there are; whether it attaches groups
// that it has not copied, AWS does not say.
func (s *session) lead(ctx context.Context, group types.DeploymentGroupInfo, live []string) error {
	wanted := targetGroups(group.LoadBalancerInfo)
	if len(wanted) == 0 {
		return nil
	}
	known, err := s.balancing.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: wanted})
	if err != nil {
		return fmt.Errorf("target groups %s: %w", some(wanted), err)
	}
	var arns []string
	for _, target := range known.TargetGroups {
		arns = append(arns, aws.ToString(target.TargetGroupArn))
	}
	now, err := s.pair(ctx, group)
	if err != nil {
		return err
	}
	for _, h := range []half{now.live, now.idle} {
		missing := slices.DeleteFunc(slices.Clone(arns), func(arn string) bool { return slices.Contains(h.arns, arn) })
		switch {
		case slices.Contains(live, h.name) && len(missing) > 0:
			_, err = s.scaling.AttachLoadBalancerTargetGroups(ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &h.name, TargetGroupARNs: missing})
		case !slices.Contains(live, h.name) && len(h.arns) > 0:
			_, err = s.scaling.DetachLoadBalancerTargetGroups(ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &h.name, TargetGroupARNs: h.arns})
		}
		if err != nil {
			return fmt.Errorf("%s: target groups: %w", h.name, err)
		}
	}
	return nil
}

// linger waits for as long as the old fleet of a pair is to stay: until then, the
// way back is short. The wait counts from the deployment's end, so that one that
// is taken up again goes on.
func (s *session) linger(ctx context.Context, group types.DeploymentGroupInfo, info types.DeploymentInfo) error {
	now, err := s.pair(ctx, group)
	if err != nil || !now.idle.size() {
		return err
	}
	minutes, err := strconv.ParseFloat(now.idle.tags[waitTag], 64)
	if err != nil {
		return nil //nolint:nilerr // no such tag, no wait
	}
	wait := time.Duration(minutes * float64(time.Minute))
	if s.OldFleetStays != nil {
		wait = *s.OldFleetStays
	}
	left := time.Until(aws.ToTime(info.CompleteTime).Add(wait))
	if left <= 0 {
		return nil
	}
	s.say(Event{Kind: KindPair, Message: fmt.Sprintf("%s stays for %s; if this is interrupted, bluegreen release --resume %s ends it later",
		now.idle.name, left.Round(time.Second), aws.ToString(info.DeploymentId))})
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retire ends the old fleet of a pair after a success. Doing it again is no harm.
func (s *session) retire(ctx context.Context, group types.DeploymentGroupInfo, live []string) (problems []string, err error) {
	now, err := s.pair(ctx, group)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(live, now.live.name) {
		return []string{fmt.Sprintf("%s has been deployed to, and %s seems to be live; look at the target group", some(live), now.live.name)}, nil
	}
	if err := s.lull(ctx, group, now.idle); err != nil && !errors.Is(err, ctx.Err()) {
		return []string{err.Error()}, nil
	}
	return nil, ctx.Err()
}
