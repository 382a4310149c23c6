// Package firewall declares a security group whose rules are resources of
// their own, each with a description and a source. Components share it; it is
// not one itself.
package firewall

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Everybody, in either family of addresses.
const (
	AnywhereIPv4 = "0.0.0.0/0"
	AnywhereIPv6 = "::/0"
)

// Ingress lets one source connect to one TCP port. Exactly one of CIDR and
// Group is set: a rule without a source would mean everybody.
type Ingress struct {
	Key         string // ends the rule's name, and stays
	Description string
	Port        int
	CIDR        string             // AnywhereIPv4 or AnywhereIPv6
	Group       pulumi.StringInput // a security group's id
}

// Args is what a group guards and whom it lets in.
type Args struct {
	// Description replaces the group when it changes. EC2 refuses apostrophes
	// in it (Amazon EC2 API Reference, "CreateSecurityGroup").
	Description string
	VPCID       pulumi.StringInput
	Ingress     []Ingress
	IPv6        bool // lets traffic out over IPv6 too
}

// New declares the group called name, with own as its parent. Everything may
// go out, as with a new group of AWS: packages, agents and AWS itself have
// addresses that no rule could list.
func New(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Description: pulumi.String(args.Description),
		VpcId:       args.VPCID.ToStringOutput(),
		Tags:        nameTag(name),
	}, own)
	if err != nil {
		return nil, err
	}
	for _, in := range args.Ingress {
		if err := newIngress(ctx, name+"-"+in.Key, group, in, own); err != nil {
			return nil, err
		}
	}
	return group, newEgress(ctx, name, group, args.IPv6, own)
}

func newIngress(ctx *pulumi.Context, name string, group *ec2.SecurityGroup, in Ingress, own pulumi.ResourceOption) error {
	rule := &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String(in.Description),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(in.Port),
		ToPort:          pulumi.Int(in.Port),
		Tags:            nameTag(name),
	}
	switch {
	case in.Group != nil && in.CIDR == "":
		rule.ReferencedSecurityGroupId = in.Group.ToStringOutput()
	case in.Group == nil && in.CIDR == AnywhereIPv4:
		rule.CidrIpv4 = pulumi.String(in.CIDR)
	case in.Group == nil && in.CIDR == AnywhereIPv6:
		rule.CidrIpv6 = pulumi.String(in.CIDR)
	default:
		return fmt.Errorf("%s: want one source, a group or everybody; got group %t and CIDR %q", name, in.Group != nil, in.CIDR)
	}
	_, err := vpc.NewSecurityGroupIngressRule(ctx, name, rule, own)
	return err
}

func newEgress(ctx *pulumi.Context, name string, group *ec2.SecurityGroup, ipv6 bool, own pulumi.ResourceOption) error {
	ipv4Rule := name + "-out-ipv4"
	if _, err := vpc.NewSecurityGroupEgressRule(ctx, ipv4Rule, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out over IPv4"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String(AnywhereIPv4),
		Tags:            nameTag(ipv4Rule),
	}, own); err != nil || !ipv6 {
		return err
	}
	ipv6Rule := name + "-out-ipv6"
	_, err := vpc.NewSecurityGroupEgressRule(ctx, ipv6Rule, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out over IPv6"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv6:        pulumi.String(AnywhereIPv6),
		Tags:            nameTag(ipv6Rule),
	}, own)
	return err
}

func nameTag(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }
