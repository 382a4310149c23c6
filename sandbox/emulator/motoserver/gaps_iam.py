"""IAM: what moto lacks or does otherwise."""

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import IAMBackend, User
from moto.iam.responses import IamResponse
from patching import also, instead


def set_boundary(response, arn):
    user = response.backend.get_user(response._get_param("UserName"))
    user.permissions_boundary = arn and {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": arn,
    }


User.permissions_boundary = None


@instead(IamResponse, "create_user")
def create_user(original, response):
    """A user's permissions boundary was forgotten."""
    result = original(response)
    set_boundary(response, response._get_param("PermissionsBoundary"))
    return result


@also(IamResponse)
def put_user_permissions_boundary(response):
    set_boundary(response, response._get_param("PermissionsBoundary"))
    return EmptyResult()


@also(IamResponse)
def delete_user_permissions_boundary(response):
    set_boundary(response, None)
    return EmptyResult()


@also(IamResponse)
def list_service_specific_credentials(response):
    """Missing, and asked for when a user is deleted with forceDestroy. Creating
    such credentials (CodeCommit, Keyspaces) is missing too, so there are none."""
    return ActionResult({"ServiceSpecificCredentials": []})


@instead(IAMBackend, "update_role")
def update_role(original, backend, role_name, description, *rest):
    """A change of the longest session took the role's description away."""
    if description is None:
        description = backend.get_role(role_name).description
    return original(backend, role_name, description, *rest)
