"""Explains a key of the stack file: `explain("clusters.pools.general.slots")`."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from functools import cache
from itertools import pairwise
from typing import Final

from stacks.clouds import REGION_SLOTS, Cloud
from stacks.fields import Key, every_key, find
from stacks.model import Stack
from stacks.part import Part
from stacks.problems import did_you_mean, listed
from stacks.versions import offered

PREFIXES: Final = ("stack.", "cloud-ecosystem:stack.")


def explain(key: str) -> str:
    """Return type, default, allowed values, description and example. Raises ValueError for an unknown key."""
    steps = _steps(key)
    try:
        found = find(Stack, steps)
    except KeyError as error:
        unknown = ".".join(map(str, error.args))
        near = did_you_mean(key, every_key(Stack), "every key: `python -m stacks.explain`")
        raise ValueError(f"`{unknown}` is not a key of a stack file: {near}") from None
    lines = [".".join(steps) or "the stack file's structured key", f"  {_description(found)}", f"  type: {found.kind}"]
    if limits := _allowed(found):
        lines.append(f"  allowed: {limits}")
    if found.owner is not None:
        lines.append("  required" if found.required else f"  default: {found.default or 'none'}")
    if found.example:
        lines.append(f"  example: `{steps[-1]}: {found.example}`")
    if found.part is not None:
        lines.append("  keys:" if found.keys else "  keys of each:")
        lines += [f"    {name}: {text}" for name, text in descriptions(found.part).items()]
    return "\n".join(lines)


@cache
def descriptions(part: type[Part]) -> dict[str, str]:
    """Return the first sentence below each field in the source of a part, and of the parts it extends."""
    found: dict[str, str] = {}
    for base in reversed(part.__mro__):
        if base is not Part and issubclass(base, Part):
            found |= _written_below(base)
    return found


def _written_below(part: type[Part]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(part)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            words = text.value.value if isinstance(text.value, ast.Constant) else ""
            found[field.target.id] = inspect.cleandoc(str(words)).split("\n\n")[0].replace("\n", " ")
    return found


def main(arguments: list[str]) -> int:
    """Print what the keys mean, or all keys when none is named; 2 for an unknown one."""
    if not arguments:
        sys.stdout.write("\n".join(every_key(Stack)) + "\n")
    for argument in arguments:
        try:
            sys.stdout.write(explain(argument) + "\n")
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    return 0


def _steps(key: str) -> tuple[str, ...]:
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return tuple(step for step in key.replace("[", ".").replace("]", "").split(".") if step not in ("", "stack"))


def _description(key: Key) -> str:
    if key.owner is not None:
        return descriptions(key.owner).get(key.path[-1], "")
    return (
        inspect.cleandoc(key.part.__doc__ or "").split("\n\n")[0] if key.part else "One entry of the list or mapping."
    )


def _allowed(key: Key) -> str:
    """Return what the type allows, and what the tables allow."""
    if key.path[-1:] == ("regions",) and key.path[:1] == ("clouds",):
        cloud: Cloud = key.path[1]  # type: ignore[assignment]
        return listed(REGION_SLOTS[cloud])
    if key.path[-1:] == ("version",):
        return "; ".join(f"{cloud}: {listed(offered(cloud))}" for cloud in REGION_SLOTS)
    return "" if key.part is not None and key.keys else key.allowed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
