"""Adopt: find the key of the stack file that makes what the cloud has now, by trying, and write it as a patch."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from automation.pullrequest.values import UNKNOWN, at, segments

if TYPE_CHECKING:
    from automation.events import Step
    from automation.session import Session

TRIALS: Final = 8
"""Previews that one answer may take."""
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One value of the stack file: where it stands and what it is."""

    keys: Keys
    value: Any
    begin: int
    end: int

    @property
    def path(self) -> str:
        return ".".join(map(str, self.keys))


@dataclass(frozen=True)
class Found:
    """A key that makes the live value, the file's new text, and what else would change with it."""

    leaf: Leaf
    text: str
    others: tuple[str, ...]


def patch(old: str, new: str, name: str) -> str:
    """The change as a patch that `git apply` takes."""
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}")
    return "".join(lines)


def _read(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def leaves(text: str) -> list[Leaf]:
    """Scalars and lists of scalars of a stack file's `stack` key, with their places in the text."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_leaves(document, ())) if document is not None else []


def _leaves(node: yaml.Node, keys: Keys) -> Iterator[Leaf]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _leaves(value, (*keys, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        if all(isinstance(one, yaml.ScalarNode) for one in node.value) and node.flow_style:
            yield Leaf(keys, _read(node), node.start_mark.index, node.end_mark.index)
        for number, one in enumerate(node.value):
            yield from _leaves(one, (*keys, number))
    elif isinstance(node, yaml.ScalarNode):
        yield Leaf(keys, _read(node), node.start_mark.index, node.end_mark.index)


def spelled(value: Any) -> str:
    """A value as YAML on one line; JSON is YAML, and quotes what has to be quoted."""
    if isinstance(value, str) and value and all(part.isalnum() for part in value.split("-")) and value[0].isalpha():
        plain = yaml.safe_load(value)
        if isinstance(plain, str):
            return value
    return json.dumps(value, ensure_ascii=False)


def replaced(text: str, leaf: Leaf, value: Any) -> str:
    """The text with one value changed, every other character as it was."""
    return text[: leaf.begin] + spelled(value) + text[leaf.end :]


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def candidates(text: str, path: str, old: Any) -> list[Leaf]:
    """Keys whose value is what the program asked for, those with a name like the property's first."""
    words = {str(part).lower().replace("_", "") for part in segments(path)}
    found = [leaf for leaf in leaves(text) if _same(leaf.value, old)]
    return sorted(found, key=lambda leaf: (str(leaf.keys[-1]).lower().replace("_", "") not in words, leaf.begin))


def _made(step: Step | None, path: str) -> Any:
    return at(step.new, path) if step is not None else None


@dataclass(frozen=True)
class Wanted:
    """One drifted property: what the state has, and what the cloud has."""

    urn: str
    path: str
    was: Any
    live: Any


def find(session: Session, text: str, wanted: Wanted) -> Found | None:
    """The key with the fewest other changes for which a preview would ask for the live value; None when none does."""
    urn, path, live = wanted.urn, wanted.path, wanted.live
    if live is None or live == UNKNOWN or not isinstance(live, (str, int, float, list)):
        return None
    copy = session.work.stack_file.read_text(encoding="utf-8")
    base = _preview(session)
    best: Found | None = None
    for leaf in candidates(text, path, wanted.was)[:TRIALS]:
        changed = replaced(text, leaf, live)
        twin = next((one for one in leaves(copy) if one.keys == leaf.keys), None)
        if twin is None:
            continue
        try:
            session.work.stack_file.write_text(replaced(copy, twin, live), encoding="utf-8")
            seen = _preview(session)
        finally:
            session.work.stack_file.write_text(copy, encoding="utf-8")
        if seen is None or not _same(_made(seen.get(urn), path), live):
            continue
        others = tuple(sorted(one for one in seen if one != urn and _differs(seen[one], (base or {}).get(one))))
        if best is None or len(others) < len(best.others):
            best = Found(leaf, changed, others)
        if not best.others:
            break
    return best


def _differs(now: Step, before: Step | None) -> bool:
    return before is None or (now.op, now.new) != (before.op, before.new)


def _preview(session: Session) -> dict[str, Step] | None:
    """The last step on each resource; None when the program does not take the file."""
    with session.progress.during("trial"):
        outcome = session.engine.operate("preview")
    return outcome.collected.final_steps() if outcome.ok else None
