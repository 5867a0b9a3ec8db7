"""Turns what pydantic finds wrong with the shape of a stack file into problems with advice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.fields import Key, every_key, find
from stacks.part import Part
from stacks.problems import NOTHING, Problem, did_you_mean, listed
from stacks.renamed import advice
from stacks.tree import Path, Tree

_CONTAINERS: Final = {"model_type", "dict_type", "mapping_type", "tuple_type", "list_type"}
_NUMBERS: Final = {"int_type", "int_from_float", "int_parsing", "float_type", "float_parsing"}
_RANGES: Final = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
_LENGTHS: Final = {"too_short", "too_long"}


def shape_problems(root: type[Part], error: ValidationError, tree: Tree) -> list[Problem]:
    """One problem for each error of the model."""
    found = error.errors(include_url=False)
    inside = {details["loc"][:end] for details in found for end in range(len(details["loc"]))}
    # entries that are wrong are not counted, so a list of wrong entries would be too short as well
    return [_problem(root, d, tree) for d in found if not (d["type"] == "too_short" and d["loc"] in inside)]


def bad_paths(problems: Iterable[Problem]) -> set[Path]:
    """Paths that no check should look at."""
    return {problem.path for problem in problems}


def _problem(root: type[Part], details: ErrorDetails, tree: Tree) -> Problem:
    path = tuple(step for step in details["loc"] if step != "[key]")
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown(root, path)
    key = find(root, path)
    if kind == "missing":
        example = f", for example `{path[-1]}: {key.example}`" if key.example else ""
        return Problem(path=path, what="is missing", allowed=_allowed(key), fix=f"add it{example}")
    if details["loc"] and details["loc"][-1] == "[key]":
        name = "must be lower-case letters, digits and dashes, a letter first, at most 40"
        return Problem(path=path, what=f"the name {name}", found=str(path[-1]), fix="give it a shorter or simpler name")
    found = tree.at(*path)
    what, fix = _what(kind, details, key, found)
    return Problem(path=path, what=what, found=found, allowed=_allowed(key), fix=fix)


def _what(kind: str, details: ErrorDetails, key: Key, found: Any) -> tuple[str, str]:
    """Say what is wrong and what to do, by the kind of error."""
    example = f": `{key.path[-1]}: {key.example}`" if key.example else ""
    digits = isinstance(found, int | float) and not isinstance(found, bool)
    text = f"quote it, digit for digit as it was meant{example}" if digits else f"write one text{example}"
    answers = {
        "string_type": ("must be text", text),
        "bool_type": ("must be true or false", "write true or false, without quotes"),
        "literal_error": (
            "is none of the allowed values",
            did_you_mean(str(found), key.allowed.split(", "), "write one of the allowed values"),
        ),
        "string_pattern_mismatch": ("is not well formed", "write it in the allowed form"),
        **dict.fromkeys(_NUMBERS, (f"must be a {key.kind}", _number_fix(key, found))),
        **dict.fromkeys(_CONTAINERS, (f"must be a {key.kind}", f"write a {key.kind.split(' ')[0]}{example}")),
        **dict.fromkeys(_RANGES, ("is out of range", "write a number within the range")),
        **dict.fromkeys(_LENGTHS, ("has too few or too many entries", f"add or remove entries{example}")),
    }
    if kind in answers:
        return answers[kind]
    what, _, fix = str(details.get("ctx", {}).get("error") or details["msg"]).partition(": ")
    return what, fix or "write it in that form"


def _number_fix(key: Key, found: Any) -> str:
    if isinstance(found, str):
        return "remove the quotes" if found.strip("+-").replace(".", "", 1).isdigit() else f"write a {key.kind}"
    if isinstance(found, float):
        return "write a number without a decimal point"
    return f"write a {key.kind}"


def _allowed(key: Key) -> str:
    return key.allowed or key.kind


def _unknown(root: type[Part], path: Path) -> Problem:
    parent = find(root, path[:-1])
    known = parent.keys or tuple(root.model_fields)
    word = str(path[-1])
    fix = advice(word) or did_you_mean(word, known, "") or _elsewhere(root, word)
    return Problem(path=path, what="is not a key that exists here", allowed=listed(known), fix=fix, found=NOTHING)


def _elsewhere(root: type[Part], word: str) -> str:
    """Return a key of that name, or nearly, in another place of the file."""
    places = {path.rpartition(".")[2]: path for path in reversed(every_key(root))}
    near = did_you_mean(word, places, "")
    return f"did you mean `{places[near.split('`')[1]]}`?" if near else "remove it"
