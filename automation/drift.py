"""Drift: where the clouds differ from the state, to the exact path. Nothing is changed, in clouds or state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from automation.answers import ignored
from automation.ledger.hand import actor, ledger_of, now
from automation.success import demand_success

if TYPE_CHECKING:
    from automation.events import Collected, Step
    from automation.session import Session


NOTED: Final = 20
"""Names of drifted resources in an entry of the ledger."""


def differing(old: Any, new: Any, path: str = "") -> list[str]:
    """Paths at which two values differ, in the engine's spelling (`tags.owner`, `rules[0].port`)."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for key in sorted(set(old) | set(new)):
            inner = f"{path}.{key}" if path else str(key)
            if key not in old or key not in new:
                found.append(inner)
            else:
                found += differing(old[key], new[key], inner)
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [at for i, (a, b) in enumerate(zip(old, new, strict=True)) for at in differing(a, b, f"{path}[{i}]")]
    return [] if old == new else [path]


def row(step: Step) -> dict[str, Any] | None:
    """One drifted resource; None when it is as the state says."""
    if not step.custom or step.type.startswith("pulumi:"):
        return None
    gone = step.op == "delete" or (
        step.op == "refresh" and bool(step.old_outputs) and not step.new_outputs and not step.id
    )
    if gone:
        return {"op": "deleted", "urn": step.urn, "type": step.type, "id": step.id, "paths": []}
    paths = sorted(step.diff) or differing(step.old, step.new) or differing(step.old_outputs, step.new_outputs)
    if not paths:
        return None
    return {"op": "changed", "urn": step.urn, "type": step.type, "id": step.id, "paths": paths}


def rows(collected: Collected) -> list[dict[str, Any]]:
    """Everything that drifted, by URN."""
    found = {step.urn: made for step in collected.done.values() if (made := row(step))}
    return [found[urn] for urn in sorted(found)]


def _note(session: Session, found: list[dict[str, Any]]) -> None:
    """Write into the ledger that somebody looked, and what was found by name."""
    names = ", ".join(sorted(row["urn"].rsplit("::", 1)[-1] for row in found)[:NOTED])
    project = session.options.project
    facts = {"stack": session.name, "mode": session.mode.name, "drifted": len(found), "names": names}
    ledger_of(project, os.environ).append(now(), "drift", who=actor(project, os.environ), **facts, outcome="ok")


def find(session: Session) -> dict[str, Any]:
    """Compare state and clouds; the report lists each difference."""
    with session.progress.during("drift"):
        outcome = session.engine.operate("refresh", "--preview-only")
    demand_success(session, outcome)
    _note(session, rows(outcome.collected))
    known = ignored.load(session.options.project)
    found, lines = ignored.split(rows(outcome.collected), known, session.name, ignored.today())
    return {
        "header": session.header,
        "notes": [*session.notes, *lines],
        "stack": session.name,
        "mode": session.mode.name,
        "drift": found,
        "seconds": {"drift": round(outcome.seconds, 2)},
    }
