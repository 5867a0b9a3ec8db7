"""The preflight of each backend: what its command line answers decides; no answer is neither good nor bad."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automation.backends import checks

S3 = {
    "get-bucket-versioning": {"Status": "Enabled"},
    "get-bucket-encryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        }
    },
    "get-public-access-block": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
        }
    },
}  # fmt: skip
GS = {
    "buckets": {"versioning_enabled": True, "default_kms_key": "projects/p/k", "public_access_prevention": "enforced"}
}
AZURE = {
    "blob-service-properties": {"isVersioningEnabled": True},
    "show": {"encryption": {"keySource": "Microsoft.Keyvault"}, "allowBlobPublicAccess": False},
}
OWN_KEY_OF_S3 = json.loads(json.dumps(S3["get-bucket-encryption"]).replace("aws:kms", "AES256"))
OWN_KEY_OF_AZURE = {"encryption": {"keySource": "Microsoft.Storage"}}
HALF_OPEN = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}


def verdicts(url: str, answers: Mapping[str, Any] | None, **environ: str) -> dict[str, str]:
    def ask(*words: str) -> str | None:
        if answers is None:
            return None
        return next((json.dumps(answer) for word, answer in answers.items() if word in words), None)

    return {one.what: one.verdict for one in checks(url, environ, ask)}


@pytest.mark.parametrize(
    ("url", "answers", "environ"),
    [
        ("s3://state", S3, {}),
        ("s3://state?region=eu-west-1&awssdk=v2", S3, {}),
        ("gs://state/path", GS, {}),
        ("azblob://state", AZURE, {"AZURE_STORAGE_ACCOUNT": "a"}),
        ("azblob://state?storage_account=a", AZURE, {}),
        ("https://api.pulumi.com", {}, {"PULUMI_ACCESS_TOKEN": "t"}),
    ],
)
def test_a_good_backend(url: str, answers: Mapping[str, Any], environ: dict[str, str]) -> None:
    assert set(verdicts(url, answers, **environ).values()) == {"ok"}
    if not url.startswith("https"):
        silent = verdicts(url, None, **environ)
        assert silent["old states are kept"] == silent["encrypted by a KMS key"] == "not asked"


@pytest.mark.parametrize(
    ("url", "answers", "what"),
    [
        ("s3://state", {**S3, "get-bucket-versioning": {}}, "old states are kept"),
        ("s3://state", {**S3, "get-bucket-versioning": {"Status": "Suspended"}}, "old states are kept"),
        ("s3://state", {**S3, "get-bucket-encryption": OWN_KEY_OF_S3}, "encrypted by a KMS key"),
        ("s3://state", {**S3, "get-public-access-block": HALF_OPEN}, "nobody outside reads it"),
        ("gs://state", {"buckets": {**GS["buckets"], "default_kms_key": ""}}, "encrypted by a KMS key"),
        ("gs://state", {"buckets": {}}, "old states are kept"),
        ("azblob://s?storage_account=a", {**AZURE, "show": OWN_KEY_OF_AZURE}, "encrypted by a KMS key"),
        ("azblob://s", AZURE, "storage account of the state"),
        ("ftp://state", {}, "backend"),
        ("", {}, "backend"),
        ("https://api.pulumi.com", {}, "login to Pulumi Cloud"),
        ("file:///nowhere/at/all", {}, "state directory"),
    ],
)  # fmt: skip
def test_what_is_missing(url: str, answers: Mapping[str, Any], what: str) -> None:
    assert verdicts(url, answers)[what] == "missing"


def test_a_directory_and_the_engines_copies(tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    assert "missing" not in verdicts(url, {}).values()
    found = verdicts(url, {}, PULUMI_SKIP_CHECKPOINTS="true")
    assert found["copies before each write"] == "missing"


def test_no_password_of_an_address_is_shown() -> None:
    (first, *_) = checks("https://user:hunter2@pulumi.example", {}, lambda *_: None)
    assert "hunter2" not in first.found
