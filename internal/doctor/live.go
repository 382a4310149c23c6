package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// live is what the load balancer really has and does.
func live() []check {
	atAWS := []need{online, settings, signedIn, up}
	return []check{
		{"certificate: names", atAWS, checkCertificate},
		{"load balancer: times", atAWS, checkTimes},
		{"load balancer: instances", atAWS, checkTargets},
		{"health: site", []need{online, settings, up}, checkSite},
	}
}

// balancer is the load balancer and its target group.
type balancer struct {
	client      *elasticloadbalancingv2.Client
	certificate string // ARN, of the listener on 443
	group       string // ARN of the target group
	healthPath  string
	idle        string // seconds, as the attributes say
	drain       string
}

// readBalancer finds them by the names in the stack's outputs.
func (p *patient) readBalancer(ctx context.Context) (b balancer, err error) {
	account, err := p.account()
	if err != nil {
		return b, err
	}
	outputs, err := p.outputs()
	if err != nil {
		return b, err
	}
	name, _ := outputs["loadBalancerName"].(string)
	group, _ := outputs["targetGroupName"].(string)
	b.client = elasticloadbalancingv2.NewFromConfig(account)
	found, err := b.client.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{Names: []string{name}})
	if err != nil {
		return b, plain(err)
	}
	if len(found.LoadBalancers) != 1 {
		return b, fmt.Errorf("load balancer %s: not there", name)
	}
	arn := found.LoadBalancers[0].LoadBalancerArn
	listeners, err := b.client.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: arn})
	if err != nil {
		return b, plain(err)
	}
	for _, listener := range listeners.Listeners {
		if listener.Protocol == elbtypes.ProtocolEnumHttps && len(listener.Certificates) > 0 {
			b.certificate = aws.ToString(listener.Certificates[0].CertificateArn)
		}
	}
	attributes, err := b.client.DescribeLoadBalancerAttributes(ctx, &elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: arn})
	if err != nil {
		return b, plain(err)
	}
	for _, a := range attributes.Attributes {
		if aws.ToString(a.Key) == "idle_timeout.timeout_seconds" {
			b.idle = aws.ToString(a.Value)
		}
	}
	return b, b.readGroup(ctx, group)
}

func (b *balancer) readGroup(ctx context.Context, name string) error {
	found, err := b.client.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: []string{name}})
	if err != nil {
		return plain(err)
	}
	if len(found.TargetGroups) != 1 {
		return fmt.Errorf("target group %s: not there", name)
	}
	b.group, b.healthPath = aws.ToString(found.TargetGroups[0].TargetGroupArn), aws.ToString(found.TargetGroups[0].HealthCheckPath)
	attributes, err := b.client.DescribeTargetGroupAttributes(ctx, &elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(b.group)})
	if err != nil {
		return plain(err)
	}
	for _, a := range attributes.Attributes {
		if aws.ToString(a.Key) == "deregistration_delay.timeout_seconds" {
			b.drain = aws.ToString(a.Value)
		}
	}
	return nil
}

// checkTimes compares the times that AWS has with the configuration's, by which
// the other timers were checked.
func checkTimes(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	b, err := p.balancer()
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	group, err := p.group()
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	wait := found.Release.TerminationWaitMinutes // in mode pair the release command counts
	if c := group.BlueGreenDeploymentConfiguration; c != nil && c.TerminateBlueInstancesOnDeploymentSuccess != nil && found.Release.Mode == "copy" {
		wait = int(c.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes)
	}
	var differ []string
	for _, one := range []struct{ name, got, want string }{
		{"edge.idleTimeout", b.idle, strconv.Itoa(found.Edge.IdleTimeout)},
		{"edge.deregistrationDelay", b.drain, strconv.Itoa(found.Edge.DeregistrationDelay)},
		{"edge.healthCheckPath", b.healthPath, found.Edge.HealthCheckPath},
		{"release.terminationWaitMinutes", strconv.Itoa(wait), strconv.Itoa(found.Release.TerminationWaitMinutes)},
	} {
		if one.got != one.want {
			differ = append(differ, fmt.Sprintf("%s is %s at AWS and %s in the configuration", one.name, one.got, one.want))
		}
	}
	if len(differ) > 0 {
		return failed(strings.Join(differ, "; "), "run: pulumi up")
	}
	return ok("idle timeout %s s, deregistration delay %s s, health check %s, termination wait %d min, as configured", b.idle, b.drain, b.healthPath, wait)
}

// readGroup asks CodeDeploy for the deployment group of the web fleet.
func (p *patient) readGroup(ctx context.Context) (types.DeploymentGroupInfo, error) {
	account, err := p.account()
	if err != nil {
		return types.DeploymentGroupInfo{}, err
	}
	found, err := p.settings()
	if err != nil {
		return types.DeploymentGroupInfo{}, errSettings
	}
	site := found.Site()
	answer, err := codedeploy.NewFromConfig(account).GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String(site.Application()), DeploymentGroupName: aws.String(site.DeploymentGroup()),
	})
	if err != nil {
		return types.DeploymentGroupInfo{}, plain(err)
	}
	return *answer.DeploymentGroupInfo, nil
}

// worse is for a site that does not answer: before the first release none does.
func (p *patient) worse(found string) Finding {
	if group, err := p.group(); err == nil && group.LastSuccessfulDeployment == nil {
		return warning("no release yet: "+found, "run: bluegreen release --stack "+p.Stack)
	}
	return failed(found, "see docs/troubleshooting.md")
}

func checkTargets(ctx context.Context, p *patient) Finding {
	b, err := p.balancer()
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	answer, err := b.client.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(b.group)})
	if err != nil {
		return fault(plain(err), "")
	}
	healthy, states := 0, []string{}
	for _, target := range answer.TargetHealthDescriptions {
		if target.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			healthy++
			continue
		}
		states = append(states, strings.TrimSpace(fmt.Sprintf("%s is %s %s", aws.ToString(target.Target.Id), target.TargetHealth.State, target.TargetHealth.Reason)))
	}
	slices.Sort(states)
	switch {
	case healthy == 0:
		return p.worse(strings.Join(append([]string{"no healthy instance"}, states...), "; "))
	case len(states) > 0:
		return warning(fmt.Sprintf("%d healthy; %s", healthy, strings.Join(states, "; ")), "during a release this is as it should be")
	}
	return ok("%d healthy", healthy)
}
