"""Services of scaling and delivery in the combinations that the stack file allows: each stands by itself."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL, SHARED, build, needs_shared, objects, releases, tool
from tests.components.kubernetes.services.test_everything import chart_of
from tests.components.mock_cloud import Cloud

BASE = ("cert_manager", "external_secrets")
BLIND = copy.deepcopy(ALL["scaling"])
BLIND["workloads"]["gateway"]["horizontal"] = {"requests_per_second": None}
ALONE: dict[str, Any] = {"scaling": BLIND, "gitops": {"applications": ALL["gitops"]["applications"]}}
COMBINATIONS = [
    ("aws", ("scaling",)),
    ("gcp", ("scaling", "node_scaling", "overflow")),
    ("aws", ("overflow",)),
    ("azure", ("gitops", "runners")),
    ("aws", ("mesh", "monitoring", "rollouts")),
    ("aws", ("mesh", "gitops", "scaling")),
    ("gcp", ("monitoring", "scaling", "gitops", "runners")),
    ("azure", ("mesh", "monitoring", "backup")),
    ("gcp", ("backup",)),
]


@needs_shared
@pytest.mark.parametrize(("where", "names"), COMBINATIONS, ids=["+".join(names) for _, names in COMBINATIONS])
def test_a_combination_fits_upstream_and_leaves_nothing_dangling(
    cloud: Cloud, where: str, names: tuple[str, ...]
) -> None:
    whole = {"mesh", "monitoring"} <= set(names)
    wish = {each: ALL[each] if whole else ALONE.get(each, ALL[each]) for each in (*BASE, *names)}
    build(cloud, wish, where)
    assert cloud.without_provider() == []
    checker = tool("check_values")
    for name, release in releases(cloud).items():
        assert list(checker.Chart(chart_of(release), str(SHARED / "charts")).check(release["values"])) == [], name
    documents = [each for each in objects(cloud) if "." in each["apiVersion"] and ".k8s.io/" not in each["apiVersion"]]
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), documents)
    for each in documents:
        assert list(catalogue.check(json.loads(json.dumps(each)))) == [], (each["kind"], each["metadata"]["name"])
    there = {each["metadata"]["name"] for each in objects(cloud, "Namespace")} | {"kube-system"}
    on = {each for each in wish if not TABLE[each].clouds or where in TABLE[each].clouds}
    own = {namespace for each in on for namespace in (TABLE[each].namespace, *TABLE[each].more)}
    assert there == own | {"kube-system", "platform"}
    for each in objects(cloud):
        if each["metadata"].get("namespace"):
            assert each["metadata"]["namespace"] in there, each["metadata"]
    groups = {group for each in on for group in TABLE[each].definitions} | {"gateway.networking.k8s.io"}
    for each in documents:  # nothing asks for a kind that nobody has brought
        group = each["apiVersion"].partition("/")[0]
        assert group in groups or (where == "gcp" and group == "autoscaling.k8s.io"), each["kind"]
