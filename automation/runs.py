"""What a command does with an open session: preview, up, refresh, destroy. Each returns its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automation import approved, drift, gate, recovery, references, report, statefile
from automation.exits import Ending, Exit
from automation.policy import Verdicts, verdicts
from automation.success import demand_success

if TYPE_CHECKING:
    from automation.engine import Outcome
    from automation.session import Session


READ_AGAIN: Final = 3
"""A file backend writes two files for a state: who reads between them, during another's update, reads again."""
ANEW: Final = "the plan is solved anew"
"""What the provider of sizing says of a kept plan that it does not trust."""


def recover(session: Session) -> recovery.Recovered:
    """Bring lock, state and clouds together after an abnormal end; does nothing after a normal one."""
    freed = recovery.free_locks(session.backend_url, session.project_name, session.name, session.journal)
    past = session.journal.past()
    done = recovery.Recovered(freed_locks=freed)
    if past.open or freed or not past.ended:
        finder: recovery.Finder = (
            recovery.SandboxFinder(session.place.database) if session.mode.offline else recovery.CommandFinder()
        )
        done = recovery.settle(session.engine, session.journal, finder, again=session.options.again)
        done.freed_locks = freed
    for line in done.lines():
        session.progress.console.print(session.redactor.text(line), markup=False, highlight=False)
    session.notes += done.lines()
    return done


def _state_stamp(session: Session) -> int:
    if session.backend is None:
        return 0
    path = statefile.path_of(session.backend, session.project_name, session.name)
    return path.stat().st_mtime_ns if path.exists() else 0


@contextmanager
def _naming_the_pack(session: Session) -> Iterator[None]:
    """Name the policy pack, too, when the watchdog ends a judged run: the engine waits for it in silence."""
    try:
        yield
    except Ending as ending:
        known = any(str(session.pack.folder) in line for line in ending.details) if session.pack else True
        if ending.code is not Exit.WATCHDOG or session.pack is None or known:
            raise
        raise Ending(ending.code, ending.reason, ending.sentence, (*ending.details, session.pack.told())) from None


def judge(session: Session, *flags: str) -> tuple[Outcome, Verdicts, list[gate.Refusal]]:
    """Preview with the law, and everything the gate has against it."""
    stamp = _state_stamp(session)
    with session.progress.during("preview"), _naming_the_pack(session):
        outcome = session.engine.operate("preview", *flags, packs=session.packs())
        for _ in range(READ_AGAIN):
            if outcome.ok or "failed to load checkpoint" not in outcome.stderr:
                break
            outcome = session.engine.operate("preview", *flags, packs=session.packs())
    collected = outcome.collected
    session.notes += [said.message for said in collected.diagnostics if ANEW in said.message]
    if not outcome.ok and (collected.errors or not collected.mandatory()):
        demand_success(session, outcome)
    if _state_stamp(session) != stamp:
        session.notes.append(
            "STATE MOVED: another run changed the state during this preview; it shows neither before nor after"
        )
    found = verdicts(collected, session.pack)
    return outcome, found, gate.law(collected)


def preview(session: Session, save_plan: Path | None = None, *flags: str) -> tuple[dict[str, Any], Outcome]:
    """Show what an update would do; the gate's refusals are in the report."""
    outcome, found, refusals = judge(session, *flags)
    made = report.of_preview(session, outcome, found)
    steps = outcome.collected.changing()
    refusals += gate.budget(made["cost_monthly_usd"]["after"], session.stack.budget.monthly_usd)
    refusals += gate.stateful(steps, session.options.break_glass)
    refusals += gate.upgrades(steps)
    refusals += references.refusals(session.stack, outcome.collected.steps)
    report.refuse(made, refusals)
    if save_plan is not None:
        approved.save(save_plan, session.name, outcome.collected.steps)
    return made, outcome


def _add_refusals(made: dict[str, Any], refusals: Iterable[gate.Refusal]) -> None:
    for refusal in refusals:
        made["refusals"].append(refusal.record())
        made["refused"] += 1


def apply(session: Session, *more: str, law: bool = True) -> Outcome:
    """Let the engine change things; journalled."""
    flags = ["--yes", "--skip-preview", *more]
    if session.options.continue_on_error:
        flags.append("--continue-on-error")
    with session.progress.during("up"):
        return session.engine.operate("up", *flags, packs=session.packs() if law else [], journalled=True)


Gates = Callable[[dict[str, Any]], Iterable[gate.Refusal]]
"""What else a previewed update has to pass, told by who calls."""


def up(session: Session, plan: Path | None = None, gates: Gates = lambda _: ()) -> dict[str, Any]:
    """Preview with the law, refuse or apply. The law's verdict is the preview's: `up`'s own comes after changes.

    Before the preview the state takes in what the clouds say, so that drift is repaired. An approved plan was made on
    the state as it is: it is applied to that, or refused.
    """
    wanted = approved.load(plan, session.name) if plan else None
    recover(session)
    found = _take_in(session) if session.options.refresh and wanted is None and session.deployed() else None
    made, outcome = preview(session)
    if found is not None:
        made["drift"], made["seconds"]["refresh"] = drift.rows(found.collected), round(found.seconds, 2)
    if wanted is not None:
        _add_refusals(made, gate.plan(wanted, approved.steps(outcome.collected.steps)))
    _add_refusals(made, gates(made))
    if not made["refused"]:
        finish_up(session, made)
    return made


def finish_up(session: Session, made: dict[str, Any], *flags: str) -> None:
    """Apply what the preview in the report showed and nobody refused; adds what happened to the report."""
    applied = apply(session, *flags)
    demand_success(session, applied)
    made["up_steps"] = dict(sorted(applied.collected.summary.items()))
    made["seconds"]["up"] = round(applied.seconds, 2)
    session.journal.settle()


def refresh(session: Session) -> dict[str, Any]:
    """Take what the clouds say into the state."""
    recover(session)
    outcome = _take_in(session)
    return {
        **_head(session),
        "refresh_changes": sum(outcome.collected.changes.values()),
        "refresh_steps": dict(sorted(outcome.collected.summary.items())),
        "drift": drift.rows(outcome.collected),
        "seconds": {"refresh": round(outcome.seconds, 2)},
    }


def _take_in(session: Session) -> Outcome:
    with session.progress.during("refresh"):
        outcome = session.engine.operate("refresh", "--yes", "--skip-preview", journalled=True)
    demand_success(session, outcome)
    session.journal.settle()
    return outcome


def _head(session: Session) -> dict[str, Any]:
    return {"header": session.header, "notes": session.notes, "stack": session.name, "mode": session.mode.name}


def destroy(session: Session) -> dict[str, Any]:
    """Delete everything; stateful and protected things only with a break-glass label, which also unprotects."""
    recover(session)
    with session.progress.during("preview of destroy"):
        planned = session.engine.operate("destroy", "--preview-only")
    steps = planned.collected.changing()
    made: dict[str, Any] = {**_head(session), "changes": report.change_rows(steps), "changed": []}
    refusals = gate.stateful(steps, session.options.break_glass)
    report.refuse(made, refusals)
    if refusals:
        return made
    if not session.options.break_glass:
        demand_success(session, planned)
    else:
        session.notes.append(f"break glass: {session.options.break_glass}")
        session.engine.call("state", "unprotect", "--all", "--yes", "--stack", session.name)
    outcome, retained = delete_all(session)
    made["destroy_steps"] = dict(sorted(outcome.collected.summary.items()))
    made["retained"] = retained
    made["seconds"] = {"destroy": round(outcome.seconds, 2)}
    session.journal.settle()
    return made


def delete_all(session: Session) -> tuple[Outcome, list[str]]:
    """Run the engine's destroy; returns what was left in the clouds on purpose (`retain_on_delete`)."""
    with session.progress.during("destroy"):
        outcome = session.engine.operate("destroy", "--yes", "--skip-preview", journalled=True)
    demand_success(session, outcome)
    return outcome, sorted(step.urn for step in outcome.collected.steps if step.retain)


def outputs(session: Session) -> dict[str, Any]:
    """What the stack exports, marked with the mode."""
    return {**_head(session), "outputs": session.engine.outputs()}
