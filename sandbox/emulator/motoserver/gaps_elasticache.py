"""ElastiCache: what moto lacks or does otherwise. In moto a replication group has
no clusters behind it, counts its nodes wrongly, and nothing is ever gone after
its deletion."""

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.models import CacheSubnetGroup, ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse
from patching import also, instead


class Member:
    """A cluster of a replication group, from which the provider reads what the
    group does not tell. All but its name is the group's."""

    def __init__(self, group, name):
        self.group = group
        self.cache_cluster_id = name
        self.arn = group.arn.rsplit(":", 2)[0] + ":cluster:" + name
        self.cache_cluster_status = "available"
        self.num_cache_nodes = 1

    def __getattr__(self, name):
        return getattr(self.group, name)

    @property
    def engine_version(self):
        """In full, as AWS answers it: 8.0 was asked for, 8.0.0 runs."""
        version = self.group.engine_version
        return version + ".0" if version and version.count(".") == 1 else version

    @property
    def cache_parameter_group(self):
        name = self.group.cache_parameter_group_name
        return name and {
            "CacheParameterGroupName": name,
            "ParameterApplyStatus": "in-sync",
        }

    @property
    def security_groups(self):
        return [
            {"SecurityGroupId": group, "Status": "active"}
            for group in self.group.security_group_ids or []
        ]


def populate(backend, group):
    """Makes the clusters that the group lists, and only those."""
    forget(backend, group)
    for node_group in group.node_groups:
        node_group["reader_endpoint"] = {
            "address": node_group.get("reader_endpoint_address"),
            "port": group.port,
        }
    for name in group.member_clusters:
        backend.cache_clusters[name] = Member(group, name)


def forget(backend, group):
    for name, cluster in list(backend.cache_clusters.items()):
        if getattr(cluster, "group", None) is group:
            del backend.cache_clusters[name]


@instead(ElastiCacheBackend, "create_replication_group")
def create_replication_group(original, backend, **settings):
    if settings["num_cache_clusters"]:
        settings["replicas_per_node_group"] = settings["num_cache_clusters"] - 1
    settings["preferred_cache_cluster_azs"] = settings[
        "preferred_cache_cluster_azs"
    ] or [backend.region_name + zone for zone in "ab"]
    if settings["transit_encryption_enabled"]:
        settings["transit_encryption_mode"] = (
            settings["transit_encryption_mode"] or "required"
        )
    group = original(backend, **settings)
    populate(backend, group)
    return group


@instead(ElastiCacheResponse, "modify_replication_group")
def modify_replication_group(original, response):
    """Most changes were dropped."""
    result = original(response)
    name = response._get_param("ReplicationGroupId")
    group = response.elasticache_backend.replication_groups[name]
    for parameter, attribute in {
        "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
        "CacheParameterGroupName": "cache_parameter_group_name",
        "EngineVersion": "engine_version",
        "NotificationTopicArn": "notification_topic_arn",
        "PreferredMaintenanceWindow": "preferred_maintenance_window",
        "SecurityGroupIds": "security_group_ids",
        "SnapshotWindow": "snapshot_window",
        "TransitEncryptionEnabled": "transit_encryption_enabled",
        "TransitEncryptionMode": "transit_encryption_mode",
    }.items():
        value = response._get_param(parameter)
        if value is not None:
            setattr(group, attribute, value)
    return result


def resize(response):
    backend = response.elasticache_backend
    name = response._get_param("ReplicationGroupId")
    group = backend.describe_replication_groups(name)[0]
    replicas = response._get_int_param("NewReplicaCount")
    group.member_clusters.clear()
    for node_group in group.node_groups:
        node_group["node_group_members"].clear()
        group._set_node_members_clusters_disabled(
            member_clusters=group.member_clusters,
            replication_group_id=name,
            replication_group_domain=node_group["primary_endpoint_address"].split(
                ".", 1
            )[1],
            node_group=node_group,
            preferred_cache_cluster_azs=[backend.region_name + zone for zone in "ab"],
            num_cache_clusters=replicas + 1,
            replicas_per_node_group=replicas,
        )
    populate(backend, group)
    return ActionResult({"ReplicationGroup": group})


@also(ElastiCacheResponse)
def increase_replica_count(response):
    return resize(response)


@also(ElastiCacheResponse)
def decrease_replica_count(response):
    return resize(response)


@instead(ElastiCacheResponse, "delete_replication_group")
def delete_replication_group(original, response):
    """The group stayed in status deleting for ever."""
    backend = response.elasticache_backend
    name = response._get_param("ReplicationGroupId")
    snapshot = response._get_param("FinalSnapshotIdentifier")
    if snapshot:
        backend.create_snapshot(snapshot, name, None, None, None)
    result = original(response)
    forget(backend, backend.replication_groups.pop(name))
    return result


@instead(ElastiCacheBackend, "delete_cache_cluster")
def delete_cache_cluster(original, backend, cache_cluster_id):
    """The cluster stayed in status deleting for ever."""
    cluster = original(backend, cache_cluster_id)
    del backend.cache_clusters[cache_cluster_id]
    return cluster


class CacheSubnetGroupInUse(ServiceException):
    code = "CacheSubnetGroupInUse"


@also(ElastiCacheResponse)
def modify_cache_subnet_group(response):
    backend = response.elasticache_backend
    name = response._get_param("CacheSubnetGroupName")
    old = backend.describe_cache_subnet_groups(name)[0]
    backend.cache_subnet_groups[name] = CacheSubnetGroup(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_subnet_group_name=name,
        cache_subnet_group_description=response._get_param(
            "CacheSubnetGroupDescription", old.cache_subnet_group_description
        ),
        subnet_ids=response._get_param("SubnetIds", old.subnet_ids),
        tags=old.tags,
    )
    return ActionResult({"CacheSubnetGroup": backend.cache_subnet_groups[name]})


@also(ElastiCacheResponse)
def delete_cache_subnet_group(response):
    backend = response.elasticache_backend
    name = response._get_param("CacheSubnetGroupName")
    backend.describe_cache_subnet_groups(name)
    for cluster in backend.cache_clusters.values():
        if cluster.cache_subnet_group_name == name:
            raise CacheSubnetGroupInUse(
                f"Cache subnet group {name} is used by {cluster.cache_cluster_id}."
            )
    del backend.cache_subnet_groups[name]
    return EmptyResult()
