package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Everybody, in either family of addresses.
const (
	anywhere     = "0.0.0.0/0"
	anywhereIPv6 = "::/0"
)

// entrances is what the load balancer lets in. It is the only thing in the
// platform that is open to the world. Keys are part of resource names.
var entrances = []struct {
	key, family, description string
	port                     int
}{
	{"http", anywhere, "HTTP from anywhere over IPv4, to be sent on to HTTPS", 80},
	{"http-ipv6", anywhereIPv6, "HTTP from anywhere over IPv6, to be sent on to HTTPS", 80},
	{"https", anywhere, "HTTPS from anywhere over IPv4", 443},
	{"https-ipv6", anywhereIPv6, "HTTPS from anywhere over IPv6", 443},
}

// newFirewall declares the load balancer's security group. EC2 refuses an
// apostrophe in its description (Amazon EC2 API Reference,
// "CreateSecurityGroup").
func newFirewall(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	role := name + "-WebAccess"
	group, err := ec2.NewSecurityGroup(ctx, role, &ec2.SecurityGroupArgs{
		Description: pulumi.String("It is for ALB"),
		VpcId:       args.VPCID.ToStringOutput(),
		Tags:        pulumi.StringMap{"Name": pulumi.String(role)},
	}, own)
	if err != nil {
		return nil, err
	}
	for _, in := range entrances {
		rule := &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(),
			Description:     pulumi.String(in.description),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(in.port),
			ToPort:          pulumi.Int(in.port),
		}
		if in.family == anywhereIPv6 {
			rule.CidrIpv6 = pulumi.String(in.family)
		} else {
			rule.CidrIpv4 = pulumi.String(in.family)
		}
		if _, err := vpc.NewSecurityGroupIngressRule(ctx, role+"-"+in.key, rule, own); err != nil {
			return nil, err
		}
	}
	if _, err := vpc.NewSecurityGroupEgressRule(ctx, role+"-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out over IPv4"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String(anywhere),
	}, own); err != nil {
		return nil, err
	}
	if !args.IPv6 {
		return group, nil
	}
	_, err = vpc.NewSecurityGroupEgressRule(ctx, role+"-out-ipv6", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out over IPv6"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv6:        pulumi.String(anywhereIPv6),
	}, own)
	return group, err
}
