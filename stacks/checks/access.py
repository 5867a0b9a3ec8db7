"""Who reaches the control planes, who deploys, and what protects what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from stacks.checks.ranges import check_ranges
from stacks.problems import Problem
from stacks.tree import Tree

ACCESS: Final = "control_plane_access"
WIDEST: Final = 16
"""A network outside that holds more than 65,536 addresses is nobody's office."""
DEPLOYER: Final = re.compile(
    r"arn:aws(-[a-z]+)*:iam::\d{12}:(role|user)/[\w+=,.@/-]+"
    r"|[a-z0-9][a-z0-9._+-]*@[a-z0-9-]+(\.[a-z0-9-]+)+"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


def check_access(tree: Tree) -> Iterator[Problem]:
    """Doors that stand too wide open."""
    mode = tree.text(ACCESS, "mode") or "private"
    cidrs = tree.items(ACCESS, "allowed_cidrs")
    path = (ACCESS, "allowed_cidrs")
    if mode == "restricted" and tree.at(ACCESS) is not None and not cidrs and tree.at(*path) in (None, []):
        fix = "list the networks that may reach the API servers, or write `mode: private`"
        yield Problem(path=path, what="is empty, so `restricted` would let nobody in", fix=fix)
    if mode == "private" and cidrs:
        fix = "remove it, or write `mode: restricted`"
        yield Problem(path=path, what="has no meaning while the API servers are private", fix=fix)
    if mode == "restricted" and tree.text("data_classification") == "restricted":
        yield Problem(
            path=(ACCESS, "mode"),
            what="opens API servers of a stack that holds restricted data",
            found=mode,
            allowed="private",
            fix="write `mode: private`",
        )
    for index, text in enumerate(cidrs):
        yield from _cidr(index, text)
    yield from check_ranges(tree, path)
    yield from _deployers(tree)
    yield from _protection(tree)


def _cidr(index: int, text: object) -> Iterator[Problem]:
    if not isinstance(text, str):
        return
    try:
        network = IPv4Network(text)
    except ValueError:
        return  # its shape is a problem of its own
    if network.is_private and network.prefixlen > 0:
        return
    if network.prefixlen < WIDEST:
        what = "opens the API servers to the whole internet" if network.prefixlen == 0 else "is too wide"
        yield Problem(
            path=(ACCESS, "allowed_cidrs", index),
            what=what,
            found=text,
            allowed=f"networks of /{WIDEST} or smaller",
            fix="list the networks of your offices and runners",
        )


def _deployers(tree: Tree) -> Iterator[Problem]:
    for index, who in enumerate(tree.items(ACCESS, "deployers")):
        path = (ACCESS, "deployers", index)
        if not isinstance(who, str):
            continue
        if not DEPLOYER.fullmatch(who):
            yield Problem(
                path=path,
                what="names nobody that a cloud knows",
                found=who,
                allowed="an IAM role or user ARN, a Google e-mail address, an Entra object id",
                fix="write one of these forms; wildcards, `root` and `allUsers` are not accepted",
            )


def _protection(tree: Tree) -> Iterator[Problem]:
    if tree.flag("production") and not tree.flag("protect") and ("protect",) not in tree.bad:
        yield Problem(
            path=("protect",),
            what="is off in a production stack: one wrong run could delete it",
            found=tree.at("protect") or False,
            allowed="true",
            fix="write `protect: true`",
        )
