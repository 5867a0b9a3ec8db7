"""Lists of words: each of them once, wherever the list stands; what is made of a word twice collides in a cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.problems import Problem
from stacks.tree import Path, Tree


def check_lists(tree: Tree) -> Iterator[Problem]:
    """Report each word of a list that stands before it already."""
    yield from _below(tree, ())


def _below(tree: Tree, path: Path) -> Iterator[Problem]:
    value = tree.at(*path)
    if isinstance(value, Mapping):
        for key in value:
            yield from _below(tree, (*path, key))
        return
    seen: set[str] = set()
    for index, item in enumerate(tree.items(*path)):
        if isinstance(item, str):
            if item in seen:
                yield Problem(path=(*path, index), what="is listed twice", found=item, fix="keep one of them")
            seen.add(item)
        elif isinstance(item, Mapping):  # a list inside a list is a pair, with a check of its own
            yield from _below(tree, (*path, index))
