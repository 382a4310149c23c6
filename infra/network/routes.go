package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newRoutes declares the way out: the internet gateway, the one route table of
// all subnets, and the S3 gateway endpoint, which is free and keeps the
// traffic of release bundles and static files off the internet.
func newRoutes(ctx *pulumi.Context, name string, args Args, vpc *ec2.Vpc, own pulumi.ResourceOption) (*ec2.RouteTable, error) {
	gateway, err := ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{
		VpcId: vpc.ID(),
		Tags:  pulumi.StringMap{"Name": pulumi.String(name)},
	}, own)
	if err != nil {
		return nil, err
	}
	table, err := ec2.NewRouteTable(ctx, name+"-route-table-01", &ec2.RouteTableArgs{
		VpcId: vpc.ID(),
		Tags:  pulumi.StringMap{"Name": pulumi.String(name + "-route-table-01")},
	}, own)
	if err != nil {
		return nil, err
	}
	if _, err := ec2.NewRoute(ctx, name+"-internet", &ec2.RouteArgs{
		RouteTableId:         table.ID(),
		DestinationCidrBlock: pulumi.String("0.0.0.0/0"),
		GatewayId:            gateway.ID(),
	}, own); err != nil {
		return nil, err
	}
	if args.IPv6 {
		if _, err := ec2.NewRoute(ctx, name+"-internet-ipv6", &ec2.RouteArgs{
			RouteTableId:             table.ID(),
			DestinationIpv6CidrBlock: pulumi.String("::/0"),
			GatewayId:                gateway.ID(),
		}, own); err != nil {
			return nil, err
		}
	}
	_, err = ec2.NewVpcEndpoint(ctx, name+"-s3", &ec2.VpcEndpointArgs{
		VpcId:           vpc.ID(),
		ServiceName:     pulumi.String("com.amazonaws." + args.Region + ".s3"),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   pulumi.StringArray{table.ID()},
		Tags:            pulumi.StringMap{"Name": pulumi.String(name + "-s3")},
	}, own)
	return table, err
}
