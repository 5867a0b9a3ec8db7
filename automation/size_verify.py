"""`size verify FILE`: read evidence whatever came as FILE, say what is wrong with its form, else judge it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automation import schemas
from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from jsonschema import ValidationError

HOW: Final = "make one with `python -m automation size STACK --json > plan.json`"
SHOWN: Final = 60
"""Characters of a wrong value that a message repeats."""
LOOKED_AT: Final = 100
"""Findings of the schema among which the one to tell is chosen."""
KINDS: Final = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
LIMITS: Final = {
    "enum": "one of {}",
    "const": "{}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
}
OTHERS: Final = (
    ({"error"}, "what a command prints with --json when it fails"),
    ({"preview_steps"}, "what `rehearse` or `preview` prints with --json"),
    ({"rounds", "summary"}, "what `size --rounds` prints with --json; verify reads a run without --rounds"),
    ({"deployment", "version"}, "an export of a state; the evidence is the text `document` of its Sizing resource"),
    ({"apiVersion", "kind"}, "an object of Kubernetes"),
    ({"figures", "machine"}, "a table of the bench"),
)
"""Keys by which files that are easily taken for evidence are known."""


class NoEvidence(ValueError):  # noqa: N818 - reads as a sentence
    """What was read has not the form of evidence; the message says where, what stands there and what is expected."""


def show(path: Path | None, *, as_json: bool) -> Exit:
    """Judge a file and write the verdict: OK, or FAILED with what is wrong."""
    if path is None:
        raise Ending(Exit.WRONG_INPUT, "file", "size verify needs a FILE: evidence, or what size --json wrote")
    wrong, proved = recheck(path)
    if as_json:
        sys.stdout.write(json.dumps({"ok": not wrong, "findings": wrong, "proofs": proved}, indent=1) + "\n")
    else:
        holds = ["the evidence holds: feasible, cost and bound follow", *proved]
        sys.stdout.write("\n".join(wrong or holds) + "\n")
    return Exit.FAILED if wrong else Exit.OK


def recheck(path: Path) -> tuple[list[str], list[str]]:
    """Judge an evidence document, or the JSON of `size --json`, without solving: what is wrong, else the proofs.

    What is no evidence ends with 2, and the message says what was found and what is expected.
    """
    from sizing.recheck import proofs  # noqa: PLC0415 - solvers load only for this command
    from sizing.recheck import recheck as judge  # noqa: PLC0415

    try:
        made = read(path.read_bytes())
        wrong = judge(made)
        return wrong, [] if wrong else proofs(made)
    except NoEvidence as no:
        raise Ending(Exit.WRONG_INPUT, "evidence", f"{path} is no evidence: {no}") from None
    except OSError as error:
        raise Ending(Exit.WRONG_INPUT, "evidence", f"{path} cannot be read: {error.strerror or error}; {HOW}") from None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError) as error:
        found = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise Ending(
            Exit.WRONG_INPUT,
            "evidence",
            f"{path} has the form of evidence, but its parts do not fit together "
            f"({_short(found, 5 * SHOWN)}): it was changed or joined by hand; {HOW}",
        ) from None


def read(content: bytes) -> dict[str, Any]:
    """Evidence in either form, checked against the schema `evidence`. NoEvidence says what it is not."""
    if not content.strip():
        raise NoEvidence(f"it is empty; {HOW}")
    try:
        made = json.loads(content, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_once)
    except json.JSONDecodeError as wrong:
        raise NoEvidence(f"no JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}; {HOW}") from None
    except UnicodeDecodeError as wrong:
        raise NoEvidence(f"no text in UTF-8: byte {wrong.start} is {wrong.object[wrong.start]:#04x}; {HOW}") from None
    except RecursionError:
        raise NoEvidence(f"it is nested too deeply to be one; {HOW}") from None
    except NoEvidence:
        raise
    except ValueError as wrong:  # integers of thousands of digits
        raise NoEvidence(f"a number in it cannot be read: {_short(str(wrong))}; {HOW}") from None
    if not isinstance(made, dict):
        raise NoEvidence(f"it holds {_kind(made)}, not an object with the keys of evidence; {HOW}")
    form = _form(made)
    found = _wrong(made, form)
    if found is not None:
        raise NoEvidence(f"{found}; {HOW}")
    return made


def _form(made: dict[str, Any]) -> str:
    """Which of the two forms it takes after; NoEvidence when after neither."""
    if "clusters" in made:
        return "printed"
    if {"plans", "problems"} & made.keys():
        if made.get("format", 1) != 1:
            raise NoEvidence(
                f"its format is {_short(json.dumps(made['format']))}, this version reads format 1: verify it with the "
                "version of cloud-ecosystem that wrote it"
            )
        return "document"
    for keys, told in OTHERS:
        if keys <= made.keys():
            raise NoEvidence(f"it looks like {told}; {HOW}")
    known = ", ".join(sorted(made)[:6]) or "none"
    raise NoEvidence(
        f"its keys are {_short(known)}; evidence has `format`, `problems`, `plans` and `pool_objects`, what "
        f"size --json prints has `clusters`; {HOW}"
    )


def _wrong(made: dict[str, Any], form: str) -> str | None:
    """What the schema finds, in words; of the first ones that which is least deep inside."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 0.1 s

    whole = schemas.load("evidence")
    found = Draft202012Validator({"$ref": f"#/$defs/{form}", "$defs": whole["$defs"]}).iter_errors(made)
    error = min(islice(found, LOOKED_AT), key=lambda one: len(one.absolute_path), default=None)
    return None if error is None else f"{_path(error.absolute_path)}{_expected(error)}"


def _expected(error: ValidationError) -> str:
    """What stands there and what should."""
    rule: Any = error.validator_value
    value: Any = error.instance
    if error.validator in {"required", "dependentRequired"}:
        due = rule if error.validator == "required" else [key for keys in rule.values() for key in keys]
        return f"lacks `{next(key for key in due if key not in value)}`"
    if error.validator == "additionalProperties":
        known: Any = error.schema
        extra = sorted(set(value) - set(known.get("properties", {})))
        return f"has the key `{_short(extra[0])}`, which evidence does not have there"
    if error.validator in {"minItems", "maxItems", "minProperties"}:
        return f"has {len(value)} entries, expected {'at most' if error.validator == 'maxItems' else 'at least'} {rule}"
    if error.validator == "type":
        kinds = rule if isinstance(rule, list) else [rule]
        expected = " or ".join(KINDS[kind] for kind in kinds)
    else:
        expected = LIMITS.get(str(error.validator), "the form {}").format(_rule(rule))
    return f"is {_shown(value)}, expected {expected}"


def _rule(rule: Any) -> str:
    if isinstance(rule, list):
        return ", ".join(map(str, rule))
    return f"{rule:,}" if isinstance(rule, int) else f"{rule:g}" if isinstance(rule, float) else str(rule)


def _path(parts: Sequence[Any]) -> str:
    """`clusters.NAME.plan.pools[2].min ` or, for the whole file, `it `."""
    made = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{_short(made.lstrip('.'), 3 * SHOWN)} " if made else "it "


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{_kind(value)} of {len(value)}"
    try:
        return _short(json.dumps(value))
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"


def _kind(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean"}
    return KINDS[names.get(type(value), "null")]


def _short(text: str, most: int = SHOWN) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def _no_number(name: str) -> Any:
    raise NoEvidence(f"{name} stands in it, which is no number in JSON; {HOW}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NoEvidence(f"the number {_short(text)} is too large; {HOW}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        ordered = sorted(key for key, _ in pairs)
        twice = next(one for one, other in pairwise(ordered) if one == other)
        raise NoEvidence(f"an object in it has the key `{_short(twice)}` twice; {HOW}")
    return made
