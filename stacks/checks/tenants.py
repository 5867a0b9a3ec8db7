"""What settings name of the tenants: a namespace, a user in it, and a workload of the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree


def places(tree: Tree) -> dict[str, int]:
    """Where each workload of the stack stands in its list, by name."""
    return {
        name: index for index in range(len(tree.items("workloads"))) if (name := tree.text("workloads", index, "name"))
    }


def tenants(tree: Tree) -> Mapping[str, Any]:
    """Return the tenant namespaces by name: one called platform when the file does not speak of them."""
    return {"platform": {}} if tree.at("namespaces") is None else tree.mapping("namespaces")


def check_tenant(tree: Tree, path: Path, name: str, fix: str) -> Iterator[Problem]:
    """Report a name at a path that no tenant namespace has."""
    known = tenants(tree)
    if name not in known:
        what = "is no tenant namespace"
        yield Problem(
            path=path, what=what, found=name, allowed=listed(known, "none"), fix=did_you_mean(name, known, fix)
        )


def check_namespace(tree: Tree, path: Path, fix: str = "name a tenant namespace, or add it") -> Iterator[Problem]:
    """Report a `namespace` below a path that is no tenants' one."""
    namespace = tree.text(*path, "namespace")
    if namespace is not None:
        yield from check_tenant(tree, (*path, "namespace"), namespace, fix)


def check_user(tree: Tree, path: Path, user: str) -> Iterator[Problem]:
    """Report a user at a path, NAMESPACE/ACCOUNT, whose namespace is no tenants' one."""
    known, namespace = tenants(tree), user.partition("/")[0]
    if namespace not in known:
        fix = did_you_mean(namespace, known, "add the namespace, or name another one")
        yield Problem(path=path, what="is in no tenant namespace", found=user, allowed=listed(known, "none"), fix=fix)


def no_workload(path: Path, name: str, known: Mapping[str, int]) -> Problem:
    """Say that a path is called like no workload of the stack."""
    fix = did_you_mean(name, known, "add the workload, or remove the line")
    return Problem(path=path, what="is no workload of this stack", allowed=listed(known, "none"), fix=fix)
