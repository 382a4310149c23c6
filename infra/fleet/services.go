package fleet

import (
	"slices"
	"strings"

	"bluegreen/infra/firewall"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// What follows from the services that instances run.

// web tells whether visitors come to the instances.
func (a Args) web() bool { return slices.Contains(strings.Fields(a.Services), "web") }

func described(name string, args Args) string {
	if args.web() {
		return "Initial webserver for " + name + "."
	}
	return "Initial server for " + name + ": " + args.Services + "."
}

// instanceName is the Name of the fleet's instances.
func (a Args) instanceName(fleet string) string {
	if a.web() {
		return fleet + "-web"
	}
	return fleet
}

// newSecurityGroup lets the load balancer in where there is something to visit,
// and nobody elsewhere.
func newSecurityGroup(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	if !args.web() {
		return firewall.New(ctx, name+"-instances", firewall.Args{
			Description: "Instances that nobody connects to.", VPCID: args.VPCID, IPv6: args.IPv6,
		}, own)
	}
	return firewall.New(ctx, name+"-reverse-proxy", firewall.Args{
		Description: "Web instances: HTTP from the load balancer only.", VPCID: args.VPCID, IPv6: args.IPv6,
		Ingress: []firewall.Ingress{
			{Key: "http", Port: 80, Group: args.LoadBalancerSecurityGroupID, Description: "HTTP from the load balancer"},
		},
	}, own)
}
