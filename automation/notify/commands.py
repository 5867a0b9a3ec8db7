"""`alerts`: send one, list them, take one, and tell the second line what nobody took."""
# ruff: noqa: FBT002 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project
from automation.session import PROJECT

alerts_app = typer.Typer(no_args_is_help=True, help="Alerts: receivers stand in ECOSYSTEM_NOTIFY (apprise addresses).")
app.add_typer(alerts_app, name="alerts")


@alerts_app.command()
def send(
    kind: Annotated[str, typer.Argument(help="build_success, build_warning, build_failure, deploy_success, ...")],
    subject: Annotated[str, typer.Argument(help="what it is about: a stack, a pipeline")],
    text: Annotated[str, typer.Argument(help="what happened")],
) -> None:
    """Send one alert; the same one within an hour is counted, not sent. Exits 1 when no receiver took it."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.notify.send import from_environment  # noqa: PLC0415

        sent = from_environment(os.environ).alert(kind, subject, text)
        sys.stdout.write(f"{sent}\n")
        return Exit.FAILED if sent == "failed" else Exit.OK

    perform(output, work)


@alerts_app.command("list")
def list_(as_json: Json = False) -> None:
    """Print what was sent and who took it."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.notify.send import from_environment  # noqa: PLC0415

        rows = from_environment(os.environ).all()
        if as_json:
            sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        for row in () if as_json else rows:
            taken = f"taken by {row['acknowledged']}" if row["acknowledged"] else "nobody took it"
            told = ", escalated" if row["escalated"] else ""
            sys.stdout.write(
                f"{row['key']} {row['last']} {row['kind']} {row['subject']} x{row['times']}: {taken}{told}\n"
            )
        return Exit.OK

    perform(output, work)


@alerts_app.command()
def acknowledge(
    key: Annotated[str, typer.Argument(help="the alert, as its message names it")], project: Project = PROJECT
) -> None:
    """Take an alert: it is not escalated any more. Exits 2 when there is no such one."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import actor  # noqa: PLC0415
        from automation.notify.send import from_environment  # noqa: PLC0415

        who = actor(project, os.environ)
        if not from_environment(os.environ).acknowledge(key, who):
            raise Ending(Exit.WRONG_INPUT, "alert", f"{key}: no such alert waits; see `alerts list`")
        output.err.print(f"{who} takes {key}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@alerts_app.command()
def escalate() -> None:
    """Tell the second line (ECOSYSTEM_NOTIFY_SECOND) what nobody took for half an hour; once for each alert."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.notify.send import from_environment  # noqa: PLC0415

        told = from_environment(os.environ).escalate()
        sys.stdout.write(f"{len(told)} escalated{': ' if told else ''}{', '.join(told)}\n")
        return Exit.OK

    perform(output, work)
