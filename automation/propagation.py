"""`propagation STACK --out DIR`: what Karmada reads, from the stack file into the folder that it watches."""
# ruff: noqa: FBT002 - a command's options are its parameters

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Project, StackName
from automation.session import PROJECT, Options

HEADER = "# Written by `python -m automation propagation`: do not edit.\n"


@app.command()
def propagation(
    stack: StackName,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="the folder of the repository that Karmada reads")],
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit 5 when the folder says something else")
    ] = False,
    placed: Annotated[
        Path | None, typer.Option("--placed", metavar="FILE", help="the placement that runs: the stack's output")
    ] = None,
    project: Project = PROJECT,
) -> None:
    """Write policies of propagation and override of services.gitops.propagation, one file per workload."""
    output = Output(as_json=False, stack=stack)

    def work() -> Exit:
        from automation.session import read_stack  # noqa: PLC0415
        from automation.size import sized  # noqa: PLC0415
        from components.kubernetes.propagation import manifests  # noqa: PLC0415
        from stacks.split import propagated_of, undecided  # noqa: PLC0415

        wish = read_stack(stack, Options(project))
        if undecided(wish).keys() & propagated_of(wish).keys():
            wish = sized(stack, Options(project, placed=placed)).stack
        handed = propagated_of(wish)
        if not handed:
            text = f"{stack} hands nothing to Karmada: see `ecosystem explain services.gitops.propagation`"
            raise Ending(Exit.WRONG_INPUT, "propagation", text)
        wanted = {name: HEADER + text for name, text in manifests(handed).items()}
        stale = [name for name in _ours(out) if name not in wanted]
        different = [name for name, text in wanted.items() if _text(out / name) != text]
        if check:
            for name in (*different, *stale):
                output.err.print(f"{out / name}: is not what the stack file says", markup=False, highlight=False)
            return Exit.DRIFT if different or stale else Exit.OK
        foreign = [name for name in different if (out / name).exists() and name not in _ours(out)]
        if foreign:
            sentence = f"{out}: files of these names are not ours: move them away"
            raise Ending(Exit.REFUSED, "propagation", sentence, tuple(foreign))
        out.mkdir(parents=True, exist_ok=True)
        for name in different:
            (out / name).write_text(wanted[name], encoding="utf-8")
        for name in stale:
            (out / name).unlink()
        said = f"{len(wanted)} workloads, {len(different)} files written, {len(stale)} removed"
        output.err.print(said, markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _ours(folder: Path) -> list[str]:
    """Names of the files that were written from a stack file before."""
    return sorted(file.name for file in folder.glob("*.yaml") if _text(file).startswith(HEADER))
