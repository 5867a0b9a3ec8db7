"""Rules that need more than a table: named in rows, each with a `check`, a `create` or an `outputs` part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.behaviour.templates import Seed
from sandbox.errors import Failure
from sandbox.state import Database, Thing


@dataclass
class Moment:
    """A create or update that is about to happen."""

    database: Database
    type: str
    scope: str
    region: str
    inputs: Mapping[str, Any]
    seed: Seed
    old: Thing | None = None
    found: dict[str, list[Thing]] = field(default_factory=dict)  # reference pattern -> things it names
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def pk(self) -> int:
        """Key of the thing itself; 0 while it does not exist."""
        return self.old.pk if self.old else 0


CHECKS: dict[str, Callable[[Mapping[str, Any]], Iterator[Failure]]] = {}
CREATES: dict[str, Callable[[Moment], None]] = {}
OUTPUTS: dict[str, Callable[[Moment, dict[str, Any]], None]] = {}


def check(
    function: Callable[[Mapping[str, Any]], Iterator[Failure]],
) -> Callable[[Mapping[str, Any]], Iterator[Failure]]:
    """Register a rule over the inputs alone."""
    CHECKS[function.__name__] = function
    return function


def create(function: Callable[[Moment], None]) -> Callable[[Moment], None]:
    """Register a rule over inputs and what exists; it raises Refused."""
    CREATES[function.__name__] = function
    return function


def outputs(function: Callable[[Moment, dict[str, Any]], None]) -> Callable[[Moment, dict[str, Any]], None]:
    """Register a function that completes outputs."""
    OUTPUTS[function.__name__] = function
    return function
