"""Runners as they are emitted: one job each, closed, with no token of the cluster and no key in a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.runtime.mocks import MockResourceArgs

from stacks.services.room import replicas
from stacks.services.settings import Services
from tests.components.kubernetes.services.built import ALL, objects, once, releases
from tests.components.mock_cloud import Cloud

NAMES = ("cert_manager", "external_secrets", "mesh", "monitoring", "runners")
FEW = {name: ALL[name] for name in NAMES}
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def everything(cloud: Cloud) -> Cloud:
    """Runners and what they stand on, built once."""
    return once(ONCE, cloud, FEW)


def values(cloud: Cloud, name: str) -> dict[str, Any]:
    return dict(releases(cloud)[name]["values"])


def test_a_cluster_has_its_own_sets_under_names_of_their_own(everything: Cloud) -> None:
    sets = {name for name, each in releases(everything).items() if each["chart"].endswith("gha-runner-scale-set")}
    assert sets == {"large", "small-aws-eu-west-1"}  # small belongs to another cluster first
    found = values(everything, "small-aws-eu-west-1")
    assert found["runnerScaleSetName"] == "small-aws-eu-west-1"
    assert (found["minRunners"], found["maxRunners"]) == (0, 10)


def test_both_charts_have_one_version(everything: Cloud) -> None:
    found = [each for each in releases(everything).values() if "gha-runner" in each["chart"]]
    assert len({each["version"] for each in found}) == 1


def test_the_key_of_the_app_is_a_reference(everything: Cloud) -> None:
    assert values(everything, "large")["githubConfigSecret"] == "runners-app"
    (secret,) = (each for each in objects(everything, "ExternalSecret") if each["metadata"]["name"] == "runners-app")
    keys = {each["secretKey"] for each in secret["spec"]["data"]}
    assert keys == {"github_app_id", "github_app_installation_id", "github_app_private_key"}
    assert "PRIVATE KEY" not in json.dumps([each.inputs for each in everything.asked], default=str)


def test_a_job_has_nothing_of_the_cluster(everything: Cloud) -> None:
    for name in ("large", "small-aws-eu-west-1"):
        pod = values(everything, name)["template"]["spec"]
        assert (pod["automountServiceAccountToken"], pod["restartPolicy"]) == (False, "Never")
        (container,) = pod["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert "latest" not in container["image"]
        assert all(set(each) == {"name", "emptyDir"} for each in pod["volumes"])


def test_only_a_set_with_rights_is_somebody_in_the_cloud(everything: Cloud) -> None:
    accounts = {
        each["metadata"]["name"]: each["metadata"].get("annotations")
        for each in objects(everything, "ServiceAccount")
        if each["metadata"]["namespace"] == "runners"
    }
    assert set(accounts) == {"runner-small", "runner-large"}
    assert accounts["runner-large"] is None
    assert accounts["runner-small"]


def test_jobs_reach_the_internet_and_nobody_reaches_jobs(everything: Cloud) -> None:
    policies = {
        each["metadata"]["name"]: each["spec"]
        for each in objects(everything, "NetworkPolicy")
        if each["metadata"]["namespace"] == "runners"
    }
    assert "to-runner" not in policies
    ports = {port["port"] for rule in policies["from-runner"]["egress"] for port in rule["ports"]}
    assert {443} <= ports <= {443, 80, 988}


def test_the_quota_holds_the_most_runners_and_the_plan_counts_those_that_wait(everything: Cloud) -> None:
    (quota,) = (each for each in objects(everything, "ResourceQuota") if each["metadata"]["namespace"] == "runners")
    hard = quota["spec"]["hard"]
    assert int(hard["pods"]) >= 10 + 4 + 2
    assert int(hard["requests.cpu"].removesuffix("m")) >= 10 * 1000 + 4 * 4000
    services = Services.model_validate_json(json.dumps(FEW))
    counted = {each.name: each.replicas for each in replicas(services) if "runner-" in each.name}
    assert counted == {"service.runners.runner-large": 1}
