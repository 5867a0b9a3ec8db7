"""What the stand-in clouds refuse about buckets and trails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.behaviour import every_rule, rules  # noqa: F401
from sandbox.behaviour.rows import rows
from sandbox.behaviour.rules import Moment
from sandbox.behaviour.templates import Seed
from sandbox.checks import judge
from sandbox.errors import Refused
from sandbox.state import Database, Thing

DEFAULT = "applyServerSideEncryptionByDefault"
NAMES = {"aws": "aws:s3/bucket:Bucket", "gcp": "gcp:storage/bucket:Bucket"}


@pytest.mark.parametrize(
    ("rule", "inputs", "path"),
    [
        ("aws_bucket_encryption", {"rules": [{DEFAULT: {"sseAlgorithm": "AES256"}}]}, None),
        ("aws_bucket_encryption", {"rules": [{DEFAULT: {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}}]}, None),
        ("aws_bucket_encryption", {"rules": [{DEFAULT: {"sseAlgorithm": "AES256", "kmsMasterKeyId": "k"}}]},
         f"rules[0].{DEFAULT}.kmsMasterKeyId"),
        ("aws_bucket_lifecycle", {"rules": [{"id": "a", "status": "Enabled", "expiration": {"days": 1}}]}, None),
        ("aws_bucket_lifecycle", {"rules": [{"id": "a", "status": "Enabled"}]}, "rules[0]"),
        ("aws_bucket_lifecycle", {"rules": [{"id": "a", "expiration": {"days": 1}}] * 2}, "rules[1].id"),
        ("aws_trail", {"cloudWatchLogsGroupArn": "arn:g:*", "cloudWatchLogsRoleArn": "r"}, None),
        ("aws_trail", {"cloudWatchLogsGroupArn": "arn:g:*"}, "cloudWatchLogsRoleArn"),
        ("aws_trail", {"cloudWatchLogsGroupArn": "arn:g", "cloudWatchLogsRoleArn": "r"}, "cloudWatchLogsGroupArn"),
        ("aws_trail", {"isMultiRegionTrail": True, "includeGlobalServiceEvents": False}, "includeGlobalServiceEvents"),
        ("gcp_bucket", {"softDeletePolicy": {"retentionDurationSeconds": 0}}, None),
        ("gcp_bucket", {"softDeletePolicy": {"retentionDurationSeconds": 7 * 86_400}}, None),
        ("gcp_bucket", {"softDeletePolicy": {"retentionDurationSeconds": 86_400}},
         "softDeletePolicy.retentionDurationSeconds"),
    ],
)  # fmt: skip
def test_inputs_alone_decide(rule: str, inputs: dict[str, Any], path: str | None) -> None:
    assert [failure.path for failure in rules.CHECKS[rule](inputs)] == ([] if path is None else [path])


@pytest.mark.parametrize("name", ["Photos", "xn--a", "ab", "a..b", "a-s3alias", "b" * 64])
def test_s3_takes_no_such_name(name: str) -> None:
    assert {found.path for found in judge(rows("aws")[NAMES["aws"]], {"bucket": name})} == {"bucket"}


@pytest.mark.parametrize("name", ["Photos", "my-google-photos", "googly", "ab", "b" * 64])
def test_google_takes_no_such_name(name: str) -> None:
    assert {found.path for found in judge(rows("gcp")[NAMES["gcp"]], {"name": name, "location": "EU"})} == {"name"}


def test_good_names_are_taken() -> None:
    assert not list(judge(rows("aws")[NAMES["aws"]], {"bucket": "photos-0123456"}))
    assert not list(judge(rows("gcp")[NAMES["gcp"]], {"name": "photos-0123456", "location": "EU"}))


def thing(region: str, **inputs: Any) -> Thing:
    return Thing("aws", NAMES["aws"], "b", "urn", 1, "1", region, "b", inputs, {})


def moment(path: Path, inputs: dict[str, Any], found: dict[str, list[Thing]]) -> Moment:
    return Moment(Database(path / "s.sqlite"), "t", "1", "eu-west-1", inputs, Seed("urn", 1), found=found)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (thing("eu-west-1", objectLockEnabled=True), "Object Lock"),
        (thing("us-east-1"), "same Region"),
    ],
)
def test_access_logs_go_to_a_bucket_of_the_region_without_a_lock(tmp_path: Path, target: Thing, text: str) -> None:
    asked = moment(tmp_path, {}, {"bucket": [thing("eu-west-1")], "targetBucket": [target]})
    with pytest.raises(Refused, match=text):
        rules.CREATES["aws_log_target"](asked)
    asked.found["targetBucket"] = [thing("eu-west-1")]
    rules.CREATES["aws_log_target"](asked)


def test_only_a_bucket_with_a_lock_has_a_default_retention(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="missing Object Lock"):
        rules.CREATES["aws_object_lock"](moment(tmp_path, {}, {"bucket": [thing("eu-west-1")]}))
    locked = thing("eu-west-1", objectLockEnabled=True)
    rules.CREATES["aws_object_lock"](moment(tmp_path, {}, {"bucket": [locked]}))


def test_a_key_of_google_lives_where_its_bucket_does(tmp_path: Path) -> None:
    key = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
    inputs = {"location": "US-CENTRAL1", "encryption": {"defaultKmsKeyName": key}}
    with pytest.raises(Refused, match="europe-west1"):
        rules.CREATES["gcp_bucket_key"](moment(tmp_path, inputs, {}))
    rules.CREATES["gcp_bucket_key"](moment(tmp_path, {**inputs, "location": "EUROPE-WEST1"}, {}))
