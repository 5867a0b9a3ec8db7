"""The whole life of a stack in the stand-in clouds: preview, up, nothing more to do, refresh, destroy, nothing left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from automation import drift, effort, places, runs
from automation.session import Options, Session, opened
from automation.success import demand_success

if TYPE_CHECKING:
    from rich.console import Console

    from automation.engine import Outcome


@contextmanager
def stage(name: str, options: Options, console: Console) -> Iterator[Session]:
    """A session with a backend and clouds of its own, in memory where the machine has it, gone afterwards.

    The engine writes its whole state at each step; here, where nobody needs the state after a crash, it writes it once
    at the end, unless faults are rehearsed.
    """
    quick = (
        {}
        if options.faults
        else {"PULUMI_SKIP_CHECKPOINTS": "true", "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true"}
    )
    with (
        places.temporary() as place,
        opened(
            name,
            replace(options, offline=True, real=False),
            console,
            place=place,
            extra_env=quick | effort.environment(place.folder),
        ) as session,
    ):
        yield session


def _changes(outcome: Outcome) -> int:
    return sum(outcome.collected.changes.values())


def rehearse(name: str, options: Options, console: Console) -> dict[str, Any]:
    """Run it; the report holds every number of the rehearsal. A refused preview ends it early."""
    from sandbox.state import count_left, lift_deletion_protection, list_left  # noqa: PLC0415

    with stage(name, options, console) as session:
        made, _ = runs.preview(session)
        made.pop("budget_usd", None)
        if made["refused"]:
            return made
        seconds = made["seconds"]
        applied = runs.apply(session)
        demand_success(session, applied)
        made["up_steps"] = dict(sorted(applied.collected.summary.items()))
        seconds["up"] = round(applied.seconds, 2)

        put_right = bool(made["policy"]["remediated"])  # without the law the second one would undo it
        again = runs.apply(session, law=put_right)
        demand_success(session, again)
        made["second_up_changes"], seconds["second_up"] = _changes(again), round(again.seconds, 2)
        made["second_up"] = [{"op": s.op, "urn": s.urn, "paths": sorted(s.diff)} for s in again.collected.changing()]

        with session.progress.during("refresh"):
            refreshed = session.engine.operate("refresh", "--yes", "--skip-preview")
        demand_success(session, refreshed)
        drifted = drift.rows(refreshed.collected)
        made["refresh_changes"] = max(_changes(refreshed), len(drifted))
        made["drift"], seconds["refresh"] = drifted, round(refreshed.seconds, 2)

        session.engine.call("state", "unprotect", "--all", "--yes", "--stack", name)
        lifted = lift_deletion_protection(session.place.database)
        session.notes.append(f"deletion protection of {lifted} resources was lifted in the rehearsal's own copy")
        destroyed, made["retained"] = runs.delete_all(session)
        seconds["destroy"] = round(destroyed.seconds, 2)
        left = list_left(session.place.database)
        kept = set(made["retained"])
        made["left"] = [{"type": t, "id": i, "urn": urn} for t, i, urn in left if urn not in kept]
        made["left_after_destroy"] = count_left(session.place.database) - sum(urn in kept for _, _, urn in left)
        made["sizing_effort"] = effort.of(session.place.folder, seconds.values())
        made["notes"] = session.notes
    return made
