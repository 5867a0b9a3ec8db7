"""Workloads that some pool of each of their clusters can carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from stacks.checks.places import unknown_cluster
from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree


def check_workloads(tree: Tree) -> Iterator[Problem]:
    """Names used twice, and references that lead nowhere."""
    seen: dict[str, int] = {}
    for index in range(len(tree.items("workloads"))):
        path: Path = ("workloads", index)
        name = tree.text(*path, "name")
        if name is not None and seen.setdefault(name, index) != index:
            what = f"is the name of workload {seen[name]} already"
            yield Problem(path=(*path, "name"), what=what, found=name, fix="choose another name, or merge the two")
        for position, cluster in enumerate(tree.items(*path, "clusters")):
            if isinstance(cluster, str):
                yield from unknown_cluster(tree, (*path, "clusters", position), cluster)
        pools = tree.items(*path, "pools")
        if pools and all(isinstance(pool, str) for pool in pools):
            gpu = tree.whole(*path, "gpu") or 0
            yield from carried(tree, path, pools, tree.text(*path, "spot"), gpu, tree.items(*path, "clusters"))
    yield from _demand_file(tree)


def carried(  # noqa: PLR0913, PLR0917 - what one workload asks for
    tree: Tree, path: Path, pools: Sequence[str], spot: str | None, gpu: int, clusters: Sequence[str] = ()
) -> Iterator[Problem]:
    """Report what keeps a workload's pods from running in one of its clusters; each problem once."""
    reported: set[Path] = set()
    for cluster in tree.clusters() or ("every cluster",):
        available = tree.pools(cluster)
        if available is None or (clusters and cluster not in clusters):
            continue
        for problem in _in_cluster(path, pools, spot, gpu, cluster, available):
            if problem.path not in reported:
                reported.add(problem.path)
                yield problem


def _in_cluster(  # noqa: PLR0913, PLR0917 - what one workload asks for
    path: Path, pools: Sequence[str], spot: str | None, gpu: int, cluster: str, available: Mapping[str, Any]
) -> Iterator[Problem]:
    for index, name in enumerate(pools):
        if name not in available:
            fix = did_you_mean(name, available, "add the pool, or remove it here")
            what = f"is not a pool of {cluster}"
            yield Problem(path=(*path, "pools", index), what=what, found=name, allowed=listed(available), fix=fix)
    known = [available[name] for name in pools if isinstance(available.get(name), Mapping)]
    if len(known) < len(pools):
        return
    kinds = {pool.get("spot", "never") for pool in known}
    if (spot or "never") == "never" and kinds == {"only"}:
        what = f"is never, but its pools in {cluster} have spot nodes only"
        yield Problem(path=(*path, "spot"), what=what, fix="add an on-demand pool, or write `spot: tolerant`")
    if spot == "only" and kinds == {"never"}:
        what = f"is only, but its pools in {cluster} have no spot nodes"
        yield Problem(path=(*path, "spot"), what=what, fix="add a spot pool, or write `spot: tolerant`")
    if gpu and not any(pool.get("gpu") is True for pool in known):
        what = f"asks for GPUs, but no pool of it in {cluster} has them"
        yield Problem(path=(*path, "gpu"), what=what, found=gpu, fix="add a pool with `gpu: true`, or remove `gpu`")


def _demand_file(tree: Tree) -> Iterator[Problem]:
    text = tree.text("demand", "file")
    if text is None:
        return
    file = PurePosixPath(text)
    if file.is_absolute() or ".." in file.parts or "\\" in text or not text:
        what = "leaves the project"
        yield Problem(
            path=("demand", "file"), what=what, found=text, fix="write a path relative to the project's folder"
        )
    elif file.suffix not in {".csv", ".json"}:
        what, allowed = "is of a kind that is not read", "a .csv table or the .json of `kubectl get pods -A -o json`"
        yield Problem(path=("demand", "file"), what=what, found=text, allowed=allowed, fix="name one of these")
