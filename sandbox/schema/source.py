"""Read classes out of an SDK's source text: fast, because only the class that is asked for is parsed."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path

_CLASS = re.compile(r"^class (\w+)\b", re.MULTILINE)
_NEXT_DECORATOR = re.compile(r"(\n@[^\n]*)+\s*$")
_IMPORT = re.compile(r"^from (\.+)(\S*) import (\w+)(?: as (\w+))?$", re.MULTILINE)
_GETTER = re.compile(
    r'@pulumi\.getter(?:\(name="([^"]+)"\))?\n(?:    @.*\n)*    def (\w+)\(self\) -> (.+?):\n', re.MULTILINE
)
_INIT_ANNOTATION = re.compile(r"def __init__\(__self__, \*,\n(.*?)\):\n", re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """One parameter of an Args class: Python name, annotation text, whether it may be left out."""

    name: str
    annotation: str
    optional: bool


@dataclass(frozen=True)
class Getter:
    """One property: its name on the wire, its Python name and the annotation."""

    wire: str
    name: str
    annotation: str


@dataclass(frozen=True)
class ClassText:
    """The source of one class."""

    name: str
    text: str

    def parameters(self) -> tuple[Parameter, ...]:
        """List the keyword parameters of the constructor."""
        found = _INIT_ANNOTATION.search(self.text)
        if not found:
            return ()
        tree = ast.parse(f"def f(*,\n{found.group(1)}): ...").body[0]
        assert isinstance(tree, ast.FunctionDef)  # noqa: S101 - by construction
        return tuple(
            Parameter(arg.arg, ast.unparse(arg.annotation) if arg.annotation else "Any", default is not None)
            for arg, default in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True)
        )

    def getters(self) -> tuple[Getter, ...]:
        """List the properties with their wire names."""
        return tuple(Getter(wire or name, name, text) for wire, name, text in _GETTER.findall(self.text))

    def members(self) -> tuple[object, ...]:
        """List the values of an enum class."""
        tree = ast.parse(self.text).body[0]
        assert isinstance(tree, ast.ClassDef)  # noqa: S101 - by construction
        return tuple(
            node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        )


class SourceFile:
    """One file of an SDK with an index of its classes."""

    def __init__(self, path: Path) -> None:
        """Read the file and note where each class begins."""
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        marks = [(found.group(1), found.start()) for found in _CLASS.finditer(self.text)]
        ends = [start for _, start in marks[1:]] + [len(self.text)]
        self._spans = {name: (start, end) for (name, start), end in zip(marks, ends, strict=True)}

    def __contains__(self, name: str) -> bool:
        """Tell whether a class of that name is defined here."""
        return name in self._spans

    def names(self) -> tuple[str, ...]:
        """List the classes defined here."""
        return tuple(self._spans)

    def cut(self, name: str) -> ClassText:
        """Return the text of one class."""
        start, end = self._spans[name]
        return ClassText(name, _NEXT_DECORATOR.sub("\n", self.text[start:end]))

    def imports(self) -> dict[str, Path]:
        """Map the aliases of relative imports (`_meta`) to folders."""
        found = {}
        for dots, module, name, alias in _IMPORT.findall(self.text[:8000]):
            folder = self.path.parent
            for _ in dots[1:]:
                folder = folder.parent
            if module:
                folder = folder.joinpath(*module.split("."))
            found[alias or name] = folder / name
        return found


@functools.lru_cache(maxsize=48)
def source_file(path: Path) -> SourceFile:
    """Read a source file once while it is in use."""
    return SourceFile(path)
