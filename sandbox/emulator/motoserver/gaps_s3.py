"""S3: what moto lacks or does otherwise."""

import json

from moto.iam.access_control import IAMPolicy
from moto.s3.models import FakeBucket, FakeDeleteMarker
from patching import also, instead


@instead(FakeBucket, "get_permission")
def bucket_permission(original, bucket, action, resource):
    """A statement that denies what does not come over TLS denied everything: moto
    takes a condition that does not hold for a refusal. Statements with conditions
    are left out."""
    if bucket.policy is None:
        return original(bucket, action, resource)
    policy = json.loads(bucket.policy)
    statements = policy["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    policy["Statement"] = [s for s in statements if "Condition" not in s]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


@also(FakeDeleteMarker)
def dispose(marker):
    """A bucket whose versioning was switched off, as at destroy, could not be
    emptied of deletion markers. Unlike an object, one holds no file to close."""
