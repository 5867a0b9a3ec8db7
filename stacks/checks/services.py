"""Services that do not fit one another, the lock, the namespaces or the workloads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stacks.checks.ranges import check_ranges
from stacks.checks.tenants import check_user
from stacks.problems import Problem, did_you_mean, listed
from stacks.services import AVAILABLE, TABLE
from stacks.services.lock import versions
from stacks.tree import Path, Tree

FORMS: Final = {
    "email": (re.compile(r"[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"), "an e-mail address"),
    "webhook": (re.compile(r"https://[^\s@/]+(/[^\s@]*)?"), "an https address"),
    "telegram": (re.compile(r"-?\d{1,18}", re.ASCII), "a chat number"),
}
"""What receivers of each kind are called."""
GATEWAY: Final = "istio-system/gateway"
"""The account under which traffic from outside arrives."""


def check_services(tree: Tree) -> Iterator[Problem]:
    """What can be said from the file alone, before anything is registered."""
    on = [name for name in AVAILABLE if isinstance(tree.at("services", name), dict)]
    for name in AVAILABLE:
        path: Path = ("services", name)
        if name in tree.mapping("services") and tree.mapping("services")[name] is None:
            yield Problem(
                path=path, what="has no settings", fix=f"write `{name}: {{}}` to switch it on, or remove the line"
            )
    for name in on:
        yield from _relations(tree, name, on)
        yield from _locked(tree, name)
    if on:
        yield from _namespaces(tree, on)
        yield from _pools(tree)
    yield from _calls(tree)
    yield from _way_in(tree)
    yield from _receivers(tree)


def _relations(tree: Tree, name: str, on: list[str]) -> Iterator[Problem]:
    path: Path = ("services", name)
    for needed in TABLE[name].needs:
        if needed not in on and ("services", needed) not in tree.bad:
            what = f"needs {needed} ({TABLE[needed].title}), which is off"
            yield Problem(path=path, what=what, fix=f"add `{needed}: {{}}` to services, or remove {name}")
    for other in TABLE[name].excludes:
        if other in on and name < other:
            what = f"cannot stand beside {other}: both would do the same"
            yield Problem(path=path, what=what, fix=f"keep {name} or {other}")


def _locked(tree: Tree, name: str) -> Iterator[Problem]:
    path: Path = ("services", name)
    for chart in TABLE[name].charts:
        if not versions(chart):
            what = f"needs the chart {chart}, which is not in charts.lock"
            yield Problem(path=path, what=what, fix=f"add it: `ecosystem lock {chart}`")
    asked, held = tree.text(*path, "version"), versions(TABLE[name].charts[0])
    if asked is not None and held and asked not in held:
        fix = did_you_mean(asked, held, "choose one of them, or lock another one: `ecosystem lock`")
        what = "is a version that charts.lock does not have"
        yield Problem(path=(*path, "version"), what=what, found=asked, allowed=listed(held), fix=fix)


def _namespaces(tree: Tree, on: list[str]) -> Iterator[Problem]:
    taken = {namespace: name for name in on for namespace in (TABLE[name].namespace, *TABLE[name].more)}
    for namespace in tree.mapping("namespaces"):
        if namespace in taken:
            what = f"is the namespace of the service {taken[namespace]}"
            yield Problem(path=("namespaces", namespace), what=what, fix="give the tenants' namespace another name")


def _pools(tree: Tree) -> Iterator[Problem]:
    for cluster in tree.clusters():
        pools, path = tree.pools(cluster), tree.pools_path(cluster)
        if pools is None or path in tree.bad:
            continue
        steady = [
            name
            for name in pools
            if (tree.text(*path, name, "purpose") or "general") == "general"
            and (tree.text(*path, name, "spot") or "never") == "never"
            and not tree.items(*path, name, "taints")
            and not tree.flag(*path, name, "gpu")
        ]
        if not steady and not any((*path, name) in tree.bad for name in pools):
            what = f"has no pool in {cluster} that services may use: general, not spot, without taints and GPUs"
            yield Problem(path=path, what=what, fix="add one, or remove the services")
            return


def _calls(tree: Tree) -> Iterator[Problem]:
    for index in range(len(tree.items("services", "mesh", "calls"))):
        path: Path = ("services", "mesh", "calls", index)
        for side in ("caller", "target"):
            account = tree.text(*path, side)
            if account is None or (side == "caller" and account == GATEWAY):
                continue
            yield from check_user(tree, (*path, side), account)
        if tree.text(*path, "caller") == GATEWAY and tree.flag("services", "mesh", "gateway") is False:
            what = "is the gateway, which is switched off"
            yield Problem(path=(*path, "caller"), what=what, found=GATEWAY, fix="write `gateway: true`")


def _way_in(tree: Tree) -> Iterator[Problem]:
    """The gateway on the internet names who may call; one that is not there names nobody."""
    mesh: Path = ("services", "mesh")
    ranges, public = tree.items(*mesh, "gateway_from"), tree.text(*mesh, "gateway_reach") == "internet"
    path: Path = (*mesh, "gateway_from")
    if public and tree.flag(*mesh, "gateway") is False:
        what = "puts a gateway on the internet that is switched off"
        yield Problem(path=(*mesh, "gateway_reach"), what=what, fix="write `gateway: true`, or remove the line")
    elif public and not ranges and path not in tree.bad:
        what = "is missing: a gateway on the internet needs the ranges that may call it"
        fix = 'add `gateway_from: ["203.0.113.0/24"]`, or ["0.0.0.0/0"] for everybody'
        yield Problem(path=path, what=what, fix=fix)
    elif ranges and not public and (*mesh, "gateway_reach") not in tree.bad:
        what = "names ranges of the internet, but the gateway is called from the stack's networks only"
        yield Problem(path=path, what=what, fix="write `gateway_reach: internet`, or remove the ranges")
    yield from check_ranges(tree, path)


def _receivers(tree: Tree) -> Iterator[Problem]:
    for name in tree.mapping("services", "monitoring", "receivers"):
        path: Path = ("services", "monitoring", "receivers", name)
        kind, to = tree.text(*path, "kind"), tree.text(*path, "to")
        if to is None or kind not in FORMS:
            continue
        form, allowed = FORMS[str(kind)]
        if not form.fullmatch(to):
            what = f"is no place for a receiver of kind {kind}"
            yield Problem(path=(*path, "to"), what=what, found=to, allowed=allowed, fix="correct it, or the kind")
    mails = [
        name
        for name in tree.mapping("services", "monitoring", "receivers")
        if tree.text("services", "monitoring", "receivers", name, "kind") == "email"
    ]
    for key in ("smarthost", "sender"):
        path = ("services", "monitoring", key)
        if mails and path not in tree.bad and tree.text(*path) is None:
            example = "smtp.example.org:587" if key == "smarthost" else "alerts@example.org"
            what = f"is missing: the receiver {mails[0]} gets e-mail"
            yield Problem(path=path, what=what, fix=f"add it, for example `{key}: {example}`")
    heard = ("services", "monitoring") in tree.bad or tree.mapping("services", "monitoring", "receivers")
    if isinstance(tree.at("services", "monitoring"), dict) and tree.flag("production") and not heard:
        what = "are missing: in production somebody must hear of alerts"
        fix = "add one, for example `oncall: {kind: email, to: oncall@example.org}`"
        yield Problem(path=("services", "monitoring", "receivers"), what=what, fix=fix)
