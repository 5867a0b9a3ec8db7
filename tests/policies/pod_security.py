"""Pods with labels, written from the text of the Pod Security Standards (kubernetes.io, 2026-11): restricted or not.

Each field of each control, with what it allows and what it forbids, at each place where it may stand: the pod, a
container, an init container; in each kind that holds pods. A test lets the API server's own admission check the labels.
"""

# ruff: noqa: FBT003 - the value that is put is what the standard speaks of

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Spec = dict[str, Any]
IMAGE: Final = "registry.example.org/app@sha256:" + "0123456789abcdef" * 4
CONTEXT: Final = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
PLACES: Final = ("containers", "initContainers")


@dataclass(frozen=True)
class Labelled:
    """One object and whether the restricted standard lets it be."""

    label: str
    document: dict[str, Any]
    good: bool


def _container(name: str) -> Spec:
    return {
        "name": name,
        "image": IMAGE,
        "securityContext": copy.deepcopy(CONTEXT),
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "128Mi", "ephemeral-storage": "1Gi"},
        },
    }


def good() -> Spec:
    """Return the spec of a pod that the restricted standard lets be."""
    return {
        "serviceAccountName": "app",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container("main"), _container("side")],
        "initContainers": [_container("first")],
    }


def _put(spec: Spec, path: str, value: Any) -> None:
    """Set a path below a map; nothing (None) removes it."""
    *steps, last = path.split(".")
    for step in steps:
        spec = spec.setdefault(step, {})
    if value is None:
        spec.pop(last, None)
    else:
        spec[last] = value


def _in_containers(path: str, value: Any) -> Iterator[tuple[str, Callable[[Spec], None]]]:
    for place in PLACES:

        def change(spec: Spec, place: str = place) -> None:
            _put(spec[place][-1], path, copy.deepcopy(value))

        yield f"{place}.{path}={value}", change


def _in_pod(path: str, value: Any) -> Iterator[tuple[str, Callable[[Spec], None]]]:
    yield f"pod.{path}={value}", lambda spec: _put(spec, path, copy.deepcopy(value))


def _both(path: str, value: Any) -> Iterator[tuple[str, Callable[[Spec], None]]]:
    yield from _in_pod(f"securityContext.{path}", value)
    yield from _in_containers(f"securityContext.{path}", value)


def _all_containers(path: str, value: Any, **pod: Any) -> Iterator[tuple[str, Callable[[Spec], None]]]:
    """Yield one pod in which every container says a thing and the pod says another."""

    def change(spec: Spec) -> None:
        for place in PLACES:
            for container in spec[place]:
                _put(container, path, copy.deepcopy(value))
        for key, other in pod.items():
            _put(spec, key.replace("__", "."), other)

    yield f"all.{path}={value} with {pod}", change


SOURCES: Final = {
    "configMap": {"name": "c"},
    "csi": {"driver": "d.example.org"},
    "downwardAPI": {"items": []},
    "emptyDir": {},
    "ephemeral": {
        "volumeClaimTemplate": {
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        }
    },
    "persistentVolumeClaim": {"claimName": "c"},
    "projected": {"sources": []},
    "secret": {"secretName": "s"},
}
FOREIGN: Final = {
    "hostPath": {"path": "/"},
    "gitRepo": {"repository": "r"},
    "nfs": {"server": "s", "path": "/p"},
    "iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:storage", "lun": 0},
    "fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0},
    "cephfs": {"monitors": ["1.2.3.4:6789"]},
    "rbd": {"monitors": ["1.2.3.4:6789"], "image": "i"},
    "glusterfs": {"endpoints": "e", "path": "p"},
    "awsElasticBlockStore": {"volumeID": "vol-1"},
    "gcePersistentDisk": {"pdName": "d"},
    "azureDisk": {"diskName": "d", "diskURI": "https://example.org/d"},
    "azureFile": {"secretName": "s", "shareName": "n"},
    "vsphereVolume": {"volumePath": "[d] p"},
    "portworxVolume": {"volumeID": "v"},
    "flexVolume": {"driver": "example.org/d"},
    "flocker": {"datasetName": "d"},
    "quobyte": {"registry": "r:1", "volume": "v"},
    "scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {"name": "s"}},
    "storageos": {"volumeName": "v"},
    "cinder": {"volumeID": "v"},
}


def _changes(*, allowed: bool) -> Iterator[tuple[str, Callable[[Spec], None]]]:
    """Yield what the standard allows, or what it forbids."""
    yield from _allowed() if allowed else _forbidden()


def _allowed() -> Iterator[tuple[str, Callable[[Spec], None]]]:
    yield "as it is", lambda spec: None
    for name in ("hostPID", "hostIPC", "hostNetwork"):
        yield from _in_pod(name, False)
    for value in (False, None):
        yield from _in_containers("securityContext.privileged", value)
    yield from _in_containers("securityContext.capabilities.add", ["NET_BIND_SERVICE"])
    yield from _in_containers("securityContext.capabilities.drop", ["ALL", "NET_RAW"])
    yield from _in_containers("ports", [{"containerPort": 80, "hostPort": 0}])
    for kind in ("RuntimeDefault", "Localhost"):
        profile = {"type": kind, **({"localhostProfile": "p"} if kind == "Localhost" else {})}
        yield from _both("seccompProfile", profile)
        yield from _both("appArmorProfile", profile)
    for kind in ("container_t", "container_init_t", "container_kvm_t", "container_engine_t", ""):
        yield from _both("seLinuxOptions", {"type": kind})
    yield from _both("seLinuxOptions", {"level": "s0:c123,c456"})
    yield from _in_containers("securityContext.procMount", "Default")
    for name in SAFE:
        yield from _in_pod("securityContext.sysctls", [{"name": name, "value": "0"}])
    for name, source in SOURCES.items():
        yield from _in_pod("volumes", [{"name": "v", name: source}])
    yield from _both("runAsUser", 1)
    yield from _in_containers("securityContext.runAsNonRoot", True)
    yield from _all_containers("securityContext.runAsNonRoot", True, securityContext__runAsNonRoot=None)
    yield from _all_containers(
        "securityContext.seccompProfile", {"type": "RuntimeDefault"}, securityContext__seccompProfile=None
    )
    yield "a probe without host", _probing("livenessProbe", {"httpGet": {"path": "/", "port": 80}})
    yield "a hook", _probing("lifecycle", {"preStop": {"exec": {"command": ["true"]}}})
    yield from _both("windowsOptions", {"hostProcess": False})
    yield "a sidecar", _sidecar
    yield from _in_pod("hostUsers", False)
    yield "image volume", _volume("image", {"reference": IMAGE})
    for field in ("runAsUser", "runAsNonRoot"):
        yield f"a user namespace without {field}", _namespaced(field)


def _forbidden() -> Iterator[tuple[str, Callable[[Spec], None]]]:
    for name in ("hostPID", "hostIPC", "hostNetwork"):
        yield from _in_pod(name, True)
    yield "containers.privileged", _privileged("containers")
    yield "initContainers.privileged", _privileged("initContainers")
    for value in (["ALL"], ["SYS_ADMIN"], ["CHOWN"], ["NET_BIND_SERVICE", "NET_RAW"], ["net_bind_service"]):
        yield from _in_containers("securityContext.capabilities.add", value)
    for value in ([], ["NET_RAW"], ["all"], None):
        yield from _in_containers("securityContext.capabilities.drop", value)
    yield from _in_containers("securityContext.capabilities", None)
    yield from _in_containers("ports", [{"containerPort": 80, "hostPort": 80}])
    yield from _in_containers("ports", [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}])
    yield from _both("seccompProfile", {"type": "Unconfined"})
    yield from _in_pod("securityContext.seccompProfile", None)
    yield from _both("appArmorProfile", {"type": "Unconfined"})
    for kind in ("spc_t", "unconfined_t", "container_init_u"):
        yield from _both("seLinuxOptions", {"type": kind})
    yield from _both("seLinuxOptions", {"user": "system_u"})
    yield from _both("seLinuxOptions", {"role": "sysadm_r"})
    for name in ("kernel.msgmax", "net.core.somaxconn", "fs.mqueue.queues_max", "net.ipv4.tcp_tw_reuse"):
        yield from _in_pod("securityContext.sysctls", [{"name": name, "value": "0"}])
    yield from _in_pod(
        "securityContext.sysctls", [{"name": SAFE[0], "value": "0"}, {"name": "kernel.msgmax", "value": "1"}]
    )
    for name, source in FOREIGN.items():
        yield from _in_pod("volumes", [{"name": "v", name: source}])
        yield from _in_pod("volumes", [{"name": "ok", "emptyDir": {}}, {"name": "v", name: source}])
    for value in (True, None):
        yield from _in_containers("securityContext.allowPrivilegeEscalation", value)
    yield from _both("runAsUser", 0)
    yield from _both("runAsNonRoot", False)
    yield from _in_pod("securityContext.runAsNonRoot", None)
    yield from _in_pod("securityContext", None)
    yield from _in_containers("securityContext", None)
    yield from _all_containers("securityContext.runAsNonRoot", True, securityContext__runAsNonRoot=False)
    yield from _all_containers("securityContext.runAsUser", 1, securityContext__runAsUser=0)
    yield from _all_containers(
        "securityContext.seccompProfile",
        {"type": "RuntimeDefault"},
        securityContext__seccompProfile={"type": "Unconfined"},
    )
    yield from _all_containers(
        "securityContext.appArmorProfile",
        {"type": "RuntimeDefault"},
        securityContext__appArmorProfile={"type": "Unconfined"},
    )
    yield from _reaching_out()


def _reaching_out() -> Iterator[tuple[str, Callable[[Spec], None]]]:
    for action in (
        {"httpGet": {"path": "/", "port": 80, "host": "10.0.0.1"}},
        {"tcpSocket": {"port": 80, "host": "h"}},
    ):
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            yield f"containers.{probe}={action}", _probing(probe, action)
        for hook in ("preStop", "postStart"):
            yield f"containers.lifecycle.{hook}={action}", _probing(f"lifecycle.{hook}", action)


def _volume(name: str, source: Spec) -> Callable[[Spec], None]:
    return lambda spec: _put(spec, "volumes", [{"name": "v", name: source}])


def _namespaced(field: str) -> Callable[[Spec], None]:
    def change(spec: Spec) -> None:
        spec["hostUsers"] = False
        _put(spec, f"securityContext.{field}", 0 if field == "runAsUser" else None)

    return change


def _sidecar(spec: Spec) -> None:
    first = spec["initContainers"][0]
    first["restartPolicy"] = "Always"
    first["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    first["lifecycle"] = {"preStop": {"exec": {"command": ["true"]}}}


def _privileged(place: str) -> Callable[[Spec], None]:
    def change(spec: Spec) -> None:
        spec[place][0]["securityContext"].update(privileged=True, allowPrivilegeEscalation=True)

    return change


def _probing(path: str, action: Spec) -> Callable[[Spec], None]:
    return lambda spec: _put(spec["containers"][0], path, copy.deepcopy(action))


SAFE: Final = (
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


def _windows() -> Iterator[tuple[str, Spec, bool]]:
    """Yield pods of Windows, which Linux's controls do not ask."""
    spec = good()
    for place in PLACES:
        for container in spec[place]:
            container["securityContext"] = {"runAsNonRoot": True}
    spec["securityContext"] = {"runAsNonRoot": True}
    spec["os"] = {"name": "windows"}
    yield "windows", spec, True
    process = copy.deepcopy(spec)
    process["hostNetwork"] = True
    process["securityContext"] = {"windowsOptions": {"hostProcess": True, "runAsUserName": "NT AUTHORITY\\SYSTEM"}}
    yield "windows host process", process, False
    root = copy.deepcopy(spec)
    root["securityContext"] = {}
    root["containers"][0]["securityContext"] = {}
    yield "windows without runAsNonRoot", root, False


def _annotated() -> Iterator[tuple[str, dict[str, str], bool]]:
    key = "container.apparmor.security.beta.kubernetes.io/main"
    yield "apparmor annotation runtime/default", {key: "runtime/default"}, True
    yield "apparmor annotation localhost", {key: "localhost/p"}, True
    yield "apparmor annotation unconfined", {key: "unconfined"}, False


def _wrapped(kind: str, label: str, spec: Spec, *, good: bool) -> Labelled:
    metadata = {"name": "it", "namespace": "shop"}
    labels = {"metadata": {"labels": {"app": "it"}}}
    if kind in ("Job", "CronJob"):
        spec = {**spec, "restartPolicy": "Never"}
    template = {**labels, "spec": spec}
    selector = {"matchLabels": {"app": "it"}}
    made: dict[str, Any] = {
        "Pod": {"spec": spec},
        "PodTemplate": {"template": template},
        "ReplicationController": {"spec": {"selector": {"app": "it"}, "template": template}},
        "Job": {"spec": {"template": template}},
        "CronJob": {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}},
        "StatefulSet": {"spec": {"selector": selector, "serviceName": "it", "template": template}},
    }.get(kind, {"spec": {"selector": selector, "template": template}})
    group = {"Job": "batch/v1", "CronJob": "batch/v1"}.get(kind)
    group = group or ("v1" if kind in ("Pod", "PodTemplate", "ReplicationController") else "apps/v1")
    return Labelled(f"{kind}: {label}", {"apiVersion": group, "kind": kind, "metadata": metadata, **made}, good)


KINDS: Final = (
    "Pod",
    "PodTemplate",
    "ReplicationController",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
)


def corpus() -> list[Labelled]:
    """Return every labelled object; each change in a Pod, and in one more kind, in turn."""
    found: list[Labelled] = []
    for allowed in (True, False):
        for index, (label, change) in enumerate(_changes(allowed=allowed)):
            for kind in dict.fromkeys(("Pod", KINDS[index % len(KINDS)])):
                spec = good()
                change(spec)
                found.append(_wrapped(kind, label, spec, good=allowed))
    for label, spec, right in _windows():
        found += [_wrapped(kind, label, copy.deepcopy(spec), good=right) for kind in ("Pod", "Deployment")]
    for label, notes, right in _annotated():
        made = _wrapped("Pod", label, good(), good=right)
        made.document["metadata"]["annotations"] = notes
        found.append(made)
    return found
