"""The address block: private, large enough, and clear of what the clouds keep for themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from pydantic import ValidationError

from stacks.addresses import RegionPlan, plan_region, region_slot
from stacks.checks.overflow import nodes_beside
from stacks.clouds import REGION_SLOTS, Cloud
from stacks.place import Addresses, Region, Share
from stacks.problems import Problem, listed
from stacks.tree import Tree

PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""https://www.rfc-editor.org/rfc/rfc1918"""
KEPT: Final[dict[Cloud, tuple[IPv4Network, ...]]] = {
    "aws": (),
    "gcp": (IPv4Network("172.17.0.0/16"),),
    "azure": (IPv4Network("172.30.0.0/16"), IPv4Network("172.31.0.0/16")),
}
"""Ranges that the clouds use inside their clusters.

https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips (172.17.0.0/16, the container bridge)
https://learn.microsoft.com/azure/aks/configure-azure-cni (172.30.0.0/16, 172.31.0.0/16)
"""
BLOCK: Final = ("addresses", "block")


def check_addresses(tree: Tree) -> Iterator[Problem]:
    """Blocks, shares and slots from which the networks of the file cannot be cut."""
    yield from _share(tree)
    try:
        addresses = Addresses.model_validate_json(json.dumps(tree.at("addresses")))
    except ValidationError:
        return  # its shape is wrong, which is a problem of its own
    block, share = addresses.block, addresses.share
    if not any(block.subnet_of(private) for private in PRIVATE):
        yield Problem(
            path=BLOCK,
            what="is not private address space",
            found=str(block),
            allowed=f"a network inside {listed(map(str, PRIVATE))}",
            fix="choose a block inside one of them, for example 10.0.0.0/8",
        )
        return
    if share.index >= share.of:
        return
    try:
        region_slot(addresses, "aws", 0)
    except ValueError as error:
        yield _too_small(str(error), block)
        return
    for cloud, name in tree.regions():
        yield from _region(tree, addresses, cloud, name)


def _share(tree: Tree) -> Iterator[Problem]:
    index, of = tree.whole("addresses", "share", "index"), tree.whole("addresses", "share", "of")
    if index is not None and index >= (of or 1) and ("addresses", "share", "of") not in tree.bad:
        what = f"is none of the {of or 1} parts of the block"
        allowed = f"0 to {(of or 1) - 1}"
        path = ("addresses", "share", "index")
        yield Problem(path=path, what=what, found=index, allowed=allowed, fix="choose a part that no other stack has")


def _region(tree: Tree, addresses: Addresses, cloud: Cloud, name: str) -> Iterator[Problem]:
    path = ("clouds", cloud, "regions", name)
    slot = tree.whole(*path, "slot")
    if slot is None and name not in REGION_SLOTS[cloud]:
        return
    region = Region(zones=tree.whole(*path, "zones") or 3, slot=slot)
    try:
        plan = plan_region(addresses, cloud, name, region)
    except ValueError as error:
        what, _, fix = str(error).partition("; ")
        yield Problem(path=(*path, "slot"), what=what, found=slot, fix=fix)
        return
    for kept in KEPT[cloud]:
        if plan.slot.overlaps(kept):
            what = f"gives {cloud} {name} the range {plan.slot}, but the cloud keeps {kept} for itself"
            fix = "choose a block in 10.0.0.0/8, or another share"
            yield Problem(path=BLOCK, what=what, found=str(addresses.block), fix=fix)
    yield from _too_many_nodes(tree, addresses, plan, region)


def _too_many_nodes(tree: Tree, addresses: Addresses, plan: RegionPlan, region: Region) -> Iterator[Problem]:
    cluster = f"{plan.cloud}-{plan.region}"
    pools = tree.pools(cluster)
    path = tree.pools_path(cluster)
    sizes = [tree.whole(*path, pool, "max") for pool in pools or {}]
    if not sizes or None in sizes:
        return
    wanted = sum(size for size in sizes if size is not None) + nodes_beside(tree, cluster)
    room = plan.nodes_that_fit()
    if wanted <= room:
        return
    enough = next(
        (
            prefix
            for prefix in range(addresses.block.prefixlen - 1, 7, -1)
            if _roomier(addresses, prefix, plan, region) >= wanted
        ),
        None,
    )
    alone = addresses.model_copy(update={"share": Share()})
    ways = [f"make the block /{enough} or larger"] if enough else []
    if addresses.share.of > 1 and plan_region(alone, plan.cloud, plan.region, region).nodes_that_fit() >= wanted:
        ways.append("cut it into fewer shares (addresses.share.of)")
    larger = ", ".join([*ways, "or lower"]) if ways else "no larger block helps: lower"
    yield Problem(
        path=BLOCK,
        what=f"is too small for {cluster}: its pools may grow to {wanted} nodes, but {plan.slot} has addresses for "
        f"{room} nodes and their pods",
        found=str(addresses.block),
        fix=f"{larger} `max` of its pools ({'.'.join(map(str, path))}) to {room} in all",
    )


def _roomier(addresses: Addresses, prefix: int, plan: RegionPlan, region: Region) -> int:
    block = IPv4Network((int(PRIVATE[0].network_address), prefix))
    larger = addresses.model_copy(update={"block": block})
    return plan_region(larger, plan.cloud, plan.region, region).nodes_that_fit()


def _too_small(message: str, block: IPv4Network) -> Problem:
    what, _, fix = message.partition(", so ")
    return Problem(path=BLOCK, what=f"is too small: {what}", found=str(block), fix=fix.replace("must be", "has to be"))
