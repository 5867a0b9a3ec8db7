"""Backups of clusters that would lie where they are lost with the cluster, or where the cluster cannot reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.clouds import CLOUDS, REGION_SLOTS, Cloud
from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree

PLACE: Final[Path] = ("services", "backup", "regions")


def check_backup(tree: Tree) -> Iterator[Problem]:
    """Each cluster has another region of its cloud, which exists, and a way to it."""
    if not isinstance(tree.at("services", "backup"), dict) or PLACE in tree.bad:
        return
    named = tree.mapping(*PLACE)
    for cloud in CLOUDS:
        if cloud in named and isinstance(named[cloud], str) and (*PLACE, cloud) not in tree.bad:
            yield from _region(tree, cloud, named[cloud])
        elif cloud not in named:
            yield from _alone(tree, cloud)
    for word in named:
        if word not in CLOUDS and (*PLACE, word) not in tree.bad:
            fix = did_you_mean(word, CLOUDS, "name a cloud of the stack, or remove the line")
            yield Problem(path=(*PLACE, word), what="is no cloud", allowed=listed(CLOUDS), fix=fix)
    for cluster, (cloud, region) in tree.clusters().items():
        if cloud == "aws" and tree.text("clouds", cloud, "regions", region, "nat") == "none":
            what = f"cannot be reached from {cluster}: a region without NAT reaches S3 of its own region only"
            fix = f"give {region} `nat: single`, or remove backup"
            yield Problem(path=("services", "backup"), what=what, fix=fix)


def _region(tree: Tree, cloud: Cloud, region: str) -> Iterator[Problem]:
    path: Path = (*PLACE, cloud)
    if cloud not in tree.clouds():
        what = "is a cloud that the stack does not use"
        yield Problem(path=path, what=what, allowed=listed(tree.clouds()), fix="remove the line")
    elif region not in REGION_SLOTS[cloud]:
        fix = did_you_mean(region, REGION_SLOTS[cloud], "choose one of them")
        what = f"is no region of {cloud} that has prices"
        yield Problem(path=path, what=what, found=region, allowed=listed(REGION_SLOTS[cloud]), fix=fix)
    elif region in tree.mapping("clouds", cloud, "regions"):
        free = [each for each in REGION_SLOTS[cloud] if each not in tree.mapping("clouds", cloud, "regions")]
        what = f"holds a cluster of the stack: backups of {cloud}-{region} would be lost with it"
        fix = "name a region without a cluster" if free else "remove the line"
        if len(tree.mapping("clouds", cloud, "regions")) > 1:
            fix = "remove the line: each cluster's backups go to the next region of the stack"
        yield Problem(path=path, what=what, found=region, allowed=listed(free, "none"), fix=fix)


def _alone(tree: Tree, cloud: Cloud) -> Iterator[Problem]:
    """A stack with one region in a cloud has nowhere else to go unless it says where."""
    regions = tree.mapping("clouds", cloud, "regions")
    if len(regions) != 1 or not tree.knows_regions(cloud):
        return
    (only,) = regions
    other = next((each for each in REGION_SLOTS[cloud] if each != only), "REGION")
    what = f"names no region for {cloud}, where {only} is the only one of the stack: backups lie in another region"
    yield Problem(path=PLACE, what=what, fix=f"add `{cloud}: {other}`, or a second region of {cloud}")
