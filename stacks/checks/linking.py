"""Links that cannot be made, or that would carry nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.checks.places import unknown_cluster
from stacks.problems import Problem
from stacks.tree import Path, Tree

LINKS: Final[Path] = ("links",)
FEDERATION: Final[Path] = ("services", "mesh", "federation")
TWO: Final = 2


def check_links(tree: Tree) -> Iterator[Problem]:
    """Two clusters, a mesh that talks over them, and pairs that make sense."""
    if not isinstance(tree.at(*LINKS), dict):
        return
    if all(tree.knows_regions(cloud) for cloud in tree.clouds()) and len(tree.clusters()) < TWO:
        what = "join the networks of clusters, and the stack has one"
        yield Problem(path=LINKS, what=what, fix="remove the line, or add a region")
    hidden = any(FEDERATION[:depth] in tree.bad for depth in range(1, len(FEDERATION) + 1))
    if not isinstance(tree.at(*FEDERATION), dict) and not hidden:
        what = "would carry nothing: only gateways between the clusters of one mesh talk over them"
        yield Problem(path=LINKS, what=what, fix="add `federation: {}` to services.mesh, or remove the line")
    yield from _pairs(tree)


def _pairs(tree: Tree) -> Iterator[Problem]:
    known, seen = tree.clusters(), dict[frozenset[str], int]()
    for place in range(len(tree.items(*LINKS, "pairs"))):
        path: Path = (*LINKS, "pairs", place)
        names = [each for each in tree.items(*path) if isinstance(each, str)]
        for spot, name in enumerate(names):
            yield from unknown_cluster(tree, (*path, spot), name)
        if len(names) != TWO or not all(name in known for name in names):
            continue
        if names[0] == names[1]:
            yield Problem(path=path, what="joins a cluster with itself", fix="name another one, or remove the pair")
        first = seen.setdefault(frozenset(names), place)
        if first != place:
            yield Problem(path=path, what=f"joins what links.pairs.{first} joins already", fix="remove one of them")
