"""The definitions of the Gateway API, which no chart brings: installed from the project's own copy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition

FILE: Final = Path(__file__).parent / "data" / "gateway-api.json"
"""Standard channel of kubernetes-sigs/gateway-api (Apache-2.0), descriptions left out; the ref stands in the file."""


@cache
def definitions() -> tuple[dict[str, Any], ...]:
    """Read the definitions."""
    return tuple(json.loads(FILE.read_text(encoding="utf-8"))["definitions"])


def install(name: str, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """Make them."""
    return [
        CustomResourceDefinition(
            f"{name}-{each['spec']['names']['plural']}",
            metadata=each["metadata"],
            spec=_sdk(each["spec"]),
            opts=opts,
        )
        for each in definitions()
    ]


def _sdk(value: Any) -> Any:
    """Spell extension fields as the SDK carries them."""
    if isinstance(value, dict):
        return {
            key.replace("-", "_") if key.startswith("x-kubernetes-") else key: _sdk(item) for key, item in value.items()
        }
    return [_sdk(item) for item in value] if isinstance(value, list) else value
