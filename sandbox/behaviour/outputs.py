"""Outputs of the right shape for any type, from its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.behaviour.templates import Seed
from sandbox.schema.model import Kind, Shape, TypeSchema
from sandbox.wire import UNKNOWN, has_unknown, is_unknown

_DEPTH = 6


def complete(schema: TypeSchema, values: Mapping[str, Any], seed: Seed | None) -> dict[str, Any]:
    """Fit values to the outputs of a type and add what always comes.

    Without a seed (a preview) that is the placeholder for a value not known yet.
    """
    return _shape(schema.nested, schema.outputs, values, seed, "", 0)


def _shape(  # noqa: PLR0913, PLR0917 - the parts belong together
    nested: Mapping[str, Shape], shape: Shape, values: Mapping[str, Any], seed: Seed | None, path: str, depth: int
) -> dict[str, Any]:
    result = {}
    for key, kind in shape.props.items():
        value = values.get(key)
        if value is not None:
            fitted = fit(nested, kind, value, seed, f"{path}.{key}", depth)
            if fitted is not None:
                result[key] = fitted
                continue
        if key in shape.required and depth < _DEPTH:
            result[key] = UNKNOWN if seed is None else invent(nested, kind, key, seed, f"{path}.{key}", depth)
    return result


def fit(nested: Mapping[str, Shape], kind: Kind, value: Any, seed: Seed | None, path: str, depth: int) -> Any:  # noqa: PLR0911, PLR0913, PLR0917 - a flat list of cases
    """Bring a value into the shape that the SDK expects of an output; None when it cannot be."""
    if is_unknown(value):
        return value
    name = kind["k"]
    if name == "obj":
        if isinstance(value, Mapping):
            return _shape(nested, nested[kind["ref"]], value, seed, path, depth + 1)
        return UNKNOWN if has_unknown(value) else None
    if name == "list":
        if isinstance(value, list):
            items = [fit(nested, kind["of"], item, seed, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
            return [item for item in items if item is not None]
        return None
    if name == "map":
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            if has_unknown(value):
                return UNKNOWN
            value = {item: {} for item in value}  # azure: a list going in is a map coming out
        if isinstance(value, Mapping):
            return {
                str(key): fit(nested, kind["of"], item, seed, f"{path}.{key}", depth + 1) for key, item in value.items()
            }
        return None
    return _scalar(name, value)


def _scalar(name: str, value: Any) -> Any:
    if name == "str":
        if isinstance(value, bool):
            return str(value).lower()
        return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None
    if name == "bool":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if name in {"int", "float"} and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return None
        return int(number) if number.is_integer() else number
    return value


def invent(nested: Mapping[str, Shape], kind: Kind, key: str, seed: Seed, path: str, depth: int) -> Any:  # noqa: PLR0913, PLR0917 - the parts belong together
    """Make up a value of a kind: stable, plausible, and plain where nothing is known about it."""
    name = kind["k"]
    if name == "str":
        return _text(key, seed, path)
    if name == "obj":
        return _shape(nested, nested[kind["ref"]], {}, seed, path, depth + 1)
    if name == "enum":
        return kind["values"][0]
    if name == "const":
        return kind["value"]
    if name == "union":
        return invent(nested, kind["of"][0], key, seed, path, depth + 1)
    return {"int": 0, "float": 0, "bool": False, "list": [], "map": {}}.get(name)


def _text(key: str, seed: Seed, path: str) -> str:  # noqa: C901, PLR0911 - a table of endings
    low = key.lower()
    if key in seed.facts:
        return seed.facts[key]
    if low.endswith("arn"):
        return seed.facts.get("arn", "")
    if low.endswith(("fingerprint", "etag", "hash")):
        return seed.hex(32, path)
    if low in {"createdat", "createdate", "createtime", "creationtimestamp", "createddate", "creationdate"}:
        return seed.facts.get("now", "2026-01-01T00:00:00Z")
    if low.endswith(("updatedat", "updatetime", "modifiedat", "lastmodified")):
        return seed.facts.get("now", "2026-01-01T00:00:00Z")
    if low in {"uid", "uniqueid", "resourceguid", "resourceuid", "guid", "principalid", "clientid"}:
        return seed.uuid(path)
    if low in {"status", "state", "provisioningstate"}:
        return {"provisioningstate": "Succeeded"}.get(low, "ACTIVE")
    if low.endswith(("id", "ids")):
        return f"{key}-{seed.hex(17, path)}"
    if low.endswith(("ip", "ipaddress", "address")):
        return str(seed.fill("{private}"))
    if low.endswith(("domainname", "fqdn", "hostname", "dnsname")):
        return f"{seed.hex(16, path)}.offline.invalid"
    if low.endswith(("url", "uri", "endpoint")):
        return f"https://{seed.hex(16, path)}.offline.invalid"
    return ""
