// Package edge declares where visitors arrive: the site's DNS names, their
// certificate, and the load balancer that ends TLS and hands requests to the
// instances of one target group.
//
// A domain whose records the stack may write works without another step. For
// any other the certificate is requested and the records that the owner has
// to add are an output; until then the load balancer answers 503.
package edge

import (
	"errors"
	"fmt"

	"bluegreen/infra/firewall"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the load balancer and everything beside it.
const typeToken = "bluegreen:infra:Edge"

// Values of Spec.DNS.
const (
	Lookup = "lookup" // the hosted zone exists in Route 53
	Create = "create" // the stack makes the hosted zone; its owner delegates to it
	Manual = "manual" // the domain is elsewhere; its owner adds the records
)

// Values of Spec.Certificate.
const (
	Await   = "await"   // wait until AWS has issued it, then serve HTTPS
	Pending = "pending" // request it and go on; HTTP answers 503
)

// Spec is what an operator chooses. Times are in seconds.
type Spec struct {
	// Domain is the site's main name, as in example.com or
	// staging.example.com. Required.
	Domain string `json:"domain"`
	// WWW makes the site answer to www.<domain> too. The default is true.
	WWW bool `json:"www"`
	// Names are further full host names; one like *.example.com is for the
	// certificate only and gets no record. The default is none.
	Names []string `json:"names"`
	// DNS is lookup, create or manual. The default is lookup.
	DNS string `json:"dns"`
	// HostedZone is the name of the zone that holds the records, if it is not
	// Domain itself: example.com for staging.example.com.
	HostedZone string `json:"hostedZone"`
	// Certificate is await or pending. The default is await where the stack
	// writes every record into a zone that exists, else pending: then the
	// owner has a step to take first. Set it to await once that is done.
	Certificate string `json:"certificate"`
	// TLSPolicy names the load balancer's security policy. The default is
	// ELBSecurityPolicy-TLS13-1-2-2021-06: TLS 1.2 and 1.3.
	TLSPolicy string `json:"tlsPolicy"`

	// HealthCheckPath is asked on each instance; the default is /healthz.
	HealthCheckPath string `json:"healthCheckPath"`
	// HealthCheckInterval is the time between two checks, 5 to 300; the
	// default is 10.
	HealthCheckInterval int `json:"healthCheckInterval"`
	// HealthCheckTimeout is how long an answer may take, 2 to 120 and less
	// than the interval; the default is 5.
	HealthCheckTimeout int `json:"healthCheckTimeout"`
	// HealthyThreshold is how many good answers in a row make an instance
	// healthy, 2 to 10; the default is 2.
	HealthyThreshold int `json:"healthyThreshold"`
	// UnhealthyThreshold is how many bad ones make it unhealthy, 2 to 10; the
	// default is 3.
	UnhealthyThreshold int `json:"unhealthyThreshold"`
	// Matcher lists the status codes of a good answer, as in 200, 200,202 or
	// 200-299; the default is 200.
	Matcher string `json:"matcher"`

	// DeregistrationDelay is how long an instance that leaves may finish its
	// requests, 0 to 3600; the default is 60.
	DeregistrationDelay int `json:"deregistrationDelay"`
	// IdleTimeout is how long a connection may be silent, 1 to 4000; the
	// default is 60. The web server's own keep-alive must be longer.
	IdleTimeout int `json:"idleTimeout"`
	// SlowStart is how long a new instance's share of requests grows, 30 to
	// 900, or 0 for none, which is the default.
	SlowStart int `json:"slowStart"`

	// AccessLogs writes a line for each request to the log bucket. The
	// default is false.
	AccessLogs bool `json:"accessLogs"`
	// Protect keeps the load balancer, and the hosted zone that the stack
	// made, from being deleted. The default is true.
	Protect bool `json:"protect"`
}

// Default is a site whose hosted zone exists, without its domain.
func Default() Spec {
	return Spec{
		WWW: true, DNS: Lookup, TLSPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
		HealthCheckPath: "/healthz", HealthCheckInterval: 10, HealthCheckTimeout: 5,
		HealthyThreshold: 2, UnhealthyThreshold: 3, Matcher: "200",
		DeregistrationDelay: 60, IdleTimeout: 60, Protect: true,
	}
}

// Args is a Spec and where it applies.
type Args struct {
	Spec
	VPCID     pulumi.StringInput      // required
	SubnetIDs pulumi.StringArrayInput // public ones, in two zones or more; required
	IPv6      bool                    // the network is dual-stack
	ZoneID    string                  // of the hosted zone; required when DNS is lookup
	// LogBucket is the name of the bucket for access logs; required when
	// AccessLogs is set. Its policy must stand before the name resolves: AWS
	// tries to write when logging is switched on.
	LogBucket pulumi.StringInput
}

func (a Args) validate() error {
	problems := []error{a.Spec.Validate()}
	for _, needed := range []struct {
		missing bool
		problem string
	}{
		{a.VPCID == nil, "vpcId: required; pass the network's"},
		{a.SubnetIDs == nil, "subnetIds: required; pass the network's"},
		{a.DNS == Lookup && a.ZoneID == "", "zoneId: required when dns is lookup; look up the hosted zone " + a.Zone()},
		{a.AccessLogs && a.LogBucket == nil, "logBucket: required when accessLogs is true; pass the storage's"},
	} {
		if needed.missing {
			problems = append(problems, errors.New(needed.problem))
		}
	}
	return errors.Join(problems...)
}

// Edge is a load balancer that the site's names lead to.
type Edge struct {
	pulumi.ResourceState

	LoadBalancerName      pulumi.StringOutput
	LoadBalancerARN       pulumi.StringOutput
	LoadBalancerARNSuffix pulumi.StringOutput // "app/<name>/<id>", as CloudWatch metrics name it
	DNSName               pulumi.StringOutput // of the load balancer
	ZoneID                pulumi.StringOutput // the load balancer's own zone, for alias records

	TargetGroupName      pulumi.StringOutput
	TargetGroupARN       pulumi.StringOutput
	TargetGroupARNSuffix pulumi.StringOutput // "targetgroup/<name>/<id>"

	SecurityGroupID pulumi.StringOutput // the only source that instances let in
	CertificateARN  pulumi.StringOutput
	NameServers     pulumi.StringArrayOutput // of the zone that the stack made, else empty

	// ManualRecords are what the owner has to add where the stack cannot:
	// each has name, type, value and purpose. Empty when nothing is left.
	ManualRecords pulumi.StringMapArrayOutput
}

// New declares the edge. With the certificate awaited it is done only when
// AWS has issued it, or fails after validationTimeout.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (e *Edge, err error) {
	defer func() {
		if err != nil {
			e, err = nil, fmt.Errorf("edge %s: %w", name, err)
		}
	}()
	if err := args.validate(); err != nil {
		return nil, err
	}
	e = &Edge{}
	if err := ctx.RegisterComponentResource(typeToken, name, e, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(e)
	group, err := firewall.New(ctx, name+"-WebAccess", firewall.Args{
		Description: "It is for ALB", VPCID: args.VPCID, Ingress: entrances, IPv6: args.IPv6,
	}, own)
	if err != nil {
		return nil, err
	}
	zone, err := e.newZone(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	certificate, err := e.newCertificate(ctx, name, args, zone, own)
	if err != nil {
		return nil, err
	}
	balancer, err := newLoadBalancer(ctx, name, args, group, own)
	if err != nil {
		return nil, err
	}
	target, err := newTargetGroup(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	if err := e.newListeners(ctx, name, args, balancer, target, own); err != nil {
		return nil, err
	}
	if err := newAliases(ctx, name, args, zone, balancer, own); err != nil {
		return nil, err
	}
	e.LoadBalancerName, e.LoadBalancerARN, e.LoadBalancerARNSuffix = balancer.Name, balancer.Arn, balancer.ArnSuffix
	e.DNSName, e.ZoneID = balancer.DnsName, balancer.ZoneId
	e.TargetGroupName, e.TargetGroupARN, e.TargetGroupARNSuffix = target.Name, target.Arn, target.ArnSuffix
	e.SecurityGroupID = group.ID().ToStringOutput()
	e.ManualRecords = manualRecords(args.Spec, certificate, balancer, e.NameServers)
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{
		"dnsName": e.DNSName, "certificateArn": e.CertificateARN, "manualRecords": e.ManualRecords,
	})
}

// newZone returns the id of the zone that records go into, or nil when there
// is none, and makes the zone if that is asked for.
func (e *Edge) newZone(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (pulumi.StringInput, error) {
	e.NameServers = pulumi.StringArray{}.ToStringArrayOutput()
	switch args.DNS {
	case Manual:
		return nil, nil
	case Lookup:
		return pulumi.String(args.ZoneID), nil
	}
	zone, err := route53.NewZone(ctx, name+"-zone", &route53.ZoneArgs{
		Name:    pulumi.String(args.Zone()),
		Comment: pulumi.String("Records of " + args.Zone() + ", delegated to by its registrar."),
		Tags:    pulumi.StringMap{"Name": pulumi.String(name + "-zone")},
	}, own, pulumi.Protect(args.Protect))
	if err != nil {
		return nil, err
	}
	e.NameServers = zone.NameServers
	return zone.ZoneId, nil
}
