"""The door for files: `python -m charter.offline FILE [BASE] CONFIG` judges without an engine.

FILE is a state that `pulumi stack export` wrote, or a preview that `pulumi preview --save-plan` saved; BASE is the
state that such a preview starts from. Findings go to standard output as JSON, one object; the exit code is 4 when one
of them is mandatory, 2 when a file cannot be read, 0 otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import charter.rules  # noqa: F401  registers every rule
from charter import planned
from charter.facts import Facts, read_facts
from charter.judge import Judge, Verdict
from charter.states import resources, waiting

WRONG_INPUT, REFUSED = 2, 4
USAGE: Final = "FILE [BASE] [CONFIG]"
BEGUN: Final = "CH-30"
"""The rule that answers for what was not judged: here, operations that an update left half done."""


def judge(
    document: Mapping[str, Any], facts: Facts, base: Mapping[str, Any] | None = None
) -> tuple[list[Verdict], Judge]:
    """Judge a state or a saved preview: each resource, then the stack; secrets are visible here."""
    sighted = facts.model_copy(update={"secrets_visible": True})
    judging = Judge()
    found = planned.resources(document, base) if planned.is_plan(document) else resources(document)
    verdicts = [verdict for resource in found for verdict in judging.resource(resource, sighted)]
    verdicts += judging.stack(found, sighted)
    for urn in waiting(document):
        judging.tally.begin(BEGUN, (urn,))
        judging.tally.leave_open(BEGUN, urn, "pending_operations")
    return verdicts, judging


def records(verdicts: list[Verdict]) -> Iterator[dict[str, Any]]:
    """Yield each finding as reports show it."""
    for verdict in verdicts:
        yield {
            "rule": verdict.rule.id,
            "level": verdict.level,
            "severity": verdict.rule.severity.value,
            "urn": verdict.urn,
            "path": verdict.path,
            "message": verdict.message,
            "remediation": verdict.rule.remediation,
            "page": verdict.rule.page,
            "controls": list(verdict.rule.controls),
        }


def _told(wrong: Exception) -> str:
    """Say what is wrong with a file without repeating what stands in it."""
    if isinstance(wrong, RecursionError):
        return "is nested deeper than any state; make one with `pulumi stack export --file FILE`"
    if isinstance(wrong, UnicodeDecodeError):
        return (
            f"is no text: byte {wrong.start} is not {wrong.encoding}; make one with `pulumi stack export --file FILE`"
        )
    if isinstance(wrong, json.JSONDecodeError):
        return f"is no JSON: {wrong.msg} in line {wrong.lineno}; make one with `pulumi stack export --file FILE`"
    if isinstance(wrong, ValueError) and "int_max_str_digits" in str(wrong):
        return "holds a number of more digits than any state has; make one with `pulumi stack export --file FILE`"
    return wrong.strerror or "cannot be read" if isinstance(wrong, OSError) else str(wrong)


def _read(path: Path) -> Any:
    """Read JSON in any of its encodings; raise ValueError for what is only nearly JSON."""
    return json.loads(path.read_bytes(), parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"is no JSON: {constant} is no number; make one with `pulumi stack export --file FILE`")


def main(arguments: list[str]) -> int:
    """Judge the file of the first argument by the configuration of the last; return the exit code."""
    if not 1 <= len(arguments) <= len(USAGE.split()):
        sys.stderr.write(f"which file? python -m charter.offline {USAGE}\n")
        return WRONG_INPUT
    try:
        document, *others = [_read(Path(each)) for each in arguments]
        told = others.pop() if others else {}
        if not isinstance(told, dict):
            raise ValueError("the configuration is no JSON object of facts")  # noqa: TRY301, TRY004  told like the others
        verdicts, judging = judge(document, read_facts(told.get("charter-mandatory", told)), *others)
    except (OSError, ValueError, RecursionError) as wrong:
        sys.stderr.write(f"{' '.join(arguments)}: {_told(wrong)}\n")
        return WRONG_INPUT
    found = list(records(verdicts))
    json.dump({"findings": found, **judging.tally.document()}, sys.stdout)
    return REFUSED if any(each["level"] == "mandatory" for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
