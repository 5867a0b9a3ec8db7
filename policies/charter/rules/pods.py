"""Rules over pods: the Pod Security Standard `restricted`, and what production needs beside it.

Source: kubernetes.io/docs/concepts/security/pod-security-standards, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator

from charter.facts import Facts
from charter.pods import ANY_KIND, Pod, each_container, each_pod, holds_pods
from charter.rule import CRITICAL, HIGH, MEDIUM, Check, Finding, Found, Question, Resource, Severity, resource_rule
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
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")


HEADS = tuple((handler.partition(".")[0], handler) for handler in HANDLERS)


def pod_rule(  # noqa: PLR0913, PLR0917  a rule is what it is
    rule_id: str, title: str, severity: Severity, check: Check, remediation: str, applies: Question = holds_pods
) -> None:
    """Register a rule over what holds pods."""
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


def _both(pod_check: Check, container_check: Check) -> Check:
    def check(resource, facts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  the two it is made of are typed
        yield from pod_check(resource, facts)
        yield from container_check(resource, facts)

    check.__doc__ = container_check.__doc__ or pod_check.__doc__
    return check


pod_rule(
    "K8S-POD-01",
    "No container is privileged.",
    CRITICAL,
    each_container(_privileged, agents=True),
    "Drop securityContext.privileged.",
)
pod_rule(
    "K8S-POD-02",
    "No pod shares the node's processes, memory or network.",
    HIGH,
    each_pod(_host, agents=True),
    "Drop hostPID, hostIPC and hostNetwork.",
)
pod_rule(
    "K8S-POD-03",
    "No process gains rights.",
    HIGH,
    each_container(_escalation, agents=True),
    "Set allowPrivilegeEscalation false on each container.",
)
pod_rule(
    "K8S-POD-04",
    "Nothing runs as root.",
    HIGH,
    _both(each_pod(_pod_root, agents=True), each_container(_root, agents=True)),
    "Set runAsNonRoot true on the pod; no user 0.",
)
pod_rule(
    "K8S-POD-05",
    "Containers have no capabilities but binding low ports.",
    HIGH,
    each_container(_capabilities, agents=True),
    "Set capabilities.drop [ALL].",
)
pod_rule(
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
pod_rule(
    "K8S-POD-07",
    "System calls and kernel settings are confined.",
    MEDIUM,
    _both(each_pod(_pod_confined, agents=True), each_container(_confined, agents=True)),
    "Set seccompProfile RuntimeDefault on the pod; leave procMount, SELinux, sysctls and AppArmor alone.",
)
pod_rule(
    "K8S-POD-08",
    "A container cannot rewrite itself.",
    MEDIUM,
    each_container(_read_only, agents=True),
    "Set readOnlyRootFilesystem true; mount an emptyDir where it must write.",
)
