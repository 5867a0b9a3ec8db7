"""Node pools on Google Cloud: the plan's numbers, the file's shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.contracts import SizedPool
from components.gcp import machines
from components.gcp.node_pool import initial_nodes
from stacks.model import Taint
from tests.components.gcp import wishes
from tests.components.mock_cloud import Cloud

NODE_POOL = "gcp:container/nodePool:NodePool"


def built(google: Cloud, pool: SizedPool, **wish: Any) -> dict[str, Any]:
    """Build a cluster with one pool and return what was asked for."""
    google.run(lambda: wishes.cluster(wishes.account(), {pool.key: pool}, **wish).endpoint)
    (asked,) = google.of_type(NODE_POOL).values()
    return asked


def test_bounds_are_totals_and_the_count_is_the_autoscaler_s(google: Cloud) -> None:
    asked = built(google, wishes.pool("general-0"))
    assert asked["autoscaling"] == {"totalMinNodeCount": 3, "totalMaxNodeCount": 9, "locationPolicy": "BALANCED"}
    assert "nodeCount" not in asked
    assert asked["initialNodeCount"] == 1


def test_the_plan_never_reaches_what_forces_replacement(google: Cloud) -> None:
    bigger = replace(wishes.pool("general-0"), minimum=7, desired=8, maximum=30)
    assert built(google, bigger)["initialNodeCount"] == 1


@pytest.mark.parametrize(
    ("key", "minimum", "zones", "count"),
    [
        ("system-0", 3, 3, 1),
        ("system-1", 3, 3, 0),
        ("general-0", 2, 3, 0),
        ("general-0", 1, 1, 1),
        ("burst-0", 0, 1, 0),
    ],
)
def test_a_new_pool_starts_small(key: str, minimum: int, zones: int, count: int) -> None:
    assert initial_nodes(wishes.pool(key, min=minimum), zones) == count


def test_nodes_as_the_law_wants_them(google: Cloud) -> None:
    asked = built(google, wishes.pool("general-0", labels={"team": "web"}))
    config = asked["nodeConfig"]
    assert asked["management"] == {"autoRepair": True, "autoUpgrade": True}
    assert asked["networkConfig"] == {"enablePrivateNodes": True}
    assert asked["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0}
    assert "name" not in asked
    assert config["machineType"] == "n2-standard-4"
    assert config["imageType"] == "COS_CONTAINERD"
    assert config["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert config["kubeletConfig"] == {"insecureKubeletReadonlyPortEnabled": "FALSE"}
    assert config["bootDiskKmsKey"] == "gcp-europe-west1-keys-disks-id"
    assert config["serviceAccount"] == "prod-europe-west1-nodes@example-prod.iam.gserviceaccount.com"
    assert config["oauthScopes"] == ["https://www.googleapis.com/auth/cloud-platform"]
    assert config["labels"] == {"ecosystem/pool": "general", "ecosystem/purpose": "general", "team": "web"}
    assert config["spot"] is False


def test_evidence_is_a_label_that_google_takes(google: Cloud) -> None:
    labels = built(google, wishes.pool("general-0"))["nodeConfig"]["resourceLabels"]
    assert labels == {"optimizer-evidence": wishes.EVIDENCE}
    assert len(wishes.EVIDENCE) == 52 <= 63


def test_spot_nodes_come_from_any_zone_that_has_them(google: Cloud) -> None:
    taint = Taint(key="spot", value="true", effect="NoExecute")
    asked = built(google, wishes.pool("burst-0", spot="only", min=0, taints=(taint,)))
    assert asked["nodeConfig"]["spot"] is True
    assert asked["autoscaling"]["locationPolicy"] == "ANY"
    assert asked["nodeConfig"]["taints"] == [{"key": "spot", "value": "true", "effect": "NO_EXECUTE"}]


def test_arm_nodes_carry_no_taint_that_nobody_asked_for(google: Cloud) -> None:
    pool = replace(wishes.pool("general-0", arch=("amd64", "arm64")), instance_type="c4a-standard-8")
    config = built(google, pool)["nodeConfig"]
    assert config["taintConfig"] == {"architectureTaintBehavior": "NONE"}
    assert config["diskType"] == "hyperdisk-balanced"


def test_gpu_nodes_declare_their_gpus(google: Cloud) -> None:
    pool = replace(wishes.pool("gpu-0", gpu=True), instance_type="g2-standard-48")
    (accelerator,) = built(google, pool)["nodeConfig"]["guestAccelerators"]
    assert (accelerator["type"], accelerator["count"]) == ("nvidia-l4", 4)


@pytest.mark.parametrize(
    ("machine", "disk"),
    [("e2-standard-4", "pd-balanced"), ("n4-standard-8", "hyperdisk-balanced"), ("t2a-standard-4", "pd-balanced")],
)
def test_disks_that_a_machine_boots_from(machine: str, disk: str) -> None:
    assert machines.disk_type(machine) == disk
