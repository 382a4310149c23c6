package fleet

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newFirewall lets in nothing but HTTP from the load balancer. Out goes
// everything: packages, the CodeDeploy agent and AWS itself have addresses
// that no rule could list.
func newFirewall(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	role := name + "-reverse-proxy"
	group, err := ec2.NewSecurityGroup(ctx, role, &ec2.SecurityGroupArgs{
		Description: pulumi.String("Web instances: HTTP from the load balancer only."), // changing it replaces the group
		VpcId:       args.VPCID.ToStringOutput(),
		Tags:        pulumi.StringMap{"Name": pulumi.String(role)},
	}, own)
	if err != nil {
		return nil, err
	}
	if _, err := vpc.NewSecurityGroupIngressRule(ctx, role+"-http", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           group.ID(),
		Description:               pulumi.String("HTTP from the load balancer"),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(80),
		ToPort:                    pulumi.Int(80),
		ReferencedSecurityGroupId: args.LoadBalancerSecurityGroupID.ToStringOutput(),
	}, own); err != nil {
		return nil, err
	}
	if _, err := vpc.NewSecurityGroupEgressRule(ctx, role+"-out-ipv4", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out over IPv4"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String("0.0.0.0/0"),
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
		CidrIpv6:        pulumi.String("::/0"),
	}, own)
	return group, err
}
