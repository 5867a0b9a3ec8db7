"""`answer STACK adopt|revert|ignore`: what to do about one drifted resource."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from automation.command_line import app, perform
from automation.exits import Ending, Exit
from automation.options import Run, Unjudged, on_a_stack
from automation.session import opened

if TYPE_CHECKING:
    from automation.events import Step
    from automation.session import Session

What = Annotated[Literal["adopt", "revert", "ignore"], typer.Argument(help="what to do about it")]
Urn = Annotated[str, typer.Option("--urn", help="the resource, or its name where only one has it")]
Path_ = Annotated[str | None, typer.Option("--path", help="only this property")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="with ignore: when it counts again")]
Reason = Annotated[str | None, typer.Option("--reason", help="with ignore: why")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="with adopt: where the patch goes")]


@dataclass(frozen=True)
class Asked:
    """The drifted resource, what drifted, and its refresh."""

    row: dict[str, Any]
    step: Step


def _drifted(session: Session, urn: str, path: str | None) -> Asked:
    """The one that is meant; wrong input (exit 2) when nothing like it drifted."""
    from automation import drift  # noqa: PLC0415
    from automation.success import demand_success  # noqa: PLC0415

    with session.progress.during("drift"):
        outcome = session.engine.operate("refresh", "--preview-only")
    demand_success(session, outcome)
    found = {step.urn: (row, step) for step in outcome.collected.done.values() if (row := drift.row(step))}
    fits = [one for one in found if one == urn or one.rsplit("::", 1)[-1] == urn]
    if len(fits) != 1:
        said = tuple(sorted(found))[:20]
        count = f"{len(fits)} drifted resources are called so" if fits else "it did not drift"
        way = "give one of" if said else "nothing did, so nothing needs an answer"
        raise Ending(Exit.WRONG_INPUT, "drift", f"--urn {urn}: {count}; {way}", said)
    row, step = found[fits[0]]
    if path is not None and path not in row["paths"]:
        raise Ending(Exit.WRONG_INPUT, "drift", f"--path {path} did not drift; give one of", tuple(row["paths"]))
    return Asked({**row, "paths": [path] if path else row["paths"]}, step)


def _adopt(session: Session, asked: Asked, out: Path) -> list[str]:
    from automation.answers import adopt  # noqa: PLC0415
    from automation.pullrequest.values import at, shown  # noqa: PLC0415
    from automation.redact import MASK  # noqa: PLC0415
    from automation.workdir import stack_file  # noqa: PLC0415

    source = stack_file(session.options.project, session.name)
    if asked.row["op"] == "deleted":
        return [f"{asked.row['urn']} was deleted: take it out of the stack file or the program, or answer revert"]
    lines = list[str]()
    first = text = source.read_text(encoding="utf-8")
    for path in asked.row["paths"]:
        was, live = at(asked.step.old, path), at(asked.step.new, path)
        told = f"{shown(was, path, asked.row['type'])} -> {shown(live, path, asked.row['type'])}"
        wanted = adopt.Wanted(asked.row["urn"], path, was, live)
        found = None if MASK in told else adopt.find(session, text, wanted)
        if found is None:
            lines.append(f"{path}: {told}: no key of {source.name} makes this; change the program, or answer revert")
            continue
        text = found.text
        lines.append(f"{path}: {told}: {found.leaf.path} in {source.name} makes this")
        if found.others:
            names = ", ".join(one.rsplit("::", 1)[-1] for one in found.others[:5])
            lines.append(f"  with it {len(found.others)} other resources would change: {names}")
    if text != first:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(adopt.patch(first, text, source.name), encoding="utf-8")
        lines.append(f"patch: {out} (git apply {out}, then a pull request, then refresh)")
    return lines


def _revert(session: Session, asked: Asked) -> list[str]:
    """Take in what the cloud says of this one resource, and let the engine put it right; losses go before the gate."""
    from automation import gate  # noqa: PLC0415
    from automation.success import demand_success  # noqa: PLC0415

    target = ("--target", asked.row["urn"])
    with session.progress.during("refresh"):
        refreshed = session.engine.operate("refresh", "--yes", "--skip-preview", *target, journalled=True)
    demand_success(session, refreshed)
    with session.progress.during("preview"):
        planned = session.engine.operate("preview", *target, packs=session.packs())
    refusals = gate.stateful(planned.collected.changing(), session.options.break_glass) + gate.law(planned.collected)
    if refusals:
        details = tuple(f"{one.code}: {one.sentence}" for one in refusals)
        raise Ending(Exit.REFUSED, refusals[0].code, "putting it right is refused", details)
    demand_success(session, planned)
    with session.progress.during("up"):
        applied = session.engine.operate("up", "--yes", "--skip-preview", *target, journalled=True)
    demand_success(session, applied)
    session.journal.settle()
    done = ", ".join(f"{count} {op}" for op, count in sorted(applied.collected.changes.items()))
    return [f"{asked.row['urn']}: {done or 'the refresh was enough'}"]


@app.command()
@on_a_stack
def answer(
    run: Run,
    what: What,
    urn: Urn,
    path: Path_ = None,
    until: Until = None,
    reason: Reason = None,
    out: Out = Path("build/drift.patch"),
    no_policies: Unjudged = False,
) -> None:
    """Adopt drift into the stack file (as a patch), revert it in the cloud, or ignore it until a date."""
    output, stack, project = run.output(), run.stack, run.project
    options = replace(run.options, policies=what == "revert" and not no_policies)

    def work() -> Exit:
        import json  # noqa: PLC0415
        import sys  # noqa: PLC0415

        from automation.answers import ignored  # noqa: PLC0415
        from automation.ledger.hand import actor, recorded  # noqa: PLC0415

        if what == "ignore" and (until is None or not reason):
            raise Ending(Exit.WRONG_INPUT, "option", "ignore needs --until DATE and --reason TEXT: nothing is for ever")
        end = ignored.until(until, ignored.today()) if until else None
        with opened(stack, options, output.err) as session, recorded(session, f"drift-{what}") as note:
            asked = _drifted(session, urn, path)
            note |= {"urn": asked.row["urn"], "paths": asked.row["paths"]}
            if what == "adopt":
                lines = _adopt(session, asked, out)
            elif what == "revert":
                lines = _revert(session, asked)
            else:
                who = actor(project, os.environ)
                for each in asked.row["paths"] if path else [""]:
                    one = ignored.Ignored(
                        stack=stack, urn=asked.row["urn"], path=each, until=end, reason=str(reason), who=who
                    )  # fmt: skip
                    file = ignored.add(project, one)
                lines = [f"{asked.row['urn']} is let be until {end}: {file}"]
            lines = [session.redactor.text(line) for line in lines]
        made = {"stack": stack, "answer": what, **asked.row, "lines": lines}
        sys.stdout.write(json.dumps(made, indent=1) + "\n" if run.as_json else "\n".join(lines) + "\n")
        return Exit.OK

    perform(output, work)
