"""CodeDeploy: what moto lacks or does otherwise."""

from moto.codedeploy.responses import CodeDeployResponse
from moto.core.responses import ActionResult
from patching import also


@also(CodeDeployResponse)
def delete_application(response):
    """Missing."""
    name = response._get_param("applicationName")
    response.codedeploy_backend.applications.pop(name, None)
    return ActionResult({})
