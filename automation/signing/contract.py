"""What a signed plan promises, field by field, and the reason code for each promise that no longer holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from automation.exits import Ending, Exit
from automation.gate import Refusal
from automation.signing.envelope import Signed
from automation.signing.keys import moment, stamp
from automation.signing.trust import Signers

TYPE: Final = "ecosystem-plan/1"
LIFE: Final = timedelta(hours=24)
SKEW: Final = timedelta(minutes=5)
"""How far the clock that made a plan may be ahead of ours."""

STANDING: Final[Mapping[str, tuple[str, str]]] = {
    "project": ("plan-project", "was made for another project"),
    "stack": ("plan-stack", "was made for another stack"),
    "mode": ("plan-mode", "was made for the other mode (offline or real)"),
    "commit": ("plan-commit", "was made at another commit"),
    "changes": ("plan-dirty", "was made with other uncommitted changes"),
    "stack_file": ("plan-stack-file", "was made with another stack file"),
    "locks": ("plan-locks", "was made with other locked dependencies"),
    "versions": ("plan-versions", "was made with other engine, SDK or provider versions"),
    "state": ("plan-state", "was made on another state: somebody deployed since"),
}
"""What is compared before the engine previews again: field -> reason code, sentence."""

SEEN: Final[Mapping[str, tuple[str, str]]] = {
    "policy": ("plan-policy", "had another verdict of the law"),
    "cost": ("plan-cost", "had another cost"),
    "sizing": ("plan-sizing", "had another sizing: the evidence hash is not reached again"),
    "engine_plan": ("plan-engine", "had another plan of the engine: goals or steps of a resource differ"),
}
"""What is compared after the preview."""

FIELDS: Final = frozenset({*STANDING, *SEEN, "steps", "created_at", "expires_at", "author", "break_glass"})


def make(facts: Mapping[str, Any], author: str, at: datetime, life: timedelta = LIFE) -> Signed:
    """A plan, not yet signed; `facts` holds every compared field, `steps` and `break_glass`."""
    payload = {**facts, "created_at": stamp(at), "expires_at": stamp(at + life), "author": author}
    if set(payload) != FIELDS:
        raise ValueError(f"a plan has exactly the fields {sorted(FIELDS)}, not {sorted(payload)}")
    return Signed(TYPE, payload)


def checked(signed: Signed) -> Signed:
    """The same document when its form is a plan's; else wrong input (exit 2)."""
    steps = signed.payload.get("steps")
    good = isinstance(steps, list) and all(
        isinstance(step, list) and len(step) == 3 and all(isinstance(part, str) for part in step)  # noqa: PLR2004
        for step in steps
    )
    if signed.payload_type != TYPE or set(signed.payload) != FIELDS or not good:
        odd = ", ".join(sorted(set(signed.payload) ^ FIELDS)) or "payload_type or steps"
        raise Ending(
            Exit.WRONG_INPUT, "plan", f"not a plan of the form {TYPE} ({odd}): make one with `plan STACK --out FILE`"
        )
    return signed


def _people(signed: Signed, *, approvals: int) -> list[Refusal]:
    author = str(signed.payload["author"])
    found = []
    if not any(s.role == "author" and s.owner == author for s in signed.signatures):
        found.append(Refusal("plan-author", f"the plan is not signed by its author {author}: `plan` signs it"))
    approvers = {s.owner.casefold() for s in signed.signatures if s.role == "approver"}
    own = {author.casefold(), *(s.owner.casefold() for s in signed.signatures if s.role == "author")}
    if approvers & own:
        found.append(
            Refusal("plan-approver-is-author", f"{author} cannot approve the own plan: somebody else has to sign")
        )
    if len(approvers - own) < approvals:
        found.append(
            Refusal(
                "plan-approver",
                f"{approvals} approval of somebody who is not the author is needed: `approve FILE --key KEY`",
            )
        )
    return found


def _time(payload: Mapping[str, Any], at: datetime) -> list[Refusal]:
    try:
        created, expires = moment(payload["created_at"]), moment(payload["expires_at"])
    except (ValueError, TypeError):
        return [Refusal("plan-clock", "created_at or expires_at is no time of the form 2026-11-21T12:00:00Z")]
    if created > at + SKEW:
        return [
            Refusal("plan-clock", f"the plan was made at {payload['created_at']}, which is yet to come: check clocks")
        ]
    if at >= expires or expires <= created:
        return [
            Refusal("plan-expired", f"the plan expired at {payload['expires_at']}: preview again and have it approved")
        ]
    return []


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."  # noqa: PLR2004


def _compare(table: Mapping[str, tuple[str, str]], payload: Mapping[str, Any], now: Mapping[str, Any]) -> list[Refusal]:
    return [
        Refusal(
            code,
            f"the plan {sentence}: plan again",
            (f"{field}: signed {_short(payload[field])}", f"{field}: now {_short(now[field])}"),
        )
        for field, (code, sentence) in table.items()
        if payload[field] != now[field]
    ]


def before(signed: Signed, signers: Signers, now: Mapping[str, Any], at: datetime, *, approvals: int) -> list[Refusal]:
    """Everything against a plan that can be said without asking the engine; `now` holds the fields of `STANDING`."""
    found = signed.refusals(signers) + _people(signed, approvals=approvals) + _time(signed.payload, at)
    found += _compare(STANDING, signed.payload, now)
    if now["mode"] == "real" and not now["commit"]:
        found.append(Refusal("plan-commit", "real runs start from a commit: this folder is not a git checkout"))
    if now["mode"] == "real" and now["changes"]:
        found.append(Refusal("plan-dirty", "real runs start from a clean checkout: commit or put away what changed"))
    return found


def after(signed: Signed, now: Mapping[str, Any]) -> list[Refusal]:
    """What a fresh preview shows against the plan; `now` holds the fields of `SEEN` and `steps`."""
    approved = {(urn, op): mark for urn, op, mark in signed.payload["steps"]}
    fresh = {(urn, op): mark for urn, op, mark in now["steps"]}
    found = []
    for code, sentence, keys in (
        ("plan-step-missing", "approved steps would not happen", sorted(set(approved) - set(fresh))),
        ("plan-step-extra", "steps would happen that nobody approved", sorted(set(fresh) - set(approved))),
        (
            "plan-step-differs",
            "approved steps would do something else",
            sorted(key for key in set(approved) & set(fresh) if approved[key] != fresh[key]),
        ),
    ):
        if keys:
            lines = tuple(f"{op} {urn}" for urn, op in keys)
            found.append(Refusal(code, f"{len(keys)} {sentence}: plan again and have it approved", lines))
    if len(approved) != len(signed.payload["steps"]):
        found.append(Refusal("plan-step-missing", "a step stands twice in the plan: it was not made by `plan`"))
    return found + _compare(SEEN, signed.payload, now)
