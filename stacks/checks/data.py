"""Stores that a cloud cannot run as written, or that nobody could reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.checks.places import unknown_cluster
from stacks.checks.tenants import check_user
from stacks.problems import Problem
from stacks.quantities import memory_mib
from stacks.tree import Path, Tree

LEAST_MIB: Final = 20 * 1024
"""RDS takes 20 GiB of gp3 at least, Azure 32: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""
SERVERS: Final = {
    "size": "the size of a server",
    "availability": "the choice of a standby",
    "storage": "the size of a database's disk",
}
"""What a database or cache has and objects have not."""
LONGEST: Final = 24
"""Characters of a store's name: the names of its endpoints are made of it."""
KEPT_IN_PRODUCTION: Final = 35
"""Rule AWS-RDS-02."""
ZONES: Final = 2
"""A subnet group of RDS spans two zones even without a standby.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
"""


def check_data(tree: Tree) -> Iterator[Problem]:
    """Names, users, places and promises of each store."""
    for name in tree.mapping("data"):
        path: Path = ("data", name)
        if len(name) > LONGEST:
            what = f"is a name of {len(name)} characters; names of endpoints are made of it"
            yield Problem(path=path, what=what, fix=f"shorten it to {LONGEST}")
        for cluster in tree.items(*path, "clusters"):
            if isinstance(cluster, str):
                yield from unknown_cluster(tree, (*path, "clusters"), cluster)
        yield from _users(tree, path)
        yield from _cache(tree, path)
        yield from _objects(tree, path)
        yield from _promises(tree, path)


def _users(tree: Tree, path: Path) -> Iterator[Problem]:
    for place, user in enumerate(tree.items(*path, "users")):
        if isinstance(user, str):
            yield from check_user(tree, (*path, "users", place), user)


def _cache(tree: Tree, path: Path) -> Iterator[Problem]:
    """A cache has users of its own from the start, and no disk that anybody chooses."""
    if tree.text(*path, "engine") != "redis":
        return
    users: Path = (*path, "users")
    if users not in tree.bad and not tree.items(*users):
        what = "is missing: a cache lets nobody in but the users that it is made with"
        yield Problem(path=users, what=what, fix="add it, for example `users: [platform/gateway]`")
    if tree.at(*path, "storage") is not None:
        what = "is the size of a database's disk; a cache keeps what fits into its memory"
        yield Problem(path=(*path, "storage"), what=what, fix="remove the line, and choose a `size`")


def _objects(tree: Tree, path: Path) -> Iterator[Problem]:
    """Objects have no server whose size or standby anybody chooses, and only they may be kept elsewhere."""
    if tree.text(*path, "engine") != "objects":
        if tree.flag(*path, "elsewhere"):
            what = "keeps a store away from its cluster; only objects may be"
            yield Problem(path=(*path, "elsewhere"), what=what, fix="remove the line")
        return
    for key, reason in SERVERS.items():
        if tree.at(*path, key) is not None:
            yield Problem(path=(*path, key), what=f"is {reason}; objects have none", fix="remove the line")
    wanted = tree.items(*path, "clusters")
    beside = {name: where for name, where in tree.clusters().items() if not wanted or name in wanted}
    for name, (cloud, region) in beside.items():
        if tree.flag(*path, "elsewhere") and len(tree.mapping("clouds", cloud, "regions")) == 1:
            what = f"has no place beside {name}: {region} is the only region of {cloud}"
            fix = f"add a second region of {cloud}, remove the line, or name other `clusters`"
            yield Problem(path=(*path, "elsewhere"), what=what, fix=fix)
        elif tree.flag(*path, "elsewhere") and _closed_in(tree, cloud, region):
            what = f"cannot be reached from {name}: a region without NAT reaches S3 of its own region only"
            fix = "give the region `nat: single`, remove the line, or name other `clusters`"
            yield Problem(path=(*path, "elsewhere"), what=what, fix=fix)
    if "google" in str(path[-1]) and any(cloud == "gcp" for cloud, _ in beside.values()):
        what = "is no name for objects: Google takes no bucket with its own name in it"
        yield Problem(path=path, what=what, fix="choose another name")


def _closed_in(tree: Tree, cloud: str, region: str) -> bool:
    """Gateway endpoints serve one region: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html."""
    return cloud == "aws" and tree.text("clouds", cloud, "regions", region, "nat") == "none"


def _copied(tree: Tree, path: Path, beside: list[str]) -> Iterator[Problem]:
    """Copies of confidential data go to a second region of the stack."""
    secret = tree.text("data_classification") in {"confidential", "restricted"}
    regions = tree.mapping("clouds", "aws", "regions")
    here = [name for name in beside if name.startswith("aws-")]
    if tree.text(*path, "engine") == "postgres" and secret and here and len(regions) == 1:
        what = (
            f"holds {tree.text('data_classification')} data beside {here[0]}, the only region of aws: no place is left "
        )
        what += "for a copy of its backups"
        yield Problem(path=path, what=what, fix="add a second region of aws, or name other `clusters`")


def _promises(tree: Tree, path: Path) -> Iterator[Problem]:
    wanted = tree.items(*path, "clusters")
    beside = {name: where for name, where in tree.clusters().items() if not wanted or name in wanted}
    single = tree.text(*path, "availability") == "zone"
    served = tree.text(*path, "engine") != "objects"
    for cloud, region in beside.values() if served else ():
        zones = tree.whole("clouds", cloud, "regions", region, "zones")
        if zones is not None and zones < ZONES and (cloud == "aws" or not single):
            reason = "RDS wants subnets in two zones" if cloud == "aws" else "a standby needs a second zone"
            what = f"cannot stand in {cloud}-{region}, which has one zone: {reason}"
            fix = "give the region two zones, or name other `clusters`"
            yield Problem(path=path, what=what, fix=fix if cloud == "aws" else f"{fix}, or write `availability: zone`")
    yield from _copied(tree, path, list(beside))
    if tree.flag("production"):
        if single and served:
            what = "leaves a production store without a standby"
            yield Problem(path=(*path, "availability"), what=what, fix="remove the line, or write `region`")
        days = tree.whole(*path, "retention_days")
        if days is not None and days < KEPT_IN_PRODUCTION:
            what = f"is less than the {KEPT_IN_PRODUCTION} days of a production store"
            fix = f"remove the line, or write {KEPT_IN_PRODUCTION}"
            yield Problem(path=(*path, "retention_days"), what=what, found=days, fix=fix)
    size = tree.text(*path, "storage") if served else None
    try:
        small = size is not None and memory_mib(size) < LEAST_MIB
    except ValueError:
        return  # its shape is a problem of its own
    if small:
        yield Problem(
            path=(*path, "storage"), what="is less than a cloud gives", found=size, allowed="20Gi or more",
            fix="write 20Gi at least",
        )  # fmt: skip
