"""Load balancers: what moto lacks or does otherwise."""

from moto.ec2.models.instances import InstanceBackend
from moto.elbv2.models import elbv2_backends
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
