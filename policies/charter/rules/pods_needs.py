"""Rules over pods: what they need, how they say that they are well, and what they must not say in the open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.hiding import assigns_secret
from charter.pods import LONG_RUNNING, Pod, each_container
from charter.quantities import amount
from charter.rule import CRITICAL, MEDIUM, Finding, Found
from charter.rules.pods import pod_rule
from charter.secrets import harmless, secret_name, secret_value
from charter.values import Reader

COUNTED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"), ("limits", "ephemeral-storage"))
SHARED = ("cpu", "memory")
"""What a pod may say once for all its containers (kubernetes.io, pod-level resources, 1.34)."""
NONE = (None, "")
RATIO = 4
"""How many times its request a container may take; more, and a node's sums mean nothing."""
PROBE = {
    "initialDelaySeconds": 0,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "successThreshold": 1,
    "failureThreshold": 3,
}
"""What Kubernetes takes for what a probe leaves out."""


def _resources(pod: Pod, container: Reader) -> Iterator[Found]:
    """Requests are what the scheduler and the sizing count with.

    Processor and memory may be said for the pod as a whole.
    """
    resources = container.inside("resources")
    requests, limits = resources.map("requests"), resources.map("limits")
    for side, name in COUNTED:
        if (requests if side == "requests" else limits).get(name) in NONE and not _shared(pod, side, name):
            yield Finding(resources.at(f"{side}.{name}"), "is missing")
    for name in ("cpu", "memory"):
        low, high = amount(requests.get(name)), amount(limits.get(name))
        if low and high and high > low * RATIO:
            yield Finding(resources.at(f"limits.{name}"), f"is more than {RATIO} times the request")


def _shared(pod: Pod, side: str, name: str) -> bool:
    """Say whether the pod says a quantity for all its containers."""
    return name in SHARED and pod.spec.inside("resources").map(side).get(name) not in NONE


def _probes(pod: Pod, container: Reader) -> Iterator[Found]:
    """Long-running kinds say when they are ready and when they hang; jobs end by themselves."""
    if pod.kind not in LONG_RUNNING:
        return
    ready, alive = container.read("readinessProbe"), container.read("livenessProbe")
    for name, probe in (("readinessProbe", ready), ("livenessProbe", alive)):
        if not probe:
            yield Finding(container.at(name), "is missing")
    if ready and _patience(ready) == _patience(alive):
        yield Finding(container.at("livenessProbe"), "is the same as the readiness probe: busy pods would be restarted")


def _patience(probe: Any) -> Any:
    """Write out what Kubernetes takes for what a probe leaves out."""
    return {**PROBE, **probe} if isinstance(probe, dict) else probe


def _no_secrets(_pod: Pod, container: Reader) -> Iterator[Found]:
    """A literal in a pod is read by everybody who may read pods, and stands in every backup."""
    for variable in container.each("env"):
        name, value = str(variable.props.get("name", "")), variable.raw("value")
        if secret_name(name) and not harmless(str(variable.read("value", ""))):
            yield Finding(variable.at("value"), "looks like a secret by its name; take it from a Secret")
        elif isinstance(value, str) and secret_value(value):
            yield Finding(variable.at("value"), "looks like a secret; take it from a Secret")
    for name in ("args", "command"):
        before = ""
        for path, argument in container.items(name):
            text = str(argument)
            named = before.startswith("-") and "=" not in before and not text.startswith("-") and secret_name(before)
            if secret_value(text) or (named and not harmless(text)) or assigns_secret(text):
                yield Finding(path, "looks like a secret; take it from a Secret")
            before = text


pod_rule(
    "K8S-POD-09",
    "A container says what it needs.",
    MEDIUM,
    each_container(_resources, "initContainers", "containers"),
    f"Set requests for cpu and memory, limits for memory and ephemeral-storage, at most {RATIO} times the request.",
)
pod_rule(
    "K8S-POD-10",
    "What runs long says how it is.",
    MEDIUM,
    each_container(_probes, "containers"),
    "Add a readiness and a liveness probe that ask different things or with different patience.",
)
pod_rule(
    "K8S-POD-12",
    "No secret stands in a pod as text.",
    CRITICAL,
    each_container(_no_secrets),
    "Use secretKeyRef, or better a mounted file from the secret store.",
)
