"""Experiments: targets that exist and can bear it, what they need beside them, and a check that can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.checks.tenants import check_namespace, places, tenants
from stacks.problems import Problem, did_you_mean, listed
from stacks.services.experiments import asked
from stacks.tree import Path, Tree

TWO: Final = 2
"""One may go, one stays."""
LAST_PORT: Final = 65535
HERE: Final[Path] = ("services", "chaos")
NEEDS: Final = {"io-delay": ("volume", "the path of the volume", "volume: /data"),
                "dns-error": ("hosts", "the names that are not found", "hosts: [payments.example.org]")}  # fmt: skip


def check_experiments(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    workloads = places(tree)
    seen: dict[tuple[str | None, str | None], int] = {}
    targets = tree.items(*HERE, "targets")
    for index in range(len(targets)):
        path: Path = (*HERE, "targets", index)
        namespace, workload = tree.text(*path, "namespace"), tree.text(*path, "workload")
        yield from check_namespace(tree, path, "name a tenant namespace; the system's own are never hit")
        if workload is not None and workload not in workloads:
            fix = did_you_mean(workload, workloads, "add the workload, or remove the target")
            what = "is no workload of this stack"
            yield Problem(
                path=(*path, "workload"), what=what, found=workload, allowed=listed(workloads, "none"), fix=fix
            )
        elif workload is not None and (tree.whole("workloads", workloads[workload], "replicas") or TWO) < TWO:
            what = "has one replica: an experiment would be an outage"
            fix = "give the workload two replicas, or remove the target"
            yield Problem(path=(*path, "workload"), what=what, found=workload, fix=fix)
        if namespace and workload and seen.setdefault((namespace, workload), index) != index:
            what = f"is hit by target {seen[namespace, workload]} already"
            yield Problem(path=path, what=what, fix="keep one of them: one experiment per target")
        yield from _needed(tree, path)
        if workload is not None:
            yield from _awake(tree, workload)
    if targets:
        yield from _ended(tree, workloads)


def _needed(tree: Tree, path: Path) -> Iterator[Problem]:
    """What an experiment needs beside it, and what means nothing for it."""
    kind = tree.text(*path, "experiment")
    for experiment, (key, what, example) in NEEDS.items():
        written = tree.at(*path, key) not in (None, [])
        if (*path, key) in tree.bad or kind is None:
            continue
        if kind == experiment and not written:
            yield Problem(path=(*path, key), what=f"is missing: {kind} needs {what}", fix=f"add it: `{example}`")
        elif kind != experiment and written:
            yield Problem(path=(*path, key), what=f"means nothing for {kind}", fix=f"remove it, or write {experiment}")
    mesh: Path = ("services", "mesh")
    ambient = isinstance(tree.at(*mesh), dict) and (tree.text(*mesh, "mode") or "ambient") == "ambient"
    if kind == "dns-error" and ambient and (*mesh, "mode") not in tree.bad:
        what = "would show nothing: in an ambient mesh the node's proxy answers for names, not the server of the pod"
        fix = "choose network-loss, or write `mode: sidecar` in services.mesh"
        yield Problem(path=(*path, "experiment"), what=what, found=kind, fix=fix)


def _awake(tree: Tree, workload: str) -> Iterator[Problem]:
    """Experiments know no off-hours: what they hit keeps two pods at any time."""
    rest: Path = ("off_hours", "workloads", workload)
    if isinstance(tree.at(*rest), dict) and (*rest, "pods") not in tree.bad and (tree.whole(*rest, "pods") or 0) < TWO:
        what = "is too few: experiments hit the workload at any hour"
        fix = "write 2 or more, or remove the target from services.chaos"
        yield Problem(path=(*rest, "pods"), what=what, found=tree.whole(*rest, "pods") or 0, fix=fix)


def _ended(tree: Tree, workloads: dict[str, int]) -> Iterator[Problem]:
    """A check that can be asked: inside the cluster a workload of a tenant, in plain text where the mesh encrypts."""
    path: Path = (*HERE, "abort_url")
    url = tree.text(*path)
    if path in tree.bad:
        return
    if not url:
        what = "is missing: an experiment needs something that ends it"
        fix = "add the address of a health check: `abort_url: http://gateway.platform.svc:8080/healthz`"
        yield Problem(path=path, what=what, fix=fix)
        return
    health = asked(url)
    if health is None:
        if not url.startswith("https://"):
            what = "is asked over the internet in plain text"
            fix = "write https, or a service of the cluster: http://NAME.NAMESPACE.svc:PORT/PATH"
            yield Problem(path=path, what=what, found=url, fix=fix)
        return
    known = tenants(tree)
    if not 1 <= health.port <= LAST_PORT:
        what = f"names port {health.port}, which there is not"
        yield Problem(path=path, what=what, found=url, allowed=f"1 to {LAST_PORT}", fix="write the port of the service")
    if {"*", "{"} & set(health.path):
        what = "is no single address: * and { would permit others too"
        yield Problem(path=path, what=what, found=url, fix="write the one path that is asked")
    if health.namespace not in known:
        what = f"asks in {health.namespace}, which is no tenant namespace: nothing lets the controller in there"
        fix = did_you_mean(health.namespace, known, "ask a workload of a tenant")
        yield Problem(path=path, what=what, found=url, allowed=listed(known), fix=fix)
    elif health.workload not in workloads:
        what = f"asks {health.workload}, which is no workload of this stack"
        fix = did_you_mean(health.workload, workloads, "name a workload")
        yield Problem(path=path, what=what, found=url, allowed=listed(workloads, "none"), fix=fix)
    elif url.startswith("https://") and isinstance(tree.at("services", "mesh"), dict):
        what = "speaks TLS of its own, and the mesh encrypts already: it could not see method and path"
        yield Problem(path=path, what=what, found=url, fix="write http; the mesh makes it mutual TLS")
