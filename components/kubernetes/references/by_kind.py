"""References whose meaning depends on the kind that holds them: targets of routes, of scaling, of policies."""

# ruff: noqa: PLR0913 - a reference is who refers, where, to what, and among what it is looked for

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from components.kubernetes.references.by_key import missing, service
from components.kubernetes.references.schedules import wrong
from components.kubernetes.references.standing import GIVEN_ROLES, Standing
from components.kubernetes.references.things import Dangling, Path, Thing, at, nodes, text, written

GATEWAYS: Final = "gateway.networking.k8s.io"
ROLLOUTS: Final = "argoproj.io"
WORKLOADS: Final = {
    "Deployment": "apps",
    "StatefulSet": "apps",
    "ReplicaSet": "apps",
    "DaemonSet": "apps",
    "Rollout": ROLLOUTS,
}
Found = Iterator[Dangling]


def check(thing: Thing, there: Standing) -> Found:
    """Yield what leads nowhere in one object."""
    yield from _namespace(thing, there)
    if (judge := JUDGES.get(thing.kind)) is not None:
        yield from judge(thing, there)


def _dangling(thing: Thing, path: Path, what: str, fix: str) -> Dangling:
    return Dangling(who=str(thing), path=written(path), what=what, fix=fix)


def _namespace(thing: Thing, there: Standing) -> Found:
    if thing.namespace and thing.namespace not in there.namespaces:
        path = ("namespace",) if thing.kind == "Release" else ("metadata", "namespace")
        yield missing(thing, path, "the Namespace", thing.namespace, there.namespaces, "add it, or name another")


def _named(thing: Thing, there: Standing, path: Path, kind: str, group: str, *, wide: bool = False) -> Found:
    """Look at the name at a path: an object of the same namespace, or of none (`wide`)."""
    name = text(thing.at(*path))
    if name is not None and not there.has(kind, group, "" if wide else thing.namespace, name):
        near = {each for home, each in there.of(kind, group) if wide or home == thing.namespace}
        yield missing(thing, path, f"the {kind}", name, near, "add it, or name another")


def target(thing: Thing, there: Standing, path: Path) -> Found:
    """Look at who is scaled: an object, or the Deployment of a tenant's repository."""
    kind, name = str(thing.at(*path, "kind") or "Deployment"), text(thing.at(*path, "name"))
    if name is None or kind not in WORKLOADS or there.has(kind, WORKLOADS[kind], thing.namespace, name):
        return
    if kind == "Deployment" and (thing.namespace, name) in there.known.apps:
        return
    near = {each for home, each in (*there.of(kind, WORKLOADS[kind]), *there.known.apps) if home == thing.namespace}
    yield missing(thing, (*path, "name"), f"the {kind} of {thing.namespace}", name, near, "name one that is there")


def _scaled(thing: Thing, there: Standing) -> Found:
    yield from target(thing, there, ("spec", "scaleTargetRef"))
    yield from target(thing, there, ("spec", "targetRef"))
    for place, each in enumerate(thing.items("spec", "triggers")):
        if at(each, "type") == "cron":
            for end in ("start", "end"):
                yield from _cron(thing, ("spec", "triggers", place, "metadata", end))


def _cron(thing: Thing, path: Path, *, seconds: bool = False) -> Found:
    found = thing.at(*path)
    if isinstance(found, str) and (why := wrong(found, seconds=seconds)):
        yield _dangling(thing, path, f"`{found}` is no schedule: it {why}", "write a cron expression")


def _scheduled(thing: Thing, _there: Standing) -> Found:
    yield from _cron(thing, ("spec", "schedule"), seconds=thing.kind == "ScheduledBackup")


def _backup(thing: Thing, there: Standing) -> Found:
    yield from _scheduled(thing, there)
    yield from _named(thing, there, ("spec", "cluster", "name"), "Cluster", "postgresql.cnpg.io")


def _database(thing: Thing, there: Standing) -> Found:
    for place, each in enumerate(thing.items("spec", "plugins")):
        if at(each, "parameters", "barmanObjectName"):
            path: Path = ("spec", "plugins", place, "parameters", "barmanObjectName")
            yield from _named(thing, there, path, "ObjectStore", "barmancloud.cnpg.io")


def _pool(thing: Thing, _there: Standing) -> Found:
    for place, _ in enumerate(thing.items("spec", "disruption", "budgets")):
        yield from _cron(thing, ("spec", "disruption", "budgets", place, "schedule"))


def _binding(thing: Thing, there: Standing) -> Found:
    kind, name = str(thing.at("roleRef", "kind")), text(thing.at("roleRef", "name"))
    given = kind == "ClusterRole" and name is not None and (name in GIVEN_ROLES or name.startswith("system:"))
    if not given:
        yield from _named(thing, there, ("roleRef", "name"), kind, RBAC, wide=kind == "ClusterRole")
    for place, each in enumerate(thing.items("subjects")):
        if at(each, "kind") == "ServiceAccount" and (who := text(at(each, "name"))):
            yield from account(thing, there, ("subjects", place), text(at(each, "namespace")) or thing.namespace, who)


RBAC: Final = "rbac.authorization.k8s.io"


def account(thing: Thing, there: Standing, path: Path, namespace: str, name: str) -> Found:
    """Look at an account that somebody names from outside."""
    if (namespace, name) not in there.accounts:
        near = [each for home, each in there.accounts if home == namespace]
        yield missing(thing, path, f"the ServiceAccount of {namespace}", name, near, "name one that is there")


def _lost(space: str, there: Standing) -> bool:
    return "*" not in space and space not in there.namespaces


def _permission(thing: Thing, there: Standing) -> Found:
    for path, value in nodes(thing.at("spec"), ("spec",)):
        if len(path) > 1 and path[-2] in {"principals", "notPrincipals"} and (who := text(value)) and "*" not in who:
            parts = who.split("/")
            if len(parts) != 5 or (parts[1], parts[3]) != ("ns", "sa"):  # noqa: PLR2004 - DOMAIN/ns/NAMESPACE/sa/NAME
                yield _dangling(thing, path, f"`{who}` is no identity", "write DOMAIN/ns/NAMESPACE/sa/ACCOUNT")
            else:
                yield from account(thing, there, path, parts[2], parts[4])
        elif (
            len(path) > 1
            and path[-2] in {"namespaces", "notNamespaces"}
            and (space := text(value))
            and _lost(space, there)
        ):
            yield missing(thing, path, "the Namespace", space, there.namespaces, "add it, or name another")
    one = [("spec", "targetRef")] if thing.at("spec", "targetRef") else []
    for path in (*one, *(("spec", "targetRefs", place) for place, _ in enumerate(thing.items("spec", "targetRefs")))):
        kind, name = thing.at(*path, "kind"), text(thing.at(*path, "name"))
        if kind == "Service" and name:
            yield from service(thing, there, (*path, "name"), thing.namespace, name, None)
        elif kind == "Gateway":
            yield from _named(thing, there, (*path, "name"), "Gateway", GATEWAYS)


def _route(thing: Thing, there: Standing) -> Found:
    for place, each in enumerate(thing.items("spec", "parentRefs")):
        if at(each, "kind") in {None, "Gateway"}:
            yield from _parent(thing, there, ("spec", "parentRefs", place))
    for path, value in nodes(thing.at("spec", "rules"), ("spec", "rules")):
        to = path[-2] == "backendRefs" or path[-1] == "backendRef"
        if to and at(value, "kind") in {None, "Service"} and (name := text(at(value, "name"))):
            port = at(value, "port")
            home = text(at(value, "namespace")) or thing.namespace
            yield from service(thing, there, path, home, name, int(port) if isinstance(port, int | float) else None)


def _parent(thing: Thing, there: Standing, path: Path) -> Found:
    name, home = text(thing.at(*path, "name")), text(thing.at(*path, "namespace")) or thing.namespace
    if name is None:
        return
    if not there.has("Gateway", GATEWAYS, home, name):
        near = {each for space, each in there.of("Gateway", GATEWAYS) if space == home}
        yield missing(thing, path, f"the Gateway of {home}", name, near, "add it, or name another")
        return
    (gateway,) = (each for each in there.things if (each.kind, each.namespace, each.name) == ("Gateway", home, name))
    listeners = {each.get("name"): each.get("port") for each in gateway.items("spec", "listeners")}
    section = text(thing.at(*path, "sectionName"))
    if section and section not in listeners:
        what = f"the Gateway {home}/{name} has no listener"
        yield missing(thing, (*path, "sectionName"), what, section, listeners, "name one of its listeners")


def _host(thing: Thing, there: Standing, path: Path) -> Found:
    """Look at a host of the mesh that is written short; a long one is an address and judged as such."""
    name = text(thing.at(*path))
    if name and "." not in name and name != "*":
        yield from service(thing, there, path, thing.namespace, name, None)


def _virtual(thing: Thing, there: Standing) -> Found:
    for path, _ in nodes(thing.at("spec", "http"), ("spec", "http")):
        if path[-2:] == ("destination", "host"):
            yield from _host(thing, there, path)
    for place, each in enumerate(thing.items("spec", "gateways")):
        home, _, name = str(each).rpartition("/")
        if each != "mesh" and not there.has("Gateway", "networking.istio.io", home or thing.namespace, name):
            yield missing(thing, ("spec", "gateways", place), "the Gateway of Istio", str(each), (), "add it")


def _destination(thing: Thing, there: Standing) -> Found:
    yield from _host(thing, there, ("spec", "host"))


def _rollout(thing: Thing, there: Standing) -> Found:
    yield from target(thing, there, ("spec", "workloadRef"))
    for path, value in nodes(thing.at("spec", "strategy"), ("spec", "strategy")):
        if str(path[-1]).endswith("Service") and (name := text(value)):
            yield from service(thing, there, path, thing.namespace, name, None)
        elif path[-1] == "templateName":
            yield from _named(thing, there, path, "AnalysisTemplate", ROLLOUTS)
        elif path[-1] == "virtualService":
            yield from _named(thing, there, (*path, "name"), "VirtualService", "networking.istio.io")


def _stateful(thing: Thing, there: Standing) -> Found:
    if name := text(thing.at("spec", "serviceName")):
        yield from service(thing, there, ("spec", "serviceName"), thing.namespace, name, None)


def _application(thing: Thing, there: Standing) -> Found:
    at_ = ("spec", "template", "spec", "project") if thing.kind == "ApplicationSet" else ("spec", "project")
    if thing.at(*at_) != "default":
        yield from _named(thing, there, at_, "AppProject", ROLLOUTS)


def _project(thing: Thing, there: Standing) -> Found:
    for place, each in enumerate(thing.items("spec", "destinations")):
        space = text(at(each, "namespace"))
        here = at(each, "server") == "https://kubernetes.default.svc"
        if space and here and "*" not in space and space not in there.namespaces:
            path: Path = ("spec", "destinations", place, "namespace")
            yield missing(thing, path, "the Namespace", space, there.namespaces, "add it, or name another")


def _bound(thing: Thing, there: Standing) -> Found:
    yield from _named(thing, there, ("spec", "policyName"), "ValidatingAdmissionPolicy", ADMISSION, wide=True)


ADMISSION: Final = "admissionregistration.k8s.io"


def constraint(thing: Thing, there: Standing) -> Found:
    """Look for the template of a constraint, and at the namespaces that it names."""
    kinds = {
        text(each.at("spec", "crd", "spec", "names", "kind"))
        for each in there.things
        if each.kind == "ConstraintTemplate"
    }
    if thing.kind not in kinds:
        yield missing(thing, ("kind",), "the ConstraintTemplate of", thing.kind, kinds - {None}, "add the template")


JUDGES: Final[Mapping[str, Callable[[Thing, Standing], Found]]] = {
    "Application": _application,
    "ApplicationSet": _application,
    "AppProject": _project,
    "AuthorizationPolicy": _permission,
    "Cluster": _database,
    "ClusterRoleBinding": _binding,
    "CronJob": _scheduled,
    "DestinationRule": _destination,
    "GRPCRoute": _route,
    "HTTPRoute": _route,
    "HorizontalPodAutoscaler": _scaled,
    "NodePool": _pool,
    "RoleBinding": _binding,
    "Rollout": _rollout,
    "ScaledObject": _scaled,
    "Schedule": _scheduled,
    "ScheduledBackup": _backup,
    "StatefulSet": _stateful,
    "ValidatingAdmissionPolicyBinding": _bound,
    "VerticalPodAutoscaler": _scaled,
    "VirtualService": _virtual,
}
