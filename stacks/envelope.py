"""The stack file around the structured key: other keys, secrets, and settings of the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path

PROJECT: Final = "cloud-ecosystem"
KEY: Final = f"{PROJECT}:stack"
DEFAULT_PROVIDERS: Final = "pulumi:disable-default-providers"
DISABLED: Final = ("aws", "gcp", "azure-native", "cloudflare", "kubernetes", "pulumi-python")
"""Packages whose default provider would take whatever credentials lie around."""
ROOT_KEYS: Final = ("config", "encryptionsalt", "encryptedkey", "secretsprovider")
PROVIDERS: Final = ("aws", "aws-native", "gcp", "google-native", "azure", "azure-native", "azuread", "cloudflare",
                    "kubernetes")  # fmt: skip


def check_file(data: Any) -> Iterator[Problem]:
    """Problems of a whole file, as read from disk, outside of the structured key."""
    if not isinstance(data, Mapping):
        kind = "empty" if data is None else "a list" if isinstance(data, list) else "plain text"
        fix = f"begin it with `config:` and, indented below, `{KEY}:`"
        yield Problem(path=("file",), what=f"is {kind}, but must be a mapping", fix=fix)
        return
    for key in data:
        if key not in ROOT_KEYS:
            advice = "ESC environments bring values that cannot be checked here; remove it"
            fix = advice if key == "environment" else did_you_mean(key, ROOT_KEYS, "remove it")
            yield Problem(path=(key,), what="is not a key of a stack file", allowed=listed(ROOT_KEYS), fix=fix)
    config = data.get("config")
    if not isinstance(config, Mapping):
        what = "is missing" if "config" not in data else "must be a mapping"
        yield Problem(path=("config",), what=what, fix=f"write `config:` and, indented below, `{KEY}:`")
        return
    for key, value in config.items():
        yield from _config_key(key, value)
    if DEFAULT_PROVIDERS in config:  # without it nothing breaks: every provider is explicit
        yield from _default_providers(config[DEFAULT_PROVIDERS])
    if KEY not in config:
        yield missing_key(config)


def check_bag(config: Mapping[str, Any], secret_keys: set[str]) -> Iterator[Problem]:
    """Check the same for what the engine hands to a program: values are decrypted, so only names are looked at."""
    for key in config:
        if key == KEY:
            if key in secret_keys:
                yield _secret_inside()
        else:
            yield from _config_key(key, {"secure": ""} if key in secret_keys else "plain")
    if DEFAULT_PROVIDERS in config:
        yield from _default_providers(from_engine(config[DEFAULT_PROVIDERS]))
    if KEY not in config:
        yield missing_key(config)


def from_engine(value: Any) -> Any:
    """Return what the engine read: it hands a structured value over as JSON, and anything else as text."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def find_secure(data: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of encrypted values inside the structured key."""
    if isinstance(data, Mapping):
        if set(data) == {"secure"}:
            yield path
        else:
            for key, value in data.items():
                yield from find_secure(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from find_secure(value, (*path, index))


def missing_key(config: Mapping[str, Any]) -> Problem:
    """Report that the structured key is not there."""
    near = did_you_mean(KEY, (key for key in config if key.startswith(PROJECT) or "stack" in key), "")
    return Problem(
        path=("config", KEY), what="is missing", fix=f"describe the stack under `{KEY}:`; {near}".rstrip("; ")
    )


def _config_key(key: str, value: Any) -> Iterator[Problem]:
    path = ("config", key)
    namespace, _, name = key.partition(":")
    if key in {KEY, DEFAULT_PROVIDERS} or (namespace == "pulumi" and name in {"tags", "autonaming"}):
        return
    if namespace == PROJECT and name:
        if not (isinstance(value, Mapping) and set(value) == {"secure"} and isinstance(value["secure"], str)):
            fix = f"write it with `pulumi config set --secret {name}`; what is no secret belongs under `{KEY}`"
            yield Problem(path=path, what="is not encrypted: keys beside the stack are for secrets", fix=fix)
    elif namespace in PROVIDERS:
        fix = "remove it: accounts and regions are written under `clouds`, and credentials come from the environment"
        yield Problem(path=path, what="configures a provider, but every provider of this program is explicit", fix=fix)
    else:
        fix = did_you_mean(key, (KEY, DEFAULT_PROVIDERS), "remove it")
        yield Problem(path=path, what="is not a key that this program reads", allowed=f"{KEY}, {PROJECT}:NAME", fix=fix)


def _default_providers(disabled: Any) -> Iterator[Problem]:
    if isinstance(disabled, list) and ("*" in disabled or set(DISABLED) <= set(map(str, disabled))):
        return
    yield Problem(
        path=("config", DEFAULT_PROVIDERS),
        what="does not name every package of this program",
        found=disabled,
        allowed=listed(DISABLED),
        fix=f"write `{DEFAULT_PROVIDERS}: [{', '.join(DISABLED)}]`",
    )


def _secret_inside() -> Problem:
    fix = f"move the secret to a key of its own: `pulumi config set --secret {PROJECT}:NAME`"
    return Problem(path=("config", KEY), what="holds an encrypted value", fix=fix)
