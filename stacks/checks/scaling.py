"""Workloads that scale: they exist, their numbers agree, and what they are scaled by is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from stacks.checks.tenants import check_namespace, no_workload, places
from stacks.problems import Problem
from stacks.quantities import cpu_milli, memory_mib
from stacks.services.quota import surged
from stacks.services.scaling import Horizontal, NodeScaling, Vertical
from stacks.tree import Path, Tree

HERE: Final[Path] = ("services", "scaling", "workloads")
PODS_PER_NODE: Final = 110
"""What a node of any cloud takes here."""


def check_scaling(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    held = places(tree)
    for name in tree.mapping(*HERE):
        path: Path = (*HERE, name)
        yield from check_namespace(tree, path)
        if name not in held:
            yield no_workload(path, name, held)
            continue
        if not isinstance(tree.at(*path), dict):
            continue
        yield from _horizontal(tree, path, held[name])
        yield from _counted(tree, path, name)
        yield from _vertical(tree, path, held[name])
    yield from _room(tree, held)
    yield from _nodes(tree)


def _value(tree: Tree, path: Path, key: str, part: type[Any]) -> Any:
    """What is written, else what is the default; None where null is written."""
    written = tree.mapping(*path)
    return tree.at(*path, key) if key in written else part.model_fields[key].default


def _off(tree: Tree, path: Path, key: str) -> bool:
    return key in tree.mapping(*path) and tree.mapping(*path)[key] is None


def _horizontal(tree: Tree, path: Path, index: int) -> Iterator[Problem]:
    if _off(tree, path, "horizontal"):
        return
    here: Path = (*path, "horizontal")
    least, most = _value(tree, here, "min", Horizontal), _value(tree, here, "max", Horizontal)
    if not isinstance(least, int) or not isinstance(most, int):
        return
    if least > most:
        what = f"is above max, which is {most}"
        yield Problem(path=(*here, "min"), what=what, found=least, fix="write a smaller min, or a larger max")
        return
    replicas = tree.whole("workloads", index, "replicas")
    if replicas is not None and not least <= replicas <= most:
        what = f"has {replicas} replicas (workloads[{index}]), outside of its bounds {least} to {most}"
        yield Problem(path=here, what=what, fix="correct replicas, min or max: they speak of the same pods")
    keys = ("cpu_percent", "memory_percent", "requests_per_second")
    if all(_off(tree, here, key) for key in keys):
        fix = "give one of cpu_percent, memory_percent, requests_per_second, or write `horizontal: null`"
        yield Problem(path=here, what="has nothing to scale by", fix=fix)


def _counted(tree: Tree, path: Path, name: str) -> Iterator[Problem]:
    """Requests are counted by the mesh, asked by Prometheus, and only of workloads that somebody may call."""
    here: Path = (*path, "horizontal", "requests_per_second")
    if _off(tree, path, "horizontal") or _off(tree, here[:-1], here[-1]) or here in tree.bad:  # type: ignore[arg-type]
        return
    for service, does in (("mesh", "counts requests"), ("monitoring", "keeps the counts")):
        if not isinstance(tree.at("services", service), dict):
            if ("services", service) not in tree.bad:
                what = f"needs {service}, which {does} and is off"
                fix = f"add `{service}: {{}}` to services, or write `requests_per_second: null`"
                yield Problem(path=here, what=what, fix=fix)
            return
    namespace = tree.text(*path, "namespace")
    calls = range(len(tree.items("services", "mesh", "calls")))
    called = {tree.text("services", "mesh", "calls", index, "target") for index in calls}
    if namespace is not None and f"{namespace}/{name}" not in called and ("services", "mesh", "calls") not in tree.bad:
        what = "is never counted: no call of the mesh has the workload as its target"
        fix = f"add a call with `target: {namespace}/{name}`, or write `requests_per_second: null`"
        yield Problem(path=here, what=what, fix=fix)


def _vertical(tree: Tree, path: Path, index: int) -> Iterator[Problem]:
    if _off(tree, path, "vertical"):
        return
    here: Path = (*path, "vertical")
    mode = _value(tree, here, "mode", Vertical)
    shared = [
        key
        for key in ("cpu_percent", "memory_percent")
        if not _off(tree, path, "horizontal") and not _off(tree, (*path, "horizontal"), key)
    ]
    if mode in {"initial", "auto"} and shared:
        what = f"changes what {' and '.join(shared)} of horizontal are shares of: both would chase each other"
        fix = "write `mode: recommend`, or scale horizontally by requests_per_second alone"
        yield Problem(path=(*here, "mode"), what=what, found=mode, fix=fix)
    for key, quantity in (("cpu", cpu_milli), ("memory", memory_mib)):
        least, most = _value(tree, here, f"min_{key}", Vertical), _value(tree, here, f"max_{key}", Vertical)
        asked = tree.at("workloads", index, key)
        try:
            low, high, own = quantity(str(least)), quantity(str(most)), quantity(str(asked))
        except ValueError:
            continue
        if low > high:
            what = f"is above max_{key}, which is {most}"
            yield Problem(path=(*here, f"min_{key}"), what=what, found=least, fix="write a smaller one")
        elif mode != "recommend" and not low <= own <= high:
            what = (
                f"would change workloads[{index}].{key}, which is {asked}, at once: it lies outside {least} to {most}"
            )
            yield Problem(path=here, what=what, fix=f"correct the request, min_{key} or max_{key}")


def _room(tree: Tree, held: dict[str, int]) -> Iterator[Problem]:
    """Quotas and pools that the file writes hold the most pods that it writes."""
    most: dict[str, int] = {}
    delivered = tree.mapping("services", "rollouts", "workloads")
    for name in sorted({*tree.mapping(*HERE), *delivered} & held.keys()):
        path: Path = (*HERE, name)
        namespace = tree.text(*path, "namespace") or tree.text("services", "rollouts", "workloads", name, "namespace")
        limit = _value(tree, (*path, "horizontal"), "max", Horizontal)
        if name not in tree.mapping(*HERE) or _off(tree, path, "horizontal"):
            limit = tree.whole("workloads", held[name], "replicas") if name in delivered else None
        if namespace and isinstance(limit, int):
            most[namespace] = most.get(namespace, 0) + surged(limit, delivered=name in delivered)
    for namespace, pods in most.items():
        written = tree.whole("namespaces", namespace, "pods")
        if written is not None and written < pods:
            what = f"is too few: workloads that scale or roll out reach {pods} pods here, updates included"
            fix = f"write {pods} or more, or leave it out: the quota follows the workloads"
            yield Problem(path=("namespaces", namespace, "pods"), what=what, found=written, fix=fix)
    for cluster in tree.clusters():
        pools, path = tree.pools(cluster), tree.pools_path(cluster)
        sizes = [tree.whole(*path, pool, "max") for pool in pools or ()]
        if not sizes or any(size is None for size in sizes):
            continue
        room, asked = sum(size or 0 for size in sizes) * PODS_PER_NODE, sum(most.values())
        if asked > room:
            what = f"of {cluster} are too small: its nodes take {room} pods, and workloads reach {asked}"
            yield Problem(path=path, what=what, fix="raise max of a pool, or lower max in services.scaling.workloads")
            return


def _nodes(tree: Tree) -> Iterator[Problem]:
    path: Path = ("services", "node_scaling")
    if not isinstance(tree.at(*path), dict):
        return
    if "aws" not in tree.clouds() and ("clouds",) not in tree.bad:
        what = "does nothing here: GKE and AKS scale their own pools, and the stack has no cluster on AWS"
        yield Problem(path=path, what=what, fix="remove the line")
    least, most = _value(tree, path, "min_nodes", NodeScaling), _value(tree, path, "max_nodes", NodeScaling)
    if not isinstance(least, int) or not isinstance(most, int):
        return
    if least > most:
        what = f"is above max_nodes, which is {most}"
        yield Problem(path=(*path, "min_nodes"), what=what, found=least, fix="write a smaller one")
        return
    for cluster in tree.clusters():
        pools, where = tree.pools(cluster), tree.pools_path(cluster)
        for key, edge, low in (("min", least, True), ("max", most, False)):
            sizes = [tree.whole(*where, pool, key) for pool in pools or ()]
            if not sizes or any(size is None for size in sizes):
                continue
            total = sum(size or 0 for size in sizes)
            if (total < edge) if low else (total > edge):
                what = (
                    f"of {cluster} have {key} {total} in all, {'below min_nodes' if low else 'above max_nodes'} {edge}"
                )
                fix = f"change {key} of the pools, or services.node_scaling.{key}_nodes"
                yield Problem(path=where, what=what, fix=fix)
                return
