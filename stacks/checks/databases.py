"""Databases and caches in the cluster that could not run as written, or that nobody could tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from stacks.checks.tenants import check_user
from stacks.problems import Problem
from stacks.quantities import cpu_milli, memory_mib
from stacks.services import caches, databases
from stacks.tree import Path, Tree

HERE: Final[Path] = ("services", "cloudnative_pg", "databases")
CACHES: Final[Path] = ("services", "valkey", "caches")
LONGEST: Final = 24
"""Characters of a name, as for stores beside the cluster: identities and services are called after it."""
TAKEN: Final = frozenset({"default"})
"""Accounts that every namespace has: a server's account is called like its database."""
ROLE: Final = 63
"""Bytes of a name in PostgreSQL, which cuts longer ones; a secret of Azure has 127, and this is part of its name."""
LEAST_DISK_MIB: Final = 5 * 1024
"""Room for a gibibyte of what is logged, what waits for the bucket, and data."""
MOST_DISK_MIB: Final = 16 * 1024 * 1024
"""Largest volume that gp3 and Premium SSD v2 both give (docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html,
learn.microsoft.com/azure/virtual-machines/disks-types; AWS gave 16 TiB for years and more since; 2026-11)."""
LEAST_MEMORY_MIB: Final = 512
"""200 connections and a quarter for pages; PostgreSQL is killed where it has less."""
LEAST_CPU_MILLI: Final = 100
STANDBY: Final = 2
LEAST_CACHE_MIB: Final = 64
"""A quarter of it is all that a server has for clients and for what it copies."""
MOST_CACHE_MIB: Final = 1024 * 1024


def check_databases(tree: Tree) -> Iterator[Problem]:
    """Names, users, room and standbys of each database."""
    known: dict[str, tuple[str, str]] = {}
    for name in tree.mapping(*HERE):
        path: Path = (*HERE, name)
        yield from _name(tree, path, name)
        yield from _users(tree, path, name, known, databases.password)
        yield from _room(tree, path)
        if tree.flag("production") and tree.whole(*path, "instances") == 1:
            what = "has one server: in production a database goes on when a node goes"
            fix = f"write {STANDBY} or more, or remove the line for 3"
            yield Problem(path=(*path, "instances"), what=what, found=1, fix=fix)


def check_caches(tree: Tree) -> Iterator[Problem]:
    """Names, users and memory of each cache."""
    known: dict[str, tuple[str, str]] = {}
    for name in tree.mapping(*CACHES):
        path: Path = (*CACHES, name)
        yield from _name(tree, path, name)
        if name in tree.mapping(*HERE):
            other = f"services.cloudnative_pg.databases.{name}"
            what = f"is the name of a database too: {other}; their users could not tell them apart"
            yield Problem(path=path, what=what, fix="choose another name for one of them")
        for own in ("exporter", "replication"):
            known.setdefault(caches.password(name, own), (name, own))
        yield from _users(tree, path, name, known, caches.password)
        memory = _mib(tree, *path, "memory")
        if memory is not None and not LEAST_CACHE_MIB <= memory <= MOST_CACHE_MIB:
            what = "is no memory that a cache can have"
            found = tree.text(*path, "memory")
            fix = "write another size"
            yield Problem(path=(*path, "memory"), what=what, found=found, allowed="64Mi to 1Ti", fix=fix)


def _name(tree: Tree, path: Path, name: str) -> Iterator[Problem]:
    if len(name) > LONGEST:
        what = f"is a name of {len(name)} characters; identities are called after it"
        yield Problem(path=path, what=what, fix=f"shorten it to {LONGEST}")
    if name in TAKEN:
        what = "is the name of an account that each namespace has; servers have one of their database's name"
        yield Problem(path=path, what=what, fix="choose another name")
    if name in tree.mapping("data"):
        what = f"is the name of a store too: data.{name}; their users could not tell them apart"
        yield Problem(path=path, what=what, fix="choose another name for one of them")


def _users(
    tree: Tree, path: Path, name: str, known: dict[str, tuple[str, str]], password: Callable[[str, str], str]
) -> Iterator[Problem]:
    for place, user in enumerate(tree.items(*path, "users")):
        here: Path = (*path, "users", place)
        if not isinstance(user, str):
            continue
        yield from check_user(tree, here, user)
        if len(user) > ROLE:
            what = f"is {len(user)} characters long; roles are called after users, and have {ROLE}"
            yield Problem(path=here, what=what, found=user, fix="give the account a shorter name")
        other = known.setdefault(password(name, user), (name, user))
        if other != (name, user):
            what = f"would have the password of {other[1]} of {other[0]}: both are {password(name, user)}"
            yield Problem(path=here, what=what, found=user, fix="choose another name for one of them")


def _room(tree: Tree, path: Path) -> Iterator[Problem]:
    disk = _mib(tree, *path, "storage")
    if disk is not None and not LEAST_DISK_MIB <= disk <= MOST_DISK_MIB:
        what = "is no size of a volume that a database can live on in each cloud"
        found = tree.text(*path, "storage")
        yield Problem(path=(*path, "storage"), what=what, found=found, allowed="5Gi to 16Ti", fix="write another size")
    memory = _mib(tree, *path, "memory")
    if memory is not None and memory < LEAST_MEMORY_MIB:
        what = "is too little for 200 connections"
        found = tree.text(*path, "memory")
        yield Problem(path=(*path, "memory"), what=what, found=found, allowed="512Mi and more", fix="write more")
    cpu = tree.at(*path, "cpu")
    milli = _milli(cpu)
    if milli is not None and milli < LEAST_CPU_MILLI:
        what = "is too little for a server to answer its probes in time"
        yield Problem(path=(*path, "cpu"), what=what, found=str(cpu), allowed="100m and more", fix="write more")


def _mib(tree: Tree, *path: str | int) -> int | None:
    text = tree.text(*path)
    return None if text is None else memory_mib(text)


def _milli(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return cpu_milli(value if isinstance(value, str) else format(value, "g"))
