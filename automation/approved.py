"""The approved plan: the list of steps that somebody saw, compared before anything is changed.

The engine's own plan file notices a difference only midway, after other creates; this list is compared first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from automation.events import QUIET, Step
from automation.exits import Ending, Exit

FORMAT: Final = "ecosystem-approved-steps/1"
_INVENTED = re.compile(r"^-?[0-9a-f]{7,8}$")


def _settled(value: Any, name: str) -> Any:
    """Without what each preview invents anew: names of logical name and random hex, and the provider's mark."""
    if isinstance(value, str):
        rest = value.removeprefix(name)
        return f"{name}*" if rest != value and _INVENTED.match(rest) else value
    if isinstance(value, Mapping):
        return {key: _settled(item, name) for key, item in sorted(value.items()) if key != "__provider"}
    if isinstance(value, (list, tuple)):
        return [_settled(item, name) for item in value]
    return value


def fingerprint(step: Step) -> str:
    """What a step would do: the properties that differ and the inputs it would send."""
    text = json.dumps([sorted(step.diff), _settled(step.new, step.name)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def steps(seen: Iterable[Step]) -> dict[tuple[str, str], str]:
    """(urn, op) -> fingerprint of every step that changes something; order is not promised by the engine."""
    return {
        (step.urn, step.op): fingerprint(step)
        for step in seen
        if step.op not in QUIET and not step.type.startswith("pulumi:providers:pulumi-python")
    }


def save(path: Path, stack: str, seen: Iterable[Step]) -> None:
    """Write what is to be approved."""
    listed = [[urn, op, mark] for (urn, op), mark in sorted(steps(seen).items())]
    document = {"format": FORMAT, "stack": stack, "steps": listed}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(path: Path, stack: str) -> dict[tuple[str, str], str]:
    """Read an approved plan; wrong input (exit 2) when it is none or belongs to another stack."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(  # noqa: TRY301 - one sentence for all that can be wrong with the file
                f"format is {document['format']!r}, not {FORMAT!r}"
            )
        found = {(urn, op): mark for urn, op, mark in document["steps"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Ending(
            Exit.WRONG_INPUT,
            "plan",
            f"--plan {path}: not an approved plan ({error}); make one with `preview STACK --save-plan FILE`",
        ) from None
    if document["stack"] != stack:
        raise Ending(Exit.WRONG_INPUT, "plan", f"--plan {path}: was made for stack {document['stack']}, not {stack}")
    return found
