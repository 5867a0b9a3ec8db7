"""Three things that Pulumi's SDK works out for each resource, worked out without the detours; the answers are the same.

Each stands in for a private function of the SDK, and only where the SDK has it in the form that is known here.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Generator
from functools import lru_cache
from typing import Any, Final

from pulumi import resource as declaration
from pulumi.runtime import resource as registration
from pulumi.runtime import resource_cycle_breaker as cycles
from pulumi.runtime.proto import source_pb2

CONSTRUCTORS: Final = 3
"""Calls of `__init__` that are the SDK's and the class's own; what stands above the third is the program."""
DEPENDENCIES: Final = "_direct_computed_dependencies"
DEPENDED_ON: Final = "_ecosystem_depended_on"
"""Stands on a resource from the first time that another one depends on it."""
ALIAS: Final = "collapse_alias_to_urn"


def shorten() -> None:
    """Put them in place; an SDK that has changed keeps its own."""
    _shorten_circles()
    if hasattr(registration, "_get_stack_trace") and hasattr(registration, "_get_source_position_for_frame"):
        registration._get_stack_trace = stack_trace  # noqa: SLF001  see above
    if hasattr(declaration, ALIAS) and getattr(registration, ALIAS, None) is getattr(declaration, ALIAS):
        setattr(declaration, ALIAS, LateAlias)


def _shorten_circles() -> None:
    """The SDK has no other way in than its private functions; both are ours, or none."""
    if getattr(cycles, "_DEPENDENCIES_PROPERTY", "") != DEPENDENCIES or not hasattr(cycles, "declare_dependency"):
        return
    stock = getattr(cycles, "_reachable", None), getattr(cycles, "_add_dep", None)
    if None in stock:
        return
    cycles._reachable, cycles._add_dep = reachable, note  # noqa: SLF001  see above
    one, other = _Probe(), _Probe()
    asked: Any = cycles.declare_dependency
    if not (asked(one, other) and hasattr(other, DEPENDED_ON) and not asked(other, one)):
        cycles._reachable, cycles._add_dep = stock  # type: ignore[assignment]  # noqa: SLF001  it asks in another way


class _Probe:
    """Something with dependencies, to see whether the SDK asks ours."""


class LateAlias:
    """The URN of an alias, worked out when somebody waits for it.

    The SDK works out each one at once, by ten outputs, and keeps it for the children of the resource, which ask only
    where the engine cannot take aliases as they are written; ours can. The classes of the SDKs declare some for most
    resources (a type's names in older versions of an API): a third of the program's outputs on a stack of thousands.
    """

    __slots__ = ("_asked",)

    def __init__(self, *asked: Any) -> None:
        """Keep what `collapse_alias_to_urn` is asked: alias, name, type and parent."""
        self._asked = asked

    def __await__(self) -> Generator[Any, None, Any]:
        """Work it out as the SDK does."""
        return registration.collapse_alias_to_urn(*self._asked).future().__await__()


def reachable(from_resource: Any, to_resource: Any) -> bool:
    """Say whether one resource depends on another, directly or not.

    The SDK asks it of each dependency, and walks with a generator in a generator per step on the way: on a stack of
    thousands that all stand on one network an eighth of the program's time. Without ways to the other one (see `note`)
    nothing is walked.
    """
    if from_resource is to_resource:
        return True
    if DEPENDED_ON not in to_resource.__dict__:  # most resources: objects in clusters, on which nothing depends
        return False
    seen, waiting = {from_resource}, [from_resource]
    while waiting:
        new = waiting.pop().__dict__.get(DEPENDENCIES, frozenset()) - seen
        if to_resource in new:
            return True
        seen |= new
        waiting += new
    return False


def note(from_resource: Any, to_resource: Any) -> None:
    """Note that one resource depends on another; the SDK makes a new set each time."""
    from_resource.__dict__.setdefault(DEPENDENCIES, set()).add(to_resource)
    to_resource.__dict__[DEPENDED_ON] = True


def stack_trace() -> source_pb2.StackTrace:
    """Return where the program makes the resource at hand, innermost call first; empty outside of a resource's class.

    The SDK reads every source file on the way to keep lines that it then drops, and writes every path as a URI anew.
    """
    frame: Any = sys._getframe(1)  # noqa: SLF001  what traceback walks too
    own = CONSTRUCTORS
    while frame is not None and own:
        own -= frame.f_code.co_name == "__init__"
        frame = frame.f_back
    places = []
    while frame is not None:
        places.append(_place(frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return source_pb2.StackTrace(frames=places)


@lru_cache(maxsize=4096)
def _place(filename: str, line: int | None) -> source_pb2.StackFrame:
    """Return a place as the engine wants it; what has no file of its own has none."""
    try:
        uri = pathlib.Path(filename).as_uri() if filename and line is not None else ""
    except ValueError:  # not absolute: made by `exec`
        uri = ""
    return source_pb2.StackFrame(pc=source_pb2.SourcePosition(uri=uri, line=line or 0) if uri else None)
