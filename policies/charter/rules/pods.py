"""Rules over pods: the Pod Security Standard `restricted`, and what production needs beside it.

Source: kubernetes.io/docs/concepts/security/pod-security-standards, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.facts import Facts
from charter.hiding import assigns_secret
from charter.pods import ANY_KIND, LONG_RUNNING, Pod, each_container, each_pod, holds_pods
from charter.quantities import amount
from charter.rule import CRITICAL, HIGH, MEDIUM, Check, Finding, Found, Question, Resource, Severity, resource_rule
from charter.secrets import harmless, secret_name, secret_value
from charter.values import Reader

CAPABILITIES = ("NET_BIND_SERVICE",)
VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
SECCOMP = (
    "RuntimeDefault",
    "Localhost",
)
SELINUX = (
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
)
SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
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
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")


HEADS = tuple((handler.partition(".")[0], handler) for handler in HANDLERS)


def _rule(  # noqa: PLR0913, PLR0917  a rule is what it is
    rule_id: str, title: str, severity: Severity, check: Check, remediation: str, applies: Question = holds_pods
) -> None:
    resource_rule(rule_id, title, severity, ANY_KIND, remediation=remediation, applies=applies)(check)


def _privileged(_pod: Pod, container: Reader) -> Iterator[Found]:
    """A privileged container is root on the node."""
    if container.flag("securityContext.privileged"):
        yield Finding(container.at("securityContext.privileged"), "is true; a privileged container is root on the node")


def _host(pod: Pod) -> Iterator[Found]:
    """Sharing the node's processes, memory or network undoes the container."""
    for name in ("hostPID", "hostIPC", "hostNetwork"):
        if pod.spec.flag(name):
            yield Finding(pod.spec.at(name), "is true; it must be false")


def _escalation(pod: Pod, container: Reader) -> Iterator[Found]:
    """A process may not get more rights than its parent; absent means it may."""
    if not pod.windows and container.flag("securityContext.allowPrivilegeEscalation", default=True):
        yield Finding(container.at("securityContext.allowPrivilegeEscalation"), "must be false")


def _root(pod: Pod, container: Reader) -> Iterator[Found]:
    """The container's word counts before the pod's; root of a user namespace is nobody outside (standard of 1.35)."""
    if pod.spec.read("hostUsers") is False:
        return
    own = container.read("securityContext.runAsNonRoot")
    if own is None:
        own = pod.spec.read("securityContext.runAsNonRoot")
    if own is not True:
        yield Finding(container.at("securityContext.runAsNonRoot"), "must be true, here or on the pod")
    user = container.read("securityContext.runAsUser")
    if user is None:
        user = pod.spec.read("securityContext.runAsUser")
    if user == 0 and user is not False:
        yield Finding(container.at("securityContext.runAsUser"), "is 0, which is root")


def _pod_root(pod: Pod) -> Iterator[Found]:
    """What the pod says of all is wrong even where each container says otherwise: so the standard reads it."""
    if pod.spec.read("hostUsers") is False:
        return
    context = pod.spec.inside("securityContext")
    if context.read("runAsNonRoot") is False:
        yield Finding(context.at("runAsNonRoot"), "is false; it must be true, or absent and true on each container")
    user = context.read("runAsUser")
    if user == 0 and user is not False:
        yield Finding(context.at("runAsUser"), "is 0, which is root")


def _capabilities(pod: Pod, container: Reader) -> Iterator[Found]:
    """Drop ALL; add nothing but NET_BIND_SERVICE."""
    if pod.windows:
        return
    held = container.inside("securityContext.capabilities")
    if "ALL" not in held.values("drop"):
        yield Finding(held.at("drop"), "must hold ALL")
    for path, added in held.items("add"):
        if added not in CAPABILITIES:
            yield Finding(path, "is not allowed; only NET_BIND_SERVICE may be added")


def _volumes(pod: Pod) -> Iterator[Found]:
    """Only volumes that stay inside the cluster's own world."""
    for volume in pod.spec.each("volumes"):
        sources = [key for key in volume.props if key != "name" and volume.raw(key) is not None]
        if not set(sources) <= VOLUMES:
            yield Finding(volume.path, "has a type outside the restricted standard (hostPath and the like)")


def _ports(_pod: Pod, container: Reader) -> Iterator[Found]:
    """No port of the node, no process of a Windows host."""
    for port in container.each("ports"):
        if port.read("hostPort", 0) not in (0, None):
            yield Finding(port.at("hostPort"), "takes a port of the node")
    if container.flag("securityContext.windowsOptions.hostProcess"):
        yield Finding(container.at("securityContext.windowsOptions.hostProcess"), "is true; it must be false")


CLUSTER_VOLUME = "kubernetes:core/v1:PersistentVolume"


def _of_nodes(resource: Resource, _facts: Facts) -> Iterator[Found]:
    if resource.type == CLUSTER_VOLUME and resource.reader.has("spec.hostPath"):
        yield Finding("spec.hostPath", "is a folder of the node; whoever claims the volume mounts it")


def _mounts(resource: Resource) -> bool:
    return holds_pods(resource) or resource.type == CLUSTER_VOLUME


def _host_process(pod: Pod) -> Iterator[Found]:
    if pod.spec.flag("securityContext.windowsOptions.hostProcess"):
        yield Finding(pod.spec.at("securityContext.windowsOptions.hostProcess"), "is true; it must be false")


def _seccomp(pod: Pod, container: Reader) -> Iterator[Found]:
    """A profile of the container, or the pod's."""
    if pod.windows:
        return
    own = container.read("securityContext.seccompProfile.type")
    kind = own if own is not None else pod.spec.read("securityContext.seccompProfile.type")
    if kind not in SECCOMP:
        yield Finding(container.at("securityContext.seccompProfile.type"), "must be RuntimeDefault or Localhost")


def _context(context: Reader) -> Iterator[Found]:
    if not context.props:
        return
    if context.text("procMount", "Default") != "Default":
        yield Finding(context.at("procMount"), "must be Default")
    if context.text("seLinuxOptions.type") not in SELINUX:
        yield Finding(context.at("seLinuxOptions.type"), "is outside the baseline")
    for name in ("user", "role"):
        if context.has(f"seLinuxOptions.{name}"):
            yield Finding(context.at(f"seLinuxOptions.{name}"), "must not be set")
    if context.text("appArmorProfile.type", "RuntimeDefault") not in SECCOMP:
        yield Finding(context.at("appArmorProfile.type"), "must be RuntimeDefault or Localhost")


def _confined(pod: Pod, container: Reader) -> Iterator[Found]:
    """What a container can ask of the kernel is what an intruder can ask of it."""
    yield from _seccomp(pod, container)
    yield from _context(container.inside("securityContext"))
    for head, handler in HEADS:
        if container.props.get(head) is None:
            continue
        for action in ("httpGet", "tcpSocket"):
            if container.text(f"{handler}.{action}.host"):
                yield Finding(container.at(f"{handler}.{action}.host"), "must not name another host")


def _pod_confined(pod: Pod) -> Iterator[Found]:
    context = pod.spec.inside("securityContext")
    yield from _context(context)
    kind = context.read("seccompProfile.type")
    if kind is not None and kind not in SECCOMP and not pod.windows:
        yield Finding(context.at("seccompProfile.type"), "must be RuntimeDefault or Localhost")
    for sysctl in context.each("sysctls"):
        if sysctl.read("name") not in SYSCTLS:
            yield Finding(sysctl.at("name"), "is no safe sysctl")
    for key, value in pod.metadata.map("annotations").items():
        if (
            key.startswith(APPARMOR)
            and value not in ("", "runtime/default")
            and not str(value).startswith("localhost/")
        ):
            yield Finding(pod.metadata.at("annotations"), "an AppArmor annotation is outside the baseline")


def _read_only(pod: Pod, container: Reader) -> Iterator[Found]:
    """What cannot be written cannot be replaced by an intruder."""
    if not pod.windows and not container.flag("securityContext.readOnlyRootFilesystem"):
        yield Finding(container.at("securityContext.readOnlyRootFilesystem"), "must be true")


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


def _both(pod_check: Check, container_check: Check) -> Check:
    def check(resource, facts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  the two it is made of are typed
        yield from pod_check(resource, facts)
        yield from container_check(resource, facts)

    check.__doc__ = container_check.__doc__ or pod_check.__doc__
    return check


_rule(
    "K8S-POD-01",
    "No container is privileged.",
    CRITICAL,
    each_container(_privileged, agents=True),
    "Drop securityContext.privileged.",
)
_rule(
    "K8S-POD-02",
    "No pod shares the node's processes, memory or network.",
    HIGH,
    each_pod(_host, agents=True),
    "Drop hostPID, hostIPC and hostNetwork.",
)
_rule(
    "K8S-POD-03",
    "No process gains rights.",
    HIGH,
    each_container(_escalation, agents=True),
    "Set allowPrivilegeEscalation false on each container.",
)
_rule(
    "K8S-POD-04",
    "Nothing runs as root.",
    HIGH,
    _both(each_pod(_pod_root, agents=True), each_container(_root, agents=True)),
    "Set runAsNonRoot true on the pod; no user 0.",
)
_rule(
    "K8S-POD-05",
    "Containers have no capabilities but binding low ports.",
    HIGH,
    each_container(_capabilities, agents=True),
    "Set capabilities.drop [ALL].",
)
_rule(
    "K8S-POD-06",
    "Nothing of the node is mounted or bound.",
    HIGH,
    _both(
        _both(_of_nodes, each_pod(_volumes, agents=True)),
        _both(each_pod(_host_process, agents=True), each_container(_ports, agents=True)),
    ),
    "Use volumes of the restricted standard; no hostPort, no hostProcess.",
    _mounts,
)
_rule(
    "K8S-POD-07",
    "System calls and kernel settings are confined.",
    MEDIUM,
    _both(each_pod(_pod_confined, agents=True), each_container(_confined, agents=True)),
    "Set seccompProfile RuntimeDefault on the pod; leave procMount, SELinux, sysctls and AppArmor alone.",
)
_rule(
    "K8S-POD-08",
    "A container cannot rewrite itself.",
    MEDIUM,
    each_container(_read_only, agents=True),
    "Set readOnlyRootFilesystem true; mount an emptyDir where it must write.",
)
_rule(
    "K8S-POD-09",
    "A container says what it needs.",
    MEDIUM,
    each_container(_resources, "initContainers", "containers"),
    f"Set requests for cpu and memory, limits for memory and ephemeral-storage, at most {RATIO} times the request.",
)
_rule(
    "K8S-POD-10",
    "What runs long says how it is.",
    MEDIUM,
    each_container(_probes, "containers"),
    "Add a readiness and a liveness probe that ask different things or with different patience.",
)
_rule(
    "K8S-POD-12",
    "No secret stands in a pod as text.",
    CRITICAL,
    each_container(_no_secrets),
    "Use secretKeyRef, or better a mounted file from the secret store.",
)
