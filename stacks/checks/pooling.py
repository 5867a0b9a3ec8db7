"""Node pools that make sense, and labels and taints that Kubernetes takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stacks.problems import Problem
from stacks.tree import Path, Tree

LABEL_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
DOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
RESERVED: Final = ("kubernetes.io", "k8s.io", "kubernetes.azure.com", "cloud.google.com", "eks.amazonaws.com")
"""Domains that belong to Kubernetes or to a cloud: kubelets and node pools may not set them.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
https://learn.microsoft.com/azure/aks/use-labels
"""


def check_pools(tree: Tree) -> Iterator[Problem]:
    """Problems of every pool, shared ones first."""
    yield from _pools(tree, ("clusters", "pools"))
    for cluster in tree.mapping("clusters", "overrides"):
        yield from _pools(tree, ("clusters", "overrides", cluster, "pools"))


def _pools(tree: Tree, path: Path) -> Iterator[Problem]:
    for name in tree.mapping(*path):
        pool = (*path, name)
        yield from _sizes(tree, pool)
        yield from _system(tree, pool)
        yield from _gpu(tree, pool)
        yield from _taints(tree, pool)
        for key in tree.mapping(*pool, "labels"):
            label = (*pool, "labels", key)
            yield from _label(label, key, tree.text(*label) or "")


def _sizes(tree: Tree, pool: Path) -> Iterator[Problem]:
    least, most = tree.whole(*pool, "min"), tree.whole(*pool, "max")
    if least is not None and most is not None and least > most:
        yield Problem(
            path=(*pool, "min"),
            what=f"is above `max` ({most})",
            found=least,
            allowed=f"0 to {most}",
            fix="lower `min` or raise `max`",
        )


def _system(tree: Tree, pool: Path) -> Iterator[Problem]:
    if tree.text(*pool, "purpose") != "system":
        return
    why = "the cluster's own add-ons must not vanish with spot capacity"
    if tree.text(*pool, "spot") == "only":
        yield Problem(path=(*pool, "spot"), what=f"makes a system pool of spot nodes: {why}", fix="write `spot: never`")
    if tree.whole(*pool, "min") == 0:
        what = "leaves a system pool empty: the cluster's own add-ons would have no node"
        yield Problem(path=(*pool, "min"), what=what, found=0, allowed="at least 1", fix="write `min: 1` or more")


def _gpu(tree: Tree, pool: Path) -> Iterator[Problem]:
    arch = tree.items(*pool, "arch") or ["amd64"]
    if tree.flag(*pool, "gpu") and None not in arch and "amd64" not in arch:
        what = "has no GPU types with a dated price"
        yield Problem(path=(*pool, "arch"), what=what, allowed="amd64", fix="add amd64, or remove `gpu`")


def _taints(tree: Tree, pool: Path) -> Iterator[Problem]:
    seen: list[tuple[str | None, str | None]] = []
    for index in range(len(tree.items(*pool, "taints"))):
        path = (*pool, "taints", index)
        key, value = tree.text(*path, "key"), tree.text(*path, "value")
        if key is None:
            continue
        yield from _label((*path, "key"), key, value or "")
        mark = (key, tree.text(*path, "effect"))
        if mark in seen:
            yield Problem(path=path, what="repeats key and effect of another taint", fix="keep one of them")
        seen.append(mark)


def _label(path: Path, key: str, value: str) -> Iterator[Problem]:
    domain, _, name = key.rpartition("/")
    if not LABEL_NAME.fullmatch(name) or (("/" in key) and not DOMAIN.fullmatch(domain)):
        yield Problem(
            path=path,
            what="is not a Kubernetes label key",
            allowed="a name of at most 63 letters, digits, dashes, dots and underscores, with an optional `domain/`",
            fix="write it like example.org/team",
        )
    elif any(domain == own or domain.endswith(f".{own}") for own in RESERVED):
        what = f"uses the domain {domain}, which belongs to Kubernetes or to a cloud"
        yield Problem(path=path, what=what, fix="use a domain of your own, or none")
    if value and not LABEL_NAME.fullmatch(value):
        allowed = "at most 63 letters, digits, dashes, dots and underscores"
        yield Problem(
            path=path, what="has a value that Kubernetes refuses", allowed=allowed, fix="shorten or simplify it"
        )
