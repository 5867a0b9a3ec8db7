"""`ledger`: read, verify, sign, archive, forget, and the key figures."""
# ruff: noqa: FBT002 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project
from automation.session import PROJECT
from automation.signing.commands import Key, signers_file

ledger_app = typer.Typer(no_args_is_help=True, help="What was done here, by whom, and whether somebody rewrote it.")
app.add_typer(ledger_app, name="ledger")


def _ledger(project: Path) -> Any:
    from automation.ledger.hand import ledger_of  # noqa: PLC0415

    return ledger_of(project, os.environ)


@ledger_app.command()
def verify(as_json: Json = False, project: Project = PROJECT) -> None:
    """Read the whole chain; exits 4 when somebody edited, deleted, cut, reordered or forged."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.ledger.verify import verify as check  # noqa: PLC0415
        from automation.signing import trust  # noqa: PLC0415

        verdict = check(_ledger(project), trust.load(signers_file(project)))
        if as_json:
            sys.stdout.write(json.dumps(verdict.record(), indent=1) + "\n")
        else:
            for code, sentence in verdict.problems:
                sys.stdout.write(f"{code}: {sentence}\n")
            for line in verdict.unchecked:
                sys.stdout.write(f"not checked: {line}\n")
            sys.stdout.write(
                f"{verdict.entries} entries, {verdict.archived} in archives, {verdict.checkpoints} signed checkpoints, "
                f"{verdict.anchored} lines of the anchor: {'whole' if verdict.ok else 'BROKEN'}\n"
            )
        return Exit.OK if verdict.ok else Exit.REFUSED

    perform(output, work)


@ledger_app.command()
def show(
    last: Annotated[int, typer.Option("--last", min=1, help="how many entries")] = 20,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Print the newest entries; names only where they were not forgotten."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        ledger = _ledger(project)
        entries = list(ledger.entries())[-last:]
        rows = [{"seq": e.seq, "at": e.at, **e.content, "who": ledger.person(e)} for e in entries]
        for row in rows:
            row.pop("who_sealed", None)
        if as_json:
            sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        else:
            for row in rows:
                rest = {
                    name: value for name, value in row.items() if name not in {"seq", "at", "who", "action", "outcome"}
                }
                sys.stdout.write(
                    f"{row['seq']:>6} {row['at']} {row.get('action')} {row.get('outcome', '')} {row['who']} "
                    f"{json.dumps(rest, sort_keys=True)}\n"
                )
        return Exit.OK

    perform(output, work)


@ledger_app.command()
def checkpoint(key: Key, project: Project = PROJECT) -> None:
    """Sign the newest entry and with it all before."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import now  # noqa: PLC0415
        from automation.signing import keys  # noqa: PLC0415

        seq, head = _ledger(project).checkpoint(keys.load(key), now())
        output.err.print(f"entry {seq} ({head[:12]}) is signed", highlight=False)
        return Exit.OK

    perform(output, work)


@ledger_app.command()
def archive(
    key: Key,
    days: Annotated[int, typer.Option("--older-than", min=1, help="days that stay in the ledger itself")] = 365,
    project: Project = PROJECT,
) -> None:
    """Move old entries into a signed, compressed file beside the ledger."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.archive import archive as move  # noqa: PLC0415
        from automation.ledger.hand import now  # noqa: PLC0415
        from automation.signing import keys  # noqa: PLC0415

        at = now()
        made = move(_ledger(project), at - timedelta(days=days), at, keys.load(key))
        output.err.print(f"archived: {made}" if made else "no entry is that old", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@ledger_app.command()
def forget(
    name: Annotated[str, typer.Argument(help="the person, as the ledger shows the name")],
    yes: Annotated[bool, typer.Option("--yes", help="it cannot be undone")] = False,
    project: Project = PROJECT,
) -> None:
    """Shred the key that opens a person's name; the chain stays whole."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import now  # noqa: PLC0415

        if not yes:
            raise Ending(Exit.WRONG_INPUT, "option", "a name that is forgotten stays forgotten: say --yes")
        output.err.print(f"{_ledger(project).forget(name, now())} has no name any more", highlight=False)
        return Exit.OK

    perform(output, work)


@ledger_app.command()
def figures(
    days: Annotated[int | None, typer.Option("--days", min=1, help="count back from the newest entry")] = None,
    project: Project = PROJECT,
) -> None:
    """Key figures, each with the number of runs behind it, as JSON."""
    output = Output(as_json=True)

    def work() -> Exit:
        from automation.ledger.measures import measures  # noqa: PLC0415

        made = measures(_ledger(project).entries(), timedelta(days=days) if days else None)
        sys.stdout.write(json.dumps(made, indent=1) + "\n")
        return Exit.OK

    perform(output, work)
