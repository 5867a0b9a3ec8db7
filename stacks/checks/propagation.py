"""Workloads that are handed to Karmada: clusters that exist, shares that say something, one way to spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.checks.places import unknown_cluster
from stacks.checks.tenants import check_namespace, no_workload, places
from stacks.problems import Problem, listed
from stacks.services.propagation import divided
from stacks.tree import Path, Tree

HERE: Final[Path] = ("services", "gitops", "propagation")
TWO: Final = 2


def check_propagation(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    workloads = places(tree)
    for name in tree.mapping(*HERE):
        path: Path = (*HERE, name)
        yield from check_namespace(tree, path)
        if name not in workloads:
            yield no_workload(path, name, workloads)
            continue
        clusters = [each for each in tree.items(*path, "clusters") if isinstance(each, str)]
        yield from _clusters(tree, path, clusters, workloads[name])
        yield from _shares(tree, path, clusters, workloads[name])
        yield from _apart(tree, path, clusters)


def _clusters(tree: Tree, path: Path, clusters: list[str], index: int) -> Iterator[Problem]:
    held = [each for each in tree.items("workloads", index, "clusters") if isinstance(each, str)]
    for position, cluster in enumerate(clusters):
        here: Path = (*path, "clusters", position)
        yield from unknown_cluster(tree, here, cluster)
        if held and cluster not in held:
            what = f"does not carry the workload (workloads[{index}].clusters): the plan has no room for it there"
            fix = "add it to the workload's clusters, or remove it here"
            yield Problem(path=here, what=what, found=cluster, allowed=listed(held), fix=fix)
    for cluster in tree.mapping(*path, "registries"):
        if cluster not in clusters:
            what = "is a registry for a cluster that does not carry it"
            yield Problem(path=(*path, "registries", cluster), what=what, allowed=listed(clusters), fix="remove it")


def _shares(tree: Tree, path: Path, clusters: list[str], index: int) -> Iterator[Problem]:
    here: Path = (*path, "shares")
    shares = {name: whole for name in tree.mapping(*here) if (whole := tree.whole(*here, name)) is not None}
    if not tree.mapping(*here):
        return
    if tree.text(*path, "replicas") == "copied":
        yield Problem(path=here, what="divide what is copied: each cluster has all replicas", fix="remove the shares")
        return
    for cluster in tree.mapping(*here):
        if cluster not in clusters:
            what, fix = "is a share of a cluster that does not carry it", "remove it, or add the cluster"
            yield Problem(path=(*here, cluster), what=what, allowed=listed(clusters), fix=fix)
    for cluster in clusters:
        if cluster not in tree.mapping(*here):
            what = f"have none for {cluster}: a cluster without a share gets nothing"
            yield Problem(path=here, what=what, fix=f"add {cluster}, or take it out of `clusters`")
    replicas = tree.whole("workloads", index, "replicas")
    if replicas is None or set(shares) != set(clusters):
        return
    for cluster, pods in divided(replicas, shares).items():
        if not pods:
            what = f"leaves {cluster} none of the {replicas} replicas of workloads[{index}]"
            fix = "raise its share or the replicas, or take the cluster out"
            yield Problem(path=(*here, cluster), what=what, found=shares[cluster], fix=fix)


def _apart(tree: Tree, path: Path, clusters: list[str]) -> Iterator[Problem]:
    apart, here = tree.text(*path, "apart"), (*path, "apart")
    if apart is None:
        return
    if tree.mapping(*path, "shares"):
        what = "is not looked at where shares say which cluster gets how many"
        yield Problem(path=here, what=what, found=apart, fix="remove it, or the shares")
    known = {name: place for name, place in tree.clusters().items() if name in clusters}
    apartness = {"cluster": set(known), "region": {region for _, region in known.values()}}
    apartness["provider"] = {cloud for cloud, _ in known.values()}
    if apart in apartness and len(known) == len(set(clusters)) and len(apartness[apart]) < TWO:
        what = f"cannot hold: its clusters are of one {apart}"
        yield Problem(path=here, what=what, found=apart, fix="add a cluster elsewhere, or remove it")
