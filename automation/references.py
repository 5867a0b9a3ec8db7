"""References between the Kubernetes objects of a run: one that leads nowhere refuses it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automation.gate import Refusal
from automation.report import cluster_of

if TYPE_CHECKING:
    from automation.events import Step
    from components.kubernetes.references import Known
    from stacks.model import Stack


def emitted(steps: Iterable[Step], clusters: Iterable[str]) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Type and inputs of what stands in each cluster after the steps."""
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    names = tuple(clusters)
    there: dict[str, Step] = {}
    for step in steps:
        if step.type.startswith("kubernetes:") and step.custom:
            if step.exists_after and step.new:
                there[step.urn] = step
            elif step.op == "delete":  # what is deleted because it is replaced stands there anew
                there.pop(step.urn, None)
    for step in there.values():
        found[cluster_of(step, names)].append((step.type, step.new))
    return dict(found)


def beside(stack: Stack) -> Known:
    """What a stack brings beside its objects."""
    from components.kubernetes.references.known import known  # noqa: PLC0415
    from stacks.workloads import measured  # noqa: PLC0415

    users = (user for store in stack.data.values() for user in store.users)
    return known(stack.services, stack.namespaces, {each.name for each in stack.workloads} | measured(stack), users)


def refusals(stack: Stack, steps: Iterable[Step]) -> list[Refusal]:
    """Refuse what names something that is not there, cluster by cluster."""
    from components.kubernetes.references import check, of_inputs  # noqa: PLC0415 - only runs with clusters load it

    standing = beside(stack)
    lost = []
    for cluster, objects in sorted(emitted(steps, stack.cluster_names()).items()):
        things = [thing for kind, inputs in objects if (thing := of_inputs(kind, inputs))]
        lost += [f"{cluster}: {each}" for each in check(things, standing)]
    if not lost:
        return []
    sentence = f"{len(lost)} references between Kubernetes objects lead nowhere: name what is there, or add it"
    return [Refusal("references", sentence, tuple(lost))]
