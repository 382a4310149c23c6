package cache

import (
	"net"
	"net/url"
	"strconv"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// A replication group's name has at most 40 characters (Amazon ElastiCache API
// Reference, "CreateReplicationGroup"), and Pulumi adds a dash and seven
// random ones.
const longestName = 40 - 8

// tokenLength is the length of the password; ElastiCache takes 16 to 128
// characters and few special ones ("CreateReplicationGroup", AuthToken).
const tokenLength = 64

// newReplicationGroup declares the nodes and what they stand on.
func (c *Cache) newReplicationGroup(ctx *pulumi.Context, name string, args Args, group *ec2.SecurityGroup, own pulumi.ResourceOption) error {
	subnets, err := elasticache.NewSubnetGroup(ctx, name+"-cache", &elasticache.SubnetGroupArgs{
		Description: pulumi.String("Subnets of the cache"),
		SubnetIds:   args.SubnetIDs,
		Tags:        pulumi.StringMap{"Name": pulumi.String(name + "-cache")},
	}, own)
	if err != nil {
		return err
	}
	token, err := random.NewRandomPassword(ctx, name+"-cache-token", &random.RandomPasswordArgs{
		Length: pulumi.Int(tokenLength), Special: pulumi.Bool(false),
	}, own)
	if err != nil {
		return err
	}
	several := pulumi.Bool(args.Nodes > 1)
	groupArgs := &elasticache.ReplicationGroupArgs{
		Description:              pulumi.String("Cache and task broker of the application"),
		Engine:                   pulumi.String(args.Engine),
		EngineVersion:            pulumi.String(args.EngineVersion),
		NodeType:                 pulumi.String(args.NodeType),
		NumCacheClusters:         pulumi.Int(args.Nodes),
		AutomaticFailoverEnabled: several,
		MultiAzEnabled:           several,

		Port:                     pulumi.Int(port),
		SubnetGroupName:          subnets.Name,
		SecurityGroupIds:         pulumi.StringArray{group.ID()},
		AuthToken:                token.Result,
		TransitEncryptionEnabled: pulumi.Bool(true),
		TransitEncryptionMode:    pulumi.String("required"),
		AtRestEncryptionEnabled:  pulumi.Bool(true),

		SnapshotRetentionLimit: pulumi.Int(args.SnapshotRetentionDays),
		MaintenanceWindow:      pulumi.String(args.MaintenanceWindow),
		Tags:                   pulumi.StringMap{"Name": pulumi.String(name + "-cache-01")},
	}
	if args.KeyARN != nil {
		groupArgs.KmsKeyId = args.KeyARN.ToStringOutput().ToStringPtrOutput()
	}
	nodes, err := elasticache.NewReplicationGroup(ctx, naming.Fit(longestName, name, "cache-01"), groupArgs, own, pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	c.Endpoint = pulumi.StringOutput(pulumix.Apply(nodes.PrimaryEndpointAddress, endpoint))
	// Secret, since the token is.
	c.URL = pulumi.StringOutput(pulumix.Apply2(token.Result, nodes.PrimaryEndpointAddress, connectionURL))
	return nil
}

func endpoint(host string) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// connectionURL is how redis-py and Celery are told where to connect, with TLS
// and a certificate that is checked. Celery refuses a rediss URL that does not
// say so, and "required" is the spelling that redis-py takes too.
func connectionURL(token, host string) string {
	location := url.URL{
		Scheme:   "rediss",
		User:     url.UserPassword("", token),
		Host:     endpoint(host),
		Path:     "/0",
		RawQuery: "ssl_cert_reqs=required",
	}
	return location.String()
}
