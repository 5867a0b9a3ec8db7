"""`pipeline NAME` and `pipelines`: run the stages here, write and check the forges' files."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project
from automation.session import PROJECT

pipelines_app = typer.Typer(no_args_is_help=True, help="The forges' workflow files, written from one definition.")
app.add_typer(pipelines_app, name="pipelines")


@app.command()
def pipeline(
    name: Annotated[str, typer.Argument(help="ultimate-pipeline, cloud-ecosystem-pipeline, preview, ...")],
    stage: Annotated[list[str] | None, typer.Option("--stage", help="only this stage; several times")] = None,
    environment: Annotated[str, typer.Option("--environment", help="dev, staging or prod")] = "dev",
    record: Annotated[Path, typer.Option("--record", metavar="DIR", help="where the run is written down")] = Path(
        "build/records"
    ),
    real: Annotated[bool, typer.Option("--real", help="also what works on real clouds")] = False,
    allow_degraded: Annotated[
        bool, typer.Option("--allow-degraded", help="exit 0 although some commands could not run here; it is said")
    ] = False,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Run the stages of a pipeline here. Exits 1 when one failed, and when the run is degraded."""
    output = Output(as_json=as_json, stack=environment)

    def work() -> Exit:
        from automation.pipeline.run import Asked, run  # noqa: PLC0415

        asked = Asked(name, tuple(stage or ()), environment or "dev", record, real=real)
        made = run(project, asked, lambda line: output.err.print(line, markup=False, highlight=False))
        if as_json:
            sys.stdout.write(json.dumps(made.record(), indent=1) + "\n")
        for line in made.degraded:
            sys.stderr.write(f"DEGRADED: {line}\n")
            if os.environ.get("GITHUB_ACTIONS"):
                sys.stderr.write("::warning::degraded: a command of this run could not run; see its record\n")
        sys.stderr.write(f"{name}: {'degraded' if made.conclusion == 'neutral' else made.conclusion}\n")
        good = made.conclusion == "success" or (made.conclusion == "neutral" and allow_degraded)
        return Exit.OK if good else Exit.FAILED

    perform(output, work)


@pipelines_app.command()
def write(project: Project = PROJECT) -> None:
    """Write the workflow files."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.pipeline.files import texts  # noqa: PLC0415

        for path, text in texts(project).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            output.err.print(f"written: {path.relative_to(project)}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@pipelines_app.command()
def check(project: Project = PROJECT) -> None:
    """Exit 4 when a workflow file is not what the definition says, or an action is not pinned."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.pipeline.files import problems  # noqa: PLC0415
        from automation.pipeline.pins import unresolved  # noqa: PLC0415

        found = problems(project)
        if found:
            raise Ending(Exit.REFUSED, "workflows", f"{len(found)} to fix: `pipelines write`", tuple(found))
        for name in unresolved(project):
            output.err.print(f"not resolved, and used by no workflow as it is: {name}", highlight=False)
        return Exit.OK

    perform(output, work)


@pipelines_app.command()
def pins(
    ask: Annotated[bool, typer.Option("--ask", help="ask the forge; needs a network")] = False,
    project: Project = PROJECT,
) -> None:
    """List the actions and how their commits are known; `--ask` asks the forge and exits 4 when one differs."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.pipeline import pins as pins_  # noqa: PLC0415

        differs = pins_.ask(project) if ask else []
        for pin in pins_.load(project).values():
            sys.stdout.write(f"{pin.state:<10} {pin.action} {pin.version} {pin.sha}\n")
        if differs:
            raise Ending(Exit.REFUSED, "pin", "the forge says otherwise, or nothing", tuple(differs))
        return Exit.OK

    perform(output, work)
