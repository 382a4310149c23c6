"""Auto Scaling: policies and scheduled actions. moto keeps them by name alone, so
that two groups cannot have one of the same name, keeps them when the group
goes, and answers policies that no provider takes for what it has made."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult
from patching import instead


@instead(AutoScalingBackend, "put_scaling_policy")
def put_scaling_policy(original, backend, name, *arguments, **named):
    policy = original(backend, name, *arguments, **named)
    # AWS answers none, and not an empty one
    policy.predictive_scaling_configuration = (
        policy.predictive_scaling_configuration or None
    )
    backend.policies[(policy.auto_scaling_group_name, name)] = backend.policies.pop(
        name
    )
    return policy


@instead(AutoScalingResponse, "put_scaling_policy")
def put_policy(original, response):
    """Whether a policy is enabled was forgotten."""
    result = original(response)
    _, policy = named_policy(response)
    enabled = response._get_param("Enabled")
    policy.enabled = True if enabled is None else enabled
    return result


def named_policy(response):
    """Policies are named by ARN, or by name and group."""
    name = response._get_param("PolicyName")
    group = response._get_param("AutoScalingGroupName")
    for key, policy in response.autoscaling_backend.policies.items():
        if name == policy.arn or key == (group, name):
            return key, policy
    raise ValidationError(f"No policy found with name: {name}")


@instead(AutoScalingResponse, "delete_policy")
def delete_policy(original, response):
    key, _ = named_policy(response)
    del response.autoscaling_backend.policies[key]
    return EmptyResult()


@instead(AutoScalingResponse, "execute_policy")
def execute_policy(original, response):
    _, policy = named_policy(response)
    policy.execute()
    return EmptyResult()


@instead(AutoScalingBackend, "put_scheduled_update_group_action")
def put_scheduled_action(original, backend, *arguments, **named):
    action = original(backend, *arguments, **named)
    name = action.scheduled_action_name
    backend.scheduled_actions[(action.auto_scaling_group_name, name)] = (
        backend.scheduled_actions.pop(name)
    )
    return action


@instead(AutoScalingBackend, "delete_scheduled_action")
def delete_scheduled_action(
    original, backend, auto_scaling_group_name, scheduled_action_name
):
    key = (auto_scaling_group_name, scheduled_action_name)
    if backend.scheduled_actions.pop(key, None) is None:
        raise ValidationError("Scheduled action name not found")


@instead(AutoScalingBackend, "delete_auto_scaling_group")
def delete_auto_scaling_group(original, backend, group_name):
    original(backend, group_name)
    for kept in (backend.policies, backend.scheduled_actions, backend.lifecycle_hooks):
        for key in [
            k for k, v in kept.items() if v.auto_scaling_group_name == group_name
        ]:
            del kept[key]
