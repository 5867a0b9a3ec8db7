"""Overflow pools as they are emitted: limits, gentleness, and machines as closed as those of the plan."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.kubernetes.services.built import build, named, objects, releases, spec
from tests.components.mock_cloud import Cloud

WISH: dict[str, Any] = {
    "overflow": {
        "pools": {
            "beyond": {
                "cpu": 66,
                "memory": "256Gi",
                "node_cpu_min": 8,
                "arch": ["amd64", "arm64"],
                "spot": "first",
                "quiet": [{"starts": "0 8 * * 1-5", "hours": 10}],
            },
            "elsewhere": {"cpu": 16, "clusters": ["aws-us-east-1"]},
        }
    }
}


def asked(pool: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    found = pool["template"]["spec"]["requirements"]
    return [(each["key"].rpartition("/")[2], each["operator"], each["values"]) for each in found]


def test_a_pool_is_bounded_gentle_and_for_those_that_tolerate_it(cloud: Cloud) -> None:
    build(cloud, WISH)
    pool = spec(cloud, "NodePool", "beyond")
    assert pool["limits"] == {"cpu": "66", "nodes": "8", "memory": "256Gi"}
    inside = pool["template"]["spec"]
    assert inside["taints"] == [{"key": "ecosystem.dev/overflow", "value": "beyond", "effect": "NoSchedule"}]
    assert pool["template"]["metadata"]["labels"] == {"ecosystem.dev/overflow": "beyond"}
    assert (inside["expireAfter"], inside["terminationGracePeriod"]) == ("720h", "24h")
    assert pool["disruption"] == {
        "consolidationPolicy": "WhenEmptyOrUnderutilized",
        "consolidateAfter": "10m",
        "budgets": [
            {"nodes": "10%"},
            {"nodes": "0", "schedule": "0 8 * * 1-5", "duration": "10h", "reasons": ["Underutilized", "Drifted"]},
        ],
    }
    assert inside["nodeClassRef"] == {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "overflow"}
    assert asked(pool) == [
        ("os", "In", ["linux"]),
        ("arch", "In", ["amd64", "arm64"]),
        ("capacity-type", "In", ["spot", "on-demand"]),
        ("instance-category", "In", ["c", "m", "r"]),
        ("instance-generation", "Gt", ["4"]),
        ("instance-cpu", "Gt", ["7"]),
        ("instance-cpu", "Lt", ["17"]),
    ]


def test_a_pool_of_another_cluster_is_not_here(cloud: Cloud) -> None:
    build(cloud, WISH)
    assert [each["metadata"]["name"] for each in objects(cloud, "NodePool")] == ["beyond"]


def test_machines_are_closed_encrypted_and_tagged(cloud: Cloud) -> None:
    build(cloud, WISH)
    machine = spec(cloud, "EC2NodeClass", "overflow")
    assert machine["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
        "httpProtocolIPv6": "disabled",
    }
    (disk,) = machine["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyID"][-12:]) == (True, "key/overflow")
    assert machine["associatePublicIPAddress"] is False
    assert machine["instanceProfile"] == "overflow-profile"
    assert "role" not in machine
    assert machine["subnetSelectorTerms"] == machine["securityGroupSelectorTerms"]
    assert machine["amiSelectorTerms"] == [{"alias": "al2023@v20260415"}]
    assert machine["tags"] == {"environment": "test", "owner": "platform-team"}


def test_the_controller_is_told_its_cluster_queue_and_region(cloud: Cloud) -> None:
    build(cloud, WISH)
    values = releases(cloud)["karpenter"]["values"]
    assert values["settings"] == {
        "clusterName": "test-eu-west-1",
        "eksControlPlane": True,
        "interruptionQueue": "overflow-interruptions",
    }
    assert values["controller"]["env"] == [{"name": "AWS_REGION", "value": "eu-west-1"}]
    assert values["serviceAccount"]["name"] == "karpenter"
    assert values["controller"]["resources"]["requests"]["memory"] == "768Mi"


@pytest.mark.parametrize("elsewhere", ["gcp", "azure"])
def test_clusters_of_other_clouds_carry_none_of_it(cloud: Cloud, elsewhere: str) -> None:
    build(cloud, WISH, elsewhere)
    assert objects(cloud, "NodePool") == []
    assert releases(cloud) == {}


def test_machines_end_before_their_cluster_does(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cluster takes along is never deleted by itself; these are, so that no machine is left behind."""
    from components.kubernetes import service  # noqa: PLC0415

    taken: dict[str, object] = {}
    real = service.CustomResource

    def spy(name: str, *args: Any, opts: Any, **more: Any) -> Any:
        taken[name] = opts.deleted_with
        return real(name, *args, opts=opts, **more)

    monkeypatch.setattr(service, "CustomResource", spy)
    build(cloud, {**WISH, "cert_manager": {}})
    ends = {name for name, cluster in taken.items() if cluster is None}
    assert ends == {"c-services-overflow-nodepool-beyond", "c-services-overflow-ec2nodeclass-overflow"}
    assert len(taken) > len(ends)
    assert named(cloud, "NodePool", "beyond")
