"""S3: what moto lacks or does otherwise."""

import json

from moto.iam.access_control import IAMPolicy
from moto.s3.models import FakeBucket, FakeDeleteMarker
from moto.s3.responses import S3Response
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


@instead(FakeBucket, "set_lifecycle")
def set_lifecycle(original, bucket, rules):
    """How many noncurrent versions stay was forgotten, and was nowhere shown."""
    original(bucket, rules)
    for made, given in zip(bucket.rules, rules):
        expiration = given.get("NoncurrentVersionExpiration") or {}
        made.newer_noncurrent_versions = expiration.get("NewerNoncurrentVersions")


@instead(S3Response, "get_bucket_lifecycle")
def get_bucket_lifecycle(original, response):
    serialized = response.serialized

    def complete(action):
        rules = response.backend.get_bucket_lifecycle(response.bucket_name)
        for shown, rule in zip(action.result.get("Rules", []), rules):
            kept = getattr(rule, "newer_noncurrent_versions", None)
            if kept is not None:
                shown["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = kept
        return serialized(action)

    response.serialized = complete
    try:
        return original(response)
    finally:
        del response.serialized
