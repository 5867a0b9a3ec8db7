"""Overflow pools that EKS can have, within quotas and caps, beside the pools of the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stacks.problems import Problem, did_you_mean, listed
from stacks.quantities import memory_mib
from stacks.services.overflow import MOST_NODES, TAINT, OverflowPool
from stacks.tree import Path, Tree

HERE: Final[Path] = ("services", "overflow")
POOLS: Final[Path] = (*HERE, "pools")
ELSEWHERE: Final = (
    "GKE has node auto-provisioning and compute classes for it, AKS node auto-provisioning, which excludes the "
    "autoscaler of the sized pools: neither is used here"
)


GIB_PER_CPU: Final = {"c": 2, "m": 4, "r": 8}
"""Memory of each virtual CPU in these families (docs.aws.amazon.com/ec2/latest/instancetypes, 2026-11)."""
CLOCK: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 6))


def check_overflow(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    if not isinstance(tree.at(*HERE), dict):
        return
    clusters = [name for name in tree.clusters() if name.startswith("aws-")]
    if not clusters:
        if ("clouds",) not in tree.bad and ("clouds", "aws") not in tree.bad:
            fix = "remove the line, or raise `max` of a sized pool"
            yield Problem(path=HERE, what=f"is Karpenter on EKS, and no cluster is on AWS. {ELSEWHERE}", fix=fix)
        return
    names = tree.mapping(*POOLS)
    for name in names:
        if isinstance(tree.at(*POOLS, name), dict):
            yield from _shape(tree, name)
            yield from _places(tree, name, clusters)
    for cluster in clusters:
        mine = [name for name in names if _stands(tree, name, cluster)]
        yield from _beside(tree, cluster, mine)
        yield from _caps(tree, cluster, mine)
        if mine:
            yield from _way_out(tree, cluster)


def nodes_beside(tree: Tree, cluster: str) -> int:
    """How many nodes overflow pools may start in a cluster; 0 where a setting is wrong or the cluster has none."""
    if not cluster.startswith("aws-"):
        return 0
    mine = [name for name in tree.mapping(*POOLS) if _stands(tree, name, cluster)]
    return sum(cpu // low for cpu, low in _limits(tree, mine))


def _limits(tree: Tree, names: list[str]) -> list[tuple[int, int]]:
    """CPUs that each pool may take, and those of its smallest node; without the pools whose settings are wrong."""
    limits = ((_whole(tree, name, "cpu"), _whole(tree, name, "node_cpu_min")) for name in names)
    return [(cpu, low) for cpu, low in limits if cpu is not None and low]


def _whole(tree: Tree, name: str, key: str) -> int | None:
    """What is written, else the default; None where it is wrong or has none."""
    path: Path = (*POOLS, name, key)
    default = OverflowPool.model_fields[key].default
    if path in tree.bad:
        return None
    return tree.whole(*path) if key in tree.mapping(*POOLS, name) else default if isinstance(default, int) else None


def _stands(tree: Tree, name: str, cluster: str) -> bool:
    named = tree.items(*POOLS, name, "clusters")
    return isinstance(tree.at(*POOLS, name), dict) and (not named or cluster in named)


def _shape(tree: Tree, name: str) -> Iterator[Problem]:
    path: Path = (*POOLS, name)
    most, low, high = (_whole(tree, name, key) for key in ("cpu", "node_cpu_min", "node_cpu_max"))
    if low is not None and high is not None and low > high:
        what = f"is above node_cpu_max, which is {high}"
        yield Problem(path=(*path, "node_cpu_min"), what=what, found=low, fix="write a smaller one, or a larger max")
    elif most is not None and high is not None and high > most:
        what = f"is less than its largest node has, which is {high} (node_cpu_max)"
        fix = f"write {high} or more, or a smaller node_cpu_max"
        yield Problem(path=(*path, "cpu"), what=what, found=most, fix=fix)
    yield from _memory(tree, path, low)
    for position in range(len(tree.items(*path, "quiet"))):
        here: Path = (*path, "quiet", position, "starts")
        starts = tree.text(*here)
        if starts is not None and here not in tree.bad and (wrong := _never(starts)):
            what = f"has {wrong}, which no clock shows"
            yield Problem(path=here, what=what, found=starts, fix="write minute, hour, day, month and day of the week")
    for key in ("arch", "families", "clusters"):
        values = tree.items(*path, key)
        for index, value in enumerate(values):
            if value is not None and value in values[:index]:
                yield Problem(path=(*path, key, index), what="is listed twice", found=value, fix="keep one of them")


def _memory(tree: Tree, path: Path, low: int | None) -> Iterator[Problem]:
    """Memory is a limit that lets the smallest node through."""
    families = [each for each in tree.items(*path, "families") if each in GIB_PER_CPU] or list(GIB_PER_CPU)
    written = tree.text(*path, "memory")
    if written is None or low is None or (*path, "memory") in tree.bad:
        return
    smallest = low * min(GIB_PER_CPU[each] for each in families)
    if memory_mib(written) < smallest * 1024:
        what = f"is less than its smallest node has, which is {smallest}Gi ({low} CPUs of {', '.join(families)})"
        fix = f"write {smallest}Gi or more, or a smaller node_cpu_min"
        yield Problem(path=(*path, "memory"), what=what, found=written, fix=fix)


def _never(cron: str) -> str:
    """Name the first part of a cron line that is out of its bounds; empty where there is none."""
    for field, (name, least, most) in zip(cron.split(), CLOCK, strict=False):
        for part in field.split(","):
            span, _, step = part.partition("/")
            numbers = [int(each) for each in span.split("-") if each.isdigit()]
            good = (span == "*" or re.fullmatch(r"\d+(-\d+)?", span)) and (not step or re.fullmatch(r"[1-9]\d*", step))
            if not good or ("/" in part and not step) or any(not least <= each <= most for each in numbers):
                return f"{name} {part or 'nothing'}"
            if numbers != sorted(numbers):
                return f"{name} {part}"
    return ""


def _places(tree: Tree, name: str, clusters: list[str]) -> Iterator[Problem]:
    for index in range(len(tree.items(*POOLS, name, "clusters"))):
        path: Path = (*POOLS, name, "clusters", index)
        found = tree.text(*path)
        if found is None or found in clusters:
            continue
        fix = "name a cluster on AWS, or leave `clusters` out"
        if found in tree.clusters():
            what = f"is no cluster on EKS. {ELSEWHERE}"
        else:
            what, fix = "is no cluster of this stack", did_you_mean(found, clusters, fix)
        yield Problem(path=path, what=what, found=found, allowed=listed(clusters), fix=fix)


def _beside(tree: Tree, cluster: str, mine: list[str]) -> Iterator[Problem]:
    """A pool of the plan and an overflow pool share no name, and no taint: pods could not tell them apart."""
    pools, where = tree.pools(cluster) or {}, tree.pools_path(cluster)
    for name in mine:
        if name in pools:
            what = f"is the name of a sized pool of {cluster} too ({'.'.join(map(str, where))}.{name})"
            yield Problem(path=(*POOLS, name), what=what, fix="give the overflow pool another name")
    for pool in pools if mine else ():
        for index in range(len(tree.items(*where, pool, "taints"))):
            path: Path = (*where, pool, "taints", index, "key")
            if tree.text(*path) == TAINT:
                what = "is the taint of overflow nodes, and this pool is sized"
                yield Problem(path=path, what=what, found=TAINT, fix="use a taint of your own")
        if TAINT in tree.mapping(*where, pool, "labels"):
            what = "is the label of overflow nodes, and this pool is sized"
            yield Problem(path=(*where, pool, "labels", TAINT), what=what, fix="use a label of your own")


def _caps(tree: Tree, cluster: str, mine: list[str]) -> Iterator[Problem]:
    """All nodes stay within the cap, and the CPUs leave the plan some of the quota."""
    known = _limits(tree, mine)
    if not known or len(known) < len(mine):
        return
    more, cpus = sum(cpu // low for cpu, low in known), sum(cpu for cpu, _ in known)
    pools, where = tree.pools(cluster), tree.pools_path(cluster)
    sizes = [tree.whole(*where, pool, "max") for pool in pools or ()]
    written = tree.whole("services", "node_scaling", "max_nodes")
    cap = MOST_NODES if written is None else written
    if sizes and all(size is not None for size in sizes) and ("services", "node_scaling", "max_nodes") not in tree.bad:
        sized = sum(size or 0 for size in sizes)
        if sized + more > cap:
            what = (
                f"may start {more} nodes in {cluster} beside {sized} of its sized pools, above the cap of {cap} "
                f"({'services.node_scaling.max_nodes' if written is not None else 'nodes of a cluster'})"
            )
            fix = "lower `cpu`, raise `node_cpu_min`, or lower `max` of the sized pools"
            yield Problem(path=POOLS, what=what, fix=fix)
    quota = tree.whole("sizing", "vcpu_quota", cluster)
    if quota is not None and cpus >= quota:
        what = f"may take {cpus} virtual CPUs in {cluster}: nothing of its quota of {quota} is left to the plan"
        yield Problem(path=POOLS, what=what, fix=f"lower `cpu`, or raise sizing.vcpu_quota.{cluster}")


def _way_out(tree: Tree, cluster: str) -> Iterator[Problem]:
    region = cluster.partition("-")[2]
    path: Path = ("clouds", "aws", "regions", region, "nat")
    if tree.text(*path) == "none":
        what = f"leaves {cluster} no way to the price list, IAM and the queue of interruptions that overflow pools need"
        fix = f"write `nat: single`, or give every overflow pool `clusters` without {cluster}"
        yield Problem(path=path, what=what, found="none", fix=fix)
