// Package database declares an RDS for PostgreSQL instance that only named
// security groups can reach: its firewall, subnets, parameters, credentials
// and the URL that the application connects with.
package database

import (
	"errors"
	"fmt"

	"bluegreen/infra/firewall"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the database and everything in it.
const typeToken = "bluegreen:infra:Database"

// port is PostgreSQL's own.
const port = 5432

// Args is a Spec and what the rest of the platform supplies.
type Args struct {
	Spec
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput // in two availability zones at least
	Clients   firewall.Clients        // the security groups that may connect
	// KeyARN is the KMS key of the storage; nil is the account's aws/rds key.
	// Changing it replaces the database.
	KeyARN pulumi.StringInput
}

// Validate reports every mistake at once.
func (a Args) Validate() error {
	problems := []error{a.Spec.Validate()}
	if a.VPCID == nil {
		problems = append(problems, errors.New("vpcId: want the network's VPC, got none"))
	}
	if a.SubnetIDs == nil {
		problems = append(problems, errors.New("subnetIds: want the network's subnets, got none"))
	}
	return errors.Join(append(problems, a.Clients.Validate())...)
}

// Database is a PostgreSQL server with one empty database.
type Database struct {
	pulumi.ResourceState

	URL             pulumi.StringOutput // secret; postgresql://user:password@host:port/name?sslmode=require
	Endpoint        pulumi.StringOutput // host:port
	Name            pulumi.StringOutput // of the database inside
	Identifier      pulumi.StringOutput // of the instance in RDS
	SecurityGroupID pulumi.StringOutput
}

// New declares the database.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (d *Database, err error) {
	defer func() {
		if err != nil {
			d, err = nil, fmt.Errorf("database %s: %w", name, err)
		}
	}()
	if err := args.Validate(); err != nil {
		return nil, err
	}
	d = &Database{}
	if err := ctx.RegisterComponentResource(typeToken, name, d, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(d)
	group, err := firewall.New(ctx, name+"-database", firewall.Args{
		Description: "PostgreSQL from the application only", VPCID: args.VPCID, Ingress: args.Clients.Ingress("PostgreSQL", port),
	}, own)
	if err != nil {
		return nil, err
	}
	login, err := newCredentials(ctx, name, own)
	if err != nil {
		return nil, err
	}
	if err := d.newInstance(ctx, name, args, group, login, own); err != nil {
		return nil, err
	}
	d.SecurityGroupID = group.ID().ToStringOutput()
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"url": d.URL, "endpoint": d.Endpoint, "name": d.Name, "identifier": d.Identifier, "securityGroupId": d.SecurityGroupID,
	})
}
