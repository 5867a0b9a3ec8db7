"""Preflight of the state's backend: a key of one's own, old versions, a lock; asked, never assumed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Ask = Callable[..., str | None]
Verdict = Literal["ok", "missing", "not asked"]
NO_COPIES: Final = ("PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS", "PULUMI_SKIP_CHECKPOINTS")
"""Variables of the engine that make a lost state a lost stack."""


@dataclass(frozen=True)
class Found:
    """One thing that was asked."""

    what: str
    verdict: Verdict
    found: str
    todo: str = ""


def _read(answer: str | None) -> Any:
    try:
        return json.loads(answer) if answer else None
    except ValueError:
        return None


def _judge(what: str, answer: Any, good: bool | None, found: str, todo: str) -> Found:  # noqa: FBT001
    if answer is None:
        return Found(what, "not asked", "no answer from the cloud's command line", todo)
    return Found(what, "ok" if good else "missing", found or "no", "" if good else todo)


def _s3(bucket: str, ask: Ask) -> Iterator[Found]:
    versions = _read(ask("aws", "s3api", "get-bucket-versioning", "--bucket", bucket, "--output", "json"))
    status = str((versions or {}).get("Status") or "off")
    yield _judge("old states are kept", versions, status == "Enabled", status, f"turn on versioning of s3://{bucket}")
    given = _read(ask("aws", "s3api", "get-bucket-encryption", "--bucket", bucket, "--output", "json"))
    rules = ((given or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    algorithm = str((rules[0].get("ApplyServerSideEncryptionByDefault") or {}).get("SSEAlgorithm") or "none")
    good = algorithm in {"aws:kms", "aws:kms:dsse"}
    yield _judge("encrypted by a KMS key", given, good, algorithm, f"set default encryption aws:kms on s3://{bucket}")
    shut = _read(ask("aws", "s3api", "get-public-access-block", "--bucket", bucket, "--output", "json"))
    flags = (shut or {}).get("PublicAccessBlockConfiguration") or {}
    closed = len(flags) == 4 and all(flags.values())  # noqa: PLR2004 - the four switches of S3
    yield _judge("nobody outside reads it", shut, closed, f"{sum(map(bool, flags.values()))} of 4 blocks", "block all")


def _gs(bucket: str, ask: Ask) -> Iterator[Found]:
    told = _read(ask("gcloud", "storage", "buckets", "describe", f"gs://{bucket}", "--format=json"))
    given = told or {}
    versioned = bool(given.get("versioning_enabled"))
    yield _judge("old states are kept", told, versioned, str(versioned), f"turn on versioning of gs://{bucket}")
    key = str(given.get("default_kms_key") or "")
    yield _judge("encrypted by a KMS key", told, bool(key), key, f"set a default KMS key on gs://{bucket}")
    shut = str(given.get("public_access_prevention") or "inherited")
    yield _judge("nobody outside reads it", told, shut == "enforced", shut, "enforce public access prevention")


def _azblob(account: str, ask: Ask) -> Iterator[Found]:
    if not account:
        todo = "set AZURE_STORAGE_ACCOUNT, or write ?storage_account=NAME into the backend's address"
        yield Found("storage account of the state", "missing", "not named", todo)
        return
    served = _read(
        ask(
            "az", "storage", "account", "blob-service-properties", "show", "--account-name", account, "--output", "json"
        )
    )
    versioned = bool((served or {}).get("isVersioningEnabled"))
    yield _judge("old states are kept", served, versioned, str(versioned), f"turn on blob versioning of {account}")
    told = _read(ask("az", "storage", "account", "show", "--name", account, "--output", "json"))
    source = str(((told or {}).get("encryption") or {}).get("keySource") or "none")
    good = source == "Microsoft.Keyvault"
    yield _judge("encrypted by a KMS key", told, good, source, f"give {account} a key of your Key Vault")
    public = bool((told or {}).get("allowBlobPublicAccess"))
    said = f"public access {public}"
    yield _judge("nobody outside reads it", told, not public, said, f"set allowBlobPublicAccess of {account} to false")


def _directory(path: Path) -> Iterator[Found]:
    good = path.is_dir() and os.access(path, os.W_OK)
    todo = "" if good else f"make {path}, writable for you"
    yield Found("state directory", "ok" if good else "missing", str(path), todo)
    yield Found("shared by a team", "not asked", "a directory of one machine", "a team keeps its state in a bucket")


def _service(environ: Mapping[str, str], ask: Ask) -> Iterator[Found]:
    token = bool(environ.get("PULUMI_ACCESS_TOKEN"))
    who = ask("pulumi", "whoami") if not token else "by PULUMI_ACCESS_TOKEN"
    yield Found(
        "login to Pulumi Cloud", "ok" if who else "missing", who or "none", "" if who else "set PULUMI_ACCESS_TOKEN"
    )
    yield Found("locks, versions, encryption", "ok", "the service's own")


def checks(url: str, environ: Mapping[str, str], ask: Ask) -> list[Found]:
    """Everything about one backend; `ask` runs a command and answers None when it is not there or says no."""
    parts = urlsplit(url)
    name = parts.netloc
    found = [Found("backend", "ok", f"{parts.scheme}://{parts.hostname or parts.path}")]
    if parts.scheme == "s3":
        found += _s3(name, ask)
    elif parts.scheme == "gs":
        found += _gs(name, ask)
    elif parts.scheme == "azblob":
        named = [one.partition("=")[2] for one in parts.query.split("&") if one.startswith("storage_account=")]
        found += _azblob(named[0] if named else environ.get("AZURE_STORAGE_ACCOUNT", ""), ask)
    elif parts.scheme == "file":
        found += _directory(Path(parts.path).expanduser())
    elif parts.scheme == "https":
        return [*found, *_service(environ, ask)]
    else:
        known = "s3://, gs://, azblob://, file:// or https://"
        return [Found("backend", "missing", f"{parts.scheme or 'none'}://", f"pulumi login with one of {known}")]
    set_ = [variable for variable in NO_COPIES if environ.get(variable)]
    todo = f"unset {', '.join(set_)}" if set_ else ""
    found.append(Found("copies before each write", "missing" if set_ else "ok", ", ".join(set_) or "kept", todo))
    found.append(Found("locks", "ok", "the engine's, one file for each update; `recover` frees only our dead ones"))
    return found
