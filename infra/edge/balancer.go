package edge

import (
	"strconv"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// A load balancer's and a target group's name has 32 characters at most
	// (Elastic Load Balancing API Reference, "CreateLoadBalancer" and
	// "CreateTargetGroup"); Pulumi adds eight.
	longestName = 32 - 8

	httpPort  = 80
	httpsPort = 443
)

func newLoadBalancer(ctx *pulumi.Context, name string, args Args, group *ec2.SecurityGroup, own pulumi.ResourceOption) (*lb.LoadBalancer, error) {
	addresses := "ipv4"
	if args.IPv6 {
		addresses = "dualstack"
	}
	balancer := &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Internal:                 pulumi.Bool(false),
		IpAddressType:            pulumi.String(addresses),
		Subnets:                  args.SubnetIDs,
		SecurityGroups:           pulumi.StringArray{group.ID()},
		IdleTimeout:              pulumi.Int(args.IdleTimeout),
		DropInvalidHeaderFields:  pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(args.Protect),
		Tags:                     pulumi.StringMap{"Name": pulumi.String(name + "-alb-01")},
	}
	if args.AccessLogs {
		balancer.AccessLogs = &lb.LoadBalancerAccessLogsArgs{
			Enabled: pulumi.Bool(true),
			Bucket:  args.LogBucket.ToStringOutput(),
		}
	}
	return lb.NewLoadBalancer(ctx, naming.Fit(longestName, name, "alb-01"), balancer, own)
}

// newTargetGroup declares the one group that both fleets are registered with
// in turn: CodeDeploy moves instances inside it and leaves the listeners be.
func newTargetGroup(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*lb.TargetGroup, error) {
	return lb.NewTargetGroup(ctx, naming.Fit(longestName, name, "01"), &lb.TargetGroupArgs{
		TargetType:          pulumi.String("instance"),
		Protocol:            pulumi.String("HTTP"),
		ProtocolVersion:     pulumi.String("HTTP1"),
		Port:                pulumi.Int(httpPort),
		VpcId:               args.VPCID.ToStringOutput(),
		DeregistrationDelay: pulumi.Int(args.DeregistrationDelay),
		SlowStart:           pulumi.Int(args.SlowStart),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Enabled:            pulumi.Bool(true),
			Protocol:           pulumi.String("HTTP"),
			Path:               pulumi.String(args.HealthCheckPath),
			Interval:           pulumi.Int(args.HealthCheckInterval),
			Timeout:            pulumi.Int(args.HealthCheckTimeout),
			HealthyThreshold:   pulumi.Int(args.HealthyThreshold),
			UnhealthyThreshold: pulumi.Int(args.UnhealthyThreshold),
			Matcher:            pulumi.String(args.Matcher),
		},
		Tags: pulumi.StringMap{"Name": pulumi.String(name + "-01")},
	}, own)
}

// newListeners declares the load balancer's doors: HTTPS leads to the
// instances and HTTP to HTTPS. While the certificate is pending there is HTTP
// alone.
func (e *Edge) newListeners(ctx *pulumi.Context, name string, args Args, balancer *lb.LoadBalancer, target *lb.TargetGroup, own pulumi.ResourceOption) error {
	first := toHTTPS()
	if args.pending() {
		first = notYet(args.Spec)
	}
	http, err := lb.NewListener(ctx, name+"-http", &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn,
		Protocol:        pulumi.String("HTTP"),
		Port:            pulumi.Int(httpPort),
		DefaultActions:  lb.ListenerDefaultActionArray{first},
	}, own)
	if err != nil {
		return err
	}
	if args.pending() {
		return newHealthRule(ctx, name, args, http, target, own)
	}
	_, err = lb.NewListener(ctx, name+"-https", &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn,
		Protocol:        pulumi.String("HTTPS"),
		Port:            pulumi.Int(httpsPort),
		CertificateArn:  e.CertificateARN,
		SslPolicy:       pulumi.String(args.TLSPolicy),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type:           pulumi.String("forward"),
			TargetGroupArn: target.Arn,
		}},
	}, own)
	return err
}

// toHTTPS sends a request to the same address under HTTPS, for good.
func toHTTPS() *lb.ListenerDefaultActionArgs {
	return &lb.ListenerDefaultActionArgs{
		Type: pulumi.String("redirect"),
		Redirect: &lb.ListenerDefaultActionRedirectArgs{
			StatusCode: pulumi.String("HTTP_301"),
			Protocol:   pulumi.String("HTTPS"),
			Port:       pulumi.String(strconv.Itoa(httpsPort)),
			Host:       pulumi.String("#{host}"),
			Path:       pulumi.String("/#{path}"),
			Query:      pulumi.String("#{query}"),
		},
	}
}

// notYet tells visitors, and the owner who tries, what is missing.
func notYet(spec Spec) *lb.ListenerDefaultActionArgs {
	return &lb.ListenerDefaultActionArgs{
		Type: pulumi.String("fixed-response"),
		FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
			StatusCode:  pulumi.String("503"),
			ContentType: pulumi.String("text/plain"),
			MessageBody: pulumi.String(spec.Domain + " waits for its certificate.\n"),
		},
	}
}

// newHealthRule lets the health check's path, and nothing else, through while
// the certificate is pending. A target group that no listener uses is never
// checked, and a release would wait for ever for its instances to be healthy
// (Elastic Load Balancing, "Health checks for Application Load Balancer
// target groups", reason Target.NotInUse).
func newHealthRule(ctx *pulumi.Context, name string, args Args, http *lb.Listener, target *lb.TargetGroup, own pulumi.ResourceOption) error {
	_, err := lb.NewListenerRule(ctx, name+"-http-health", &lb.ListenerRuleArgs{
		ListenerArn: http.Arn,
		Priority:    pulumi.Int(1),
		Conditions: lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
			PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray([]string{args.HealthCheckPath})},
		}},
		Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
			Type:           pulumi.String("forward"),
			TargetGroupArn: target.Arn,
		}},
	}, own)
	return err
}
