"""RDS: what moto lacks or does otherwise."""

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend
from moto.rds.responses import RDSResponse
from patching import also, instead


@instead(DBInstance, "__init__")
def database_instance(original, instance, *arguments, **named):
    """All instances had one resource id, by which the provider looks them up.
    Performance Insights were forgotten."""
    original(instance, *arguments, **named)
    instance.dbi_resource_id = "db-" + mock_random.uuid4().hex[:26].upper()
    for setting in (
        "enable_performance_insights",
        "performance_insights_kms_key_id",
        "performance_insights_retention_period",
    ):
        setattr(instance, setting, named.get(setting))


DBInstance.performance_insights_enabled = property(
    lambda instance: instance.enable_performance_insights or False
)


@instead(DBParameterGroup, "update_parameters")
def update_parameters(original, group, parameters):
    """The parameters lacked their source, without which the provider takes them
    for AWS's own and drops them at a refresh."""
    original(group, [{**parameter, "Source": "user"} for parameter in parameters])


@instead(RDSBackend, "modify_db_subnet_group")
def modify_subnet_group(original, backend, subnet_name, *arguments, **named):
    """A changed group was taken out of the list and never put back."""
    group = original(backend, subnet_name, *arguments, **named)
    backend.subnet_groups[subnet_name] = group
    return group


@also(RDSResponse)
def reset_db_parameter_group(response):
    """Missing; a parameter taken out of the program is reset."""
    name = response.params["DBParameterGroupName"]
    group = response.backend.describe_db_parameter_groups(
        {"db_parameter_group_name": name}
    )[0]
    if response.params.get("ResetAllParameters"):
        group.parameters.clear()
    for parameter in response.params.get("Parameters", []):
        group.parameters.pop(parameter["ParameterName"], None)
    return ActionResult({"DBParameterGroupName": name})
