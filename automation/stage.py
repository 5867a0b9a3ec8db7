"""`sandbox` commands: the stand-in clouds of one stack, between runs."""

# ruff: noqa: FBT002, PLR0913, PLR0917 - typer reads a command's options from its parameters

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from automation import locks, places
from automation.command_line import Output, perform, sandbox_app
from automation.exits import Ending, Exit
from automation.modes import OFFLINE_HEADER
from automation.options import Clusters, Faults, Json, Project, StackName
from automation.places import Place
from automation.session import PROJECT
from automation.workdir import stack_file


def _place(stack: str, project: Path) -> Place:
    stack_file(project, stack)
    return places.of(project, stack, "offline", dict(os.environ))


@sandbox_app.command()
def serve(
    stack: Annotated[str | None, typer.Argument(help="serve this stack's offline clouds", metavar="[STACK]")] = None,
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="or the clouds in this folder")] = None,
    faults: Faults = None,
    clusters: Clusters = "schema",
    project: Project = PROJECT,
) -> None:
    """Serve until SIGTERM or SIGINT; prints the PULUMI_DEBUG_PROVIDERS line for plain `pulumi`."""
    output = Output(as_json=False)

    def work() -> int:
        folder = state or (_place(stack, project).prepare().clouds if stack else None)
        if folder is None:
            raise Ending(Exit.WRONG_INPUT, "option", "give STACK or --state DIR")
        command = [sys.executable, "-m", "sandbox", "serve", "--state", str(folder.resolve()), "--clusters", clusters]
        if faults:
            command += ["--faults", str(faults.resolve())]
        os.chdir(PROJECT)
        os.execv(sys.executable, command)  # noqa: S606 - our own module takes over, with its signals
        return 0

    perform(output, work)


@sandbox_app.command("faults")
def faults_(
    stack: StackName,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="plan for all next offline runs")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="no faults any more")] = False,
    project: Project = PROJECT,
) -> None:
    """Set, show or clear the fault plan that offline runs of a stack meet."""
    output = Output(as_json=False, stack=stack)

    def work() -> Exit:
        place = _place(stack, project)
        if clear:
            place.faults.unlink(missing_ok=True)
        elif file is not None:
            if not file.is_file():
                raise Ending(Exit.WRONG_INPUT, "faults", f"--file {file}: no such file; give a YAML fault plan")
            place.prepare()
            shutil.copyfile(file, place.faults)
        shown = place.faults.read_text(encoding="utf-8") if place.faults.exists() else "no faults\n"
        sys.stdout.write(f"# {OFFLINE_HEADER}\n{shown}")
        return Exit.OK

    perform(output, work)


@sandbox_app.command()
def drift(
    stack: StackName,
    type_: Annotated[str | None, typer.Option("--type", metavar="TOKEN", help="only resources of this type")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="only the resource with this id")] = None,
    path: Annotated[str | None, typer.Option("--path", help="the property to change; `-` deletes the resource")] = None,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Change things behind the engine's back, in the stand-in clouds of a stack."""
    output = Output(as_json=as_json, stack=stack)

    def work() -> Exit:
        from sandbox.drift import plant  # noqa: PLC0415

        database = _place(stack, project).database
        if not database.exists():
            raise Ending(
                Exit.WRONG_INPUT, "sandbox", f"stack {stack} has no offline clouds: run `up {stack} --offline`"
            )
        planted = plant(database, type_, id_, path)
        sys.stdout.write(json.dumps({"header": OFFLINE_HEADER, "planted": planted}, indent=1, default=_plain) + "\n")
        return Exit.OK

    perform(output, work)


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)


@sandbox_app.command()
def reset(stack: StackName, project: Project = PROJECT) -> None:
    """Forget a stack's offline clouds and offline state."""
    output = Output(as_json=False, stack=stack)

    def work() -> Exit:
        place = _place(stack, project)
        name = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        living = [lock for lock in locks.held(place.backend, name, stack) if lock.holder_lives()]
        if living:
            raise Ending(Exit.FAILED, "locked", "a run is under way: wait for it", tuple(map(str, living)))
        shutil.rmtree(place.folder, ignore_errors=True)
        output.err.print(f"forgotten: {place.folder}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)
