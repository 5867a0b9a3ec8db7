"""The shape of a type, small enough to be kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Kind = dict[str, Any]
"""One of {"k": "str"|"int"|"float"|"bool"|"any"|"asset"}, {"k": "list"|"map", "of": Kind}, {"k": "obj", "ref": str},
{"k": "enum", "values": [...], "open": bool}, {"k": "const", "value": ...}, {"k": "union", "of": [Kind]}."""


@dataclass(frozen=True)
class Shape:
    """Properties by wire name, and those that must be given (inputs) or always come (outputs)."""

    props: dict[str, Kind]
    required: tuple[str, ...]
    python: dict[str, str] = field(default_factory=dict)  # wire name -> Python name, where they differ


@dataclass(frozen=True)
class TypeSchema:
    """One resource type: inputs, outputs, nested shapes of both, and which outputs are secret."""

    token: str
    inputs: Shape
    outputs: Shape
    nested: dict[str, Shape]
    secret_outputs: tuple[str, ...] = ()
    replace_on: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give a form that json can write."""
        return {
            "token": self.token,
            "inputs": vars(self.inputs),
            "outputs": vars(self.outputs),
            "nested": {name: vars(shape) for name, shape in self.nested.items()},
            "secret_outputs": self.secret_outputs,
            "replace_on": self.replace_on,
        }

    @classmethod
    def from_json(cls, text: dict[str, Any]) -> TypeSchema:
        """Read what `to_json` wrote."""
        return cls(
            text["token"],
            _shape(text["inputs"]),
            _shape(text["outputs"]),
            {name: _shape(shape) for name, shape in text["nested"].items()},
            tuple(text["secret_outputs"]),
            tuple(text["replace_on"]),
        )


def _shape(text: dict[str, Any]) -> Shape:
    return Shape(text["props"], tuple(text["required"]), text["python"])
