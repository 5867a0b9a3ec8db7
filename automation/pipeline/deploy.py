"""`deploy ENV`: from a clean clone to a verified deployment in one command; each part can be called alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automation.command_line import app, perform
from automation.exits import Ending, Exit
from automation.options import Run, on_a_stack
from automation.session import Options, opened

if TYPE_CHECKING:
    from rich.console import Console

    from automation.session import Session

KeyFile = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="sign the plan with these keys", envvar="ECOSYSTEM_KEY")
]
PlanFile = Annotated[Path, typer.Option("--plan", metavar="FILE", help="an approved plan, or where a new one goes")]


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    stack: str
    options: Options
    key: Path | None
    plan: Path


def run(asked: Asked, console: Console, say: Callable[[str], object]) -> tuple[dict[str, Any], Exit]:
    """Doctor, plan, gates, update, verification; what stops it says at which part, and leaves with its own code."""
    from automation import doctor, drift  # noqa: PLC0415
    from automation.signing import door  # noqa: PLC0415

    made: dict[str, Any] = {"stack": asked.stack, "parts": []}

    def done(part: str, said: str) -> None:
        made["parts"].append({"part": part, "said": said})
        say(f"{part}: {said}")

    health = doctor.examine(asked.stack, asked.options)
    missing = [check for check in health["checks"] if check["verdict"] == "missing"]
    if missing:
        details = tuple(f"{check['what']}: {check['found']} -> {check['todo']}" for check in missing)
        raise Ending(Exit.FAILED, "doctor", f"{len(missing)} things are missing here; nothing was started", details)
    done("doctor", f"{len(health['checks'])} checks, nothing is missing")
    plan: Path | None = asked.plan if asked.plan.exists() else None
    with opened(asked.stack, asked.options, console) as session:
        if plan is None and asked.key is not None:
            plan, stopped = _plan(session, asked, done)
            if plan is None:
                return {**made, **stopped}, Exit.REFUSED
        up = session.redactor.value(door.up(session, plan))
        if up["refused"]:
            codes = {one["code"] for one in up["refusals"]}
            done("gates", f"refused: {', '.join(sorted(codes))}")
            if plan is not None and codes == {"plan-approver"}:
                done("plan", f"{plan} waits for an approval: `approve {plan} --key KEY`, then deploy again")
            elif plan is not None and all(code.startswith("plan-") for code in codes):
                done("plan", f"{plan} no longer holds: remove it and deploy again, so that a new one is drawn up")
            return {**made, "refusals": up["refusals"]}, Exit.REFUSED
        if plan is not None:
            plan.replace(plan.with_suffix(".applied.json"))  # what was applied is not applied twice
        done("gates", "law, budget, stateful data and the gates of config/delivery.yaml let it pass")
        done("up", ", ".join(f"{count} {op}" for op, count in up["up_steps"].items()))
        found = drift.find(session)["drift"]
        after = session.engine.operate("preview", packs=session.packs())
        left = [step.urn for step in after.collected.changing() if step.custom]
    done("verify", f"{len(found)} resources drift, {len(left)} changes are left")
    if found or left or not after.ok:
        names = [row["urn"] for row in found] + left
        raise Ending(Exit.FAILED, "verify", "the clouds are not what was applied", tuple(names[:20]))
    return made, Exit.OK


def _plan(session: Session, asked: Asked, done: Callable[[str, str], None]) -> tuple[Path | None, dict[str, Any]]:
    from automation.ledger.hand import now  # noqa: PLC0415
    from automation.signing import door, keys  # noqa: PLC0415

    assert asked.key is not None  # noqa: S101 - the caller asked
    shown, signed = door.plan(session, keys.load(asked.key), now())
    if signed is None:
        codes = ", ".join(sorted({one["code"] for one in shown["refusals"]}))
        done("plan", f"refused: {codes}")
        return None, {"refusals": session.redactor.value(shown["refusals"])}
    asked.plan.parent.mkdir(parents=True, exist_ok=True)
    asked.plan.write_text(signed.text(), encoding="utf-8")
    done("plan", f"signed: {asked.plan}, until {signed.payload['expires_at']}")
    return asked.plan, {}


@app.command()
@on_a_stack
def deploy(asked: Run, key: KeyFile = None, plan: PlanFile = Path("build/deploy-plan.json")) -> None:
    """Doctor, plan, gates, update and verification of an environment. Exits as the part that stopped it does."""
    output = asked.output()

    def work() -> Exit:
        file = plan if plan.is_absolute() else asked.project / plan
        wanted = Asked(asked.stack, asked.options, key, file)
        made, code = run(wanted, output.err, lambda line: output.err.print(line, markup=False, highlight=False))
        if asked.as_json:
            sys.stdout.write(json.dumps(made, indent=1) + "\n")
        return code

    perform(output, work)
