"""How pods are shared out over clusters, decided before anything is declared: from the wish and what runs now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from components import live
from sizing import catalogue, stack_problem
from sizing.placement import PlacementRefused
from sizing.problem import WrongProblem
from stacks import outputs
from stacks.model import Stack
from stacks.split import undecided


def decide(stack: Stack, project: Path) -> stack_problem.Sized:
    """The stack with its placements decided, and the problem of each cluster. Raises pulumi.RunError when none can be.

    A stack without placements is returned as it is, and the engine is not asked what runs now.
    """
    before = running() if undecided(stack) else None
    try:
        return stack_problem.sized(stack, project, catalogue.load(), before)
    except PlacementRefused as refused:
        raise pulumi.RunError(str(refused)) from None
    except (WrongProblem, catalogue.UnknownPrice) as wrong:
        raise pulumi.RunError(f"no plan: {wrong}") from None


def running() -> Mapping[str, Any] | None:
    """Return the account of the placement that the last update exported; None where there is none, or none to read."""
    text = live.outputs_of_state().get(outputs.PLACEMENT)
    if not isinstance(text, str):
        return None
    try:
        made = json.loads(text)
    except json.JSONDecodeError:
        return None
    return made if isinstance(made, dict) else None
