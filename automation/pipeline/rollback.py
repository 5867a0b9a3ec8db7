"""`rollback`: bring a stack back to a commit that the ledger knows as applied, judged like any other update."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automation.command_line import app, perform
from automation.exits import Ending, Exit
from automation.options import Run, on_a_stack
from automation.session import Options, opened

if TYPE_CHECKING:
    from rich.console import Console

APPLIES = frozenset({"up", "rollback", "deploy"})
"""Actions of the ledger that bring a commit to the clouds."""


def applied(entries: Iterable[Mapping[str, Any]], stack: str, mode: str) -> list[str]:
    """Commits that were applied to a stack without a failure, the newest last; one that follows itself counts once."""
    found: list[str] = []
    for entry in entries:
        fits = entry.get("stack") == stack and entry.get("mode") == mode and entry.get("action") in APPLIES
        commit = str(entry.get("commit") or "")
        if fits and entry.get("outcome") == "ok" and commit and [commit] != found[-1:]:
            found.append(commit)
    return found


def target(known: list[str], wanted: str | None, stack: str) -> str:
    """The commit to go back to; wrong input (exit 2) when the ledger does not know it as applied."""
    if wanted is None:
        earlier = [commit for commit in known if commit != known[-1]]
        if not earlier:
            raise Ending(
                Exit.WRONG_INPUT,
                "rollback",
                f"the ledger knows no earlier commit of stack {stack}: there is no way back",
            )
        return earlier[-1]
    fits = {commit for commit in known if len(wanted) >= 7 and commit.startswith(wanted)}  # noqa: PLR2004 - git's short
    if len(fits) != 1:
        said = ", ".join(commit[:12] for commit in dict.fromkeys(known)) or "none"
        raise Ending(
            Exit.WRONG_INPUT,
            "rollback",
            f"--to {wanted}: the ledger does not know it as applied to {stack}; it knows {said}",
        )
    return fits.pop()


def roll_back(stack: str, options: Options, console: Console, wanted: str | None = None) -> dict[str, Any]:
    """Apply an earlier commit of the project to the stack; the gates and the law judge it as they judge every update.

    A commit whose update the ledger holds as done was planned and signed then; it needs no second plan.
    """
    from automation import modes, places, runs  # noqa: PLC0415
    from automation.ledger.hand import ledger_of, recorded  # noqa: PLC0415
    from automation.pullrequest.gather import checkout  # noqa: PLC0415

    environ = dict(os.environ)
    mode = modes.decide(offline=options.offline, real=options.real, environ=environ, home=Path.home())
    entries = [entry.content for entry in ledger_of(options.project, environ).entries()]
    commit = target(applied(entries, stack, mode.name), wanted, stack)
    place = places.of(options.project, stack, mode.name, environ)
    with checkout(options.project, commit) as folder:
        packages = options.project / ".venv"
        if packages.is_dir() and not (folder / ".venv").exists():
            (folder / ".venv").symlink_to(packages.resolve())  # the law's pack starts its own Python from there
        old = replace(options, project=folder)
        with opened(stack, old, console, place=place) as session:
            session.notes.append(f"rolled back to {commit}")
            with recorded(session, "rollback", options.project) as note:
                made = runs.up(session)
                if made.get("refused"):
                    note |= {"outcome": "refused", "reason": ",".join(sorted({r["code"] for r in made["refusals"]}))}
            made["rolled_back_to"] = commit
            cleaned: dict[str, Any] = session.redactor.value(made)
    return cleaned


@app.command()
@on_a_stack
def rollback(
    run: Run,
    to: Annotated[str | None, typer.Option("--to", metavar="COMMIT", help="default: the one applied before")] = None,
) -> None:
    """Bring the stack back to a commit that the ledger knows as applied. Exits 4 when the gate refuses."""
    output = run.output()

    def work() -> Exit:
        made = roll_back(run.stack, run.options, output.err, to)
        output.report(made)
        return Exit.REFUSED if made["refused"] else Exit.OK

    perform(output, work)
