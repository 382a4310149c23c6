"""Load balancers: what moto lacks or does otherwise."""

import json

from moto.ec2.models.instances import InstanceBackend
from moto.elbv2.models import (
    ELBv2Backend,
    FakeHealthStatus,
    FakeTargetGroup,
    elbv2_backends,
)
from moto.moto_api._internal import urls
from patching import instead


@instead(InstanceBackend, "terminate_instances")
def terminate_instances(original, backend, instance_ids):
    """Only a call of EC2's own took instances from their target groups; one that
    Auto Scaling ended stayed."""
    terminated = original(backend, instance_ids)
    elbv2_backends[backend.account_id][backend.region_name].notify_terminate_instances(
        instance_ids
    )
    return terminated


# Target health. moto calls every target healthy. Where the sandbox has a load
# balancer, that one tells the health of every target, by target group and
# instance, here; a group without any is left to moto. Targets that it tells of
# and that are no longer registered are draining until it tells of them no more.


def tell(request, full_url, headers):
    for arn, healths in json.loads(request.get_data()).items():
        account, region = arn.split(":")[4], arn.split(":")[3]
        group = elbv2_backends[account][region].target_groups.get(arn)
        if group:
            group.told = healths
    return 200, {"Content-Type": "application/json"}, "{}"


urls.url_paths["{0}/moto-api/target-health$"] = tell


def told(group):
    """Healths by instance; None without a load balancer."""
    return getattr(group, "told", None)


@instead(FakeTargetGroup, "register")
def register(original, group, targets):
    new = [target["Id"] for target in targets if target["Id"] not in group.targets]
    original(group, targets)
    for instance in new:
        (told(group) or {}).pop(instance, None)


@instead(FakeTargetGroup, "health_for")
def health_for(original, group, target, ec2_backend):
    answer = original(group, target, ec2_backend)
    if told(group) is None:
        return answer
    health = told(group).get(target["Id"])
    if answer.status == "healthy":
        if health is None or health["State"] == "draining":
            health = {
                "State": "initial",
                "Reason": "Elb.RegistrationInProgress",
                "Description": "Target registration is in progress",
            }
    elif target["Id"] not in group.targets:
        health = health and {
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    else:  # stopped: moto knows better
        health = None
    if health:
        answer = FakeHealthStatus(
            answer.instance_id,
            answer.port,
            answer.health_check_port,
            health["State"],
            health["Reason"] or None,
            health["Description"] or None,
        )
    return answer


@instead(ELBv2Backend, "describe_target_health")
def describe_target_health(original, backend, arn, targets):
    group = backend.target_groups.get(arn)
    if not targets and group and told(group):
        left = {**group.terminated_targets, **group.deregistered_targets}
        targets = list(group.targets.values()) + [
            target
            for instance, target in left.items()
            if instance in told(group) and instance not in group.targets
        ]
        if not targets:
            return []
    return original(backend, arn, targets)
