// Package cache declares a Valkey or Redis server on ElastiCache that only
// named security groups can reach. It serves as the application's cache and
// as Celery's broker.
package cache

import (
	"errors"
	"fmt"

	"bluegreen/infra/firewall"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the cache and everything in it.
const typeToken = "bluegreen:infra:Cache"

// port is the one of Valkey and Redis.
const port = 6379

// Args is a Spec and what the rest of the platform supplies.
type Args struct {
	Spec
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput // in two availability zones at least if there are more nodes than one
	Clients   firewall.Clients        // the security groups that may connect
	// KeyARN is the KMS key of what is written to disk; nil is AWS's own key.
	// Changing it replaces the cache.
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

// Cache is a Valkey or Redis server.
type Cache struct {
	pulumi.ResourceState

	URL             pulumi.StringOutput // secret; rediss://:token@host:port/0?ssl_cert_reqs=required
	Endpoint        pulumi.StringOutput // host:port of the primary node
	SecurityGroupID pulumi.StringOutput
}

// New declares the cache.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (c *Cache, err error) {
	defer func() {
		if err != nil {
			c, err = nil, fmt.Errorf("cache %s: %w", name, err)
		}
	}()
	if err := args.Validate(); err != nil {
		return nil, err
	}
	c = &Cache{}
	if err := ctx.RegisterComponentResource(typeToken, name, c, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(c)
	group, err := firewall.New(ctx, name+"-cache", firewall.Args{
		Description: "Cache from the application only", VPCID: args.VPCID, Ingress: args.Clients.Ingress("Cache", port),
	}, own)
	if err != nil {
		return nil, err
	}
	if err := c.newReplicationGroup(ctx, name, args, group, own); err != nil {
		return nil, err
	}
	c.SecurityGroupID = group.ID().ToStringOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"url": c.URL, "endpoint": c.Endpoint, "securityGroupId": c.SecurityGroupID,
	})
}
