"""What settings name of the tenants: a namespace, and a workload of the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree


def places(tree: Tree) -> dict[str, int]:
    """Where each workload of the stack stands in its list, by name."""
    return {
        name: index for index in range(len(tree.items("workloads"))) if (name := tree.text("workloads", index, "name"))
    }


def check_namespace(tree: Tree, path: Path) -> Iterator[Problem]:
    """Report a `namespace` below a path that is no tenants' one."""
    tenants = tree.mapping("namespaces") or {"platform": {}}
    namespace = tree.text(*path, "namespace")
    if namespace is not None and namespace not in tenants:
        fix = did_you_mean(namespace, tenants, "name a tenant namespace, or add it")
        what = "is no tenant namespace"
        yield Problem(path=(*path, "namespace"), what=what, found=namespace, allowed=listed(tenants), fix=fix)


def no_workload(path: Path, name: str, known: Mapping[str, int]) -> Problem:
    """Say that a path is called like no workload of the stack."""
    fix = did_you_mean(name, known, "add the workload, or remove the line")
    return Problem(path=path, what="is no workload of this stack", allowed=listed(known, "none"), fix=fix)
