package emulator

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testCacheSubnets makes a cache subnet group.
func testCacheSubnets(t *testing.T, config aws.Config, name string) (subnets []string) {
	t.Helper()
	_, made := testVPC(t, ec2.NewFromConfig(config))
	for _, subnet := range made {
		subnets = append(subnets, *subnet.SubnetId)
	}
	must[*elasticache.CreateCacheSubnetGroupOutput](t)(elasticache.NewFromConfig(config).CreateCacheSubnetGroup(t.Context(), &elasticache.CreateCacheSubnetGroupInput{
		CacheSubnetGroupName: &name, CacheSubnetGroupDescription: aws.String("first"), SubnetIds: subnets[:1],
	}))
	return subnets
}

func testCache(t *testing.T, config aws.Config) {
	client, name := elasticache.NewFromConfig(config), aws.String("cache")
	testCacheSubnets(t, config, "cache-subnets")
	must[*elasticache.CreateReplicationGroupOutput](t)(client.CreateReplicationGroup(t.Context(), &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: name, ReplicationGroupDescription: aws.String("d"), Engine: aws.String("valkey"), EngineVersion: aws.String("8.0"), CacheNodeType: aws.String("cache.t4g.micro"),
		NumCacheClusters: aws.Int32(2), CacheSubnetGroupName: aws.String("cache-subnets"), SecurityGroupIds: []string{"sg-1"}, CacheParameterGroupName: aws.String("default.valkey8"),
		TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String("abcdefghijklmnop"), AutomaticFailoverEnabled: aws.Bool(true),
	}))
	must[*elasticache.ModifyReplicationGroupOutput](t)(client.ModifyReplicationGroup(t.Context(), &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: name, EngineVersion: aws.String("8.1"), SecurityGroupIds: []string{"sg-2"}, PreferredMaintenanceWindow: aws.String("sun:05:00-sun:06:00"),
	}))
	must[*elasticache.IncreaseReplicaCountOutput](t)(client.IncreaseReplicaCount(t.Context(), &elasticache.IncreaseReplicaCountInput{ReplicationGroupId: name, NewReplicaCount: aws.Int32(3), ApplyImmediately: aws.Bool(true)}))
	must[*elasticache.DecreaseReplicaCountOutput](t)(client.DecreaseReplicaCount(t.Context(), &elasticache.DecreaseReplicaCountInput{ReplicationGroupId: name, NewReplicaCount: aws.Int32(2), ApplyImmediately: aws.Bool(true)}))

	group := must[*elasticache.DescribeReplicationGroupsOutput](t)(client.DescribeReplicationGroups(t.Context(), nil)).ReplicationGroups[0]
	assert.Equal(t, []string{"cache-001", "cache-002", "cache-003"}, group.MemberClusters)
	assert.NotEmpty(t, *group.NodeGroups[0].PrimaryEndpoint.Address)
	assert.NotEmpty(t, *group.NodeGroups[0].ReaderEndpoint.Address)
	assert.Equal(t, "eu-west-1a", *group.NodeGroups[0].NodeGroupMembers[0].PreferredAvailabilityZone)
	assert.EqualValues(t, "required", group.TransitEncryptionMode)
	clusters := must[*elasticache.DescribeCacheClustersOutput](t)(client.DescribeCacheClusters(t.Context(), nil)).CacheClusters
	require.Len(t, clusters, 3)
	assert.Equal(t, "8.1.0", *clusters[0].EngineVersion)
	assert.Equal(t, "cache", *clusters[0].ReplicationGroupId)
	assert.Equal(t, "default.valkey8", *clusters[0].CacheParameterGroup.CacheParameterGroupName)
	assert.Equal(t, "cache-subnets", *clusters[0].CacheSubnetGroupName)
	assert.Equal(t, "sg-2", *clusters[0].SecurityGroups[0].SecurityGroupId)
	assert.Equal(t, "sun:05:00-sun:06:00", *clusters[0].PreferredMaintenanceWindow)

	_, err := client.DeleteCacheSubnetGroup(t.Context(), &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: aws.String("cache-subnets")})
	assert.ErrorContains(t, err, "CacheSubnetGroupInUse")
	must[*elasticache.DeleteReplicationGroupOutput](t)(client.DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: name, FinalSnapshotIdentifier: aws.String("last")}))
	_, err = client.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: name})
	assert.ErrorContains(t, err, "ReplicationGroupNotFound")
	assert.Empty(t, must[*elasticache.DescribeCacheClustersOutput](t)(client.DescribeCacheClusters(t.Context(), nil)).CacheClusters)
	snapshots := must[*elasticache.DescribeSnapshotsOutput](t)(client.DescribeSnapshots(t.Context(), nil)).Snapshots
	require.Len(t, snapshots, 1)
	assert.Equal(t, "last", *snapshots[0].SnapshotName)
	must[*elasticache.DeleteCacheSubnetGroupOutput](t)(client.DeleteCacheSubnetGroup(t.Context(), &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: aws.String("cache-subnets")}))
}

func testCacheSubnetGroup(t *testing.T, config aws.Config) {
	client, name := elasticache.NewFromConfig(config), aws.String("changing")
	subnets := testCacheSubnets(t, config, *name)
	changed := must[*elasticache.ModifyCacheSubnetGroupOutput](t)(client.ModifyCacheSubnetGroup(t.Context(), &elasticache.ModifyCacheSubnetGroupInput{CacheSubnetGroupName: name, SubnetIds: subnets}))
	assert.Len(t, changed.CacheSubnetGroup.Subnets, 2)
	assert.Equal(t, "first", *changed.CacheSubnetGroup.CacheSubnetGroupDescription, "what a change does not name stays")
	must[*elasticache.DeleteCacheSubnetGroupOutput](t)(client.DeleteCacheSubnetGroup(t.Context(), &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: name}))
	_, err := client.DescribeCacheSubnetGroups(t.Context(), &elasticache.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: name})
	assert.ErrorContains(t, err, "CacheSubnetGroupNotFound")
}
