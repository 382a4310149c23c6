package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// newSubnets declares a public subnet for each zone and ties it to the table.
func (n *Network) newSubnets(ctx *pulumi.Context, name string, args Args, vpc *ec2.Vpc, table *ec2.RouteTable, own pulumi.ResourceOption) error {
	ids := pulumi.StringArray{}
	for _, zone := range args.Zones {
		block, err := subnet(args.CIDR, zone)
		if err != nil {
			return err
		}
		role := name + "-" + args.Region + "-subnet-" + zone
		subnetArgs := &ec2.SubnetArgs{
			VpcId:               vpc.ID(),
			AvailabilityZone:    pulumi.String(args.Region + zone),
			CidrBlock:           pulumi.String(block.String()),
			MapPublicIpOnLaunch: pulumi.Bool(true),
			Tags:                pulumi.StringMap{"Name": pulumi.String(args.Region + "-subnet-" + zone)},
		}
		if args.IPv6 {
			subnetArgs.AssignIpv6AddressOnCreation = pulumi.Bool(true)
			subnetArgs.Ipv6CidrBlock = pulumi.StringOutput(pulumix.ApplyErr(vpc.Ipv6CidrBlock, func(block string) (string, error) {
				return ipv6Subnet(block, zone)
			}))
		}
		made, err := ec2.NewSubnet(ctx, role, subnetArgs, own)
		if err != nil {
			return err
		}
		association, err := ec2.NewRouteTableAssociation(ctx, role, &ec2.RouteTableAssociationArgs{
			SubnetId:     made.ID(),
			RouteTableId: table.ID(),
		}, own)
		if err != nil {
			return err
		}
		// Through the association, so that nobody uses a subnet without routes.
		ids = append(ids, association.SubnetId.Elem())
	}
	n.SubnetIDs = ids.ToStringArrayOutput()
	return nil
}
