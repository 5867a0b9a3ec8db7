"""Databases in the cluster: what is emitted for them, who gets in, and how what they hold comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.kubernetes import database_kinds
from components.kubernetes.crds.kinds import KINDS
from components.kubernetes.database_alerts import databases
from components.kubernetes.databases import access
from components.kubernetes.permits import Request, may
from components.kubernetes.raised import Runbooks
from stacks.services.databases import password
from stacks.services.settings import Services
from stacks.services.table import pods_of
from tests.components.kubernetes.services.built import SHARED, build, named, needs_shared, objects, releases, spec, tool
from tests.components.mock_cloud import Cloud

ORDERS: dict[str, Any] = {"users": ["platform/gateway", "platform/agent"]}
SERVICES: dict[str, Any] = {
    "cert_manager": {},
    "external_secrets": {},
    "cloudnative_pg": {"databases": {"orders": ORDERS}},
}


def cluster(cloud: Cloud, name: str = "orders") -> dict[str, Any]:
    return spec(cloud, "Cluster", name)


def policies(cloud: Cloud, namespace: str, labels: dict[str, str], side: str) -> list[dict[str, Any]]:
    """Rules of a direction that hold for some pods."""
    return [
        rule
        for each in objects(cloud, "NetworkPolicy")
        if each["metadata"]["namespace"] == namespace and each["spec"]["podSelector"].get("matchLabels") == labels
        for rule in each["spec"].get(side) or ()
    ]


def test_three_servers_over_zones_and_nobody_is_superuser(cloud: Cloud) -> None:
    found = cluster(build(cloud, SERVICES))
    assert found["instances"] == 3
    assert found["enableSuperuserAccess"] is False
    assert found["enablePDB"] is True
    assert found["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    assert found["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == {"cnpg.io/cluster": "orders"}
    assert found["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "preferred"}
    assert found["postgresql"]["enableAlterSystem"] is False
    assert found["storage"] == {"size": "20Gi", "storageClass": "encrypted"}
    assert found["bootstrap"]["initdb"]["dataChecksums"] is True


def test_one_server_has_no_standby_that_anything_waits_for(cloud: Cloud) -> None:
    build(cloud, {**SERVICES, "cloudnative_pg": {"databases": {"orders": {**ORDERS, "instances": 1}}}})
    found = cluster(cloud)
    assert found["enablePDB"] is False, "a budget of one pod would hold each node for ever"
    assert "synchronous" not in found["postgresql"]
    assert found["primaryUpdateMethod"] == "restart"


def test_a_server_has_the_memory_that_it_asks_for_and_a_quarter_for_pages(cloud: Cloud) -> None:
    wish = {"databases": {"orders": {**ORDERS, "memory": "4Gi", "cpu": 2}}}
    found = cluster(build(cloud, {**SERVICES, "cloudnative_pg": wish}))
    assert found["resources"]["requests"]["memory"] == found["resources"]["limits"]["memory"] == "4096Mi"
    assert found["resources"]["requests"]["cpu"] == "2000m"
    assert found["postgresql"]["parameters"]["shared_buffers"] == "1024MB"


def test_without_tls_nobody_gets_in(cloud: Cloud) -> None:
    """The operator's last line of pg_hba takes passwords on any connection; ours stands before it."""
    assert cluster(build(cloud, SERVICES))["postgresql"]["pg_hba"] == ["hostnossl all all all reject"]


def test_each_user_has_a_role_and_a_password_of_its_own_from_the_store(cloud: Cloud) -> None:
    roles = {each["name"]: each for each in cluster(build(cloud, SERVICES))["managed"]["roles"]}
    assert set(roles) == {"platform.gateway", "platform.agent"}
    for name, role in roles.items():
        assert role["login"] is True
        assert role["inRoles"] == ["app"]
        assert not {"superuser", "createdb", "createrole", "replication", "bypassrls"} & set(role)
        held = spec(cloud, "ExternalSecret", role["passwordSecret"]["name"])
        assert held["target"]["template"]["type"] == "kubernetes.io/basic-auth"
        assert held["target"]["template"]["data"] == {"username": name, "password": "{{ .password }}"}
        assert held["target"]["template"]["metadata"]["labels"] == {"cnpg.io/reload": "true"}
        assert held["data"][0]["remoteRef"]["key"] == f"postgres-orders-{name.replace('.', '-')}"
    assert objects(cloud, "Secret") == []


def test_the_store_of_secrets_is_open_to_the_databases(cloud: Cloud) -> None:
    (condition,) = spec(build(cloud, SERVICES), "ClusterSecretStore", "cloud")["conditions"]
    assert "databases" in condition["namespaces"]


def test_users_find_what_users_of_the_clouds_stores_find(cloud: Cloud) -> None:
    found = named(build(cloud, SERVICES), "ConfigMap", "store-orders-gateway")
    assert found["metadata"]["namespace"] == "platform"
    assert found["data"] == access("orders", "platform/gateway").data()
    assert found["data"]["host"] == "orders-rw.databases.svc"
    assert set(found["data"]) == {"host", "port", "database", "user", "tls", "secret", "identity"}
    assert found["data"]["secret"] == password("orders", "platform/gateway")


def test_only_users_peers_operator_and_prometheus_get_in(cloud: Cloud) -> None:
    build(cloud, {**SERVICES, "monitoring": {}})
    allowed = {
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
         *(peer.get("podSelector") or {"matchLabels": {"": ""}})["matchLabels"].values(),
         tuple(port["port"] for port in rule["ports"]))
        for rule in policies(cloud, "databases", {"cnpg.io/cluster": "orders"}, "ingress")
        for peer in rule["from"]
    }  # fmt: skip
    assert allowed == {
        ("cnpg-system", "cloudnative-pg", (5432, 8000)),
        ("databases", "orders", (5432, 8000)),
        ("monitoring", "prometheus", (9187,)),
        ("platform", "gateway", (5432,)),
        ("platform", "agent", (5432,)),
    }
    ways = policies(cloud, "platform", {"app": "gateway"}, "egress")
    assert any(port["port"] == 5432 for rule in ways for port in rule["ports"])


@pytest.mark.parametrize("mode", ["ambient", "sidecar"])
def test_in_a_mesh_who_somebody_is_decides_too(cloud: Cloud, mode: str) -> None:
    found = objects(build(cloud, {**SERVICES, "mesh": {"mode": mode}}), "AuthorizationPolicy")

    def lets(account: str, port: int) -> bool:
        labels = {"cnpg.io/cluster": "orders"}
        who = f"cluster.local/ns/{account.replace('/', '/sa/')}"
        return may(
            Request(principal=who, namespace="databases", service="orders-rw", labels=labels, port=port), found
        ).allowed

    assert lets("platform/gateway", 5432)
    assert not lets("platform/gateway", 8000)
    assert not lets("platform/optimizer", 5432)
    assert lets("cnpg-system/cloudnative-pg", 8000)
    assert not lets("cnpg-system/plugin-barman-cloud", 8000)
    assert lets("databases/orders", 5432)


def test_in_a_mesh_the_api_server_still_reaches_the_operator(cloud: Cloud) -> None:
    values = releases(build(cloud, {**SERVICES, "mesh": {}}))["cloudnative-pg"]["values"]
    assert values["podLabels"] == {"sidecar.istio.io/inject": "true", "istio.io/dataplane-mode": "none"}
    assert values["podAnnotations"]["traffic.sidecar.istio.io/excludeInboundPorts"] == "9443"
    ways = policies(cloud, "cnpg-system", {"app.kubernetes.io/name": "cloudnative-pg"}, "egress")
    assert any(port["port"] == 15012 for rule in ways for port in rule["ports"]), "its proxy asks istiod"


def test_without_a_mesh_nothing_speaks_of_one(cloud: Cloud) -> None:
    values = releases(build(cloud, SERVICES))["cloudnative-pg"]["values"]
    assert values["podLabels"] == values["podAnnotations"] == {}


@pytest.mark.parametrize(
    ("where", "path", "how"),
    [
        ("aws", "s3://backups-0123456/databases", {"s3Credentials": {"inheritFromIAMRole": True}}),
        ("gcp", "gs://backups-0123456/databases", {"googleCredentials": {"gkeEnvironment": True}}),
        (
            "azure",
            "https://objabcdef.blob.core.windows.net/backups-0123456/databases",
            {"azureCredentials": {"useDefaultAzureCredentials": True}},
        ),
    ],
)
def test_what_is_logged_goes_into_the_bucket_by_the_own_identity(
    cloud: Cloud, where: str, path: str, how: dict[str, Any]
) -> None:
    store = spec(build(cloud, SERVICES, where), "ObjectStore", "orders")
    held = store["configuration"]
    assert held["destinationPath"] == path
    assert {key: value for key, value in held.items() if key.endswith("Credentials")} == how
    assert store["retentionPolicy"] == "30d"
    told = store["instanceSidecarConfiguration"].get("env", [])
    assert told == ([{"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}] if where == "aws" else [])
    assert store["instanceSidecarConfiguration"]["resources"]["requests"]["cpu"] == "50m"
    found = cluster(cloud)
    assert found["serviceAccountTemplate"]["metadata"]["annotations"] == {
        "example.org/identity": "databases-orders-usebucket"
    }
    (plugin,) = found["plugins"]
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"] == {"barmanObjectName": "orders", "serverName": "orders"}


def test_a_base_backup_each_day_of_a_standby(cloud: Cloud) -> None:
    wish = {**SERVICES["cloudnative_pg"], "hour": 4, "retention_days": 7}
    found = spec(build(cloud, {**SERVICES, "cloudnative_pg": wish}), "ScheduledBackup", "orders")
    assert found["schedule"] == "0 0 4 * * *", "seconds come first"
    assert (found["method"], found["target"], found["immediate"]) == ("plugin", "prefer-standby", True)
    assert found["cluster"] == {"name": "orders"}
    assert spec(cloud, "ObjectStore", "orders")["retentionPolicy"] == "7d"


def test_the_image_keeps_its_tag_beside_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator reads the version from the tag and refuses a digest alone."""
    held = database_kinds.lock.images()["postgresql"]
    assert database_kinds.image() == held.image
    known = {"postgresql": held.__class__(name="postgresql", image=held.image, digest="sha256:0", licence="x")}
    monkeypatch.setattr(database_kinds.lock, "images", lambda: known)
    assert database_kinds.image() == f"{held.image}@sha256:0"


def test_namespaces_hold_what_stands_in_them_twice(cloud: Cloud) -> None:
    build(cloud, SERVICES)
    quotas = {each["metadata"]["namespace"]: each["spec"]["hard"] for each in objects(cloud, "ResourceQuota")}
    assert int(quotas["databases"]["pods"]) >= 6
    assert int(quotas["databases"]["requests.memory"].removesuffix("Mi")) >= 6 * 2048
    assert int(quotas["cnpg-system"]["requests.memory"].removesuffix("Mi")) < 2048 * 2
    (budget,) = objects(cloud, "PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": "cloudnative-pg"}


def test_sizing_counts_every_server() -> None:
    found = {each.name: each for each in pods_of(Services.model_validate_json(json.dumps(SERVICES)))["cloudnative_pg"]}
    assert found["postgres-orders"].replicas == found["archiver-orders"].replicas == 3
    assert found["postgres-orders"].memory_mib == 2048


def test_a_database_that_is_called_like_a_part_of_monitoring_is_asked_too(cloud: Cloud) -> None:
    wish = {"databases": {"grafana": ORDERS}}
    build(cloud, {**SERVICES, "monitoring": {}, "cloudnative_pg": wish})
    assert spec(cloud, "PodMonitor", "databases-grafana")["podMetricsEndpoints"][0]["portNumber"] == 9187


def test_without_databases_there_is_an_operator_and_nothing_else(cloud: Cloud) -> None:
    build(cloud, {**SERVICES, "monitoring": {}, "cloudnative_pg": {}})
    assert "cloudnative-pg" in releases(cloud)
    for kind in ("Cluster", "ObjectStore", "ScheduledBackup"):
        assert objects(cloud, kind) == []
    (rule,) = objects(cloud, "PrometheusRule")
    assert "cnpg" not in json.dumps(rule)


def test_lonely_databases_have_no_alert_for_standbys() -> None:
    wish = {**SERVICES, "cloudnative_pg": {"databases": {"orders": {**ORDERS, "instances": 1}}}}
    groups = databases(Services.model_validate_json(json.dumps(wish)), Runbooks())
    assert "DatabaseWithoutStandby" not in {rule.alert for group in groups for rule in group.rules or ()}


@needs_shared
def test_the_operator_is_restricted_by_its_own_values(cloud: Cloud) -> None:
    """Its chart sets the restricted standard itself; ours must not take it away."""
    build(cloud, SERVICES)
    for chart in ("cloudnative-pg", "plugin-barman-cloud"):
        ours = releases(cloud)[chart]["values"]
        theirs = yaml.safe_load((SHARED / "charts" / chart / "values.yaml").read_text(encoding="utf-8"))
        whole = {**theirs, **ours}
        assert whole["podSecurityContext"]["runAsNonRoot"] is True
        assert whole["containerSecurityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert whole["containerSecurityContext"]["allowPrivilegeEscalation"] is False
        assert whole["containerSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert list(tool("check_values").Chart(chart, str(SHARED / "charts")).check(ours)) == []


def test_kinds_are_generated() -> None:
    assert {each.file for each in KINDS if each.module == "cloudnative_pg"} == {
        "cloudnative-pg/clusters.yaml",
        "cloudnative-pg/scheduledbackups.yaml",
        "cnpg-barman-cloud/objectstores.yaml",
    }
