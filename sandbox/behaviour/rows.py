"""One row per type: what the SDK does not say about it, each with its source."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Part):
    """The property that carries the physical name, and how a name is made when none is given."""

    property: str
    max: int = 63
    pattern: str = ""  # a given name must match all of it
    unique: Literal["", "global", "account", "region", "parent"] = ""  # within what a name is taken once
    parent: tuple[str, ...] = ()  # for unique=parent: the properties that name the parent
    required: bool = False  # the cloud makes none: an absent name is refused
    code: str = "AlreadyExists"
    text: str = "{type} {name} already exists"


class Reference(_Part):
    """A property that must name something that exists."""

    to: tuple[str, ...]  # type tokens
    code: str = "NotFound"
    text: str = "'{value}' does not exist"
    blocks: bool = True  # what is named cannot be deleted first
    allow: str = ""  # values (regular expression, whole) that live outside the stage


class Refusal(_Part):
    """Code and wording of a "no"."""

    code: str
    text: str


class Row(_Part):
    """Behaviour of one type. Paths are patterns: `a.b[*].c`."""

    source: str
    id: str = ""  # template, see sandbox.behaviour.templates
    name: Name | None = None
    replaces: tuple[str, ...] = ()
    references: dict[str, Reference] = Field(default_factory=dict)
    handles: tuple[str, ...] = ()  # templates of further values it is known by
    in_use: Refusal | None = None  # words for a delete that is refused; default per cloud
    protection: str = ""  # property that forbids deletion while true
    protected: Refusal | None = None
    outputs: dict[str, Any] = Field(default_factory=dict)  # templates, also of things the program may set
    volatile: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # output -> properties that change it
    enums: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    patterns: dict[str, str] = Field(default_factory=dict)
    lengths: dict[str, tuple[int, int]] = Field(default_factory=dict)  # of lists, maps and strings
    required: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()  # at most one of each group
    one_of: tuple[tuple[str, ...], ...] = ()  # exactly one of each group
    ordered: tuple[tuple[str, ...], ...] = ()  # numbers that must not fall from left to right
    immutable: dict[str, Refusal] = Field(default_factory=dict)  # an update that the cloud refuses
    rules: tuple[str, ...] = ()  # names of functions in sandbox.behaviour.rules
    global_: bool = Field(default=False, alias="global")  # no region in its identity
    drift: tuple[str, ...] = ()  # properties that a planted drift may change; default: chosen by shape
    delete: Literal["", "keep"] = ""  # keep: the cloud cannot delete it, the resource is only forgotten


@cache
def rows(package: str) -> dict[str, Row]:
    """Load the tables of a package. Raises pydantic.ValidationError for a row that does not parse."""
    found: dict[str, Row] = {}
    for path in sorted(Path(__file__).parent.glob(f"{package}*.yaml")):
        for token, text in (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).items():
            if token in found:
                raise ValueError(f"{path}: {token} has a row already")
            try:
                found[token] = Row.model_validate(text)
            except ValueError as problem:
                raise ValueError(f"{path}: {token}: {problem}") from problem
    return found


def row(package: str, token: str) -> Row | None:
    """Return the row of a type, or None."""
    return rows(package).get(token)
