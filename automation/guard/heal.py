"""Acts on a failed run as its causes allow: retry what is transient, propose with proof, roll back, escalate."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from automation.guard.classify import Cause, causes
from automation.guard.patch import objections
from automation.pipeline.record import RunRecord

TRIES: Final = 3
FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 60.0
Ended = Literal["nothing to do", "healed", "proposed", "rolled-back", "escalated"]


@dataclass(frozen=True)
class Proposal:
    """A change with its proof: the run that failed, the patch, the run that passed with it."""

    patch: str
    failing_run: int
    passing_run: int

    def record(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass
class Outcome:
    """How it ended, why, and everything that was tried; never green by silence."""

    ended: Ended
    causes: list[Cause]
    tried: list[str] = field(default_factory=list)
    proposal: Proposal | None = None

    def record(self) -> dict[str, Any]:
        return {
            "ended": self.ended,
            "causes": [cause.__dict__ for cause in self.causes],
            "tried": self.tried,
            "proposal": self.proposal.record() if self.proposal else None,
        }


def pauses(seed: int, tries: int = TRIES) -> list[float]:
    """Seconds before each retry: exponential, with full jitter so that many runs do not come back at once.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, 2026-11-21.
    """
    chance = random.Random(seed)  # noqa: S311 - spreads load, protects nothing
    return [
        chance.uniform(0, min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number)) + FIRST_PAUSE_SECONDS / 2
        for number in range(tries)
    ]


@dataclass
class Hands:
    """What the guard may do; every hand is given, none is assumed. `rerun` takes a patch or nothing."""

    rerun: Callable[[str | None], RunRecord]
    rollback: Callable[[], bool]
    escalate: Callable[[list[Cause], str], object]
    sleep: Callable[[float], object]
    propose: Callable[[Cause], str | None] = lambda _: None


def guard(run: RunRecord, hands: Hands, history: Sequence[RunRecord] = ()) -> Outcome:
    """Look at one run and act. A degraded run is escalated too: nobody else would say that it proved less."""
    if run.conclusion == "success":
        return Outcome("nothing to do", [])
    found = causes(run, history)
    made = Outcome("escalated", found)
    if run.conclusion == "neutral":
        return _escalate(made, hands, "the run is degraded: " + "; ".join(run.degraded))
    remedies = {cause.remedy for cause in found}
    if "rollback" in remedies:
        return _rollback(made, hands)
    if "escalate" in remedies:
        kinds = ", ".join(sorted({cause.kind for cause in found if cause.remedy == "escalate"}))
        return _escalate(made, hands, f"{kinds}: a person has to look")
    if remedies == {"retry"}:
        return _retry(made, run, hands)
    return _propose(made, run, hands)


def _escalate(made: Outcome, hands: Hands, why: str) -> Outcome:
    hands.escalate(made.causes, why)
    made.tried.append(f"escalated: {why}")
    made.ended = "escalated"
    return made


def _rollback(made: Outcome, hands: Hands) -> Outcome:
    good = hands.rollback()
    made.tried.append(f"rollback: {'done' if good else 'FAILED'}")
    _escalate(made, hands, "the deployment was rolled back" if good else "the rollback itself failed")
    made.ended = "rolled-back" if good else "escalated"
    return made


def _retry(made: Outcome, run: RunRecord, hands: Hands) -> Outcome:
    for number, pause in enumerate(pauses(run.id), 1):
        hands.sleep(pause)
        again = hands.rerun(None)
        made.tried.append(f"retry {number} after {pause:.1f} s: {again.conclusion}")
        if again.conclusion == "success":
            made.ended = "healed"
            return made
        if {cause.remedy for cause in causes(again)} - {"retry"} and causes(again)[0].kind != "test":
            return _escalate(made, hands, f"the retry failed otherwise: {causes(again)[0].kind}")
    return _escalate(made, hands, f"{TRIES} retries did not help")


def _propose(made: Outcome, run: RunRecord, hands: Hands) -> Outcome:
    for cause in made.causes:
        if cause.remedy == "retry":
            continue
        patch = hands.propose(cause)
        if not patch:
            return _escalate(made, hands, f"{cause.kind}: no change was found that heals it")
        if found := objections(patch):
            made.tried.append(f"refused: {'; '.join(found)}")
            return _escalate(made, hands, f"{cause.kind}: the proposed change makes a check say less")
        again = hands.rerun(patch)
        made.tried.append(f"with the patch: {again.conclusion}")
        if again.conclusion != "success":
            return _escalate(made, hands, f"{cause.kind}: the run fails with the proposed change too")
        made.proposal = Proposal(patch, run.id, again.id)
    made.ended = "proposed"
    return made
