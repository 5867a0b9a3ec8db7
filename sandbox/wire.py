"""Values on the wire: a protobuf Struct to plain Python and back, with secrets and unknowns kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's public marker, not a secret
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""Sentinels for string, bool, number, list, asset, archive and object.

Source: github.com/pulumi/pulumi sdk/go/common/resource/plugin/rpc.go (2026-11).
"""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Properties:
    """Plain values, and the paths in them that are secret."""

    values: dict[str, Any]
    secrets: frozenset[Path] = field(default_factory=frozenset)


def is_unknown(value: object) -> bool:
    """Tell whether a plain value is the engine's placeholder for a value not known yet."""
    return isinstance(value, str) and value in UNKNOWNS


def has_unknown(value: object) -> bool:
    """Tell whether a placeholder stands anywhere inside a plain value."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return is_unknown(value)


def decode(struct: struct_pb2.Struct) -> Properties:
    """Turn a Struct into plain values; secrets and outputs are unwrapped and remembered by path."""
    secrets: set[Path] = set()
    values = {key: _plain(item, (key,), secrets) for key, item in struct.fields.items()}
    return Properties(values, frozenset(secrets))


def _plain(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Any:  # noqa: PLR0911 - a flat list of cases
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields:
            return _special(fields, path, secrets)
        return {key: _plain(item, (*path, key), secrets) for key, item in fields.items()}
    if kind == "list_value":
        return [_plain(item, (*path, index), secrets) for index, item in enumerate(value.list_value.values)]
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return None


def _special(fields: Mapping[str, struct_pb2.Value], path: Path, secrets: set[Path]) -> Any:
    mark = fields[SIGNATURE].string_value
    if mark == SECRET:
        secrets.add(path)
        return _plain(fields["value"], path, secrets)
    if mark == OUTPUT:
        if "secret" in fields and fields["secret"].bool_value:
            secrets.add(path)
        return _plain(fields["value"], path, secrets) if "value" in fields else UNKNOWN
    if mark == RESOURCE:
        return _plain(fields["id"], path, secrets) if "id" in fields else fields["urn"].string_value
    return {key: _plain(item, (*path, key), secrets) for key, item in fields.items()}


def encode(values: Mapping[str, Any], secrets: frozenset[Path] = frozenset()) -> struct_pb2.Struct:
    """Turn plain values into a Struct and wrap the secret paths again (paths that are gone are passed over)."""
    struct = struct_pb2.Struct()
    prefixes = {path[:depth] for path in secrets for depth in range(1, len(path) + 1)}
    for key, item in values.items():
        if item is not None:
            _write(struct.fields[key], item, (key,), secrets, prefixes)
    return struct


def _write(target: struct_pb2.Value, value: Any, path: Path, secrets: frozenset[Path], prefixes: set[Path]) -> None:
    if path in prefixes:
        if path in secrets:
            target.struct_value.fields[SIGNATURE].string_value = SECRET
            target = target.struct_value.fields["value"]
    else:
        prefixes = _NONE
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, Mapping):
        fields = target.struct_value.fields
        target.struct_value.SetInParent()
        for key, item in value.items():
            _write(fields[key], item, (*path, key), secrets, prefixes)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _write(target.list_value.values.add(), item, (*path, index), secrets, prefixes)
    else:
        target.null_value = struct_pb2.NULL_VALUE


def carry(secrets: frozenset[Path], values: Mapping[str, Any]) -> frozenset[Path]:
    """Follow secrets into values of another shape: where a path leads nowhere, its whole property is secret."""
    return frozenset(path if _leads(values, path) else path[:1] for path in secrets if path and path[0] in values)


def _leads(values: Any, path: Path) -> bool:
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


_NONE: Final[set[Path]] = set()


def show(path: Path) -> str:
    """Write a path as the engine does: spec.containers[0].image, metadata.annotations["a.b/c"]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "a").replace("-", "a").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text
