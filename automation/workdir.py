"""A temporary work directory for the engine, so that no run ever rewrites a tracked file.

The engine writes salts into stack files, and removing a stack deletes its file: it gets copies (recipe: absolute `main`
and `virtualenv`, the program still runs in the project's folder).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from automation.exits import Ending, Exit

NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""https://www.pulumi.com/docs/iac/concepts/stacks, 2026-11."""
SHOWN = 60
ENGINE_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")


@dataclass(frozen=True)
class Changes:
    """What a run wants different from the tracked stack file; all in the copy only."""

    demand: Path | None = None
    quality: str | None = None


@dataclass(frozen=True)
class Work:
    """The copied project; `secret_keys` are configuration keys that the stack file holds encrypted."""

    folder: Path
    stack_file: Path
    secret_keys: tuple[str, ...] = field(default=())


def stack_file(project: Path, stack: str) -> Path:
    """The tracked file of a stack; a stack without one is wrong input (exit 2)."""
    known = sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in project.glob("Pulumi.*.yaml"))
    these = f"give one of {', '.join(known) or 'no stack (there is none)'}"
    if not NAME.fullmatch(stack):
        shown = stack if len(stack) <= SHOWN else f"{stack[:SHOWN]}..."
        allowed = "1 to 100 letters, digits, dots, dashes and underscores"
        raise Ending(Exit.WRONG_INPUT, "stack", f"{shown!r} is no name of a stack; allowed: {allowed}: {these}")
    path = project / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise Ending(Exit.WRONG_INPUT, "stack", f"{path.name} does not exist in {project}: {these}")
    return path


def _project_settings(project: Path) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
    settings["main"] = str((project / settings.get("main", ".")).resolve())
    given = settings.get("runtime") or "python"
    runtime: dict[str, Any] = {"name": given} if isinstance(given, str) else given
    options = dict(runtime.get("options") or {})
    if options.get("virtualenv"):
        wanted = project / options["virtualenv"]
        options["virtualenv"] = str(wanted.resolve() if wanted.exists() else Path(sys.prefix))
    settings["runtime"] = {**runtime, "options": options}
    return settings


def _get(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def _put(mapping: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    mapping.value = [(name, old) for name, old in mapping.value if name.value != key] + [(_text(key), value)]


def _text(value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')


def _map(*pairs: tuple[str, yaml.Node]) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", [(_text(key), value) for key, value in pairs])


def _change(wish: yaml.MappingNode, changes: Changes) -> None:
    if changes.demand is not None:
        if not changes.demand.is_file():
            raise Ending(
                Exit.WRONG_INPUT, "demand", f"--demand {changes.demand}: no such file; give a CSV or JSON file"
            )
        _put(wish, "demand", _map(("file", _text(str(changes.demand.resolve())))))
    if changes.quality is not None:
        sizing = _get(wish, "sizing")
        if not isinstance(sizing, yaml.MappingNode):
            sizing = _map()
            _put(wish, "sizing", sizing)
        _put(sizing, "quality", _text(changes.quality))


def _secret_keys(config: yaml.MappingNode) -> tuple[str, ...]:
    return tuple(
        name.value
        for name, value in config.value
        if isinstance(value, yaml.MappingNode) and [key.value for key, _ in value.value] == ["secure"]
    )


def _rewritten(text: str, changes: Changes, *, offline: bool) -> tuple[str, tuple[str, ...]]:
    """The copy's text and the configuration keys that are encrypted in the original.

    Edited as YAML nodes: every scalar keeps its spelling, so that no reader sees another type than in the original.
    """
    document = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(document, yaml.MappingNode) or not isinstance(
        config := _get(document, "config"), yaml.MappingNode
    ):
        return text, ()
    secret = _secret_keys(config)
    wish = next((value for name, value in config.value if name.value.split(":")[-1] == "stack"), None)
    if isinstance(wish, yaml.MappingNode):
        _change(wish, changes)
    if offline:
        document.value = [pair for pair in document.value if pair[0].value not in ENGINE_KEYS]
        config.value = [pair for pair in config.value if pair[0].value not in secret]
    return yaml.serialize(document, Dumper=yaml.CSafeDumper), secret


@contextmanager
def work_directory(project: Path, stack: str, changes: Changes, *, offline: bool) -> Iterator[Work]:
    """Copy what the engine needs; offline the copy carries no ciphertext of anybody's real key."""
    source = stack_file(project, stack)
    text, secret = _rewritten(source.read_text(encoding="utf-8"), changes, offline=offline)
    with tempfile.TemporaryDirectory(prefix="ecosystem-work-") as name:
        folder = Path(name)
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(_project_settings(project)), encoding="utf-8")
        copy = folder / source.name
        copy.write_text(text, encoding="utf-8")
        yield Work(folder, copy, secret)
