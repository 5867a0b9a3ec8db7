"""What every command is made of: the program it belongs to, where its words go, and how it ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from automation.exits import MEANING, Ending, Exit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with values would leak secrets
    help="Drive the platform's engine: preview, judge, apply, rehearse. Exit codes: "
    + "; ".join(f"{int(code)} {text}" for code, text in MEANING.items()),
)
sandbox_app = typer.Typer(no_args_is_help=True, help="The stand-in clouds: serve, faults, drift, reset.")
app.add_typer(sandbox_app, name="sandbox")


class Output:
    """Where things go: the report to stdout (or one JSON object), everything else to stderr."""

    def __init__(self, *, as_json: bool, stack: str = "") -> None:
        self.as_json = as_json
        self.stack = stack
        self.err = Console(stderr=True, soft_wrap=True)

    def report(self, made: dict[str, Any], markdown: Path | None = None) -> None:
        from automation.render import markdown as as_markdown  # noqa: PLC0415
        from automation.render import terminal  # noqa: PLC0415

        if markdown:
            markdown.write_text(as_markdown(made), encoding="utf-8")
        if self.as_json:
            sys.stdout.write(json.dumps(made, indent=1, default=str) + "\n")
        else:
            terminal(made, Console(width=None if sys.stdout.isatty() else 160))

    def ending(self, ending: Ending) -> None:
        self.err.print(str(ending), style="red", markup=False, highlight=False)
        if self.as_json:
            problem = {"code": int(ending.code), "reason": ending.reason, "sentence": ending.sentence}
            made = {"stack": self.stack, "error": {**problem, "details": list(ending.details)}}
            sys.stdout.write(json.dumps(made, indent=1) + "\n")


def perform(output: Output, work: Callable[[], int | Exit]) -> None:
    """Run a command and leave with its code; an unexpected exception becomes one sentence, redacted."""
    try:
        code = work()
    except Ending as ending:
        output.ending(ending)
        code = ending.code
    except KeyboardInterrupt:
        code = Exit.FAILED
    except RecursionError:
        deep = "a file that was read is nested too deeply: nothing that belongs here is; give another one"
        output.ending(Ending(Exit.WRONG_INPUT, "nested", deep))
        code = Exit.WRONG_INPUT
    except Exception as problem:  # its text may hold secrets: only a redacted sentence leaves
        output.ending(_unexpected(problem))
        if os.environ.get("ECOSYSTEM_DEBUG"):
            raise
        code = Exit.FAILED
    raise typer.Exit(int(code))


def _unexpected(problem: Exception) -> Ending:
    from automation.redact import Redactor, of_environment  # noqa: PLC0415

    redact = Redactor(of_environment(os.environ)).text
    if isinstance(problem, OSError) and problem.filename is not None:
        return Ending(Exit.FAILED, "file", redact(f"{problem.filename}: {problem.strerror}"))
    return Ending(Exit.FAILED, "bug", redact(f"this should not happen: {type(problem).__name__}: {problem}"))


def to_be_written(option: str, path: Path | None) -> None:
    """A file that an option names and that cannot be written there is wrong input (exit 2), before anything starts."""
    if path is None:
        return
    if path.is_dir() or not path.name:
        raise Ending(Exit.WRONG_INPUT, "option", f"{option} {path}: is a folder; name a file")
    if not path.parent.is_dir():
        raise Ending(
            Exit.WRONG_INPUT, "option", f"{option} {path}: {path.parent} is no folder; make it, or name another"
        )
