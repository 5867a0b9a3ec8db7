"""All services on one cluster: every value and every custom resource fits upstream, and nothing is left dangling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.runtime.mocks import MockResourceArgs

from components.kubernetes.crds import generate
from stacks.services import lock
from stacks.services.settings import Services
from stacks.services.table import TABLE, pods_of
from tests.components.kubernetes.services.built import (
    ALL,
    KYVERNO,
    SHARED,
    build,
    needs_shared,
    objects,
    releases,
    tool,
)
from tests.components.kubernetes.services.planted import VALUES
from tests.components.mock_cloud import Cloud

DIRECTORY = {"base": "istio-base", "cni": "istio-cni", "ztunnel": "istio-ztunnel", "gateway": "istio-gateway"}


PROXY = "sidecar.istio.io/proxy"
"""Annotations that say what a proxy beside a container asks for."""
OPENER = {"chaos-mesh": "privileged", "velero": "baseline"}
"""Namespaces whose pods no closer standard lets work, and the closest one that does."""

WHOLE: set[str] = set()
"""Names of everything that all services register, once known."""


def chart_of(release: dict[str, Any]) -> str:
    name = release["chart"].rpartition("/")[2].partition("@")[0]
    return DIRECTORY.get(name, name)


@needs_shared
@pytest.mark.parametrize("services", [ALL, KYVERNO], ids=["gatekeeper", "kyverno"])
def test_values_are_known_to_their_charts(cloud: Cloud, services: dict[str, Any]) -> None:
    found = releases(build(cloud, services))
    assert len(found) >= 5
    checker = tool("check_values")
    for name, release in found.items():
        chart = checker.Chart(chart_of(release), str(SHARED / "charts"))
        assert list(chart.check(release["values"])) == [], name


@needs_shared
def test_a_mistake_in_values_is_found(cloud: Cloud) -> None:
    found, missed = releases(build(cloud, ALL)), []
    for name, path, wrong in VALUES:
        values = json.loads(json.dumps(found[name]["values"]))
        place = values
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = wrong
        chart = tool("check_values").Chart(chart_of(found[name]), str(SHARED / "charts"))
        if not list(chart.check(values)):
            missed.append((name, path))
    assert missed == []


@needs_shared
@pytest.mark.parametrize("services", [ALL, KYVERNO], ids=["gatekeeper", "kyverno"])
def test_custom_resources_fit_their_definitions(cloud: Cloud, services: dict[str, Any]) -> None:
    documents = [each for each in objects(build(cloud, services)) if "." in each["apiVersion"] and "k8s.io/v1" not in
                 each["apiVersion"].replace("gateway.networking.k8s.io", "gateway")]  # fmt: skip
    assert len(documents) > 10
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), documents)
    for each in documents:
        plain = json.loads(json.dumps(each))
        assert list(catalogue.check(plain)) == [], (each["kind"], each["metadata"]["name"])


@needs_shared
def test_the_typed_models_are_what_the_definitions_say() -> None:
    assert list(generate.stale()) == []


def test_everything_goes_with_the_cluster_and_has_a_provider(cloud: Cloud) -> None:
    build(cloud, ALL)
    assert cloud.without_provider() == []


def test_releases_are_locked_and_say_what_they_are(cloud: Cloud) -> None:
    for release in releases(build(cloud, ALL)).values():
        locked = lock.find(chart_of(release))
        assert release["version"] == locked.version
        assert locked.digest in release["description"]
        assert release.get("repositoryOpts") or release["chart"].startswith("oci://")


def test_every_namespace_is_closed_bounded_and_restricted(cloud: Cloud) -> None:
    build(cloud, ALL)
    names = {each["metadata"]["name"] for each in objects(cloud, "Namespace")}
    assert {TABLE[name].namespace for name in ALL} <= names
    for kind in ("ResourceQuota", "LimitRange"):
        assert {each["metadata"]["namespace"] for each in objects(cloud, kind)} == names
    for each in objects(cloud, "Namespace"):
        enforced = each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        assert enforced == OPENER.get(each["metadata"]["name"], "restricted")
    denied = {
        each["metadata"]["namespace"]
        for each in objects(cloud, "NetworkPolicy")
        if each["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    assert denied == names


@pytest.mark.parametrize("services", [ALL, KYVERNO], ids=["gatekeeper", "kyverno"])
def test_the_room_in_the_values_is_the_room_in_the_table(cloud: Cloud, services: dict[str, Any]) -> None:
    """What sizing counts is what the charts are told: every request of the table stands in some value."""
    build(cloud, services)
    held = [release["values"] for release in releases(cloud).values()]
    held += [each["spec"] for each in objects(cloud, "CronJob")]
    held += [json.loads(text) for each in objects(cloud, "ConfigMap") for text in each["data"].values() if "{" in text]
    held += [each["spec"] for kind in ("Deployment", "StatefulSet", "CronJob") for each in objects(cloud, kind)]
    held += [each["spec"] for kind in ("Cluster", "ObjectStore") for each in objects(cloud, kind)]
    asked = {(each["cpu"], each["memory"]) for each in requests(held)}
    for name, found in pods_of(Services.model_validate_json(json.dumps(services))).items():
        for pods in found:
            assert (f"{pods.cpu_milli}m", f"{pods.memory_mib}Mi") in asked, (name, pods)


def requests(value: Any) -> Iterator[dict[str, str]]:
    """Every `requests` below a value."""
    if isinstance(value, dict):
        if "requests" in value and "cpu" in value["requests"]:
            yield value["requests"]
        if f"{PROXY}CPU" in value:
            yield {"cpu": value[f"{PROXY}CPU"], "memory": value[f"{PROXY}Memory"]}
        if "podResources" in value:
            yield {side: value["podResources"][f"{side}Request"] for side in ("cpu", "memory")}
        for item in value.values():
            yield from requests(item)
    elif isinstance(value, list):
        for item in value:
            yield from requests(item)


@pytest.mark.parametrize(
    ("service", "about"),
    [
        ("mesh", ("mesh", "permissions", "openings", "istio", "requests", "waypoint")),
        ("logs", ("logs", "loki", "alloy")),
        ("traces", ("traces", "tempo", "opentelemetry")),
        ("cost", ("cost",)),
        ("chaos", ("chaos",)),
        ("scaling", ("scaling", "keda")),
        ("node_scaling", ("node-scaling",)),
        ("overflow", ("overflow", "karpenter")),
        ("gitops", ("gitops", "argocd")),
        ("rollouts", ("rollouts",)),
        ("runners", ("runner",)),
        ("probes", ("probes", "blackbox")),
        ("gatekeeper", ("gatekeeper",)),
        ("falco", ("falco",)),
        ("trivy", ("trivy",)),
        ("dns", ("dns",)),
        ("backup", ("backup", "velero")),
        ("valkey", ("valkey", "caches")),
        ("cloudnative_pg", ("cloudnative-pg", "databases", "cnpg-system", "from-agent")),
    ],
)
def test_switching_one_off_removes_only_what_is_its_own(cloud: Cloud, service: str, about: tuple[str, ...]) -> None:
    def names(found: list[MockResourceArgs]) -> set[str]:
        return {f"{each.typ}::{each.name}" for each in found if each.typ != "pulumi:pulumi:Stack"}

    with_all = WHOLE or names(list(build(cloud, ALL).asked))
    WHOLE.update(with_all)
    cloud.asked.clear()
    without = names(list(build(cloud, {key: value for key, value in ALL.items() if key != service}).asked))
    assert not without - with_all
    odd = {each for each in with_all - without if not any(word in each.lower() for word in about)}
    assert not odd
