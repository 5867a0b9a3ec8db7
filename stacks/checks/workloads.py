"""Workloads that some pool of each of their clusters can carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from stacks.checks.placement import left
from stacks.checks.places import unknown_cluster
from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree


@dataclass(frozen=True)
class Asked:
    """What one workload, or one row of measured demand, asks of its pools."""

    path: Path
    pools: tuple[str, ...]
    spot: str  # empty: not known
    gpu: int
    clusters: tuple[str, ...] = ()


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
        yield from _zones(tree, path)
        pools = tree.items(*path, "pools")
        if pools and all(isinstance(pool, str) for pool in pools):
            spot = "" if (*path, "spot") in tree.bad else tree.text(*path, "spot") or "never"
            asked = Asked(path, tuple(pools), spot, tree.whole(*path, "gpu") or 0, inside(tree, path))
            yield from carried(tree, asked)
    yield from _demand_file(tree)


def _zones(tree: Tree, path: Path) -> Iterator[Problem]:
    """Report what a workload asks of zones that its clusters, or its own volumes, cannot give."""
    volume, spread = tree.whole(*path, "volume_zone"), tree.text(*path, "spread")
    survives = tree.text(*path, "survives") == "zone"
    if volume is not None and (survives or spread == "zone"):
        what = "ties the pods to one zone, so they cannot be spread over zones or survive the loss of one"
        yield Problem(path=(*path, "volume_zone"), what=what, found=volume, fix="remove it, or `survives` and `spread`")
    wanted = volume if volume is not None else 2 if survives else 1
    where = inside(tree, path)
    for name, (cloud, region) in tree.clusters().items():
        zones = tree.whole("clouds", cloud, "regions", region, "zones")
        if zones is not None and zones < wanted and (not where or name in where):
            key = "survives" if volume is None else "volume_zone"
            what = f"needs {wanted} zones, and {name} has {zones}"
            fix = "list the `clusters` that have as many, or raise the region's `zones`"
            yield Problem(path=(*path, key), what=what, fix=fix)
            return


def inside(tree: Tree, path: Path) -> tuple[str, ...]:
    """Clusters that may run a workload: those listed, less what its placement leaves out; empty for all of them."""
    listed_ones = tuple(each for each in tree.items(*path, "clusters") if isinstance(each, str))
    placed = isinstance(tree.at(*path, "placement"), Mapping)
    return (tuple(left(tree, (*path, "placement"))) if placed else ()) or listed_ones


def carried(tree: Tree, asked: Asked) -> Iterator[Problem]:
    """Report what keeps a workload's pods from running in one of its clusters; each problem once."""
    reported: set[Path] = set()
    for cluster in tree.clusters() or ("every cluster",):
        if tree.pools(cluster) is None or (asked.clusters and cluster not in asked.clusters):
            continue
        for problem in _in_cluster(tree, asked, cluster):
            if problem.path not in reported:
                reported.add(problem.path)
                yield problem


def _in_cluster(tree: Tree, asked: Asked, cluster: str) -> Iterator[Problem]:
    available, path = tree.pools(cluster) or {}, asked.path
    for index, name in enumerate(asked.pools):
        if name not in available:
            fix = did_you_mean(name, available, "add the pool, or remove it here")
            what = f"is not a pool of {cluster}"
            yield Problem(path=(*path, "pools", index), what=what, found=name, allowed=listed(available), fix=fix)
    where = [(*tree.pools_path(cluster), name) for name in asked.pools]
    if any(pool in tree.bad or (*pool, key) in tree.bad for pool in where for key in ("spot", "gpu")) or not all(
        isinstance(available.get(name), Mapping) for name in asked.pools
    ):
        return
    kinds = {tree.text(*pool, "spot") or "never" for pool in where}
    if asked.spot == "never" and kinds == {"only"}:
        what = f"is never, but its pools in {cluster} have spot nodes only"
        yield Problem(path=(*path, "spot"), what=what, fix="add an on-demand pool, or write `spot: tolerant`")
    if asked.spot == "only" and kinds == {"never"}:
        what = f"is only, but its pools in {cluster} have no spot nodes"
        yield Problem(path=(*path, "spot"), what=what, fix="add a spot pool, or write `spot: tolerant`")
    if asked.gpu and not any(tree.flag(*pool, "gpu") for pool in where):
        what = f"asks for GPUs, but no pool of it in {cluster} has them"
        yield Problem(
            path=(*path, "gpu"), what=what, found=asked.gpu, fix="add a pool with `gpu: true`, or remove `gpu`"
        )


def _demand_file(tree: Tree) -> Iterator[Problem]:
    text = tree.text("demand", "file")
    if text is not None and (not text or ".." in PurePosixPath(text).parts):
        what = "leads out of the project" if text else "is empty"
        fix = "write a path relative to the project's folder"
        yield Problem(path=("demand", "file"), what=what, found=text, fix=fix)
