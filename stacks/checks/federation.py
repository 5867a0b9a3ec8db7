"""Clusters that act as one: there must be several, with a common root of trust."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.problems import Problem
from stacks.tree import Path, Tree

TWO = 2


def check_federation(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    path: Path = ("services", "mesh", "federation")
    if not isinstance(tree.at(*path), dict):
        return
    known = all(tree.knows_regions(cloud) for cloud in tree.clouds())
    if known and len(tree.clusters()) < TWO:
        what = "joins clusters, and the stack has one"
        yield Problem(path=path, what=what, fix="remove it, or add a region")
    needed = ("services", "external_secrets")
    if not isinstance(tree.at(*needed), dict) and needed not in tree.bad:
        what = "needs external_secrets, which brings the common root and the ways to the other clusters, and is off"
        yield Problem(path=path, what=what, fix="add `external_secrets: {}` to services")
