"""`plan` and `up` on a session: a plan is previewed and signed; `up` happens as signed, or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automation import approved, gate, report, runs
from automation.exits import Ending, Exit
from automation.ledger.hand import now, recorded
from automation.pipeline import gates, settings
from automation.pullrequest import availability, graph
from automation.signing import canonical, contract, envelope, facts, trust

if TYPE_CHECKING:
    from automation.engine import Outcome
    from automation.session import Session
    from automation.signing.envelope import Signed
    from automation.signing.keys import PrivateKeys


def plan(session: Session, keys: PrivateKeys, at: datetime) -> tuple[dict[str, Any], Signed | None]:
    """Preview, judge, and sign what would happen; a refused preview makes no plan (the report says why)."""
    rules = settings.load(session.options.project)
    with recorded(session, "plan") as note, tempfile.TemporaryDirectory(prefix="ecosystem-plan-") as folder:
        standing = facts.standing(session)
        made, outcome, engine = _preview(session, Path(folder))
        refuse(made, gates.judge(rules.gates, made, at, real=not session.mode.offline))
        if made["refused"]:
            note |= {"outcome": "refused", "reason": ",".join(sorted({r["code"] for r in made["refusals"]}))}
            return made, None
        payload = {**standing, **facts.seen(made, outcome), "engine_plan": engine}
        payload["break_glass"] = session.options.break_glass
        drawn = contract.make(payload, keys.owner, at, timedelta(hours=rules.plans.life_hours))
        note["plan"] = canonical.digest(drawn.payload)
    return made, drawn.signed_by(keys, "author", at)


def _preview(session: Session, folder: Path) -> tuple[dict[str, Any], Outcome, str]:
    """Preview with the engine's own plan; returns the report, what the engine said and that plan's hash."""
    file = folder / "engine.json"
    made, outcome = runs.preview(session, None, "--save-plan", str(file))
    document = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if settings.load(session.options.project).gates.availability == "refuse":
        now_ = graph.after(outcome.collected.steps, document)
        made["availability"] = availability.report(graph.before({}), now_, session.stack.availability_target)
    return made, outcome, facts.engine_plan(document)


def refuse(made: dict[str, Any], refusals: Iterable[gate.Refusal]) -> None:
    """Add refusals to a report."""
    for refusal in refusals:
        made["refusals"].append(refusal.record())
        made["refused"] = made.get("refused", 0) + 1


def needs_plan(session: Session, rules: settings.Settings) -> bool:
    """Whether `up` on this stack has to have a signed plan."""
    if rules.plans.required == "production":
        return session.stack.production and not session.mode.offline
    return rules.plans.required == "always"


def is_signed(path: Path) -> bool:
    """Whether the file is a signed document rather than a plain list of steps; unreadable ones are judged as signed."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return bool(document["format"] != approved.FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return path.exists()


def up(session: Session, path: Path | None, *, approvals: int = 0) -> dict[str, Any]:
    """Apply a signed plan, a plain list of steps or nothing in particular; what the rules demand is decided here."""
    rules = settings.load(session.options.project)
    with recorded(session, "up") as note:
        if path is not None and is_signed(path):
            wanted = rules.plans.approvals_production if session.stack.production else rules.plans.approvals_elsewhere
            made = _up_signed(session, path, max(wanted, approvals), rules, note)
        elif needs_plan(session, rules) and not session.options.break_glass:
            raise Ending(
                Exit.REFUSED,
                "plan-missing",
                f"stack {session.name} is production: `up` needs a signed plan (config/delivery.yaml)",
                (f"python -m automation plan {session.name} --key KEY --out FILE", "then --plan FILE, once approved"),
            )
        else:
            at = now()
            made = runs.up(
                session, path, lambda seen: gates.judge(rules.gates, seen, at, real=not session.mode.offline)
            )
        note["resources"] = made.get("resources")
        note["cost_monthly_usd"] = (made.get("cost_monthly_usd") or {}).get("after")
        if made.get("refused"):
            note |= {"outcome": "refused", "reason": ",".join(sorted({r["code"] for r in made["refusals"]}))}
    return made


def _up_signed(
    session: Session, path: Path, approvals: int, rules: settings.Settings, note: dict[str, Any]
) -> dict[str, Any]:
    signed = contract.checked(envelope.read(path))
    note["plan"] = canonical.digest(signed.payload)
    note["signers"] = names = [f"{one.role} {one.key_id}" for one in signed.signatures]
    signers = trust.load(Path(os.environ.get("ECOSYSTEM_SIGNERS") or session.options.project / trust.FILE))
    at = now()
    runs.recover(session)
    standing = facts.standing(session)
    against = contract.before(signed, signers, standing, at, approvals=approvals)
    if signed.payload["break_glass"] != session.options.break_glass:
        sentence = "the plan was signed with another --break-glass reason than this run has: say the same or none"
        against.append(gate.Refusal("plan-break-glass", sentence))
    if against:
        made: dict[str, Any] = {
            "header": session.header,
            "notes": session.notes,
            "stack": session.name,
            "mode": session.mode.name,
        }
        report.refuse(made, against)
        return made
    with tempfile.TemporaryDirectory(prefix="ecosystem-plan-") as folder:
        made, outcome, engine = _preview(session, Path(folder))
        refuse(made, contract.after(signed, {**facts.seen(made, outcome), "engine_plan": engine}))
        refuse(made, gates.judge(rules.gates, made, at, real=not session.mode.offline))
        if facts.standing(session)["state"] != standing["state"]:
            refuse(made, [gate.Refusal("plan-state", "the state changed during the preview: somebody else deploys")])
        if not made["refused"]:
            runs.finish_up(session, made, "--plan", str(Path(folder) / "engine.json"))
    made["plan"] = {"sha256": note["plan"], "signers": names}
    return made
