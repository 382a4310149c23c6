package stacks

import (
	"strings"

	"bluegreen/infra/access"
	"bluegreen/infra/cache"
	"bluegreen/infra/database"
	"bluegreen/infra/edge"
	"bluegreen/infra/network"
	"bluegreen/infra/parameters"
	"bluegreen/infra/release"
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
	own, err := fleetProvider(ctx, s)
	if err != nil {
		return err
	}
	use := pulumi.Providers(aws, own)
	zone, imageID, err := lookUp(ctx, s, pulumi.Provider(aws))
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
		Spec: s.Access, Site: site, Account: s.Account, Region: s.Region, Partition: partition(s.Region), Logs: s.Logs.Enabled, Pair: s.Release.Mode == release.Pair,
		StorageBucketARN: storage.StorageBucketARN, ReleaseBucketARN: storage.ReleaseBucketARN,
	}, use)
	if err != nil {
		return err
	}
	fleets, err := instances(ctx, s, imageID, network, edge, access, use, pulumi.Provider(aws))
	if err != nil {
		return err
	}

	provided, err := dataStores(ctx, s, network, fleets.clients, use)
	if err != nil {
		return err
	}
	provided["allowedHosts"] = pulumi.String(strings.Join(s.Edge.Hosts(), ","))
	provided["storageBucket"] = storage.StorageBucket
	provided["region"] = pulumi.String(s.Region)
	parameters, err := parameters.New(ctx, prefix, parameters.Args{
		Registry: registry, Site: site, Outputs: provided, Values: s.Environment,
		KeyARN: access.KeyARN, KeyManaged: s.Access.CustomerManagedKey,
	}, use)
	if err != nil {
		return err
	}
	return export(ctx, s, parts{storage, edge, access, fleets, parameters})
}

// dataStores declares the database and the cache, where the stack has them,
// and returns where they are. Clients are the security groups that they let in.
func dataStores(ctx *pulumi.Context, s Settings, network *network.Network, clients map[string]pulumi.StringInput, use pulumi.ResourceOption) (map[string]pulumi.StringInput, error) {
	prefix := s.Site().Prefix()
	locations := map[string]pulumi.StringInput{}
	if s.Database.Enabled {
		database, err := database.New(ctx, prefix, database.Args{
			Spec: s.Database, VPCID: network.VPCID, SubnetIDs: network.SubnetIDs, Clients: clients,
		}, use)
		if err != nil {
			return nil, err
		}
		locations["databaseUrl"] = database.URL
	}
	if s.Cache.Enabled {
		cache, err := cache.New(ctx, prefix, cache.Args{
			Spec: s.Cache, VPCID: network.VPCID, SubnetIDs: network.SubnetIDs, Clients: clients,
		}, use)
		if err != nil {
			return nil, err
		}
		locations["redisUrl"] = cache.URL
	}
	return locations, nil
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
