"""Caches in the cluster: what is emitted for them, and who gets in."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.cache_alerts import caches
from components.kubernetes.caches import access, settings
from components.kubernetes.permits import Request, may
from components.kubernetes.raised import Runbooks
from stacks.services.caches import Cache
from stacks.services.settings import Services
from tests.components.kubernetes.services.built import SHARED, build, named, needs_shared, objects, releases, spec, tool
from tests.components.mock_cloud import Cloud

SESSIONS: dict[str, Any] = {"users": ["platform/gateway", "platform/agent"]}
SERVICES: dict[str, Any] = {
    "cert_manager": {},
    "external_secrets": {},
    "valkey": {"caches": {"sessions": SESSIONS}},
}


def values(cloud: Cloud, name: str = "sessions") -> dict[str, Any]:
    found: dict[str, Any] = releases(cloud)[f"valkey-{name}"]["values"]
    return found


def test_a_primary_and_two_copies_on_volumes_of_their_own(cloud: Cloud) -> None:
    held = values(build(cloud, SERVICES))
    assert (held["replica"]["enabled"], held["replica"]["replicas"]) == (True, 2)
    assert held["replica"]["persistence"] == {"size": "2Gi", "storageClass": "encrypted"}
    assert held["podDisruptionBudget"]["maxUnavailable"] == 1
    assert held["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == {
        "app.kubernetes.io/instance": "valkey-sessions"
    }
    assert held["resources"]["requests"]["memory"] == held["resources"]["limits"]["memory"] == "512Mi"
    assert held["fullnameOverride"] == "sessions"


@pytest.mark.parametrize(
    ("wish", "lines"),
    [
        ({}, ["maxmemory 384mb", "maxmemory-policy allkeys-lru", "appendonly yes"]),
        ({"memory": "1Gi", "evict": False}, ["maxmemory 768mb", "maxmemory-policy noeviction"]),
        ({"memory": "64Mi"}, ["maxmemory 48mb"]),
    ],
)
def test_a_server_keeps_a_quarter_for_itself_and_says_what_happens_when_it_is_full(
    wish: dict[str, Any], lines: list[str]
) -> None:
    text = settings(Cache(users=("platform/gateway",), **wish)).splitlines()
    assert set(lines) <= set(text)


def test_nobody_gets_in_without_a_password_and_nobody_may_everything(cloud: Cloud) -> None:
    held = values(build(cloud, SERVICES))["auth"]
    assert held["enabled"] is True
    assert set(held["aclUsers"]) == {"default", "replication", "platform.gateway", "platform.agent"}
    assert not any("password" in each for each in held["aclUsers"].values())
    for name, each in held["aclUsers"].items():
        rights = each["permissions"].split()
        assert "-@all" in rights or "-@dangerous" in rights, name
        assert not [right for right in rights if right.startswith("+config") or right in {"+@admin", "+@dangerous"}]
    keys = {
        each["secretKey"]: each["remoteRef"]["key"] for each in spec(cloud, "ExternalSecret", "sessions-users")["data"]
    }
    assert set(keys) == set(held["aclUsers"])
    assert keys["platform.gateway"] == "valkey-sessions-platform-gateway"
    assert held["usersExistingSecret"] == "sessions-users"
    assert objects(cloud, "Secret") == []


def test_everything_is_said_by_tls_with_a_certificate_of_the_cluster_s_authority(cloud: Cloud) -> None:
    held = values(build(cloud, SERVICES))["tls"]
    certificate = spec(cloud, "Certificate", "sessions-tls")
    assert held["enabled"] is True
    assert held["existingSecret"] == certificate["secretName"]
    assert (held["serverPublicKey"], held["serverKey"], held["caPublicKey"]) == ("tls.crt", "tls.key", "ca.crt")
    assert "sessions.caches.svc" in certificate["dnsNames"]
    assert certificate["issuerRef"] == {"name": "own", "kind": "ClusterIssuer"}


def test_only_users_and_copies_and_prometheus_get_in_and_nothing_gets_out(cloud: Cloud) -> None:
    build(cloud, {**SERVICES, "monitoring": {}})
    mine = [each for each in objects(cloud, "NetworkPolicy") if each["metadata"]["namespace"] == "caches"]
    allowed = {
        (*peer["podSelector"]["matchLabels"].values(), *(port["port"] for port in rule["ports"]))
        for each in mine
        for rule in each["spec"].get("ingress") or ()
        for peer in rule["from"]
    }
    assert allowed == {
        ("valkey-sessions", 6379),
        ("gateway", 6379),
        ("agent", 6379),
        ("prometheus", 9121),
    }
    out = {port["port"] for each in mine for rule in each["spec"].get("egress") or () for port in rule["ports"]}
    assert out == {53, 6379}


def test_in_a_mesh_who_somebody_is_decides_too(cloud: Cloud) -> None:
    found = objects(build(cloud, {**SERVICES, "mesh": {}}), "AuthorizationPolicy")

    def lets(account: str) -> bool:
        labels = {"app.kubernetes.io/instance": "valkey-sessions"}
        who = f"cluster.local/ns/{account.replace('/', '/sa/')}"
        asked = Request(principal=who, namespace="caches", service="sessions", labels=labels, port=6379)
        return may(asked, found).allowed

    assert lets("platform/gateway")
    assert lets("caches/sessions")
    assert not lets("platform/optimizer")


def test_users_find_what_users_of_the_clouds_stores_find(cloud: Cloud) -> None:
    found = named(build(cloud, SERVICES), "ConfigMap", "store-sessions-gateway")
    assert found["metadata"]["namespace"] == "platform"
    assert found["data"] == access("sessions", "platform/gateway").data()
    assert set(found["data"]) == {"host", "port", "database", "user", "tls", "secret", "identity"}


@needs_shared
def test_pods_are_restricted_by_values_that_the_chart_reads(cloud: Cloud) -> None:
    held = values(build(cloud, SERVICES))
    assert held["podSecurityContext"]["runAsNonRoot"] is True
    assert held["podSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for part in (held, held["metrics"]["exporter"]):
        assert part["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert part["securityContext"]["allowPrivilegeEscalation"] is False
        assert part["securityContext"]["readOnlyRootFilesystem"] is True
        assert part["resources"]["limits"]["memory"]
    assert held["initResources"]["requests"]["cpu"]
    assert held["serviceAccount"]["automount"] is False
    assert list(tool("check_values").Chart("valkey", str(SHARED / "charts")).check(held)) == []


def test_without_caches_there_is_an_empty_namespace(cloud: Cloud) -> None:
    build(cloud, {**SERVICES, "monitoring": {}, "valkey": {}})
    assert not any(name.startswith("valkey") for name in releases(cloud))
    (rule,) = objects(cloud, "PrometheusRule")
    assert "redis_" not in str(rule)


def test_a_cache_that_makes_room_is_not_told_to_be_full() -> None:
    wish = Services.model_validate({**SERVICES, "valkey": {"caches": {"sessions": {"users": ("platform/gateway",)}}}})
    assert {rule.alert for group in caches(wish, Runbooks()) for rule in group.rules or ()} == {
        "CacheDown", "CacheWithoutCopy",
    }  # fmt: skip
