"""Charter: what runs is what was tested. Images and charts, by what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from charter.documents import json_list
from charter.facts import Facts
from charter.graph import Graph
from charter.leaves import MAYBE_IMAGE
from charter.pods import ANY_KIND, Pod, holds_pods, merged, pods
from charter.rendered import judged
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, resource_rule, stack_rule
from charter.values import UNKNOWN, Reader, hazy

DIGEST = re.compile(r"^(?P<registry>[a-z0-9.-]+(:\d+)?/\S+)@sha256:[0-9a-f]{64}$")
IMAGE = re.compile(r"^[\w.-]+(:\d+)?(/[\w.-]+)+([:@].+)?$|^[\w.-]+[:@].+$")
"""What reads as the name of an image among the values of a chart, and not as a switch or a template."""
CLUSTERS = (
    "aws:eks/cluster:Cluster",
    "gcp:container/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
)
CHARTS = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
VERIFIERS = (
    "kubernetes:kyverno.io/v1:ClusterPolicy",
    "kubernetes:kyverno.io/v2beta1:ClusterPolicy",
    "kubernetes:policies.kyverno.io/v1:ImageValidatingPolicy",
    "kubernetes:policies.kyverno.io/v1alpha1:ImageValidatingPolicy",
    "kubernetes:policies.kyverno.io/v1beta1:ImageValidatingPolicy",
    "kubernetes:policy.sigstore.dev/v1beta1:ClusterImagePolicy",
    "kubernetes:policy.sigstore.dev/v1alpha1:ClusterImagePolicy",
    "kubernetes:config.ratify.deislabs.io/v1beta1:Verifier",
    "kubernetes:config.ratify.dev/v1:Verifier",
    "kubernetes:constraints.gatekeeper.sh/v1beta1:RatifyVerification",
)
"""Kinds whose objects verify signatures when a pod is admitted: Kyverno, Sigstore's policy controller, Ratify."""
REPORTS = frozenset({"audit", "warn", "dryrun"})
"""What such an object says that lets everything in and only tells of it."""


IN_CLOUDS = {
    "aws:apprunner/service:Service": ("", "sourceConfiguration.imageRepository.imageIdentifier"),
    "aws:ecs/taskDefinition:TaskDefinition": ("containerDefinitions", "image"),
    "aws:lambda/function:Function": ("", "imageUri"),
    "azure-native:app:ContainerApp": ("template.containers", "image"),
    "azure-native:app:Job": ("template.containers", "image"),
    "azure-native:containerinstance:ContainerGroup": ("containers", "image"),
    "gcp:cloudrun/service:Service": ("template.spec.containers", "image"),
    "gcp:cloudrunv2/job:Job": ("template.template.containers", "image"),
    "gcp:cloudrunv2/service:Service": ("template.containers", "image"),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template.containers", "image"),
}
"""Where clouds that run containers by themselves name images: the list of containers, none for a single one, and
what of each names it."""


def _of_clouds(resource: Resource) -> Iterator[tuple[str, Any]]:
    held, name = IN_CLOUDS[resource.type]
    reader = resource.reader
    if not held:
        if reader.raw(name) is not None:
            yield reader.at(name), reader.raw(name)
        return
    if isinstance(reader.raw(held), str):  # a document
        reader = Reader({held: json_list(reader.raw(held))})
    for container in reader.each(held):
        yield container.at(name), container.raw(name)


def _of_pods(resource: Resource) -> Iterator[tuple[str, Any]]:
    for pod in pods(resource):
        yield from _images(pod)


def _of_values(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield the images that the values of a chart name: as one text, or as a repository with a tag or a digest."""
    values = resource.props.get("values") if resource.type in CHARTS and resource.marks & MAYBE_IMAGE else None
    waiting: list[tuple[str, Any]] = [("values", values)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            continue
        waiting += [(f"{path}.{key}", item) for key, item in value.items() if isinstance(item, dict | list)]
        image, repository = value.get("image"), value.get("repository")
        if isinstance(image, str) and IMAGE.match(image):
            yield f"{path}.image", image
        if isinstance(repository, str) and repository and (value.get("tag") or value.get("digest")):
            yield path, _assembled(value)


def _assembled(value: dict[str, Any]) -> Any:
    registry, repository, tag, digest = (value.get(key) for key in ("registry", "repository", "tag", "digest"))
    if UNKNOWN in (registry, tag, digest):
        return UNKNOWN
    name = f"{registry}/{repository}" if registry else str(repository)
    digest = digest or str(tag).partition("@")[2]
    return f"{name}@{digest}" if digest else f"{name}:{tag}"


def _brings_images(resource: Resource) -> bool:
    return resource.type in CHARTS or resource.type in IN_CLOUDS or holds_pods(resource)


def _images(pod: Pod) -> Iterator[tuple[str, Any]]:
    """Yield the images that a pod runs, and those that it mounts."""
    if pod.spec.raw("volumes"):
        for volume in pod.spec.each("volumes"):
            if volume.raw("image") is not None:
                yield volume.at("image.reference"), volume.raw("image.reference")
    for container in pod.containers():
        yield container.at("image"), container.raw("image")


@resource_rule(
    "CH-01",
    "An image is named by what is in it.",
    CRITICAL,
    [*ANY_KIND, *IN_CLOUDS],
    remediation="Name images REGISTRY/NAME@sha256:DIGEST; `lock` resolves tags to digests.",
    applies=_brings_images,
)
def digests(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A tag can be moved; a digest cannot. Offline a tag stays undetermined, because nobody can resolve it there."""
    if resource.type in IN_CLOUDS:
        yield from apart(_judged(_of_clouds(resource), facts))
        return
    for images in (_of_pods(resource), _of_values(resource)):
        for found in apart(_judged(images, facts)):
            yield merged(resource, found)


def _judged(images: Iterator[tuple[str, Any]], facts: Facts) -> Iterator[Found]:
    for path, image in images:
        yield from _named(path, image, facts)


def _named(path: str, image: Any, facts: Facts) -> Iterator[Found]:
    if image is UNKNOWN:
        yield Open(path)
        return
    text = str(image or "")
    found = DIGEST.match(text)
    tag = text.rpartition("/")[2].partition(":")[2]
    if not found:
        if facts.sandbox and tag not in ("", "latest") and "@" not in text:
            yield Open(path)
        else:
            yield Finding(path, "is no REGISTRY/NAME@sha256:DIGEST")
    elif facts.registries and not text.startswith(tuple(f"{each.rstrip('/')}/" for each in facts.registries)):
        yield Finding(path, "comes from a registry that is not allowed")


@stack_rule(
    "CH-02",
    "Images are signed, and each cluster checks it.",
    CRITICAL,
    [*ANY_KIND, *CLUSTERS],
    remediation="Run `lock`; add the cluster's verifying admission policy (Binary Authorization, Kyverno, Ratify).",
)
def signed(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A promise that nobody checks is none: a cluster that runs pods verifies them when they are admitted.

    Offline, where nothing is signed yet, that it does not is left open.
    """
    evidence = facts.evidence.get("images")
    yield from _verified(graph, facts)
    for workload in graph.of(*ANY_KIND):
        for pod in pods(workload):
            for path, image in _images(pod):
                digest = str(image).rpartition("@")[2]
                held = evidence.get(digest) if isinstance(evidence, dict) else None
                if not isinstance(evidence, dict) or image is UNKNOWN or "@" not in str(image):
                    yield Open(path, workload.urn)
                elif not (isinstance(held, dict) and all(held.get(key) for key in ("signature", "sbom", "builder"))):
                    yield Finding(path, "has no signature, bill of materials and builder in the evidence", workload.urn)


def _verified(graph: Graph, facts: Facts) -> Iterator[Found]:
    first: dict[str, Resource] = {}
    for workload in graph.of(*ANY_KIND):
        if holds_pods(workload):
            first.setdefault(workload.provider_urn, workload)
    for provider, workload in first.items():
        if any(each.provider_urn == provider and _verifies(each) for each in graph.of(*VERIFIERS)):
            continue
        cluster = graph.by_urn.get(provider)
        made = graph.feeds(cluster, "kubeconfig") if cluster else []
        if any(each.type == CLUSTERS[1] and _enforces(each) for each in made):
            continue
        held = [each for each in graph.of(*VERIFIERS) if each.provider_urn == provider]
        unclear = any(hazy(each.props.get("spec")) for each in held) or any(_unclear(each) for each in made)
        if facts.sandbox or unclear:
            yield Open("admission", workload.urn)
        else:
            yield Finding("", "its cluster has no policy that verifies signatures when pods are admitted", workload.urn)


def _verifies(policy: Resource) -> bool:
    """Say whether a policy looks at signatures, and turns away what has none.

    Kyverno's do when they say so, the others are for nothing else.
    """
    raw = policy.reader.raw
    if _lets_in(raw("spec.mode")) or _lets_in(raw("spec.enforcementAction")) or _lets_in(raw("spec.validationActions")):
        return False
    if "kyverno" not in policy.type or raw("spec.attestors") is not None:
        return True
    rules = raw("spec.rules")
    looks = [one["verifyImages"] for one in rules if "verifyImages" in one] if _maps(rules) else []
    return any(not _lets_in(_action(images, raw("spec.validationFailureAction"))) for images in looks)


def _maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _action(images: Any, whole: Any) -> Any:
    """Return what a rule of Kyverno does with images that fail: its own word, or the whole policy's."""
    own = [one.get("failureAction") for one in images] if _maps(images) else []
    return [each or whole for each in own] or whole


def _lets_in(action: Any) -> bool:
    """Say whether an action, or each of several, only reports; one that is not said turns away."""
    words = action if isinstance(action, list) else [action]
    return bool(words) and all(isinstance(each, str) and each.lower() in REPORTS for each in words)


def _unclear(cluster: Resource) -> bool:
    return hazy(cluster.props.get("binaryAuthorization"))


def _enforces(cluster: Resource) -> bool:
    return "ENFORCE" in str(cluster.reader.raw("binaryAuthorization.evaluationMode"))


@resource_rule(
    "CH-03",
    "A chart is the one that was locked.",
    HIGH,
    CHARTS,
    remediation="Run `lock` and commit what it wrote; give a Release its renderedSha256.",
)
def locked_chart(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Version and digest equal the lock's; what a Release renders is known by its hash, and judged object by object.

    The children of a Chart are resources of the stack; those of a Release stand in `evidence.charts.NAME.objects`, as
    `helm template` writes them, and stay undetermined until they do.
    """
    reader = resource.reader
    locked = facts.evidence.get("charts")
    if not isinstance(locked, dict):
        yield Open("chart")
        return
    entry = locked.get(reader.text("chart").rpartition("/")[2])
    if not isinstance(entry, dict):
        yield Finding("chart", "stands in no lock")
        return
    if entry.get("version") != reader.read("version"):
        yield Finding("version", "is not the locked one")
    for key, told in (("digest", "a digest"), ("renderedSha256", "the hash of what it renders")):
        if key == "renderedSha256" and resource.kind != "Release":
            continue
        if entry.get(key) == "unresolved" and facts.sandbox:
            yield Open(f"chart.{key}")  # offline nobody can resolve it
        elif not re.fullmatch(r"(sha256:)?[0-9a-f]{64}", str(entry.get(key, ""))):
            yield Finding("chart", f"is locked without {told}")
    objects = entry.get("objects")
    if isinstance(objects, list) and objects:
        yield from judged(resource, objects, facts)
    elif resource.kind == "Release":
        yield Open("chart.objects")
