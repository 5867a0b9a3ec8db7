"""A stack whose placements are decided: each cluster with its own part of the pods, and what follows the number."""

from __future__ import annotations

from collections.abc import Mapping

from stacks.model import Stack
from stacks.off_hours import OffHours
from stacks.part import Frozen
from stacks.services.propagation import Propagated, divided
from stacks.services.settings import Services
from stacks.work import Placed, Workload

Split = Mapping[str, Mapping[str, int]]
"""Pods of each placed workload by cluster; a cluster without any is left out."""
TWO = 2


def undecided(stack: Stack) -> dict[str, Workload]:
    """Workloads whose placement is still to be chosen, by name."""
    return {each.name: each for each in stack.workloads if each.placement is not None and not isinstance(each, Placed)}


def decided(stack: Stack, split: Split) -> Stack:
    """Return the stack with each placed workload in its parts; those that `split` does not name stay as they are."""
    made: list[Workload] = []
    for each in stack.workloads:
        if each.name not in split or each.placement is None:
            made.append(each)
            continue
        held = dict(each)
        for cluster, pods in sorted(split[each.name].items()):
            if pods:
                made.append(Placed.model_construct(**{**held, "replicas": pods, "clusters": (cluster,)}))
    return stack.model_copy(update={"workloads": tuple(made)})


def parts(stack: Stack) -> dict[str, dict[str, int]]:
    """Pods of each placed workload by cluster, of a stack whose placements are decided."""
    found: dict[str, dict[str, int]] = {}
    for each in stack.workloads:
        if isinstance(each, Placed):
            found.setdefault(each.name, {})[each.clusters[0]] = each.replicas
    return found


def services_of(stack: Stack, cluster: str) -> Services:
    """Return the services as one cluster has them: bounds of autoscalers are shared out as the pods are.

    In the stack file `min` and `max` of a placed workload are, as its `replicas`, of all clusters together.
    """
    scaling, held = stack.services.scaling, parts(stack)
    if scaling is None or not any(name in held for name in scaling.workloads):
        return stack.services
    made = dict(scaling.workloads)
    for name, each in scaling.workloads.items():
        if name not in held or each.horizontal is None or cluster not in held[name]:
            continue
        least = max(TWO, divided(each.horizontal.min, held[name])[cluster])
        most = max(least, divided(each.horizontal.max, held[name])[cluster])
        own = each.horizontal.model_copy(update={"min": least, "max": most})
        made[name] = each.model_copy(update={"horizontal": own})
    return stack.services.model_copy(update={"scaling": scaling.model_copy(update={"workloads": Frozen(made)})})


def propagated_of(stack: Stack) -> Mapping[str, Propagated]:
    """Return what Karmada is handed: a placed workload with the pods of each cluster as weights, which it meets."""
    gitops, held = stack.services.gitops, parts(stack)
    made = dict(gitops.propagation) if gitops is not None else {}
    for name, each in made.items():
        if name in held:
            inside = {cluster: registry for cluster, registry in each.registries.items() if cluster in held[name]}
            own = {"clusters": tuple(sorted(held[name])), "shares": Frozen(held[name]), "registries": Frozen(inside)}
            made[name] = each.model_copy(update=own)
    return made


def off_hours_of(stack: Stack, cluster: str) -> OffHours | None:
    """Return the hours as one cluster has them: pods that stay are shared out as the pods are."""
    hours, held = stack.off_hours, parts(stack)
    if hours is None or not any(name in held for name in hours.workloads):
        return hours
    made = {
        name: each.model_copy(update={"pods": divided(each.pods, held[name]).get(cluster, 0)}) if name in held else each
        for name, each in hours.workloads.items()
    }
    return hours.model_copy(update={"workloads": Frozen(made)})
