"""The ground of every cluster under the mock cloud."""

from __future__ import annotations

import pulumi
import pytest

from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from stacks.model import Namespace
from tests.components.kubernetes.ground import base, standing
from tests.components.mock_cloud import Cloud

NAMESPACE = "kubernetes:core/v1:Namespace"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def test_a_namespace_is_six_objects(cloud: Cloud) -> None:
    found = base(cloud)
    counts = {typ: count for typ, count in found.counts().items() if typ.startswith("kubernetes:")}
    assert counts == {NAMESPACE: 1, QUOTA: 1, LIMITS: 1, ACCOUNT: 1, POLICY: 2}
    assert {asked.name for asked in found.asked if asked.typ.startswith("kubernetes:")} == {
        f"aws-eu-west-1-tenant{end}" for end in ("", "-quota", "-limits", "-workload", "-default-deny", "-allow-dns")
    }
    assert not found.without_provider()


def test_every_object_names_its_namespace(cloud: Cloud) -> None:
    for asked in base(cloud).asked:
        if asked.typ.startswith("kubernetes:") and asked.typ != NAMESPACE:
            assert asked.inputs["metadata"]["namespace"] == "tenant", asked.name


def test_pods_are_restricted_at_the_clusters_version(cloud: Cloud) -> None:
    (inputs,) = base(cloud, version="1.35").of_type(NAMESPACE).values()
    assert inputs["metadata"]["name"] == "tenant"
    for mode in ("enforce", "audit", "warn"):
        assert inputs["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert inputs["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}-version"] == "v1.35"


def test_the_default_quota(cloud: Cloud) -> None:
    (inputs,) = base(cloud).of_type(QUOTA).values()
    assert inputs["spec"]["hard"] == {
        "requests.cpu": "100",
        "requests.memory": "200Gi",
        "limits.cpu": "200",
        "limits.memory": "400Gi",
        "pods": "50",
        "services.loadbalancers": "5",
    }


def test_a_quota_follows_its_wish(cloud: Cloud) -> None:
    wish = Namespace(pods=7, cpu_requests="2", load_balancers=0)
    (inputs,) = base(cloud, small=wish).of_type(QUOTA).values()
    assert inputs["spec"]["hard"]["pods"] == "7"
    assert inputs["spec"]["hard"]["requests.cpu"] == "2"
    assert inputs["spec"]["hard"]["services.loadbalancers"] == "0"


def test_containers_get_limits(cloud: Cloud) -> None:
    (inputs,) = base(cloud).of_type(LIMITS).values()
    (item,) = inputs["spec"]["limits"]
    assert item["type"] == "Container"
    assert item["default"].keys() == item["defaultRequest"].keys() == {"cpu", "memory", "ephemeral-storage"}


def test_all_traffic_is_denied_but_dns(cloud: Cloud) -> None:
    policies = base(cloud).of_type(POLICY)
    denied = policies["aws-eu-west-1-tenant-default-deny"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    allowed = policies["aws-eu-west-1-tenant-allow-dns"]["spec"]
    assert allowed["podSelector"] == {}
    assert allowed["policyTypes"] == ["Egress"]
    (rule,) = allowed["egress"]
    assert rule["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    names = {"kubernetes.io/metadata.name": "kube-system"}
    assert rule["to"][0]["namespaceSelector"] == {"matchLabels": names}
    assert rule["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert rule["to"][1] == {"ipBlock": {"cidr": "169.254.20.10/32"}}


def test_the_service_account_has_no_token(cloud: Cloud) -> None:
    (inputs,) = base(cloud).of_type(ACCOUNT).values()
    assert inputs["metadata"] == {"name": "workload", "namespace": "tenant"}
    assert inputs["automountServiceAccountToken"] is False


def test_losing_a_namespace_renames_nothing(cloud: Cloud) -> None:
    found = base(cloud, alpha=Namespace(), beta=Namespace())
    names = {asked.name for asked in found.asked if "-beta" in asked.name}
    assert len(names) == 6
    assert all(name.startswith("aws-eu-west-1-beta") for name in names)


@pytest.mark.parametrize("wishes", [{}, {"tenant": Namespace()}])
def test_there_is_always_something_to_depend_on(cloud: Cloud, wishes: dict[str, Namespace]) -> None:
    made: list[pulumi.Resource] = []
    ground = ClusterBaseArgs(namespaces=wishes, version="1.34")
    cloud.build(lambda: made.append(ClusterBase("c", ground, standing()).ready))
    assert made[0] is not None
