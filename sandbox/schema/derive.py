"""Derive the schema of one type from the source of its SDK."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.schema.model import Kind, Shape, TypeSchema
from sandbox.schema.source import ClassText, SourceFile, source_file
from sandbox.schema.tokens import class_file, folder

_SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool", "Any": "any"}
_API_VERSION = re.compile(r"Uses Azure REST API version ([0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?)")
_SECRETS = re.compile(r"additional_secret_outputs=(\[[^\]]*\])")
_REPLACE_ON = re.compile(r"replace_on_changes=(\[[^\]]*\])")


def derive(package: str, token: str) -> TypeSchema:
    """Read inputs, outputs and everything nested of one type. Raises KeyError for an unknown token."""
    path, name = class_file(package, token)
    source = source_file(path)
    arguments = next(source.cut(found) for found in (f"{name}InitArgs", f"{name}Args") if found in source)
    reader = _Reader(folder(package))
    inputs = reader.input_shape(arguments, path)
    outputs = reader.output_shape(source.cut(name), path)
    reader.drain()
    text = source.cut(name).text
    api = _API_VERSION.search(text)
    if api and "azureApiVersion" in outputs.props:
        outputs.props["azureApiVersion"] = {"k": "const", "value": api.group(1)}
    return TypeSchema(token, inputs, outputs, reader.nested, _listed(_SECRETS, text), _listed(_REPLACE_ON, text))


def _listed(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.search(text)
    return tuple(ast.literal_eval(found.group(1))) if found else ()


@dataclass
class _Reader:
    root: Path
    nested: dict[str, Shape] = field(default_factory=dict)
    waiting: list[tuple[str, ClassText, Path]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def input_shape(self, text: ClassText, path: Path) -> Shape:
        getters = {getter.name: getter.wire for getter in text.getters()}
        props, required, python = {}, [], {}
        for parameter in text.parameters():
            wire = getters.get(parameter.name, parameter.name)
            props[wire] = self.kind(ast.parse(parameter.annotation, mode="eval").body, path, inputs=True)
            if not parameter.optional:
                required.append(wire)
            if wire != parameter.name:
                python[wire] = parameter.name
        return Shape(props, tuple(required), python)

    def output_shape(self, text: ClassText, path: Path) -> Shape:
        props, required = {}, []
        for getter in text.getters():
            node = ast.parse(getter.annotation, mode="eval").body
            props[getter.wire] = self.kind(node, path, inputs=False)
            if "Optional[" not in getter.annotation.removeprefix("pulumi.Output[")[:9]:
                required.append(getter.wire)
        return Shape(props, tuple(required))

    def drain(self) -> None:
        while self.waiting:
            key, text, path = self.waiting.pop()
            self.nested[key] = self.input_shape(text, path) if key.startswith("in:") else self.output_shape(text, path)

    def kind(self, node: ast.expr, path: Path, *, inputs: bool) -> Kind:  # noqa: PLR0911 - a flat list of cases
        if isinstance(node, ast.Constant):
            return self.named(str(node.value), path, inputs=inputs) if isinstance(node.value, str) else {"k": "any"}
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node).rpartition(".")[2]
            return {"k": _SCALARS[name]} if name in _SCALARS else {"k": "any" if name not in _ASSETS else "asset"}
        if not isinstance(node, ast.Subscript):
            return {"k": "any"}
        outer = ast.unparse(node.value).rpartition(".")[2]
        inner = node.slice
        if outer in {"Input", "Output", "Optional", "InputType"}:
            return self.kind(inner, path, inputs=inputs)
        if outer in {"Sequence", "List"}:
            return {"k": "list", "of": self.kind(inner, path, inputs=inputs)}
        if outer in {"Mapping", "Dict"} and isinstance(inner, ast.Tuple):
            return {"k": "map", "of": self.kind(inner.elts[1], path, inputs=inputs)}
        if outer == "Literal":
            return {"k": "const", "value": inner.value if isinstance(inner, ast.Constant) else None}
        if outer == "Union" and isinstance(inner, ast.Tuple):
            return self.union([self.kind(item, path, inputs=inputs) for item in inner.elts])
        return {"k": "any"}

    @staticmethod
    def union(kinds: list[Kind]) -> Kind:
        kinds = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index] and kind["k"] != "dict"]
        if len(kinds) == 1:
            return kinds[0]
        enum = next((kind for kind in kinds if kind["k"] == "enum"), None)
        if enum and all(kind["k"] in {"enum", "str"} for kind in kinds):
            return {**enum, "open": True}
        return {"k": "union", "of": kinds}

    def named(self, name: str, path: Path, *, inputs: bool) -> Kind:
        if name.endswith("ArgsDict"):
            return {"k": "dict"}
        place, short = self._place(name, path)
        if place is None:
            return {"k": "any"}
        source: SourceFile = source_file(place)
        text = source.cut(short)
        if re.match(r"class \w+\(.*Enum\)", text.text):
            return {"k": "enum", "values": list(text.members()), "open": False}
        key = f"{'in' if inputs else 'out'}:{place.relative_to(self.root).parent.as_posix()}:{short}"
        if key not in self.seen:
            self.seen.add(key)
            self.waiting.append((key, text, place))
        return {"k": "obj", "ref": key}

    def _place(self, name: str, path: Path) -> tuple[Path | None, str]:
        *prefix, short = name.split(".")
        directory = path.parent
        if prefix:
            aliases = source_file(path).imports()
            if prefix[0] in aliases and prefix[0] != "outputs":
                directory = aliases[prefix[0]]
                prefix = prefix[1:]
            for part in prefix:
                if part not in {"outputs", "inputs"}:
                    directory = directory / part
        for file in ("_inputs.py", "outputs.py", "_enums.py"):
            candidate = directory / file
            if candidate.exists() and short in source_file(candidate):
                return candidate, short
        return (self.root / "_enums.py", short) if _in(self.root / "_enums.py", short) else (None, short)


def _in(path: Path, name: str) -> bool:
    return path.exists() and name in source_file(path)


_ASSETS = {"Asset", "Archive", "FileAsset", "StringAsset", "AssetOrArchive"}
