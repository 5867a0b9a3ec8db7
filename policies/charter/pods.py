"""Pods, wherever they stand: in a Pod, in a workload's template, in a custom resource that holds one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from charter.facts import Facts
from charter.leaves import POD, STEPS
from charter.rule import Check, Excused, Finding, Found, Open, Resource, apart
from charter.values import UNKNOWN, Reader, Undetermined

LONG_RUNNING: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout")
CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
KINDS: Final = tuple(
    f"kubernetes:{kind}"
    for kind in (
        "core/v1:Pod",
        "core/v1:PodTemplate",
        "core/v1:ReplicationController",
        "apps/v1:*",
        "batch/v1:*",
        "core/v1:PodList",
        "core/v1:PodPatch",
    )
)
ANY_KIND: Final = ("kubernetes:*",)
AGENTS: Final = {
    "chaos-daemon": "injects faults into other pods' network and files",
    "falco": "watches system calls of the node",
    "cilium": "is the node's network",
    "aws-node": "is the node's network",
    "node-exporter": "reads the node's own figures",
    "prometheus-node-exporter": "reads the node's own figures",
    "istio-cni-node": "sets up the mesh on the node",
    "ztunnel": "carries the mesh's traffic on the node",
    "kured": "restarts the node",
}
"""Node agents that cannot do their work inside the restricted standard; DaemonSets by these names are excused."""
AGENT_SPACES: Final = {
    "chaos-mesh": AGENTS["chaos-daemon"],
    "falco": AGENTS["falco"],
    "velero": "copies volumes, whoever owns the files in them",
}
"""Namespaces that stand for one agent, whose pods the restricted standard would turn away."""
PATTERNS: Final = (
    *("kubernetes:kyverno.io/", "kubernetes:policies.kyverno.io/", "kubernetes:templates.gatekeeper.sh/"),
    *("kubernetes:constraints.gatekeeper.sh/", "kubernetes:mutations.gatekeeper.sh/"),
    *("kubernetes:apiextensions.k8s.io/", "kubernetes:admissionregistration.k8s.io/"),
)
"""Groups whose objects say what pods must look like: what stands there as a pod is a pattern of one."""
WORKFLOWS: Final = "kubernetes:argoproj.io/"
"""Whose kinds have pods in steps: Workflow, its templates, CronWorkflow."""
HOLDERS: Final = ("container", "script", "sidecars", "containerSet.containers")
"""Where the containers of a step stand (argo-workflows.readthedocs.io/en/latest/fields, 2026-11)."""
COMMON: Final = ("serviceAccountName", "automountServiceAccountToken", "securityContext", "volumes")
AGENT_NAMESPACES: Final = frozenset({"kube-system", "istio-system", "falco", "chaos-mesh", "monitoring", "cilium"})


@dataclass(frozen=True)
class Pod:
    """One pod template: its spec, the metadata beside it, and the object that holds it."""

    spec: Reader
    metadata: Reader
    kind: str
    step: bool = False
    """Whether it is a step of a workflow, whose container stands alone, with helpers of another name beside it."""

    @property
    def windows(self) -> bool:
        """Say whether it runs on Windows, where Linux's controls mean nothing."""
        return self.spec.raw("os.name") == "windows"

    def containers(self, *kinds: str) -> Iterator[Reader]:
        """Yield the containers of some kinds, by default all of them; known ones first, then an unknown raises."""
        unclear = None
        wanted = kinds or CONTAINERS
        for name in wanted if not self.step else [name for kind in wanted for name in self.places(kind)]:
            try:
                yield from self.spec.each(name)
            except Undetermined as unknown:
                unclear = unclear or unknown
        if unclear:
            raise unclear

    def places(self, kind: str) -> tuple[str, ...]:
        """Return where the containers of a kind stand."""
        return (kind, *HOLDERS) if self.step and kind == "containers" else (kind,)


def pods(resource: Resource) -> tuple[Pod, ...]:
    """Return the pods of an object; found once per object."""
    found = resource.__dict__.get("_pods")
    if found is None:
        marked = resource.package == "kubernetes" and resource.marks & POD and not resource.type.startswith(PATTERNS)
        found = tuple(_search(resource.props, "", resource.kind)) if marked else ()
        if resource.marks & STEPS and resource.type.startswith(WORKFLOWS):
            found += tuple(_steps(resource.props, ""))
        resource.__dict__["_pods"] = found
    return found


def holds_pods(resource: Resource) -> bool:
    """Say whether an object holds a pod; rules over pods judge no other."""
    return resource.marks & (POD | STEPS) != 0 and bool(pods(resource))


def _search(value: Any, path: str, kind: str) -> Iterator[Pod]:
    """Find maps that hold `containers`; those of a template have their metadata beside them."""
    if isinstance(value, dict):
        spec = value.get("spec")
        if isinstance(spec, dict) and _is_pod(spec):
            here = f"{path}.spec" if path else "spec"
            metadata = value.get("metadata")
            beside = Reader(metadata if isinstance(metadata, dict) else {}, f"{path}.metadata" if path else "metadata")
            yield Pod(Reader(spec, here), beside, kind)
        for key, item in value.items():
            inner = f"{path}.{key}" if path else str(key)
            if isinstance(item, dict | list) and not (key == "spec" and item is spec and _is_pod(item)):
                yield from _search(item, inner, kind)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield from _search(item, f"{path}[{index}]", str(item.get("kind") or kind))


def _steps(value: Any, path: str) -> Iterator[Pod]:
    """Find the steps of a workflow that run a container; account and context are the workflow's unless they say so."""
    if not isinstance(value, dict):
        return
    templates = value.get("templates")
    for index, step in enumerate(templates if isinstance(templates, list) else []):
        if isinstance(step, dict) and any(step.get(name.partition(".")[0]) is not None for name in HOLDERS):
            here = f"{path}.templates[{index}]"
            metadata = step.get("metadata")
            beside = Reader(metadata if isinstance(metadata, dict) else {}, f"{here}.metadata")
            yield Pod(
                Reader({**{name: value.get(name) for name in COMMON}, **step}, here), beside, "Workflow", step=True
            )
    for key in ("spec", "workflowSpec", "workflow"):
        yield from _steps(value.get(key), f"{path}.{key}" if path else key)


def _is_pod(spec: Any) -> bool:
    if not isinstance(spec, dict):
        return False
    held = spec.get("containers")
    return held is UNKNOWN or (isinstance(held, list) and all(isinstance(one, dict) or one is UNKNOWN for one in held))


def each_pod(judge: Callable[[Pod], Iterable[Found]], *, agents: bool = False) -> Check:
    """Make a check of every pod of an object; with `agents` a named node agent is excused."""

    def check(resource: Resource, _facts: Facts) -> Iterator[Found]:
        why = agent(resource) if agents else ""
        for pod in pods(resource):
            for found in apart(judge(pod)):
                yield Excused(found.path, why) if why and isinstance(found, Finding) else merged(resource, found)

    check.__doc__ = judge.__doc__
    return check


BUILT_IN: Final = ("kubernetes:core/", "kubernetes:apps/", "kubernetes:batch/")
STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def merged(resource: Resource, found: Found) -> Found:
    """Leave open what a part of a pod does not say: a patch, or containers that a controller merges into its own."""
    if not isinstance(found, Finding) or not partial(resource) or _said(resource.props, found.path):
        return found
    return Open(found.path, found.urn)


def partial(resource: Resource) -> bool:
    """Say whether an object tells only parts of its pods: a patch, or a custom one with a container of no image."""
    if resource.kind.endswith("Patch"):
        return True
    if resource.type.startswith(BUILT_IN):
        return False
    held = (pod.spec.raw(kind) for pod in pods(resource) for kind in CONTAINERS)
    return any(
        isinstance(one, dict) and not one.get("image") for some in held if isinstance(some, list) for one in some
    )


def _said(value: Any, path: str) -> bool:
    for index, key in STEP.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value is not None


def each_container(judge: Callable[[Pod, Reader], Iterable[Found]], *kinds: str, agents: bool = False) -> Check:
    """Make a check of every container of every pod; one that is not known leaves the others judged."""

    def of(pod: Pod) -> Iterator[Found]:
        for kind in kinds or CONTAINERS:
            yield from apart(_each(pod, kind, judge))

    of.__doc__ = judge.__doc__
    return each_pod(of, agents=agents)


def _each(pod: Pod, kind: str, judge: Callable[[Pod, Reader], Iterable[Found]]) -> Iterator[Found]:
    for name in pod.places(kind) if pod.step else (kind,):
        for container in pod.spec.each(name):
            yield from apart(judge(pod, container))


def agent(resource: Resource) -> str:
    """Return why a node agent is excused, nothing for everything else."""
    if resource.kind != "DaemonSet":
        return ""
    reader = resource.reader
    try:
        name, namespace = reader.text("metadata.name"), reader.text("metadata.namespace")
    except Undetermined:
        return ""
    return AGENTS.get(name, "") if namespace in AGENT_NAMESPACES else ""


def namespace_of(resource: Resource) -> str:
    """Return an object's namespace, `default` when it names none; raise `Undetermined` when it is not known."""
    return resource.reader.text("metadata.namespace") or "default"


def name_of(resource: Resource) -> str:
    """Return an object's name in the cluster, as far as it is known: autonamed ones have their resource's."""
    name = resource.reader.raw("metadata.name")
    return name if isinstance(name, str) and name else resource.name
