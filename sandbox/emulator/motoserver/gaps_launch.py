"""Launching instances from a template. moto takes image, type, user data, security
groups and tags from it and leaves the rest: instances without their profile and
with version 1 of the metadata service, and a second, unencrypted root volume."""

from moto.ec2.models.instances import InstanceBackend
from moto.ec2.utils import convert_tag_spec
from patching import instead


@instead(InstanceBackend, "run_instances")
def run_instances(original, backend, image_id, count, user_data, groups, **settings):
    template = {}
    if settings.get("launch_template"):
        template = backend._get_template_from_args(settings["launch_template"]).data
        complete(settings, template)
    reservation = original(backend, image_id, count, user_data, groups, **settings)
    profile = template.get("IamInstanceProfile")
    for instance in reservation.instances:
        for index, interface in instance.nics.items():
            if index == 0:  # it came with the instance and goes with it
                interface.delete_on_termination = True
        if profile and not settings.get("iam_instance_profile_arn"):
            backend.associate_iam_instance_profile(
                instance.id, profile.get("Name"), profile.get("Arn")
            )
    return reservation


def complete(settings, template):
    """What the call itself says wins over the template."""
    if template.get("BlockDeviceMappings"):
        settings.setdefault("block_device_mappings", template["BlockDeviceMappings"])
    settings["metadata_options"] = {
        **template.get("MetadataOptions", {}),
        **(settings.get("metadata_options") or {}),
    }
    if template.get("Monitoring", {}).get("Enabled"):
        settings["monitoring_state"] = "enabled"
    specified = convert_tag_spec(template.get("TagSpecifications", []))
    tags = settings.get("tags") or {}
    settings["tags"] = {
        kind: {**specified.get(kind, {}), **tags.get(kind, {})}
        for kind in specified.keys() | tags.keys()
    }
    for interface in template.get("NetworkInterfaces", [])[:1]:
        settings["security_group_ids"] = settings.get(
            "security_group_ids"
        ) or interface.get("Groups", [])
        if settings.get("associate_public_ip") is None:
            settings["associate_public_ip"] = interface.get("AssociatePublicIpAddress")
