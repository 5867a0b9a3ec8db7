"""What a plan is compared with, read from the checkout, the state and a preview."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automation import approved, policy, report
from automation.signing import canonical
from automation.workdir import stack_file

if TYPE_CHECKING:
    from automation.engine import Outcome
    from automation.session import Session

LOCKS: Final = ("requirements.txt", "charts.lock", "toolchain/engine/go.sum")
SECRET_MARK: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the engine's mark of special values in a state
"""https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go, 2026-11-21"""


def file_hash(path: Path) -> str:
    """Hash of a file's bytes, sha256 in hexadecimal; nothing for an absent file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _git(project: Path, *words: str) -> bytes | None:
    try:
        asked = subprocess.run(["git", *words], cwd=project, capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return asked.stdout if asked.returncode == 0 else None


def changes(project: Path) -> str:
    """Hash of everything uncommitted, new files included; nothing for a clean checkout or outside of git."""
    difference = _git(project, "diff", "HEAD", "--binary", "--no-ext-diff", "--", ".")
    fresh = _git(project, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    if not difference and not fresh:
        return ""
    digest = hashlib.sha256(difference or b"")
    for name in sorted((fresh or b"").split(b"\0")):
        path = project / name.decode("utf-8", "surrogateescape")
        if name and path.is_file():
            digest.update(name + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _settled(value: Any) -> Any:
    """Without ciphertext, which is new at each export; the plain value's change shows as a step."""
    if isinstance(value, Mapping):
        if SECRET_MARK in value:
            return {SECRET_MARK: value[SECRET_MARK]}
        return {key: _settled(item) for key, item in value.items()}
    return [_settled(item) for item in value] if isinstance(value, list) else value


def state_hash(state: Mapping[str, Any]) -> str:
    """Hash of the resources of an exported state; their `modified` times count, so an update back and forth shows."""
    deployment = state.get("deployment") or {}
    kept = {name: _settled(deployment.get(name) or []) for name in ("resources", "pending_operations")}
    return canonical.digest(kept)


def standing(session: Session) -> dict[str, Any]:
    """The fields that are known without a preview."""
    project = session.options.project
    return {
        "project": session.project_name,
        "stack": session.name,
        "mode": session.mode.name,
        "commit": policy.commit(project),
        "changes": changes(project),
        "stack_file": file_hash(stack_file(project, session.name)),
        "locks": {name: file_hash(project / name) for name in LOCKS if (project / name).is_file()},
        "versions": report.versions(session),
        "state": state_hash(session.engine.export()) if session.deployed() else "",
    }


def seen(made: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """The fields that a preview shows; `made` is its report."""
    law, bill = made["policy"], made["cost_monthly_usd"]
    return {
        "policy": {
            **{
                name: law[name]
                for name in ("judged", "mandatory", "advisory", "remediated", "undetermined", "evaluated")
            },
            "findings": canonical.digest(sorted(law["findings"], key=canonical.dumps)),
        },
        "cost": {"before": bill["before"], "after": bill["after"]},
        "sizing": canonical.digest(made["sizing"]) if made["sizing"] else "",
        "steps": [[urn, op, mark] for (urn, op), mark in sorted(approved.steps(outcome.collected.steps).items())],
    }


UNORDERED: Final = ("dependencies", "propertyDependencies")
"""Parts of a goal that are sets of URNs; the engine lists them in the order in which the program happened to run."""


def _unordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unordered(item) for key, item in value.items()}
    return sorted(value) if isinstance(value, list) else value


def _goal(goal: Any) -> Any:
    if not isinstance(goal, Mapping):
        return goal
    return {key: _unordered(item) if key in UNORDERED else _settled(item) for key, item in goal.items()}


def engine_plan(document: Mapping[str, Any]) -> str:
    """Hash of what the engine's own plan promises: goal and steps of each resource; seeds and ciphertext change."""
    plans = document.get("resourcePlans") or {}
    return canonical.digest(
        {urn: {"steps": plan.get("steps"), "goal": _goal(plan.get("goal"))} for urn, plan in plans.items()}
    )
