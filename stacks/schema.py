"""The JSON schema of a stack file, for editors: `python -m stacks.schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from stacks.clouds import CLOUDS, REGION_SLOTS
from stacks.envelope import DEFAULT_PROVIDERS, DISABLED, KEY, PROJECT
from stacks.explain import descriptions
from stacks.model import Stack
from stacks.part import Part
from stacks.versions import offered

FILE: Final = Path(__file__).with_name("schema.json")


class _Generator(GenerateJsonSchema):
    """Leaves out defaults that are frozen mappings."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"non-serializable-default"}  # noqa: RUF012 - pydantic's form


def schema() -> dict[str, Any]:
    """Return the schema of a whole `Pulumi.STACK.yaml`."""
    stack = Stack.model_json_schema(ref_template="#/$defs/{model}", schema_generator=_Generator)
    parts = stack.pop("$defs")
    parts["Stack"] = stack
    for part in _parts(Part):
        for name, text in descriptions(part).items():
            if part.__name__ in parts:
                parts[part.__name__]["properties"][name]["description"] = text
    for cloud in CLOUDS:
        parts[cloud.title()]["properties"]["regions"]["propertyNames"] = {"enum": list(REGION_SLOTS[cloud])}
    versions = sorted({version for cloud in CLOUDS for version in offered(cloud)})
    parts["ClusterDefaults"]["properties"]["version"] = {
        **parts["ClusterDefaults"]["properties"]["version"],
        "enum": versions,
    }
    secret = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
    packages = {"type": "array", "items": {"type": "string"}, "examples": [list(DISABLED)]}
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Stack file of {PROJECT}",
        "type": "object",
        "required": ["config"],
        "additionalProperties": False,
        "properties": {
            "config": {
                "type": "object",
                "required": [KEY],
                "additionalProperties": False,
                "properties": {
                    KEY: {"$ref": "#/$defs/Stack"},
                    DEFAULT_PROVIDERS: packages,
                    "pulumi:tags": {"type": "object"},
                    "pulumi:autonaming": {"type": "object"},
                },
                "patternProperties": {f"^{PROJECT}:(?!stack$).+$": {**secret, "additionalProperties": False}},
            },
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
        },
        "$defs": parts,
    }
    return _clean(whole)  # type: ignore[no-any-return]


def text() -> str:
    """Return the file's text."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def _parts(root: type[Part]) -> list[type[Part]]:
    return [part for child in root.__subclasses__() for part in (child, *_parts(child))]


def _clean(node: Any) -> Any:
    """Drop our own marks and pydantic's titles of keys."""
    if isinstance(node, dict):
        drop = {"x-allowed"} | ({"title"} if isinstance(node.get("title"), str) and "$schema" not in node else set())
        return {key: _clean(value) for key, value in node.items() if key not in drop}
    return [_clean(item) for item in node] if isinstance(node, list) else node


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
