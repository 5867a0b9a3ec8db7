"""Options that commands on a stack share: written once, and one value for the command instead of seven."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from automation.command_line import Output
from automation.session import PROJECT, Options

StackName = Annotated[str, typer.Argument(help="the stack: NAME of Pulumi.NAME.yaml", metavar="STACK")]
Offline = Annotated[bool, typer.Option("--offline", help="stand-in clouds, a backend of their own")]
Real = Annotated[bool, typer.Option("--real", help="your backend and credentials as they are")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, everything else on stderr")]
Parallel = Annotated[int | None, typer.Option("--parallel", min=1, help="resource operations at once")]
Demand = Annotated[Path | None, typer.Option("--demand", metavar="FILE", help="measured demand instead of the stack's")]
Quality = Annotated[Literal["fast", "standard", "best"] | None, typer.Option("--quality", help="effort of the sizing")]
Faults = Annotated[Path | None, typer.Option("--faults", metavar="FILE", help="fault plan of the stand-in clouds")]
Unjudged = Annotated[bool, typer.Option("--no-policies", help="run unjudged; the report says so")]
Glass = Annotated[str | None, typer.Option("--break-glass", metavar="REASON", help="allow the loss of stateful things")]
Patience = Annotated[
    float | None, typer.Option("--patience", min=1, help="seconds of silence before the watchdog ends it")
]
Again = Annotated[
    list[str] | None, typer.Option("--again", metavar="URN", help="looked for by hand, not there: make it")
]
Anew = Annotated[bool, typer.Option("--solve-anew", help="use no plan of pools that was made before")]
Project = Annotated[
    Path, typer.Option("--project", metavar="DIR", help="folder of Pulumi.yaml", envvar="ECOSYSTEM_PROJECT")
]
Clusters = Annotated[Literal["schema", "api-server"], typer.Option("--clusters", help="who answers for Kubernetes")]
Markdown = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="also write the report as Markdown")]

SHARED: Final[dict[str, tuple[Any, Any]]] = {
    "offline": (Offline, False),
    "real": (Real, False),
    "as_json": (Json, False),
    "parallel": (Parallel, None),
    "break_glass": (Glass, None),
    "patience": (Patience, None),
    "anew": (Anew, False),
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
