"""Delivery as it is emitted: who may deploy what, how new versions come in, and what happens when they are bad."""

from __future__ import annotations

import json

import pytest
from pulumi.runtime.mocks import MockResourceArgs

from tests.components.kubernetes.services.built import ALL, build, objects, once, releases, spec
from tests.components.kubernetes.services.replay import canary
from tests.components.mock_cloud import Cloud

NAMES = ("cert_manager", "external_secrets", "mesh", "monitoring", "scaling", "gitops", "rollouts")
FEW = {name: ALL[name] for name in NAMES}
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def everything(cloud: Cloud) -> Cloud:
    """Delivery and what it stands on, built once."""
    return once(ONCE, cloud, FEW)


def test_what_is_in_the_repository_is_in_the_cluster(everything: Cloud) -> None:
    found = spec(everything, "ApplicationSet", "aws-eu-west-1")
    (element,) = found["generators"][0]["list"]["elements"]
    assert element["path"] == "apps/gateway/aws-eu-west-1"  # the other one is for a cluster of another cloud
    policy = found["template"]["spec"]["syncPolicy"]
    assert (policy["automated"]["prune"], policy["automated"]["selfHeal"]) == (True, True)
    assert "CreateNamespace=true" in policy["syncOptions"]
    assert policy["retry"] == {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}}


def test_a_repository_touches_neither_the_cluster_nor_what_the_platform_decides(everything: Cloud) -> None:
    found = spec(everything, "AppProject", "tenants")
    assert found["clusterResourceWhitelist"] == []
    assert {each["namespace"] for each in found["destinations"]} == {"platform"}
    assert "*" not in json.dumps([found["sourceRepos"], found["destinations"]])
    kept = {each["kind"] for each in found["namespaceResourceBlacklist"]}
    assert {"ResourceQuota", "NetworkPolicy", "RoleBinding", "AuthorizationPolicy"} <= kept


def test_nobody_has_a_password_and_everybody_may_look(everything: Cloud) -> None:
    configs = releases(everything)["argo-cd"]["values"]["configs"]
    assert configs["cm"]["admin.enabled"] is False
    assert configs["rbac"]["policy.default"] == "role:readonly"
    assert configs["rbac"]["policy.csv"] == "g, platform-team, role:admin\n"
    oidc = json.loads(configs["cm"]["oidc.config"])
    assert (oidc["issuer"], oidc["clientSecret"]) == ("https://login.example.org", "$argocd-oidc:client-secret")
    assert spec(everything, "AppProject", "tenants")["roles"][0]["groups"] == ["developers"]
    secret = spec(everything, "ExternalSecret", "argocd-oidc")
    assert secret["target"]["template"]["metadata"]["labels"] == {"app.kubernetes.io/part-of": "argocd"}


def test_the_store_is_open_to_those_who_read_it(everything: Cloud) -> None:
    (condition,) = spec(everything, "ClusterSecretStore", "cloud")["conditions"]
    assert condition["namespaces"] == ["argocd", "monitoring", "platform"]


def test_people_come_through_the_gateway_only_where_a_host_is_given(everything: Cloud, cloud: Cloud) -> None:
    assert spec(everything, "HTTPRoute", "argocd")["hostnames"] == ["argocd.example.org"]
    everything.asked.clear()
    build(cloud, {**FEW, "gitops": {}})
    assert not objects(cloud, "HTTPRoute")
    (listener,) = spec(cloud, "Gateway", "gateway")["listeners"]
    (expression,) = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert expression["values"] == ["platform"]


def test_ten_per_cent_first_and_a_judge_after_each_step(everything: Cloud) -> None:
    steps = spec(everything, "Rollout", "gateway")["strategy"]["canary"]["steps"]
    assert [each["setWeight"] for each in steps if "setWeight" in each] == [10, 50, 100]
    at = [index for index, each in enumerate(steps) if "setWeight" in each]
    assert all("pause" in steps[index + 1] and "analysis" in steps[index + 2] for index in at)
    args = {each["name"]: each["value"] for each in steps[at[0] + 2]["analysis"]["args"]}
    assert args == {"service": "gateway-canary", "namespace": "platform", "allowed": "0.01"}


@pytest.mark.parametrize(
    ("errors", "course"),
    [
        ({}, [10, 50, 100]),
        ({10: 0.009}, [10, 50, 100]),
        ({10: 0.02}, [10, 0]),
        ({50: 0.5}, [10, 50, 0]),
        ({100: 0.011}, [10, 50, 100, 0]),
    ],
)
def test_a_bad_version_goes_back(everything: Cloud, errors: dict[int, float], course: list[int]) -> None:
    steps = spec(everything, "Rollout", "gateway")["strategy"]["canary"]["steps"]
    allowed = next(each for each in steps if "analysis" in each)["analysis"]["args"][2]["value"]
    assert list(canary(steps, errors, float(allowed))) == course


def test_the_judge_asks_for_what_the_mesh_counts_and_does_not_guess(everything: Cloud) -> None:
    (metric,) = spec(everything, "AnalysisTemplate", "error-rate")["metrics"]
    query = metric["provider"]["prometheus"]["query"]
    assert 'istio_requests_total{reporter="waypoint",destination_service_name="{{args.service}}"' in query
    assert 'response_code=~"5.."' in query
    assert "<=" in metric["successCondition"]
    assert ">" in metric["failureCondition"]
    for condition in (metric["successCondition"], metric["failureCondition"]):
        assert "len(result) > 0 && !isNaN(result[0])" in condition  # nothing was answered: undecided
    assert (metric["count"], metric["interval"]) == (5, "1m")


def test_copies_go_to_the_new_version_before_anybody_is_answered_by_it(everything: Cloud) -> None:
    canary_ = spec(everything, "Rollout", "gateway")["strategy"]["canary"]
    first = next(index for index, each in enumerate(canary_["steps"]) if "setWeight" in each)
    mirrors = [each["setMirrorRoute"] for each in canary_["steps"][:first] if "setMirrorRoute" in each]
    assert mirrors[0]["percentage"] == 20
    assert mirrors[0]["match"] == [{"method": {"exact": "GET"}}]
    assert "percentage" not in mirrors[1]  # that ends it
    assert canary_["trafficRouting"]["managedRoutes"] == [{"name": "shadow"}]


def test_the_mesh_splits_only_what_is_delivered_step_by_step(everything: Cloud) -> None:
    (http,) = spec(everything, "VirtualService", "gateway")["http"]
    assert [(each["destination"]["host"].split(".")[0], each["weight"]) for each in http["route"]] == [
        ("gateway", 100),
        ("gateway-canary", 0),
    ]
    routing = spec(everything, "Rollout", "gateway")["strategy"]["canary"]["trafficRouting"]["istio"]["virtualService"]
    assert (routing["name"], routing["routes"]) == ("gateway", [http["name"]])
    (other,) = spec(everything, "VirtualService", "agent")["http"]
    assert len(other["route"]) == 1


def test_blue_green_keeps_the_way_back_and_looks_after_the_change(everything: Cloud) -> None:
    found = spec(everything, "Rollout", "agent")["strategy"]["blueGreen"]
    assert (found["activeService"], found["previewService"]) == ("agent", "agent-preview")
    assert found["scaleDownDelaySeconds"] == 600
    assert found["postPromotionAnalysis"]["args"][0] == {"name": "service", "value": "agent"}


def test_the_autoscaler_scales_what_the_rollout_has_taken_over(everything: Cloud) -> None:
    target = spec(everything, "ScaledObject", "gateway")["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"]) == ("argoproj.io/v1alpha1", "Rollout")
    assert "replicas" not in spec(everything, "Rollout", "gateway")  # they are the autoscaler's
    budget = spec(everything, "PodDisruptionBudget", "gateway")
    assert (budget["maxUnavailable"], budget["selector"]) == ("25%", {"matchLabels": {"app": "gateway"}})
