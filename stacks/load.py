"""Reads a stack file, or the same from inside a running program. The only file here that knows pulumi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stacks.model import Stack

KEY = "cloud-ecosystem:stack"


class StackFileError(ValueError):
    """The file does not describe a stack; the text is the report."""


def read_file(path: Path) -> Stack:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader if False else yaml.CSafeLoader)
    return _judge(path.name, data["config"][KEY])


def from_config() -> Stack:
    import pulumi  # noqa: PLC0415

    try:
        return _judge(f"Pulumi.{pulumi.get_stack()}.yaml", json.loads(pulumi.Config().require("stack")))
    except StackFileError as error:
        raise pulumi.RunError(str(error)) from None


def _judge(name: str, data: Any) -> Stack:
    try:
        return Stack.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        lines = [f"  stack.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise StackFileError(
            "\n".join([f"{name} does not describe a stack ({len(lines)} to fix):", *lines])
        ) from None
