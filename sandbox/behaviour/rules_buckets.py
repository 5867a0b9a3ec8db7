"""Rules over the clouds' buckets that a table cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.errors import Failure, Refused
from sandbox.paths import first
from sandbox.wire import is_unknown

SOFT_DELETE_SECONDS: Final = (7 * 86_400, 90 * 86_400)
"""Or 0, which switches it off: cloud.google.com/storage/docs/soft-delete (read 2026-11-21)."""
DEFAULT: Final = "applyServerSideEncryptionByDefault"


@check
def aws_bucket_encryption(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A key belongs to KMS only."""
    for place, rule in enumerate(inputs.get("rules") or ()):
        inside = rule.get(DEFAULT) or {} if isinstance(rule, dict) else {}
        if inside.get("sseAlgorithm") == "AES256" and inside.get("kmsMasterKeyId"):
            path = f"rules[{place}].{DEFAULT}.kmsMasterKeyId"
            yield Failure(path, "InvalidArgument: a KMSMasterKeyID is not applicable if the SSEAlgorithm is AES256")


@check
def aws_bucket_lifecycle(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Each rule does something, and has a name of its own."""
    names: set[str] = set()
    for place, rule in enumerate(inputs.get("rules") or ()):
        if not isinstance(rule, dict):
            continue
        if not any(value for key, value in rule.items() if key not in {"id", "status", "filter", "prefix"}):
            yield Failure(f"rules[{place}]", "InvalidRequest: At least one action needs to be specified in a rule")
        if (name := str(rule.get("id"))) in names:
            yield Failure(f"rules[{place}].id", f"InvalidArgument: Rule ID must be unique. Found same ID: {name}")
        names.add(name)


@create
def aws_log_target(moment: Moment) -> None:
    """Logs go to a bucket of the same region that has no Object Lock.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html, object-lock-managing.html.
    """
    sources = moment.found.get("bucket", [])
    for target in moment.found.get("targetBucket", []):
        if target.inputs.get("objectLockEnabled") is True:
            raise _refused("The target bucket for logging has Object Lock enabled")
        if any(source.region != target.region for source in sources):
            raise _refused("The target bucket for logging must be in the same Region as the source bucket")


@create
def aws_object_lock(moment: Moment) -> None:
    """Only a bucket with Object Lock has a default retention."""
    for bucket in moment.found.get("bucket", []):
        if bucket.inputs.get("objectLockEnabled") is not True:
            raise Refused(
                "InvalidRequest",
                "Bucket is missing Object Lock Configuration",
                grpc.StatusCode.INVALID_ARGUMENT,
            )


@check
def aws_trail(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A log group and the role that writes to it come together, and a trail of all regions sees global services."""
    group, role = inputs.get("cloudWatchLogsGroupArn"), inputs.get("cloudWatchLogsRoleArn")
    if bool(group) != bool(role):
        missing = "cloudWatchLogsGroupArn" if role else "cloudWatchLogsRoleArn"
        yield Failure(missing, "InvalidCloudWatchLogsLogGroupArnException: log group and role are given together")
    if isinstance(group, str) and not is_unknown(group) and not group.endswith(":*"):
        yield Failure("cloudWatchLogsGroupArn", "InvalidCloudWatchLogsLogGroupArnException: the ARN ends with :*")
    if inputs.get("isMultiRegionTrail") is True and inputs.get("includeGlobalServiceEvents") is False:
        text = "InvalidParameterCombinationException: Multi-Region trail must include global service events."
        yield Failure("includeGlobalServiceEvents", text)


def _refused(text: str) -> Refused:
    return Refused("InvalidTargetBucketForLogging", text, grpc.StatusCode.INVALID_ARGUMENT)


@check
def gcp_bucket(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Soft delete lasts a week to ninety days, or not at all."""
    seconds = first(inputs, "softDeletePolicy.retentionDurationSeconds")
    least, most = SOFT_DELETE_SECONDS
    if isinstance(seconds, int | float) and seconds and not least <= seconds <= most:
        text = f"Error 400: Soft delete policies must be 0 or between {least} and {most} seconds"
        yield Failure("softDeletePolicy.retentionDurationSeconds", text)


@create
def gcp_bucket_key(moment: Moment) -> None:
    """A key lives where its bucket does."""
    name = first(moment.inputs, "encryption.defaultKmsKeyName")
    if not isinstance(name, str) or is_unknown(name):
        return
    found = re.match(r"projects/[^/]+/locations/([^/]+)/", name)
    place = str(moment.inputs.get("location") or "").lower()
    if found and found.group(1) != place:
        raise Refused(
            "invalid",
            f"Invalid argument: the Cloud KMS key is in {found.group(1)}, the bucket in {place}",
            grpc.StatusCode.INVALID_ARGUMENT,
        )
