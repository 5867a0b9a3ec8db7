"""How a run of the engine ended, for those who go on only after a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automation import gate
from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from automation.engine import Outcome
    from automation.session import Session


def _messages(outcome: Outcome) -> list[str]:
    """What the engine said about its failure; its text only when the events were silent."""
    said = [f"{e.urn.rsplit('::', 1)[-1]}: {e.message}" if e.urn else e.message for e in outcome.collected.errors]
    return said or [outcome.stderr or outcome.stdout[-4000:]]


def demand_success(session: Session, outcome: Outcome) -> None:
    """End the run when the engine failed for another reason than the law's."""
    if outcome.stream_problems:
        raise Ending(Exit.FAILED, "events", "the engine's events could not be read", tuple(outcome.stream_problems))
    if outcome.ok:
        return
    messages = [session.redactor.text(message) for message in _messages(outcome)]
    if session.engine.command.children.stopped_by is not None:
        name = session.engine.command.children.stopped_by.name
        raise Ending(
            Exit.FAILED,
            "stopped",
            f"{outcome.operation} was stopped by {name}; what was in flight is finished",
            tuple(messages),
        )
    raise gate.failure(outcome.operation, messages)
