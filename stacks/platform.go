package stacks

import (
	"strings"

	"bluegreen/infra/access"
	"bluegreen/infra/cache"
	"bluegreen/infra/database"
	"bluegreen/infra/edge"
	"bluegreen/infra/fleet"
	"bluegreen/infra/network"
	"bluegreen/infra/parameters"
	"bluegreen/infra/storage"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// platform wires the components. Each takes what the ones above it made.
func platform(ctx *pulumi.Context, s Settings, registry parameters.Registry) error {
	site, prefix := s.Site(), s.Site().Prefix()

	aws, err := provider(ctx, s)
	if err != nil {
		return err
	}
	use := pulumi.Providers(aws)

	zone, err := hostedZone(ctx, s.Edge, pulumi.Provider(aws))
	if err != nil {
		return err
	}
	imageID, err := image(ctx, s.Fleet, pulumi.Provider(aws))
	if err != nil {
		return err
	}

	network, err := network.New(ctx, prefix, network.Args{Spec: s.Network, Region: s.Region}, use)
	if err != nil {
		return err
	}
	storage, err := storage.New(ctx, prefix, storage.Args{
		Spec: s.Storage, AccessLogs: s.Edge.AccessLogs, Account: s.Account,
	}, use)
	if err != nil {
		return err
	}
	edge, err := edge.New(ctx, prefix, edge.Args{
		Spec: s.Edge, IPv6: s.Network.IPv6, ZoneID: zone,
		VPCID: network.VPCID, SubnetIDs: network.SubnetIDs, LogBucket: storage.LogBucket,
	}, use)
	if err != nil {
		return err
	}
	access, err := access.New(ctx, prefix, access.Args{
		Spec: s.Access, Site: site, Account: s.Account, Region: s.Region, Partition: partition(s.Region),
		StorageBucketARN: storage.StorageBucketARN, ReleaseBucketARN: storage.ReleaseBucketARN,
	}, use)
	if err != nil {
		return err
	}
	fleet, err := fleet.New(ctx, prefix, fleet.Args{
		Spec: s.Fleet, Region: s.Region, ParameterPath: site.ParameterPath(), IPv6: s.Network.IPv6, ImageID: imageID, Tags: tags(s),
		VPCID: network.VPCID, LoadBalancerSecurityGroupID: edge.SecurityGroupID, InstanceProfileARN: access.InstanceProfileARN,
	}, use)
	if err != nil {
		return err
	}

	clients := map[string]pulumi.StringInput{"web": fleet.SecurityGroupID}
	available := map[string]pulumi.StringInput{
		"allowedHosts":  pulumi.String(strings.Join(s.Edge.Hosts(), ",")),
		"storageBucket": storage.StorageBucket,
		"region":        pulumi.String(s.Region),
	}
	if s.Database.Enabled {
		database, err := database.New(ctx, prefix, database.Args{
			Spec: s.Database, VPCID: network.VPCID, SubnetIDs: network.SubnetIDs, Clients: clients,
		}, use)
		if err != nil {
			return err
		}
		available["databaseUrl"] = database.URL
	}
	if s.Cache.Enabled {
		cache, err := cache.New(ctx, prefix, cache.Args{
			Spec: s.Cache, VPCID: network.VPCID, SubnetIDs: network.SubnetIDs, Clients: clients,
		}, use)
		if err != nil {
			return err
		}
		available["redisUrl"] = cache.URL
	}
	parameters, err := parameters.New(ctx, prefix, parameters.Args{
		Registry: registry, Site: site, Outputs: available, Values: s.Environment,
		KeyARN: access.KeyARN, KeyManaged: s.Access.CustomerManagedKey,
	}, use)
	if err != nil {
		return err
	}

	return export(ctx, s, parts{storage, edge, access, fleet, parameters})
}

// partition is the AWS partition of a region ("Amazon Resource Names", AWS
// General Reference).
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
