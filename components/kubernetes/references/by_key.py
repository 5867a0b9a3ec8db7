"""References that are known by their key wherever it stands, in an object or in the values of a chart."""

# ruff: noqa: PLR0913, PLR0917 - a reference is who refers, where, to what, and among what it is looked for

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from components.kubernetes.references.standing import (
    CHART_SERVICES,
    GIVEN_PRIORITIES,
    GIVEN_STORAGE,
    Standing,
)
from components.kubernetes.references.things import Dangling, Path, Thing, at, nodes, text, written
from stacks.problems import did_you_mean

ADDRESS: Final = re.compile(
    r"(?<![\w-])([a-z0-9][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)\.svc(?:\.cluster\.local)?\.?(?::(\d+))?\b"
)
PROSE: Final = frozenset({"CustomResourceDefinition", "ConstraintTemplate", "ValidatingAdmissionPolicy"})
"""Kinds whose texts are rules and schemas, not addresses."""
DECLARES: Final = frozenset({"Certificate", "ExternalSecret"})
ISSUERS: Final = "cert-manager.io"
STORES: Final = "external-secrets.io"
Found = Iterator[Dangling]


def check(thing: Thing, there: Standing) -> Found:
    """Yield what leads nowhere in one object or release."""
    if thing.kind in PROSE:
        return
    for path, value in nodes(thing.body):
        key = path[-1] if path else ""
        if isinstance(value, str):
            yield from _address(thing, there, path, value)
        if key in JUDGES:
            yield from JUDGES[str(key)](thing, there, path, value)


def missing(thing: Thing, path: Path, what: str, name: str, among: Any, fix: str) -> Dangling:
    """Say that something is not there, and what comes near."""
    return Dangling(
        who=str(thing),
        path=written(path),
        what=f"{what} `{name}` is not there",
        fix=did_you_mean(name, sorted(among), fix).rstrip(".").strip(),
    )


def _address(thing: Thing, there: Standing, path: Path, value: str) -> Found:
    for name, namespace, port in ADDRESS.findall(value) if ".svc" in value else ():
        if (namespace, name) == ("default", "kubernetes"):
            continue
        yield from service(thing, there, path, namespace, name, int(port) if port else None)


def service(thing: Thing, there: Standing, path: Path, namespace: str, name: str, port: int | str | None) -> Found:
    """Yield what is wrong with a Service that is named, and its port."""
    found = there.services.get((namespace, name), ...)
    if found is ...:
        of_charts = there.charts.get(namespace, ())
        if of_charts and not any(each.chart in CHART_SERVICES for each in of_charts):
            return  # a chart's own service, of which nothing is known here
        near = [each for home, each in there.services if home == namespace]
        yield missing(thing, path, f"the Service of namespace {namespace}", name, near, "name one that is there")
    elif port is not None and found is not None and port not in found:
        told = ", ".join(sorted(map(str, found)))
        yield Dangling(
            who=str(thing), path=written(path), what=f"the Service {namespace}/{name} has no port {port}",
            fix=f"it has {told}",
        )  # fmt: skip


def _account(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    if (name := text(value)) and (thing.namespace, name) not in there.accounts:
        near = [each for home, each in there.accounts if home == thing.namespace]
        yield missing(thing, path, f"the ServiceAccount of {thing.namespace}", name, near, "add it, or name another")


def _far_account(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    name, home = text(at(value, "name")), text(at(value, "namespace")) or thing.namespace
    if name and (home, name) not in there.accounts:
        near = [each for space, each in there.accounts if space == home]
        yield missing(thing, path, f"the ServiceAccount of {home}", name, near, "name one that is there")


def _priority(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    there_are = GIVEN_PRIORITIES | {name for _, name in there.of("PriorityClass", "scheduling.k8s.io")}
    if (name := text(value)) and name not in there_are:
        yield missing(thing, path, "the PriorityClass", name, there_are, "add it, or name another")


def _storage(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    there_are = GIVEN_STORAGE | {name for _, name in there.of("StorageClass", "storage.k8s.io")}
    if (name := text(value)) and name not in {"-", *there_are}:
        yield missing(thing, path, "the StorageClass", name, there_are, "add it, or name another")


def secret(thing: Thing, there: Standing, path: Path, namespace: str, name: str, keys: list[str]) -> Found:
    """Yield what is wrong with a Secret that is named, and with its keys."""
    found = there.secrets.get((namespace, name), ...)
    if found is ...:
        near = [each for home, each in there.secrets if home == namespace]
        fix = "make it by an ExternalSecret or a Certificate, or name another"
        yield missing(thing, path, f"the Secret of namespace {namespace}", name, near, fix)
        return
    for key in keys:
        if found is not None and key not in found:
            what = f"the Secret {namespace}/{name} has no key"
            yield missing(thing, path, what, key, found, "name one of its keys")


def settings(thing: Thing, there: Standing, path: Path, name: str, keys: list[str]) -> Found:
    """Yield what is wrong with a ConfigMap that is named, and with its keys."""
    found = there.settings.get((thing.namespace, name), ...)
    if found is ...:
        near = [each for home, each in there.settings if home == thing.namespace]
        yield missing(thing, path, f"the ConfigMap of {thing.namespace}", name, near, "add it, or name another")
        return
    for key in keys:
        if found is not None and key not in found:
            yield missing(thing, path, f"the ConfigMap {name} has no key", key, found, "name one of its keys")


def _keys(value: Any) -> list[str]:
    keys = [text(at(value, "key")), *(text(at(each, "key")) for each in at(value, "items") or ())]
    return [each for each in keys if each]


def _secret_map(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    """Read `secretKeyRef`, `secretRef`, `passwordSecret`, and `secret` of volumes."""
    name = text(at(value, "secretName")) or (
        text(at(value, "name")) if path[-1] != "secret" or "sources" in path else None
    )
    if name and not at(value, "optional"):
        yield from secret(thing, there, path, text(at(value, "namespace")) or thing.namespace, name, _keys(value))


def _secret_name(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    if thing.kind in DECLARES or (len(path) > 1 and path[-2] == "secret") or not (name := text(value)):
        return
    home = thing.namespace
    if thing.kind == "ClusterIssuer":  # read from where cert-manager itself stands
        home = next((each.namespace for each in there.things if each.chart == "cert-manager"), "cert-manager")
    yield from secret(thing, there, path, home, name, [])


def _secret_list(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    for place, each in enumerate(value if isinstance(value, list | tuple) else ()):
        if (name := text(at(each, "name"))) and at(each, "kind") in {None, "Secret"}:
            home = text(at(each, "namespace")) or thing.namespace
            yield from secret(thing, there, (*path, place), home, name, [])


def _settings_map(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    if (name := text(at(value, "name"))) and not at(value, "optional") and not at(value, "create"):
        yield from settings(thing, there, path, name, _keys(value))


def _issuer(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    name, kind = text(at(value, "name")), str(at(value, "kind") or "Issuer")
    if name is None or at(value, "group") not in {None, ISSUERS}:
        return
    there_are = {each for home, each in there.of(kind, ISSUERS) if kind == "ClusterIssuer" or home == thing.namespace}
    if name not in there_are:
        yield missing(thing, path, f"the {kind}", name, there_are, "add it, or name another")


def _store(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    name, kind = text(at(value, "name")), str(at(value, "kind") or "SecretStore")
    wide = kind == "ClusterSecretStore"
    there_are = {each for home, each in there.of(kind, STORES) if wide or home == thing.namespace}
    if name and name not in there_are:
        yield missing(thing, path, f"the {kind}", name, there_are, "add it, or name another")
    elif name and wide:
        (store,) = (each for each in there.things if each.kind == kind and each.name == name)
        allowed = [space for each in store.items("spec", "conditions") for space in each.get("namespaces") or ()]
        if allowed and thing.namespace not in allowed:
            what = f"the {kind} {name} does not serve the namespace {thing.namespace}"
            yield Dangling(who=str(thing), path=written(path), what=what, fix="add the namespace to its conditions")


def _by_kind_and_name(thing: Thing, there: Standing, path: Path, value: Any) -> Found:
    """Read `nodeClassRef` and `parametersRef`: group, kind and name."""
    name, kind, group = text(at(value, "name")), str(at(value, "kind")), str(at(value, "group") or "")
    if name is None or at(value, "kind") is None:
        return
    if kind == "ConfigMap":
        yield from settings(thing, there, path, name, [])
    elif not {(thing.namespace, name), ("", name)} & there.of(kind, group):
        near = {each for _, each in there.of(kind, group)}
        yield missing(thing, path, f"the {kind}", name, near, "add it, or name another")


Judge = Callable[[Thing, Standing, Path, Any], Found]
JUDGES: Final[Mapping[str, Judge]] = {
    "serviceAccountName": _account,
    "controllerServiceAccount": _far_account,
    "priorityClassName": _priority,
    "podPriorityClassName": _priority,
    "storageClass": _storage,
    "storageClassName": _storage,
    "defaultStorageClass": _storage,
    "secretKeyRef": _secret_map,
    "secretRef": _secret_map,
    "passwordSecret": _secret_map,
    "secret": _secret_map,
    "secretName": _secret_name,
    "existingSecret": _secret_name,
    "usersExistingSecret": _secret_name,
    "githubConfigSecret": _secret_name,
    "cloudIntegrationSecret": _secret_name,
    "certificateRefs": _secret_list,
    "imagePullSecrets": _secret_list,
    "configMapKeyRef": _settings_map,
    "configMapRef": _settings_map,
    "configMap": _settings_map,
    "issuerRef": _issuer,
    "secretStoreRef": _store,
    "nodeClassRef": _by_kind_and_name,
    "parametersRef": _by_kind_and_name,
}
"""What stands under a key, and who reads it."""
