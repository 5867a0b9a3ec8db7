"""Applications and rollouts that have somewhere to go, and somebody to judge them by."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checks.places import unknown_cluster
from stacks.checks.tenants import check_namespace, no_workload, places
from stacks.problems import Problem
from stacks.services.delivery import Delivered
from stacks.tree import Path, Tree

TWO = 2


def check_delivery(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    yield from _gitops(tree)
    workloads = places(tree)
    for name in tree.mapping("services", "rollouts", "workloads"):
        path: Path = ("services", "rollouts", "workloads", name)
        yield from check_namespace(tree, path)
        if name not in workloads:
            yield no_workload(path, name, workloads)
            continue
        yield from _rollout(tree, path, name, workloads[name])


def _gitops(tree: Tree) -> Iterator[Problem]:
    here: Path = ("services", "gitops")
    for name in tree.mapping(*here, "applications"):
        path: Path = (*here, "applications", name)
        yield from check_namespace(tree, path)
        folder = tree.text(*path, "path")
        if folder is not None and ".." in folder.split("/"):
            what = "leads out of the repository"
            yield Problem(path=(*path, "path"), what=what, found=folder, fix="write a folder of the repository")
        for position, cluster in enumerate(tree.items(*path, "clusters")):
            if isinstance(cluster, str):
                yield from unknown_cluster(tree, (*path, "clusters", position), cluster)
    signed = isinstance(tree.at(*here, "sso"), dict)
    host = tree.text(*here, "host")
    if signed and host is None and (*here, "host") not in tree.bad:
        what = "is missing: whoever signs in is sent back to it"
        yield Problem(path=(*here, "host"), what=what, fix="add it, for example `host: argocd.example.org`")
    if host is not None and not signed and (*here, "sso") not in tree.bad:
        what = "is missing: it is reached by people, and there is no password"
        fix = "add `sso: {issuer: https://login.example.org, client: argocd}`, or remove host"
        yield Problem(path=(*here, "sso"), what=what, fix=fix)
    gateway = isinstance(tree.at("services", "mesh"), dict) and tree.flag("services", "mesh", "gateway") is not False
    if host is not None and not gateway and ("services", "mesh") not in tree.bad:
        what = "needs the mesh's gateway, which is off"
        yield Problem(path=(*here, "host"), what=what, found=host, fix="add `mesh: {}` to services, or remove host")


def _rollout(tree: Tree, path: Path, name: str, index: int) -> Iterator[Problem]:
    if not isinstance(tree.at(*path), dict):
        return
    namespace, mesh = tree.text(*path, "namespace"), ("services", "mesh", "calls")
    meshed = isinstance(tree.at(*mesh[:-1]), dict) and mesh not in tree.bad
    calls = [tree.text(*mesh, each, "target") for each in range(len(tree.items(*mesh)))]
    if meshed and namespace is not None and f"{namespace}/{name}" not in calls:
        what = "is called by nobody: no call of the mesh has it as its target, so its errors are not counted"
        yield Problem(path=path, what=what, fix=f"add a call with `target: {namespace}/{name}`, or remove the rollout")
    replicas = tree.whole("workloads", index, "replicas")
    if replicas is not None and replicas < TWO:
        what = "has one replica: while it is replaced there would be none"
        yield Problem(path=path, what=what, fix=f"give workloads[{index}] two replicas, or remove the rollout")
    strategy = tree.text(*path, "strategy") or Delivered.model_fields["strategy"].default
    for other, key in (("canary", "blue_green"), ("blue-green", "canary")):
        if strategy == other and key in tree.mapping(*path):
            what = f"is not looked at: the strategy is {strategy}"
            yield Problem(path=(*path, key), what=what, fix="remove it, or write the other strategy")
    weights = [each for each in tree.items(*path, "canary", "weights") if isinstance(each, int)]
    if weights and weights != sorted(set(weights)):
        what = "must rise from step to step"
        yield Problem(path=(*path, "canary", "weights"), what=what, found=weights, fix="write them in order, each once")
    elif weights and weights[-1] != 100:  # noqa: PLR2004 - per cent
        what = "must end at 100: the last step is all of the traffic"
        yield Problem(path=(*path, "canary", "weights"), what=what, found=weights, fix="add 100 at the end")
