"""A GKE cluster: private, encrypted, and reached without a stored credential."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest

from components.gcp import names
from components.gcp.cluster import Cluster
from components.gcp.zones import zones
from stacks.model import ControlPlaneAccess
from tests.components.gcp import wishes
from tests.components.mock_cloud import Cloud

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"


def run(google: Cloud, program: Callable[[], Cluster]) -> dict[str, Any]:
    """Build a cluster and return what was asked for."""
    google.run(lambda: program().endpoint)
    (asked,) = google.of_type(CLUSTER).values()
    return asked


def test_types_and_counts(google: Cloud) -> None:
    pools = {key: wishes.pool(key) for key in ("system-0", "general-0", "general-1")}
    run(google, lambda: wishes.cluster(wishes.account(), pools))
    counts = google.counts()
    assert counts[CLUSTER] == 1
    assert counts[NODE_POOL] == 3
    assert counts["gcp:kms/keyRing:KeyRing"] == 1
    assert counts["gcp:kms/cryptoKey:CryptoKey"] == 2
    assert counts["gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"] == 2
    assert counts["gcp:serviceaccount/account:Account"] == 1
    assert counts["gcp:projects/iAMMember:IAMMember"] == 2
    assert counts["pulumi:providers:kubernetes"] == 1
    assert google.without_provider() == []


def test_three_zones_make_it_regional(google: Cloud) -> None:
    asked = run(google, lambda: wishes.cluster(wishes.account()))
    assert asked["location"] == "europe-west1"
    assert asked["nodeLocations"] == ["europe-west1-b", "europe-west1-c", "europe-west1-d"]


def test_one_zone_makes_it_zonal_and_nodes_stay_in_it(google: Cloud) -> None:
    pools = {"general-0": wishes.pool("general-0")}
    asked = run(google, lambda: wishes.cluster(wishes.account(), pools, zones=1))
    (pool,) = google.of_type(NODE_POOL).values()
    assert asked["location"] == pool["location"] == "europe-west1-b"
    assert "nodeLocations" not in asked  # GKE refuses the cluster's own zone there
    assert pool["nodeLocations"] == ["europe-west1-b"]


def test_private_means_that_only_the_own_network_knocks(google: Cloud) -> None:
    asked = run(google, lambda: wishes.cluster(wishes.account()))
    plan = wishes.plan(wishes.region())
    assert asked["privateClusterConfig"]["enablePrivateNodes"] is True
    assert asked["privateClusterConfig"]["enablePrivateEndpoint"] is True
    assert asked["privateClusterConfig"]["masterIpv4CidrBlock"] == str(plan.master)
    blocks = [block["cidrBlock"] for block in asked["masterAuthorizedNetworksConfig"]["cidrBlocks"]]
    assert blocks == [str(plan.network), str(plan.pods)]


def test_restricted_means_that_only_the_named_blocks_knock(google: Cloud) -> None:
    access = ControlPlaneAccess(mode="restricted", allowed_cidrs=(IPv4Network("192.0.2.0/24"),))
    asked = run(google, lambda: wishes.cluster(wishes.account(), access=access))
    assert asked["privateClusterConfig"]["enablePrivateEndpoint"] is False
    assert asked["masterAuthorizedNetworksConfig"] == {
        "cidrBlocks": [{"cidrBlock": "192.0.2.0/24", "displayName": "allowed-192.0.2.0-24"}],
        "gcpPublicCidrsAccessEnabled": False,
        "privateEndpointEnforcementEnabled": True,
    }


def test_restricted_to_nobody_is_refused(google: Cloud) -> None:
    with pytest.raises(pulumi.RunError, match=r"control_plane_access\.allowed_cidrs: empty"):
        run(google, lambda: wishes.cluster(wishes.account(), access=ControlPlaneAccess(mode="restricted")))


def test_the_law_s_settings(google: Cloud) -> None:
    asked = run(google, lambda: wishes.cluster(wishes.account()))
    assert asked["name"] == "prod-europe-west1"
    assert asked["minMasterVersion"] == "1.34"
    assert asked["releaseChannel"] == {"channel": "STABLE"}
    assert asked["workloadIdentityConfig"] == {"workloadPool": "example-prod.svc.id.goog"}
    assert asked["datapathProvider"] == "ADVANCED_DATAPATH"
    assert asked["enableShieldedNodes"] is True
    assert asked["enableLegacyAbac"] is False
    assert asked["masterAuth"]["clientCertificateConfig"] == {"issueClientCertificate": False}
    assert asked["binaryAuthorization"] == {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}
    assert asked["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": "gcp-europe-west1-keys-database-id"}
    assert {"SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER"} <= set(asked["loggingConfig"]["enableComponents"])
    assert asked["monitoringConfig"]["managedPrometheus"] == {"enabled": True}
    assert asked["costManagementConfig"] == {"enabled": True}
    assert asked["clusterAutoscaling"] == {"enabled": False, "autoscalingProfile": "BALANCED"}
    assert asked["removeDefaultNodePool"] is True
    assert asked["initialNodeCount"] == 1
    assert asked["nodeConfig"]["serviceAccount"] == "prod-europe-west1-nodes@example-prod.iam.gserviceaccount.com"
    assert "enableAutopilot" not in asked
    assert "resourceLabels" not in asked  # the common ones are filled elsewhere


def test_keys_rotate_in_the_region_and_agents_may_use_them(google: Cloud) -> None:
    run(google, lambda: wishes.cluster(wishes.account(), zones=1))
    (ring,) = google.of_type("gcp:kms/keyRing:KeyRing").values()
    assert ring["location"] == "europe-west1"
    keys = google.of_type("gcp:kms/cryptoKey:CryptoKey")
    assert {key["rotationPeriod"] for key in keys.values()} == {"7776000s"}
    grants = google.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    users = {grant["cryptoKeyId"]: grant["member"].partition("@")[2] for grant in grants.values()}
    assert users == {
        "gcp-europe-west1-keys-database-id": "container-engine-robot.iam.gserviceaccount.com",
        "gcp-europe-west1-keys-disks-id": "compute-system.iam.gserviceaccount.com",
    }


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_the_file_s(
    google: Cloud,
    options: dict[str, Any],
    protect: bool,  # noqa: FBT001
) -> None:
    asked = run(google, lambda: wishes.cluster(wishes.account(), protect=protect))
    assert asked["deletionProtection"] is protect
    kept = (
        "gcp-europe-west1",
        "gcp-europe-west1-keys",
        "gcp-europe-west1-keys-disks",
        "gcp-europe-west1-keys-database",
    )
    assert {options[name].protect for name in kept} == {protect}


def test_options_that_keep_a_cluster_alive(google: Cloud, options: dict[str, Any]) -> None:
    run(google, lambda: wishes.cluster(wishes.account(), {"general-0": wishes.pool("general-0")}))
    cluster, pool = options["gcp-europe-west1"], options["gcp-europe-west1-general-0"]
    assert list(cluster.ignoreChanges) == ["nodeConfig"]
    assert cluster.deleteBeforeReplace
    assert cluster.customTimeouts.create == "60m"
    assert list(pool.ignoreChanges) == ["initialNodeCount"]
    assert not pool.deleteBeforeReplace
    assert pool.customTimeouts.update == "180m"


def test_only_the_key_ring_stays_behind(google: Cloud, options: dict[str, Any]) -> None:
    run(google, lambda: wishes.cluster(wishes.account(), {"general-0": wishes.pool("general-0")}))
    assert {request.type for request in options.values() if request.retainOnDelete} == {"gcp:kms/keyRing:KeyRing"}


def test_everything_waits_for_what_it_needs(google: Cloud, options: dict[str, Any]) -> None:
    run(google, lambda: wishes.cluster(wishes.account()))
    awaited = {urn.rsplit("::", 1)[1] for urn in options["gcp-europe-west1"].dependencies}
    assert {
        "gcp-admission",
        "gcp-europe-west1-network-nat",
        "gcp-europe-west1-keys-disks-agent",
        "gcp-europe-west1-keys-database-agent",
        "gcp-europe-west1-nodes-node",
        "gcp-europe-west1-nodes-images",
    } <= awaited


def test_nodes_have_the_least_of_roles(google: Cloud) -> None:
    run(google, lambda: wishes.cluster(wishes.account()))
    roles = {member["role"] for member in google.of_type("gcp:projects/iAMMember:IAMMember").values()}
    assert roles == {"roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"}


def test_credentials_are_fetched_never_stored(google: Cloud) -> None:
    run(google, lambda: wishes.cluster(wishes.account()))
    (provider,) = google.of_type("pulumi:providers:kubernetes").values()
    config = json.loads(provider["kubeconfig"])
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    (target,) = config["clusters"]
    assert target["cluster"]["server"] == "https://10.0.0.2"
    assert target["cluster"]["certificate-authority-data"]


def test_the_issuer_names_the_cluster(google: Cloud) -> None:
    issuer = google.run(lambda: wishes.cluster(wishes.account(), zones=1).oidc_issuer)
    assert issuer == (
        "https://container.googleapis.com/v1/projects/example-prod/locations/europe-west1-b/clusters/prod-europe-west1"
    )


def test_a_system_pool_stands_for_a_cluster_with_room(google: Cloud) -> None:
    pools = {
        "burst-0": wishes.pool("burst-0", min=0, spot="only"),
        "system-0": wishes.pool("system-0", purpose="system"),
    }
    built: list[Cluster] = []

    def program() -> pulumi.Output[str]:
        built.append(wishes.cluster(wishes.account(), pools))
        return built[0].endpoint

    google.run(program)
    assert built[0].ready is built[0].node_pools["system-0"]
    assert built[0].name == "gcp-europe-west1"


def test_zones_are_the_region_s_own() -> None:
    assert zones("us-east4", 2) == ("us-east4-a", "us-east4-b")
    with pytest.raises(pulumi.RunError, match="4 asked, the region has 3"):
        zones("us-east4", 4)


def test_names_stay_within_google_s_limits() -> None:
    long = "northamerica-northeast1"
    assert len(names.account_id("staging", long)) <= 30
    assert len(names.node_pool_name(f"gcp-{long}", "general-purpose-0")) + names.AUTONAME <= 40
    assert names.node_pool_name(f"gcp-{long}", "a-long-pool-0") != names.node_pool_name(f"gcp-{long}", "a-long-pool-1")
    assert names.node_pool_name("gcp-us-east4", "general-0") == "gcp-us-east4-general-0"
    with pytest.raises(pulumi.RunError, match="shorten `environment` by 4"):
        names.cluster_name("an-environment-name-x", "northamerica-northeast1"[:22])
