"""Sets of runners that agree with themselves and with the clusters."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checks.places import unknown_cluster
from stacks.problems import Problem
from stacks.services.runners import RunnerSet
from stacks.tree import Path, Tree


def check_runners(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    for name in tree.mapping("services", "runners", "sets"):
        path: Path = ("services", "runners", "sets", name)
        least = tree.whole(*path, "min") or 0
        most = tree.whole(*path, "max") or RunnerSet.model_fields["max"].default
        if least > most and not {(*path, "min"), (*path, "max")} & tree.bad:
            what = f"is above max, which is {most}"
            yield Problem(path=(*path, "min"), what=what, found=least, fix="write a smaller min, or a larger max")
        for position, cluster in enumerate(tree.items(*path, "clusters")):
            if isinstance(cluster, str):
                yield from unknown_cluster(tree, (*path, "clusters", position), cluster)
        if ("read-secrets" in tree.items(*path, "rights")) and tree.flag("production"):
            what = "lets every job of the repository read this stack's secrets in production"
            fix = "run such jobs on runners of a stack of their own, or give the workflow a role by OpenID Connect"
            yield Problem(path=(*path, "rights"), what=what, fix=fix)
