package database

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newSecurityGroup declares who may connect: each client by its own security
// group, on PostgreSQL's port, and nobody else.
func newSecurityGroup(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	role := name + "-database"
	group, err := ec2.NewSecurityGroup(ctx, role, &ec2.SecurityGroupArgs{
		Description: pulumi.String("PostgreSQL from the application only"),
		VpcId:       args.VPCID.ToStringOutput().ToStringPtrOutput(),
		Tags:        pulumi.StringMap{"Name": pulumi.String(role)},
	}, own)
	if err != nil {
		return nil, err
	}
	for _, client := range slices.Sorted(maps.Keys(args.Clients)) {
		if _, err := vpc.NewSecurityGroupIngressRule(ctx, role+"-"+client, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           group.ID(),
			Description:               pulumi.String("PostgreSQL from " + client),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port),
			ToPort:                    pulumi.Int(port),
			ReferencedSecurityGroupId: args.Clients[client].ToStringOutput().ToStringPtrOutput(),
			Tags:                      pulumi.StringMap{"Name": pulumi.String(role + "-" + client)},
		}, own); err != nil {
			return nil, err
		}
	}
	// What a new security group of AWS has; extensions that fetch need it.
	_, err = vpc.NewSecurityGroupEgressRule(ctx, role+"-all", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything out"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String("0.0.0.0/0"),
		Tags:            pulumi.StringMap{"Name": pulumi.String(role + "-all")},
	}, own)
	return group, err
}
