"""`guard`: look at failed runs, act on one, tell the pipelines' health, watch a deployment."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project, Real, Run, on_a_stack
from automation.session import PROJECT

guard_app = typer.Typer(no_args_is_help=True, help="The guard of the pipelines: what failed, why, and what is done.")
app.add_typer(guard_app, name="guard")

Records = Annotated[list[Path], typer.Argument(help="run records, or folders of them", metavar="RECORD...")]
GREEN = frozenset({"nothing to do", "healed"})


def _write(as_json: bool, made: Any, lines: list[str]) -> None:  # noqa: FBT001 - as the command line says it
    sys.stdout.write(json.dumps(made, indent=1) + "\n" if as_json else "".join(f"{line}\n" for line in lines))


@guard_app.command()
def look(records: Records, as_json: Json = False) -> None:
    """Say what failed runs died of. Exits 1 when one did not pass."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.guard.classify import causes  # noqa: PLC0415
        from automation.guard.health import load  # noqa: PLC0415

        runs = load(records)
        rows, lines = [], []
        for run in runs:
            found = causes(run, runs)
            rows.append({"id": run.id, "name": run.name, "conclusion": run.conclusion, "degraded": run.degraded,
                         "causes": [cause.__dict__ for cause in found]})  # fmt: skip
            lines.append(f"{run.name} {run.id}: {'degraded' if run.conclusion == 'neutral' else run.conclusion}")
            lines += [f"  {one.job}: {one.step}: {one.kind}, {one.remedy}: {one.evidence}" for one in found]
            lines += [f"  degraded: {one}" for one in run.degraded]
        _write(as_json, rows, lines)
        return Exit.OK if all(run.conclusion == "success" for run in runs) else Exit.FAILED

    perform(output, work)


@guard_app.command()
def act(
    record: Annotated[Path, typer.Argument(help="the record of a failed run", metavar="RECORD")],
    history: Annotated[list[Path] | None, typer.Option("--history", help="other records, to know flaky tests")] = None,
    real: Real = False,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="a proposed patch goes there")] = Path(
        "build/guard.patch"
    ),
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Retry what is transient, propose with proof, roll back, escalate. Exits 1 unless the run is green afterwards."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.guard.hands import Bench  # noqa: PLC0415
        from automation.guard.heal import guard  # noqa: PLC0415
        from automation.guard.health import load  # noqa: PLC0415
        from automation.ledger.hand import actor, ledger_of, now  # noqa: PLC0415

        (failed,) = load([record]) if record.is_file() else (None,)
        if failed is None:
            raise Ending(Exit.WRONG_INPUT, "record", f"{record}: no such file; give one record")
        bench = Bench(project, failed, output.err, project / "build" / "records", real)
        outcome = guard(failed, bench.hands(), load(history or []))
        if outcome.proposal is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(outcome.proposal.patch, encoding="utf-8")
        ledger_of(project, os.environ).append(
            now(), "guard", who=actor(project, os.environ), run=failed.id, pipeline=failed.name, ended=outcome.ended,
            kinds=sorted({cause.kind for cause in outcome.causes}),
            outcome="ok" if outcome.ended in GREEN else "failed",
        )  # fmt: skip
        proof = [f"proposed: {out} (run {failed.id} failed, run {outcome.proposal.passing_run} passed with it)"] if (
            outcome.proposal
        ) else []  # fmt: skip
        _write(as_json, outcome.record(), [*outcome.tried, *proof, f"{failed.name} {failed.id}: {outcome.ended}"])
        return Exit.OK if outcome.ended in GREEN else Exit.FAILED

    perform(output, work)


@guard_app.command()
def health(records: Records, as_json: Json = False) -> None:
    """Tell how often each pipeline passes, how long it takes, what fails most and what is flaky."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.guard import health as health_  # noqa: PLC0415

        runs = health_.load(records)
        made: dict[str, list[Any]] = {"pipelines": list(health_.health(runs)), "flaky": list(health_.flaky(runs))}
        lines = [
            f"{row['pipeline']}: {row['passed']} of {row['runs']} passed, {row['degraded']} degraded, "
            f"{row['seconds_median']} s; {row['failures_in_a_row']} failures in a row; {row['failing_most']}"
            for row in made["pipelines"]
        ]
        _write(as_json, made, [*lines, *(f"flaky: {one}" for one in made["flaky"])])
        return Exit.OK

    perform(output, work)


@guard_app.command()
@on_a_stack
def watch(
    run: Run,
    metrics: Annotated[Path, typer.Option("--metrics", metavar="FILE", help="the canary's series, as JSON")],
) -> None:
    """Judge a deployment by its series; roll back and tell people when it fails. Exits 1 when it was rolled back."""
    output, stack = run.output(), run.stack

    def work() -> Exit:
        from automation.notify.send import from_environment  # noqa: PLC0415
        from automation.pipeline.canary import judge  # noqa: PLC0415
        from automation.pipeline.rollback import roll_back  # noqa: PLC0415
        from automation.pipeline.settings import load  # noqa: PLC0415

        try:
            verdict = judge(json.loads(metrics.read_text(encoding="utf-8")), load(run.project).canary)
        except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise Ending(Exit.WRONG_INPUT, "metrics", f"{metrics} is no metric series: {error}") from None
        made: dict[str, Any] = {"stack": stack, "canary": verdict.record(), "rolled_back_to": None}
        told = from_environment(os.environ)
        if verdict.outcome == "promoted":
            told.alert("deploy_success", stack, "the canary was promoted")
        else:
            try:
                back = roll_back(stack, run.options, output.err)
                made["rolled_back_to"] = None if back["refused"] else back["rolled_back_to"]
            finally:
                where = made["rolled_back_to"]
                what = f"rolled back to {where}" if where else "the rollback did not happen: look"
                told.alert("deploy_failure", stack, f"{'; '.join(verdict.vetoes)}; {what}")
        _write(run.as_json, made, [*verdict.log, f"{stack}: {verdict.outcome}"])
        return Exit.OK if verdict.outcome == "promoted" else Exit.FAILED

    perform(output, work)
