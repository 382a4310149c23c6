package balancer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	httpPort  = 80
	httpsPort = 443
)

// plan reads what load balancers, listeners and target groups there are. Of
// several Application Load Balancers, the first by name has the listener; the
// target groups of all are checked.
func (e *elb) plan(ctx context.Context) (plan, error) {
	balancers, err := e.loadBalancers(ctx)
	if err != nil {
		return plan{}, err
	}
	var p plan
	var used []string
	for i, balancer := range balancers {
		listeners, arns, err := e.listeners(ctx, *balancer.LoadBalancerArn)
		if err != nil {
			return plan{}, err
		}
		used = append(used, arns...)
		if i > 0 || len(listeners) == 0 {
			continue
		}
		set, err := e.loadBalancerAttributes(ctx, *balancer.LoadBalancerArn)
		if err != nil {
			return plan{}, err
		}
		p.front = frontOf(listeners[0])
		p.front.idle = set.seconds("idle_timeout.timeout_seconds")
	}
	slices.Sort(used)
	p.groups, err = e.groups(ctx, slices.Compact(used))
	return p, err
}

func (e *elb) loadBalancers(ctx context.Context) ([]elbtypes.LoadBalancer, error) {
	var found []elbtypes.LoadBalancer
	for pages := elasticloadbalancingv2.NewDescribeLoadBalancersPaginator(e.client, nil); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, balancer := range out.LoadBalancers {
			if balancer.Type == elbtypes.LoadBalancerTypeEnumApplication {
				found = append(found, balancer)
			}
		}
	}
	slices.SortFunc(found, func(a, b elbtypes.LoadBalancer) int { return cmp.Compare(*a.LoadBalancerName, *b.LoadBalancerName) })
	return found, nil
}

// listeners reads a load balancer's listeners, HTTPS first, and which target
// groups they and their rules use.
func (e *elb) listeners(ctx context.Context, balancer string) (listeners []elbtypes.Listener, used []string, err error) {
	out, err := e.client.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: &balancer})
	if err != nil {
		return nil, nil, err
	}
	for _, listener := range out.Listeners {
		rules, err := e.client.DescribeRules(ctx, &elasticloadbalancingv2.DescribeRulesInput{ListenerArn: listener.ListenerArn})
		if err != nil {
			return nil, nil, err
		}
		used = append(used, targetGroups(listener.DefaultActions)...)
		for _, rule := range rules.Rules {
			used = append(used, targetGroups(rule.Actions)...)
		}
	}
	slices.SortStableFunc(out.Listeners, func(a, b elbtypes.Listener) int { return cmp.Compare(rank(a), rank(b)) })
	return out.Listeners, used, nil
}

func rank(listener elbtypes.Listener) int {
	if listener.Protocol == elbtypes.ProtocolEnumHttps {
		return 0
	}
	return 1
}

// targetGroups are those that actions forward to, the one with the highest weight
// first.
func targetGroups(actions []elbtypes.Action) (arns []string) {
	for _, action := range actions {
		switch {
		case action.Type != elbtypes.ActionTypeEnumForward:
		case action.TargetGroupArn != nil:
			arns = append(arns, *action.TargetGroupArn)
		case action.ForwardConfig != nil:
			weighed := slices.Clone(action.ForwardConfig.TargetGroups)
			slices.SortStableFunc(weighed, func(a, b elbtypes.TargetGroupTuple) int {
				return cmp.Compare(aws.ToInt32(b.Weight), aws.ToInt32(a.Weight))
			})
			for _, tuple := range weighed {
				arns = append(arns, aws.ToString(tuple.TargetGroupArn))
			}
		}
	}
	return arns
}

// frontOf is what a listener does with a request that no rule is for.
func frontOf(listener elbtypes.Listener) front {
	f := front{protocol: "http", port: int(aws.ToInt32(listener.Port))}
	if f.port == 0 {
		f.port = httpPort
	}
	if listener.Protocol == elbtypes.ProtocolEnumHttps {
		f.protocol = "https"
		if aws.ToInt32(listener.Port) == 0 {
			f.port = httpsPort
		}
	}
	if arns := targetGroups(listener.DefaultActions); len(arns) > 0 {
		f.forward = arns[0]
	}
	for _, action := range listener.DefaultActions {
		if set := action.FixedResponseConfig; set != nil {
			f.fixed = fixed{status: aws.ToString(set.StatusCode), mediaType: aws.ToString(set.ContentType), body: aws.ToString(set.MessageBody)}
		}
	}
	return f
}

// groups reads the settings of target groups. Without any, it asks for none: no
// name at all would mean every target group.
func (e *elb) groups(ctx context.Context, arns []string) ([]settings, error) {
	if len(arns) == 0 {
		return nil, nil
	}
	out, err := e.client.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{TargetGroupArns: arns})
	if err != nil {
		return nil, err
	}
	var found []settings
	for _, group := range out.TargetGroups {
		set, err := e.targetGroupAttributes(ctx, *group.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		found = append(found, e.settings(group, set))
	}
	slices.SortFunc(found, func(a, b settings) int { return cmp.Compare(a.arn, b.arn) })
	return found, nil
}

func (e *elb) settings(group elbtypes.TargetGroup, set attributes) settings {
	inSeconds := func(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }
	s := settings{
		arn: *group.TargetGroupArn, name: aws.ToString(group.TargetGroupName),
		path: cmp.Or(aws.ToString(group.HealthCheckPath), "/"), matcher: "200",
		interval: e.paced(inSeconds(group.HealthCheckIntervalSeconds)), timeout: inSeconds(group.HealthCheckTimeoutSeconds),
		passes: int(aws.ToInt32(group.HealthyThresholdCount)), failures: int(aws.ToInt32(group.UnhealthyThresholdCount)),
		delay:     e.paced(set.seconds("deregistration_delay.timeout_seconds")),
		slowStart: e.paced(set.seconds("slow_start.duration_seconds")),
		leastBusy: set["load_balancing.algorithm.type"] == "least_outstanding_requests",
	}
	if group.Matcher != nil && aws.ToString(group.Matcher.HttpCode) != "" {
		s.matcher = *group.Matcher.HttpCode
	}
	if port := aws.ToString(group.HealthCheckPort); port != "traffic-port" {
		s.checkPort = port
	}
	return s
}
