"""Options that commands on a stack share: written once, and one value for the command instead of seven."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automation.cli import Glass, Json, Offline, Output, Parallel, Patience, Project, Real, StackName
from automation.session import PROJECT, Options

SHARED: Final[dict[str, tuple[Any, Any]]] = {
    "offline": (Offline, False),
    "real": (Real, False),
    "as_json": (Json, False),
    "parallel": (Parallel, None),
    "break_glass": (Glass, None),
    "patience": (Patience, None),
    "project": (Project, PROJECT),
}


@dataclass(frozen=True)
class Run:
    """What the shared options of a command say."""

    stack: str
    options: Options
    as_json: bool

    @property
    def project(self) -> Path:
        return self.options.project

    def output(self) -> Output:
        """Where this command's words go."""
        return Output(as_json=self.as_json, stack=self.stack)


def on_a_stack(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument STACK and the shared options; it takes them as its first parameter, a `Run`."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def whole(stack: str, **given: Any) -> None:
        shared = {name: given.pop(name) for name in SHARED}
        as_json = bool(shared.pop("as_json"))
        command(Run(stack, Options(**shared), as_json), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter("stack", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=StackName)]
    listed += [one.replace(kind=keyword) for one in own]
    listed += [
        inspect.Parameter(name, keyword, default=default, annotation=kind) for name, (kind, default) in SHARED.items()
    ]
    whole.__signature__ = inspect.Signature(listed, return_annotation=None)  # type: ignore[attr-defined]
    whole.__annotations__ = {one.name: one.annotation for one in listed} | {"return": None}
    del whole.__wrapped__  # the reader of options would follow it to the short signature
    return whole
