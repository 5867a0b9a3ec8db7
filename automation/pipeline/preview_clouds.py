"""Makes and removes the environment of a pull request with the engine: a stack of its own, cut from another's file."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from automation import modes, places, runs, workdir
from automation.exits import Ending, Exit
from automation.pullrequest.gather import checkout
from automation.session import Options, Session, opened

if TYPE_CHECKING:
    from rich.console import Console

NAME: Final = re.compile(r"pr-\d{1,9}")
GLASS: Final = "a preview environment is removed with everything in it"


def _scalar(value: str, tag: str = "str") -> yaml.ScalarNode:
    return yaml.ScalarNode(f"tag:yaml.org,2002:{tag}", value, style='"' if tag == "str" else None)


def _set(mapping: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    mapping.value = [(name, old) for name, old in mapping.value if name.value != key] + [(_scalar(key), value)]


def _child(mapping: yaml.MappingNode, key: str) -> yaml.MappingNode:
    for name, value in mapping.value:
        if name.value == key and isinstance(value, yaml.MappingNode):
            return value
    made = yaml.MappingNode("tag:yaml.org,2002:map", [])
    _set(mapping, key, made)
    return made


def stack_text(text: str, name: str, budget_usd: float) -> str:
    """The file of a preview: the other stack's wish under its own name, capped, unprotected, never production."""
    document = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise Ending(Exit.WRONG_INPUT, "stack-file", "the file that previews are cut from is no mapping")
    config = _child(document, "config")
    wish = next((value for key, value in config.value if key.value.split(":")[-1] == "stack"), None)
    if not isinstance(wish, yaml.MappingNode):
        raise Ending(Exit.WRONG_INPUT, "stack-file", "the file that previews are cut from has no cloud-ecosystem:stack")
    _set(wish, "environment", _scalar(name))
    _set(_child(wish, "budget"), "monthly_usd", _scalar(f"{budget_usd:g}", "float" if budget_usd % 1 else "int"))
    for key in ("production", "protect"):
        _set(wish, key, _scalar("false", "bool"))
    return yaml.serialize(document, Dumper=yaml.CSafeDumper)


@dataclass
class EngineClouds:
    """The clouds as the engine sees them; both hands may be called again after a crash and do what is left."""

    options: Options
    console: Console
    source: str
    budget_usd: float

    def make(self, name: str, commit: str) -> float:
        """Bring the stack up at a commit; returns its cost in USD a month, also when it is refused for its budget."""
        with self._session(name, commit) as session:
            made = runs.up(session)
            cleaned: dict[str, Any] = session.redactor.value(made)
        codes = {one["code"] for one in cleaned["refusals"]}
        if codes - {"budget"}:
            details = tuple(f"{one['code']}: {one['sentence']}" for one in cleaned["refusals"])
            raise Ending(Exit.REFUSED, "preview", f"{name} is refused", details)
        return float(cleaned["cost_monthly_usd"]["after"])

    def remove(self, name: str) -> None:
        """Delete everything of the stack, then the stack itself; nothing happens where there is none."""
        if not NAME.fullmatch(name):
            raise ValueError(f"{name} is no preview")
        if name not in self.names():
            return
        with self._session(name, "HEAD", break_glass=GLASS) as session:
            if session.deployed():
                made = runs.destroy(session)
                if made["refused"]:
                    raise Ending(Exit.REFUSED, "preview", f"{name} could not be removed: {made['refusals']}")
            session.engine.call("stack", "rm", "--yes", "--stack", name)
        if self._offline:
            shutil.rmtree(self._place(name).folder, ignore_errors=True)

    def names(self) -> set[str]:
        """Every preview of which the backend knows a stack; offline every one that has a folder."""
        if self._offline:
            folder = self._place("x").folder.parent
            return (
                {path.name for path in folder.glob("pr-*") if NAME.fullmatch(path.name)} if folder.exists() else set()
            )
        with opened(self.source, self.options, self.console) as session:
            listed = json.loads(session.engine.call("stack", "ls", "--json"))
        return {last for one in listed if NAME.fullmatch(last := str(one["name"]).rsplit("/", 1)[-1])}

    @property
    def _offline(self) -> bool:
        asked = self.options
        return modes.decide(offline=asked.offline, real=asked.real, environ=dict(os.environ), home=Path.home()).offline

    def _place(self, name: str) -> places.Place:
        return places.of(self.options.project, name, "offline" if self._offline else "real", dict(os.environ))

    @contextmanager
    def _session(self, name: str, commit: str, break_glass: str | None = None) -> Iterator[Session]:
        """A session on the preview's stack, in a checkout of the commit that nobody else sees."""
        if not NAME.fullmatch(name):
            raise ValueError(f"{name} is no preview")
        with ExitStack() as exits:
            folder = exits.enter_context(checkout(self.options.project, commit))
            source = workdir.stack_file(folder, self.source)
            text = stack_text(source.read_text(encoding="utf-8"), name, self.budget_usd)
            (folder / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
            packages = self.options.project / ".venv"
            if packages.is_dir() and not (folder / ".venv").exists():
                (folder / ".venv").symlink_to(packages.resolve())
            if not self._offline and name not in self.names():
                self._init(name, folder)
            options = replace(self.options, project=folder, break_glass=break_glass)
            yield exits.enter_context(opened(name, options, self.console, place=self._place(name)))

    def _init(self, name: str, folder: Path) -> None:
        """Make the stack in the backend, from a scratch folder: `stack init` writes a salt into its stack file."""
        with (
            opened(self.source, replace(self.options, project=folder), self.console) as session,
            tempfile.TemporaryDirectory(prefix="ecosystem-preview-") as scratch,
        ):
            shutil.copy(session.work.folder / "Pulumi.yaml", scratch)
            session.engine.call("stack", "init", name, "--cwd", scratch)
