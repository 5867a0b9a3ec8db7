"""`python -m automation COMMAND STACK`: the one door for people and machines."""

# ruff: noqa: FBT002, FBT003, PLR0913, PLR0917 - typer reads a command's options from its parameters

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from automation.command_line import Output, app, perform, to_be_written
from automation.exits import Ending, Exit
from automation.options import (
    Again,
    Anew,
    Clusters,
    Demand,
    Faults,
    Glass,
    Json,
    Markdown,
    Offline,
    Parallel,
    Patience,
    Project,
    Quality,
    Real,
    Run,
    StackName,
    Unjudged,
    on_a_stack,
)
from automation.session import PROJECT, Options, opened

__all__ = ["app", "main"]


def _refused(made: dict[str, Any]) -> Exit:
    return Exit.REFUSED if made.get("refused") else Exit.OK


@app.command()
@on_a_stack
def preview(
    run: Run,
    demand: Demand = None,
    quality: Quality = None,
    faults: Faults = None,
    save_plan: Annotated[Path | None, typer.Option("--save-plan", metavar="FILE", help="steps to approve")] = None,
    markdown: Markdown = None,
    no_policies: Unjudged = False,
) -> None:
    """Show what an update would do, judged and priced. Exits 4 when the gate would refuse it."""
    options = replace(run.options, demand=demand, quality=quality, faults=faults, policies=not no_policies)
    _previewed(replace(run, options=options), save_plan, markdown)


def _previewed(run: Run, save_plan: Path | None = None, markdown: Path | None = None) -> None:
    output, options = run.output(), run.options

    def work() -> Exit:
        from automation import runs  # noqa: PLC0415
        from automation.demand import against_deployed, pool_diff  # noqa: PLC0415

        to_be_written("--save-plan", save_plan)
        to_be_written("--markdown", markdown)
        opening = against_deployed if options.demand else opened
        with opening(run.stack, options, output.err) as session:
            made, _ = runs.preview(session, save_plan)
            if options.demand:
                made["pool_diff"] = pool_diff(made)
            output.report(session.redactor.value(made), markdown)
        return _refused(made)

    perform(output, work)


@app.command()
@on_a_stack
def up(
    run: Run,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="a signed plan, or approved steps")
    ] = None,
    approvals: Annotated[int, typer.Option("--approvals", min=0, help="at least so many besides the author")] = 0,
    faults: Faults = None,
    quality: Quality = None,
    clusters: Clusters = "schema",
    no_policies: Unjudged = False,
    again: Again = None,
    continue_on_error: Annotated[
        bool, typer.Option("--continue-on-error", help="do what does not depend on a failure")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh/--no-refresh", help="first take what the clouds say into the state")
    ] = True,
) -> None:
    """Refresh, preview, judge, and apply what passed. After an abnormal end it first recovers."""
    output = run.output()
    options = replace(
        run.options, quality=quality, faults=faults, clusters=clusters, policies=not no_policies,
        again=frozenset(again or ()), continue_on_error=continue_on_error, refresh=refresh,
    )  # fmt: skip

    def work() -> Exit:
        from automation.signing import door  # noqa: PLC0415

        with opened(run.stack, options, output.err) as session:
            made = door.up(session, plan, approvals=approvals)
            output.report(session.redactor.value(made))
        return _refused(made)

    perform(output, work)


def _simple(name: str) -> Callable[..., None]:
    def command(
        stack: StackName,
        offline: Offline = False,
        real: Real = False,
        as_json: Json = False,
        faults: Faults = None,
        parallel: Parallel = None,
        break_glass: Glass = None,
        patience: Patience = None,
        again: Again = None,
        project: Project = PROJECT,
    ) -> None:
        output = Output(as_json=as_json, stack=stack)
        options = Options(
            project, offline, real, None, None, faults, "schema", parallel, False, patience, break_glass,
            frozenset(again or ()),
        )  # fmt: skip

        def work() -> Exit:
            from automation import drift, runs  # noqa: PLC0415

            with opened(stack, options, output.err) as session:
                if name == "recover":
                    made = {"header": session.header, "notes": session.notes, "stack": stack, "mode": session.mode.name}
                    made["recovered"] = runs.recover(session).lines()
                elif name == "drift":
                    made = drift.find(session)
                else:
                    from automation.ledger.hand import recorded  # noqa: PLC0415

                    does = {"refresh": runs.refresh, "destroy": runs.destroy, "outputs": runs.outputs}[name]
                    with ExitStack() as exits:
                        note = {} if name == "outputs" else exits.enter_context(recorded(session, name))
                        made = does(session)
                        if made.get("refused"):
                            note["outcome"] = "refused"
                made = session.redactor.value(made)
                if name == "outputs" and not as_json:
                    sys.stdout.write(f"{made['header']}\n{json.dumps(made['outputs'], indent=1)}\n")
                else:
                    output.report(made)
            if name == "drift" and made["drift"]:
                return Exit.DRIFT
            return _refused(made)

        perform(output, work)

    return command


for _name, _help in {
    "refresh": "Take what the clouds say into the state.",
    "destroy": "Delete everything; stateful and protected things only with --break-glass.",
    "drift": "List where the clouds differ from the state, to the path. Exits 5 when they do. Changes nothing.",
    "outputs": "Print what the stack exports; secrets are masked.",
    "recover": "After an abnormal end: free our dead lock, adopt or list what nobody acknowledged.",
}.items():
    app.command(_name, help=_help)(_simple(_name))


@app.command()
def rehearse(
    stack: StackName,
    as_json: Json = False,
    offline: Offline = False,
    clusters: Clusters = "schema",
    faults: Faults = None,
    parallel: Parallel = None,
    quality: Quality = None,
    no_policies: Unjudged = False,
    patience: Patience = None,
    markdown: Markdown = None,
    solve_anew: Anew = False,
    project: Project = PROJECT,
) -> None:
    """Offline, in clouds of its own: preview, up, up again, refresh, destroy, nothing left."""
    del offline  # a rehearsal is never anything else; the option is accepted because people type it
    output = Output(as_json=as_json, stack=stack)
    options = Options(
        project, True, False, None, quality, faults, clusters, parallel, not no_policies, patience, anew=solve_anew
    )

    def work() -> Exit:
        from automation.rehearse import rehearse as run  # noqa: PLC0415

        to_be_written("--markdown", markdown)
        made = run(stack, options, output.err)
        output.report(made, markdown)
        if made["refused"]:
            return Exit.REFUSED
        same = made["preview_steps"] == made["up_steps"]
        quiet = not (made["second_up_changes"] or made["refresh_changes"] or made["left_after_destroy"])
        return Exit.OK if same and quiet else Exit.FAILED

    perform(output, work)


@app.command()
def demand(
    stack: StackName,
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help="CSV, or JSON of kubectl get pods -A -o json")],
    offline: Offline = False,
    real: Real = False,
    as_json: Json = False,
    quality: Quality = None,
    parallel: Parallel = None,
    no_policies: Unjudged = False,
    solve_anew: Anew = False,
    project: Project = PROJECT,
) -> None:
    """Swap the demand and show which node pools would change."""
    options = Options(
        project, offline, real, file, quality, parallel=parallel, policies=not no_policies, anew=solve_anew
    )
    _previewed(Run(stack, options, as_json))


@app.command()
def size(
    stack: Annotated[str, typer.Argument(help="the stack, or `verify` to judge FILE without solving", metavar="STACK")],
    file: Annotated[Path | None, typer.Argument(help="with verify: evidence, or what --json wrote")] = None,
    demand_file: Demand = None,
    explain_it: Annotated[bool, typer.Option("--explain", help="how it came about, bound by bound")] = False,
    as_json: Json = False,
    pictures: Annotated[Path | None, typer.Option("--pictures", metavar="DIR", help="write SVG pictures there")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="solve so often, the demand read anew")] = None,
    every: Annotated[float, typer.Option("--every", min=0, max=604_800, help="with --rounds: seconds a round")] = 0.0,
    advise: Annotated[bool, typer.Option("--advise", help="requests by the use in --demand")] = False,
    placed: Annotated[
        Path | None, typer.Option("--placed", metavar="FILE", help="the placement that runs: the stack's output")
    ] = None,
    quality: Quality = None,
    project: Project = PROJECT,
) -> None:
    """Show the plan of every pool: cost, gap to a proven bound, what binds, next to the usual autoscalers."""
    output = Output(as_json=as_json, stack=stack)

    def work() -> Exit:
        from automation import size as size_  # noqa: PLC0415
        from automation.size_rounds import show as size_rounds  # noqa: PLC0415
        from automation.size_verify import show as verify_  # noqa: PLC0415

        if stack == "verify":
            return verify_(file, as_json=as_json)
        if file is not None:
            raise Ending(Exit.WRONG_INPUT, "file", f"size {stack} takes no second argument; write --demand {file}")
        options = Options(project, demand=demand_file, quality=quality, placed=placed)
        size_.ready(rounds, pictures, advise=advise, explain=explain_it)
        if rounds is not None:
            return size_rounds(stack, options, rounds, every, as_json=as_json)
        made = size_.plan(stack, options, advised=advise)
        if pictures is not None:
            for path in size_.draw(made, pictures):
                output.err.print(f"wrote {path}", markup=False, highlight=False)
        if as_json:
            sys.stdout.write(json.dumps(made, indent=1, default=str) + "\n")
        else:
            from automation.size_words import show  # noqa: PLC0415

            show(made, Console(width=None if sys.stdout.isatty() else 120), explain=explain_it)
        return Exit.OK

    perform(output, work)


@app.command()
def doctor(
    stack: Annotated[str | None, typer.Argument(help="also check what this stack needs", metavar="[STACK]")] = None,
    offline: Offline = False,
    real: Real = False,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Say what is missing here, and what to do."""
    output = Output(as_json=as_json, stack=stack or "")

    def work() -> Exit:
        from automation import doctor as doctor_  # noqa: PLC0415

        made = doctor_.examine(stack, Options(project, offline, real))
        if as_json:
            sys.stdout.write(json.dumps(made, indent=1) + "\n")
        else:
            doctor_.show(made, Console())
        return Exit.OK if made["ok"] else Exit.FAILED

    perform(output, work)


@app.command()
def restore(stack: StackName, offline: Offline = False, real: Real = False, project: Project = PROJECT) -> None:
    """Put the newest good copy in place of a broken state file (file backends)."""
    output = Output(as_json=False, stack=stack)

    def work() -> Exit:
        from automation import restore as restore_  # noqa: PLC0415

        good, broken = restore_.restore(stack, Options(project, offline, real))
        output.err.print(f"restored from {good}; the broken file is {broken}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@app.command()
def explain(key: Annotated[str, typer.Argument(help="a key of the stack file, e.g. stack.budget.monthly_usd")]) -> None:
    """Say what a key of the stack file means, what it allows and what it defaults to."""
    output = Output(as_json=False)

    def work() -> Exit:
        from stacks.explain import explain as tell  # noqa: PLC0415

        try:
            sys.stdout.write(str(tell(key)).rstrip() + "\n")
        except (KeyError, ValueError, LookupError) as problem:
            text = str(problem.args[0]) if problem.args else str(problem)
            raise Ending(Exit.WRONG_INPUT, "key", text) from None
        return Exit.OK

    perform(output, work)


@app.command()
def lock(
    charts: Annotated[list[str] | None, typer.Argument(help="names in charts.lock; none means all")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="say what is unresolved, ask nobody")] = False,
) -> None:
    """Fill in the digests of charts.lock from the charts' registries."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation import lock_charts  # noqa: PLC0415

        if offline:
            raise Ending(Exit.WRONG_INPUT, "offline", lock_charts.offline())
        results = lock_charts.fill(tuple(charts or ()))
        for each in results:
            sys.stdout.write(f"{each.state:7}{each.chart} {each.version}: {each.text}\n")
        return Exit.FAILED if any(each.state == "failed" for each in results) else Exit.OK

    perform(output, work)


def main() -> None:
    """Start; wrong options leave with 2, as wrong input does."""
    from automation import law, stage  # noqa: F401, PLC0415 - adds `law` and the sandbox's commands
    from automation.pipeline import commands  # noqa: F401, PLC0415 - adds plans, ledger, pipelines, checks

    app()
