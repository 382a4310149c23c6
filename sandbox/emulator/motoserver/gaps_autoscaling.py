"""Auto Scaling: what moto lacks or does otherwise."""

import copy
import math

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from patching import instead


@instead(FakeAutoScalingGroup, "update")
def update_group(original, group, **changes):
    """Any change took the mixed instances policy away."""
    policy = copy.deepcopy(group.mixed_instances_policy)
    if policy and not any(
        changes[other]
        for other in ("launch_config_name", "launch_template", "mixed_instances_policy")
    ):
        # moto writes the template's id and name into the policy but takes one only
        template = policy["LaunchTemplate"]["LaunchTemplateSpecification"]
        template.pop("LaunchTemplateName", None)
        changes["mixed_instances_policy"] = policy
    original(group, **changes)


def keep(response):
    """Settings of a group that moto forgets when it is made, changed, or both."""
    name = response._get_param("AutoScalingGroupName")
    group = response.autoscaling_backend.autoscaling_groups[name]
    for parameter, attribute in {
        "CapacityRebalance": "capacity_rebalance",
        "DefaultCooldown": "default_cooldown",
        "DefaultInstanceWarmup": "default_instance_warmup",
        "InstanceMaintenancePolicy": "instance_maintenance_policy",
        "MaxInstanceLifetime": "max_instance_lifetime",
        "TerminationPolicies": "termination_policies",
    }.items():
        value = response._get_param(parameter)
        if value is not None:
            setattr(group, attribute, value)


@instead(AutoScalingResponse, "create_auto_scaling_group")
def create_auto_scaling_group(original, response):
    result = original(response)
    keep(response)
    return result


@instead(AutoScalingResponse, "update_auto_scaling_group")
def update_auto_scaling_group(original, response):
    result = original(response)
    keep(response)
    return result


@instead(FakeAutoScalingGroup, "set_desired_capacity")
def set_desired_capacity(original, group, new_capacity):
    """Shares of on-demand and spot that do not divide evenly started one instance
    too few. Which of them are spot is decided in launch."""
    group.purchase = group.mixed_instances_policy
    group.mixed_instances_policy = None
    try:
        original(group, new_capacity)
    finally:
        group.mixed_instances_policy = group.purchase


@instead(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def launch(original, group, count_needed, propagated_tags):
    """All instances went to the first subnet, from the default version of the
    template, on demand."""
    if not (group.ec2_launch_template and group.vpc_zone_identifier):
        return original(group, count_needed, propagated_tags)
    for _ in range(count_needed):
        running = [state.instance for state in group.active_instances()]
        reservation = group.autoscaling_backend.ec2_backend.run_instances(
            group.image_id,
            1,
            group.user_data,
            group.security_groups,
            region_name=group.region,
            instance_type=instance_type(group),
            is_instance_type_default=False,
            tags={
                "instance": {
                    **group.instance_tags,
                    **propagated_tags,
                    ASG_NAME_TAG: group.name,
                }
            },
            launch_template={
                "LaunchTemplateId": group.ec2_launch_template.id,
                "Version": group.launch_template_version,
            },
            associate_public_ip=None,
            subnet_id=min(
                group.vpc_zone_identifier.split(","),
                key=lambda subnet: sum(i.subnet_id == subnet for i in running),
            ),
            instance_market_options=spot(group, running),
        )
        for instance in reservation.instances:
            instance.autoscaling_group = group
            group.instance_states.append(
                InstanceState(
                    instance,
                    protected_from_scale_in=group.new_instances_protected_from_scale_in,
                )
            )


def instance_type(group):
    """The first override's, which a real group need not choose."""
    policy = getattr(group, "purchase", None) or {"LaunchTemplate": {}}
    for override in policy["LaunchTemplate"].get("Overrides", []):
        if override.get("InstanceType"):
            return override["InstanceType"]
    return group.instance_type


def spot(group, running):
    """Whether the next instance is a spot one, given those that run."""
    policy = getattr(group, "purchase", None)
    if not policy:
        return None
    shares = policy.get("InstancesDistribution", {})
    base = int(shares.get("OnDemandBaseCapacity", 0))
    percentage = int(shares.get("OnDemandPercentageAboveBaseCapacity", 100))
    above = max(0, len(running) + 1 - base)
    on_demand = base + math.ceil(above * percentage / 100)
    if sum(instance.lifecycle != "spot" for instance in running) < on_demand:
        return None
    return {"MarketType": "spot"}
