"""Logs in Elasticsearch: confined pods, TLS on every door, people with passwords of the store, and a way in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.mocks import MockResourceArgs

from components.kubernetes.permits import Request, may
from tests.components.kubernetes.services.built import ALL, build, named, objects, releases, spec
from tests.components.kubernetes.services.test_alerts import program
from tests.components.mock_cloud import Cloud

FEW = {name: ALL[name] for name in ("cert_manager", "external_secrets", "mesh", "monitoring")}
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def elk(cloud: Cloud) -> Cloud:
    """Three nodes and what they stand on, built once."""
    if not ONCE:
        ONCE.extend(build(cloud, {**FEW, "elk": {"retention_days": 14, "storage": "200Gi"}}).asked)
    cloud.asked = list(ONCE)
    return cloud


def mine(cloud: Cloud, kind: str) -> dict[str, dict[str, Any]]:
    found = (each for each in objects(cloud, kind) if each["metadata"].get("namespace") == "elk")
    return {each["metadata"]["name"]: each for each in found}


def templates(cloud: Cloud) -> list[dict[str, Any]]:
    """Pods of everything that no chart brings."""
    found = [each["spec"]["template"]["spec"] for kind in ("StatefulSet", "Deployment")
             for each in mine(cloud, kind).values()]  # fmt: skip
    jobs = [each["spec"]["jobTemplate"]["spec"]["template"]["spec"] for each in mine(cloud, "CronJob").values()]
    return [*found, *jobs]


def files(cloud: Cloud) -> dict[str, str]:
    held: dict[str, str] = mine(cloud, "ConfigMap")["elasticsearch"]["data"]
    return held


def test_every_pod_is_confined_and_has_an_account_without_rights(elk: Cloud) -> None:
    assert len(templates(elk)) == 3
    for pod in templates(elk):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["serviceAccountName"] in mine(elk, "ServiceAccount")
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            held = container["securityContext"]
            assert (held["readOnlyRootFilesystem"], held["allowPrivilegeEscalation"]) == (True, False)
            assert held["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert container["image"].startswith("docker.elastic.co/")
            assert not container["image"].endswith(":latest")


def test_where_a_program_writes_there_is_a_volume(elk: Cloud) -> None:
    """The file system is read-only: settings are copied to where the program may write beside them."""
    pod = spec(elk, "StatefulSet", "elasticsearch")["template"]["spec"]
    (node,), (copy,) = pod["containers"], pod["initContainers"]
    writable = {each["mountPath"] for each in node["volumeMounts"] if not each.get("readOnly")}
    assert writable == {f"/usr/share/elasticsearch/{each}" for each in ("config", "data", "logs")} | {"/tmp"}
    assert copy["volumeMounts"] == [{"name": "config", "mountPath": "/config"}]
    claimed = {each["metadata"]["name"] for each in spec(elk, "StatefulSet", "elasticsearch")["volumeClaimTemplates"]}
    volumes = {each["name"] for each in pod["volumes"]} | claimed
    assert {each["name"] for each in node["volumeMounts"]} <= volumes
    named_files = {each.get("subPath") for each in node["volumeMounts"] if each["name"] == "settings"}
    assert named_files <= set(files(elk))


def test_doors_speak_tls_and_want_a_name(elk: Cloud) -> None:
    told = json.loads(files(elk)["elasticsearch.yml"])
    assert told["xpack.security.enabled"] is True
    for side in ("http", "transport"):
        assert told[f"xpack.security.{side}.ssl"]["enabled"] is True
    certificate = mine(elk, "Certificate")["elasticsearch-tls"]["spec"]
    assert {"elasticsearch.elk.svc", "kibana.elk.svc", "*.elasticsearch-nodes.elk.svc.cluster.local"} <= set(
        certificate["dnsNames"]
    )
    (kibana,) = spec(elk, "Deployment", "kibana")["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in kibana["env"]}
    assert env["ELASTICSEARCH_HOSTS"] == "https://elasticsearch.elk.svc:9200"
    assert (env["SERVER_SSL_ENABLED"], env["ELASTICSEARCH_USERNAME"]) == ("true", "kibana")
    written = releases(elk)["opentelemetry-collector"]["values"]["config"]["exporters"]["elasticsearch"]
    assert written["endpoints"] == ["https://elasticsearch.elk.svc:9200"]
    assert written["tls"]["ca_file"] == "/authority/ca.crt"
    assert "insecure_skip_verify" not in written["tls"]


def test_passwords_come_from_the_store_and_stand_nowhere_else(elk: Cloud) -> None:
    secret = mine(elk, "ExternalSecret")["elk-passwords"]["spec"]
    assert {each["remoteRef"]["key"] for each in secret["data"]} == {
        "elk-admin", "elk-shipper", "elk-kibana", "elk-saved-objects",
    }  # fmt: skip
    users = secret["target"]["template"]["data"]["users"].splitlines()
    assert users == [f'{{{{ htpasswd "{each}" .{each} }}}}' for each in ("admin", "shipper", "kibana")]
    roles = dict(line.split(":")[::-1] for line in files(elk)["users_roles"].split())
    assert roles == {"admin": "superuser", "kibana": "kibana_system", "shipper": "shipper"}
    (rights,) = json.loads(files(elk)["roles.yml"])["shipper"]["indices"]
    assert "delete" not in rights["privileges"]
    assert rights["names"] == ["logs-*"]
    (kibana,) = spec(elk, "Deployment", "kibana")["template"]["spec"]["containers"]
    secrets = {each["name"] for each in kibana["env"] if "valueFrom" in each}
    assert secrets == {"ELASTICSEARCH_PASSWORD", "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY"}


def test_logs_are_kept_as_long_as_the_stack_file_says(elk: Cloud) -> None:
    phases = json.loads(files(elk)["retention.json"])["policy"]["phases"]
    assert phases["delete"] == {"min_age": "14d", "actions": {"delete": {}}}
    job = spec(elk, "CronJob", "retention")
    (curl,) = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert curl["command"][-1] == "https://elasticsearch.elk.svc:9200/_ilm/policy/logs"
    assert "--insecure" not in curl["command"]
    assert {"--cacert", "--config"} <= set(curl["command"])
    claim = spec(elk, "StatefulSet", "elasticsearch")["volumeClaimTemplates"][0]["spec"]
    assert claim["resources"]["requests"]["storage"] == "200Gi"


@pytest.mark.parametrize("nodes", [1, 3])
def test_nodes_find_each_other_or_know_that_they_are_alone(cloud: Cloud, nodes: int) -> None:
    build(cloud, {**FEW, "elk": {"nodes": nodes}})
    told = json.loads(files(cloud)["elasticsearch.yml"])
    held = spec(cloud, "StatefulSet", "elasticsearch")
    assert held["replicas"] == nodes
    if nodes == 1:
        assert told["discovery.type"] == "single-node"
        assert "cluster.initial_master_nodes" not in told
    else:
        assert told["cluster.initial_master_nodes"] == [f"elasticsearch-{index}" for index in range(3)]
        assert told["discovery.seed_hosts"] == [f"{held['serviceName']}.elk.svc"]
        doors = named(cloud, "Service", held["serviceName"])["spec"]
        assert (doors["clusterIP"], doors["publishNotReadyAddresses"]) == ("None", True)


def test_only_who_has_to_reaches_elasticsearch(elk: Cloud) -> None:
    policies = objects(elk, "AuthorizationPolicy")

    def asked(account: str, port: int, target: str = "elasticsearch", namespace: str = "elk") -> bool:
        principal = f"cluster.local/ns/{namespace}/sa/{account}"
        labels = {"app.kubernetes.io/name": target}
        request = Request(principal=principal, namespace="elk", service=target, labels=labels, port=port)
        return may(request, policies).allowed

    assert all(asked(each, 9200) for each in ("opentelemetry-collector", "kibana", "retention"))
    assert asked("elasticsearch", 9300)
    assert asked("alloy", 4317, "opentelemetry-collector")
    assert not asked("alloy", 9200)
    assert not asked("kibana", 9300)
    assert not asked("gateway", 9200, namespace="platform")
    assert not asked("prometheus", 5601, "kibana", "monitoring")


SENT = "otelcol_exporter_send_failed_log_records_total"
QUEUED = "otelcol_exporter_enqueue_failed_log_records_total"


def tells(folder: Path, groups: dict[str, Any], series: dict[str, str]) -> dict[str, int]:
    """How often the alert fires under such figures: promtool agrees with exactly one of the answers."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    told = [{"series": f'{name}{{exporter="elasticsearch"}}', "values": values} for name, values in series.items()]
    agreed = {}
    for times in (0, 1):
        wanted = [{"labels": "{}", "value": times}] if times else []
        expr = 'count(ALERTS{alertname="LogsAreLost", alertstate="firing"})'
        asked = {"expr": expr, "eval_time": "25m", "exp_samples": wanted}
        test = {"interval": "1m", "input_series": told, "promql_expr_test": [asked]}
        whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
        (folder / "tests.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
        command = [program("promtool"), "test", "rules", "tests.yaml"]
        if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
            agreed["LogsAreLost"] = times
    return agreed


def test_the_alert_looks_at_the_collector(elk: Cloud, tmp_path: Path) -> None:
    (rule,) = objects(elk, "PrometheusRule")
    (lost,) = (
        each for group in rule["spec"]["groups"] for each in group["rules"] if each.get("alert") == "LogsAreLost"
    )
    assert "otelcol_exporter_send_failed_log_records_total" in lost["expr"]
    assert "loki" not in lost["expr"]
    assert tells(tmp_path, rule["spec"], {SENT: "0+30x40"}) == {"LogsAreLost": 1}
    assert tells(tmp_path, rule["spec"], {SENT: "5+0x40", QUEUED: "0x40"}) == {"LogsAreLost": 0}
    assert tells(tmp_path, rule["spec"], {QUEUED: "0+30x40"}) == {"LogsAreLost": 1}
    monitors = {each["metadata"]["name"] for each in objects(elk, "PodMonitor")}
    assert {"elk-alloy", "elk-opentelemetry-collector"} <= monitors
