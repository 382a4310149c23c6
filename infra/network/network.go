// Package network declares one VPC for one site: a public subnet in each
// availability zone, a route to the internet, and a gateway endpoint to S3.
//
// Instances have public addresses and no NAT gateway: a gateway costs more
// than a small site's instances. Security groups keep everything but the load
// balancer closed to the world.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the network and everything in it.
const typeToken = "bluegreen:infra:Network"

// Spec is what an operator chooses.
type Spec struct {
	// CIDR is the VPC's IPv4 block, /16 to /20, from a private range. The
	// default is 10.0.0.0/16. Changing it replaces the network.
	CIDR netip.Prefix `json:"cidr"`
	// Zones are letters of availability zones in the region, two to eight of
	// them; a load balancer needs two (Elastic Load Balancing, "Availability
	// Zones for your Application Load Balancer"). The default is a, b, c.
	// A zone's addresses follow from its letter: adding one moves nothing.
	Zones []string `json:"zones"`
	// IPv6 gives the VPC and its subnets addresses from Amazon's range and
	// makes the load balancer dual-stack. The default is false.
	IPv6 bool `json:"ipv6"`
}

// Default is the seed's network over three zones.
func Default() Spec {
	return Spec{CIDR: netip.MustParsePrefix("10.0.0.0/16"), Zones: []string{"a", "b", "c"}}
}

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	var problems []error
	if err := checkBlock(s.CIDR); err != nil {
		problems = append(problems, fmt.Errorf("cidr: %w", err))
	}
	if len(s.Zones) < 2 {
		problems = append(problems, fmt.Errorf("zones: want at least 2 for a load balancer, got %d; add a letter", len(s.Zones)))
	}
	for i, zone := range s.Zones {
		if _, err := slot(zone); err != nil {
			problems = append(problems, fmt.Errorf("zones[%d]: %w", i, err))
		}
		if slices.Contains(s.Zones[:i], zone) {
			problems = append(problems, fmt.Errorf("zones[%d]: %q is listed twice; remove one", i, zone))
		}
	}
	return errors.Join(problems...)
}

// Args is a Spec and where it applies.
type Args struct {
	Spec
	Region string // as in "us-east-2"
}

// Network is a VPC that is ready to put things in.
type Network struct {
	pulumi.ResourceState

	VPCID     pulumi.StringOutput
	SubnetIDs pulumi.StringArrayOutput // one for each zone, in the order of Spec.Zones
}

// New declares the network. Its subnets are usable only once their routes
// stand, so the outputs wait for the route to the internet.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (n *Network, err error) {
	defer func() {
		if err != nil {
			n, err = nil, fmt.Errorf("network %s: %w", name, err)
		}
	}()
	if err := args.Validate(); err != nil {
		return nil, err
	}
	n = &Network{}
	if err := ctx.RegisterComponentResource(typeToken, name, n, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(n)
	vpc, err := newVPC(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	table, err := newRoutes(ctx, name, args, vpc, own)
	if err != nil {
		return nil, err
	}
	if err := n.newSubnets(ctx, name, args, vpc, table, own); err != nil {
		return nil, err
	}
	n.VPCID = vpc.ID().ToStringOutput()
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.VPCID, "subnetIds": n.SubnetIDs})
}

func newVPC(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.Vpc, error) {
	return ec2.NewVpc(ctx, name+"-vpc-01", &ec2.VpcArgs{
		CidrBlock:                    pulumi.String(args.CIDR.String()),
		EnableDnsHostnames:           pulumi.Bool(true),
		EnableDnsSupport:             pulumi.Bool(true),
		AssignGeneratedIpv6CidrBlock: pulumi.Bool(args.IPv6),
		Tags:                         pulumi.StringMap{"Name": pulumi.String(name + "-vpc-01")},
	}, own)
}
