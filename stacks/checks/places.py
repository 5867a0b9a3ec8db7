"""Clouds and regions: at least one, priced, each in its own place."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.clouds import CLOUDS, REGION_SLOTS, Cloud
from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree


def check_places(tree: Tree) -> Iterator[Problem]:
    """Regions that cannot be used, and cluster names that lead nowhere."""
    if tree.at("clouds") is not None and not tree.clouds():
        yield Problem(
            path=("clouds",), what="names no cloud", allowed=listed(CLOUDS), fix="add at least one, with its regions"
        )
    for cloud, region in tree.regions():
        if region not in REGION_SLOTS[cloud]:
            yield _unpriced(cloud, region)
    yield from _same_slot(tree)
    for name in tree.mapping("clusters", "overrides"):
        yield from unknown_cluster(tree, ("clusters", "overrides", name), name)
    for key in ("vcpu_quota", "budget_usd_month"):
        for name in tree.mapping("sizing", key):
            yield from unknown_cluster(tree, ("sizing", key, name), name)


def unknown_cluster(tree: Tree, path: Path, name: str) -> Iterator[Problem]:
    """Report a cluster name that no region of the file makes."""
    clusters = tree.clusters()
    cloud = next((cloud for cloud in CLOUDS if name.startswith(f"{cloud}-")), None)
    if name in clusters or not all(tree.knows_regions(other) for other in ((cloud,) if cloud else CLOUDS)):
        return
    if cloud is not None and tree.at("clouds", cloud) is None:
        fix = f"the file has no `clouds.{cloud}`: add it, or remove this"
    else:
        fix = did_you_mean(name, clusters, "name a cluster CLOUD-REGION, after a region of the file")
    what = "is not a cluster of this stack"
    yield Problem(path=path, what=what, found=name, allowed=listed(clusters), fix=fix)


def _unpriced(cloud: Cloud, region: str) -> Problem:
    priced = REGION_SLOTS[cloud]
    owner = next((other for other in CLOUDS if region in REGION_SLOTS[other]), None)
    if owner is not None:
        what, fix = f"is a region of {owner}, not of {cloud}", f"move it to `clouds.{owner}.regions`"
    else:
        what = f"is not a region of {cloud} that has dated prices, so nothing in it can be sized"
        fix = did_you_mean(region, priced, "choose a priced one, or add its prices first (README, adding a region)")
    return Problem(path=("clouds", cloud, "regions", region), what=what, allowed=listed(priced), fix=fix)


def _same_slot(tree: Tree) -> Iterator[Problem]:
    taken: dict[tuple[Cloud, int], str] = {}
    for cloud, region in tree.regions():
        path = ("clouds", cloud, "regions", region)
        explicit = tree.whole(*path, "slot")
        slot = REGION_SLOTS[cloud].get(region) if explicit is None else explicit
        if slot is None:
            continue
        other = taken.setdefault((cloud, slot), region)
        if other != region:
            yield Problem(
                path=(*path, "slot"),
                what=f"is the place of {other} in the address plan: their networks would overlap",
                found=slot,
                fix="remove `slot`, or choose a free one",
            )
