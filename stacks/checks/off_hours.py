"""Off-hours that can be kept: what rests exists, somebody scales it, and production was meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from stacks.checks.tenants import check_namespace, no_workload, places, tenants
from stacks.off_hours import WEEK, OffHours
from stacks.problems import Problem, did_you_mean, listed
from stacks.services.scaling import Horizontal
from stacks.tree import Path, Tree

HERE: Final[Path] = ("off_hours",)


def check_off_hours(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, before anything is registered."""
    if not isinstance(tree.at(*HERE), dict):
        return
    if tree.flag("production") and not tree.flag(*HERE, "in_production"):
        what = "puts a production stack to rest"
        fix = "remove it, or say that it is meant: `in_production: true`"
        yield Problem(path=HERE, what=what, fix=fix)
    opens = tree.text(*HERE, "opens") or OffHours.model_fields["opens"].default
    closes = tree.text(*HERE, "closes") or OffHours.model_fields["closes"].default
    if not {(*HERE, "opens"), (*HERE, "closes")} & tree.bad and closes <= opens:
        what = f"is not after opens, which is {opens}"
        yield Problem(path=(*HERE, "closes"), what=what, found=closes, fix="work ends on the day on which it begins")
    if not tree.mapping(*HERE, "workloads") and not tree.mapping(*HERE, "pools") and not _hidden(tree):
        yield Problem(path=HERE, what="lets nothing rest", fix="add `workloads` or `pools`, or remove it")
    yield from _days(tree)
    yield from _workloads(tree)
    yield from _pools(tree)


def _hidden(tree: Tree) -> bool:
    return any(path[:2] in {("off_hours", "workloads"), ("off_hours", "pools")} for path in tree.bad)


def _days(tree: Tree) -> Iterator[Problem]:
    days = [day for day in tree.items(*HERE, "days") if isinstance(day, str)] or [*WEEK[:5]]
    for index, written in enumerate(tree.items(*HERE, "exceptions")):
        try:
            day = written if isinstance(written, date) else date.fromisoformat(str(written)[:10])
        except ValueError:
            continue
        if WEEK[day.weekday()] in days:
            what = f"is a {WEEK[day.weekday()]}, on which people work anyway"
            fix = "remove it: exceptions are other dates on which people work"
            yield Problem(path=(*HERE, "exceptions", index), what=what, found=day.isoformat(), fix=fix)


def _workloads(tree: Tree) -> Iterator[Problem]:
    known = places(tree)
    resting = tree.mapping(*HERE, "workloads")
    if resting and not isinstance(tree.at("services", "scaling"), dict) and ("services", "scaling") not in tree.bad:
        what = "need scaling, whose KEDA keeps the hours, and which is off"
        fix = "add `scaling: {}` to services, or remove the workloads"
        yield Problem(path=(*HERE, "workloads"), what=what, fix=fix)
    for name in resting:
        path: Path = (*HERE, "workloads", name)
        if name not in known:
            yield no_workload(path, name, known)
            continue
        yield from _resting(tree, path, name, tree.whole("workloads", known[name], "replicas"))


def _resting(tree: Tree, path: Path, name: str, replicas: int | None) -> Iterator[Problem]:
    yield from check_namespace(tree, path)
    namespace = tree.text(*path, "namespace")
    for other in (("services", "scaling"), ("services", "rollouts")):
        there = tree.text(*other, "workloads", name, "namespace")
        if namespace in tenants(tree) and there is not None and there != namespace:
            what = f"is not where services.{other[1]} has the workload, which is {there}"
            yield Problem(
                path=(*path, "namespace"), what=what, found=namespace, fix=f"write {there}, or correct it there"
            )
    scaled: Path = ("services", "scaling", "workloads", name, "horizontal")
    usual = replicas
    if isinstance(tree.at(*scaled[:-1]), dict) and "horizontal" not in tree.mapping(*scaled[:-1]):
        usual = Horizontal.model_fields["min"].default
    elif isinstance(tree.at(*scaled), dict):
        usual = tree.whole(*scaled, "min") or Horizontal.model_fields["min"].default
    stays = tree.whole(*path, "pods") or 0
    if usual is not None and (*path, "pods") not in tree.bad and stays >= usual:
        what = f"is no rest: the workload has {usual} pods at least when people work"
        yield Problem(path=(*path, "pods"), what=what, found=stays, fix="write fewer, or remove the line")


def _pools(tree: Tree) -> Iterator[Problem]:
    resting = tree.mapping(*HERE, "pools")
    if resting and "aws" not in tree.clouds() and ("clouds",) not in tree.bad:
        what = (
            "do nothing here: only EKS lowers a pool's least number by the clock, and the stack has no cluster on AWS"
        )
        yield Problem(path=(*HERE, "pools"), what=what, fix="remove them; workloads that rest let the nodes go")
        return
    known = {
        name: pool
        for cluster, (cloud, _) in tree.clusters().items()
        if cloud == "aws"
        for name, pool in (tree.pools(cluster) or {}).items()
    }
    for name in resting:
        if known and name not in known:
            fix = did_you_mean(name, known, "name a pool")
            yield Problem(path=(*HERE, "pools", name), what="is no pool on AWS", allowed=listed(known), fix=fix)
        elif isinstance(known.get(name), dict) and known[name].get("purpose") == "system":
            what = "carries what the cluster itself needs, at any hour"
            yield Problem(path=(*HERE, "pools", name), what=what, fix="remove it")
