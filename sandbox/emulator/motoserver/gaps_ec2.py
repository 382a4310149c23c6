"""EC2: what moto lacks or does otherwise."""

from moto.ec2.models.amis import Ami
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.utils import parse_user_data
from patching import instead


@instead(Subnet, "get_filter_value")
def subnet_filters(original, subnet, name, *rest):
    """A dual-stack subnet: the provider waits for its IPv6 block by this filter."""
    if name == "ipv6-cidr-block-association.association-id":
        return list(subnet.ipv6_cidr_block_associations)
    return original(subnet, name, *rest)


def associated_ipv6_blocks(subnet):
    """A dual-stack subnet: moto nests the state of its block one level too deep."""
    return [
        block
        for block in subnet.ipv6_cidr_block_associations.values()
        if block["ipv6CidrBlockState"]["State"] == "associated"
    ]


Subnet.ipv6_cidr_block_association_set = property(associated_ipv6_blocks)


def rule_description(rule):
    """A rule that refers to another group came back without its description."""
    return rule.ip_range.get("Description") or rule.source_group.get("Description")


SecurityGroupRule.description = property(rule_description)


@instead(SecurityGroupBackend, "modify_security_group_rules")
def modify_rules(original, backend, group_id, rules):
    """A rule for all protocols has no ports, which was refused; changes of an
    IPv6 block or of the other group were dropped."""
    for change in rules.values():
        if change.get("IpProtocol") == "-1":
            change.update(FromPort=-1, ToPort=-1)
    original(backend, group_id, rules)
    group = backend.get_security_group_from_id(group_id)
    for rule_id, change in rules.items():
        rule = group.get_rule(rule_id)
        if "CidrIpv6" in change:
            rule.ip_range["CidrIpv6"] = change["CidrIpv6"]
        if "ReferencedGroupId" in change:
            rule.source_group["GroupId"] = change["ReferencedGroupId"]


@instead(VPCBackend, "create_vpc_endpoint")
def create_endpoint(original, backend, **settings):
    """An endpoint whose type was left to the default could not be deleted."""
    settings["endpoint_type"] = settings["endpoint_type"] or "Gateway"
    return original(backend, **settings)


@instead(VPCBackend, "delete_vpc_endpoints")
def delete_endpoints(original, backend, vpce_ids=None):
    """Deleted endpoints stayed in the listing, and the provider waits until they
    have left it."""
    original(backend, vpce_ids)
    for endpoint_id in vpce_ids or []:
        backend.vpc_end_points.pop(endpoint_id, None)


@instead(LaunchTemplateVersion, "__init__")
def template_version(original, version, template, number, data, description):
    """The template's own tags turned up among those for what it launches: with
    default tags, a difference at every preview. And user data of a second version
    was refused at launch."""
    data["TagSpecifications"] = [
        tags
        for tags in data.get("TagSpecifications", [])
        if tags["ResourceType"] != "launch-template"
    ]
    if isinstance(data.get("UserData"), (str, bytes)):
        data["UserData"] = parse_user_data(data["UserData"])
    original(version, template, number, data, description)


# A template's tags were those of its creation, for ever.
LaunchTemplate.tags = property(
    lambda template: template.get_tags(), lambda template, tags: None
)


def root_volume(image):
    """Every image had 15 GiB of the previous generation that outlive the instance."""
    volume = {
        "SnapshotId": image.ebs_snapshot.id,
        "VolumeSize": 8,
        "VolumeType": "gp3",
        "DeleteOnTermination": True,
    }
    return [{"DeviceName": image.root_device_name, "Ebs": volume}]


Ami.block_device_mappings = property(root_volume)
