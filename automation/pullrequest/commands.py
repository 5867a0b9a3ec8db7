"""`report`: what a change would do, for people in a pull request."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Exit
from automation.options import Json, Offline, Project, Quality, Real, Unjudged
from automation.session import PROJECT, Options


@app.command()
def report(
    stacks: Annotated[list[str], typer.Argument(help="stacks: NAME of Pulumi.NAME.yaml", metavar="STACK...")],
    offline: Offline = False,
    real: Real = False,
    base: Annotated[str | None, typer.Option("--base", metavar="REF", help="offline: compare with this commit")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="report.md, report.html, report.json")] = Path(
        "build/report"
    ),
    link: Annotated[str, typer.Option("--link", help="address of the full report, for the comment")] = "",
    quality: Quality = None,
    no_policies: Unjudged = False,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Write the pull-request report as Markdown, HTML and JSON. Exits 4 when the gate would refuse a stack."""
    output = Output(as_json=as_json, stack=",".join(stacks))
    options = Options(project, offline, real, None, quality, None, "schema", None, not no_policies)

    def work() -> Exit:
        from automation.pullrequest import gather, markdown, model, web  # noqa: PLC0415

        reports: list[dict[str, Any]] = []
        for stack in stacks:
            if real:
                reports.append(gather.deployed(stack, options, output.err))
            else:
                reports.append(gather.offline(stack, options, output.err, base))
        pages = model.pages(reports)
        out.mkdir(parents=True, exist_ok=True)
        order = os.environ.get("GITHUB_RUN_ID", "")
        (out / "report.md").write_text(markdown.render(pages, full_report=link, order=order), encoding="utf-8")
        (out / "report.html").write_text(web.render(pages), encoding="utf-8")
        (out / "report.json").write_text(json.dumps(reports, indent=1, default=str) + "\n", encoding="utf-8")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown.render(pages, full_report=link))
        if as_json:
            sys.stdout.write(json.dumps(reports, indent=1, default=str) + "\n")
        for page in pages:
            output.err.print(f"{page.stack}: {page.verdict}", markup=False, highlight=False)
        return Exit.REFUSED if any(one["refused"] for one in reports) else Exit.OK

    perform(output, work)
