"""Services of a stack file: what is refused before anything is registered, and the room they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.judge import judge
from stacks.model import Stack
from stacks.services import AVAILABLE, TABLE
from stacks.services.lock import charts, find, versions
from stacks.services.room import per_node, replicas
from stacks.workloads import demand

PROJECT = Path(__file__).parents[2]
ALL: dict[str, Any] = {
    "cert_manager": {},
    "external_secrets": {},
    "mesh": {
        "calls": [{"caller": "platform/gateway", "target": "platform/agent", "methods": ["POST"], "paths": ["/v1/*"]}]
    },
    "monitoring": {
        "receivers": {"oncall": {"kind": "email", "to": "oncall@example.org"}},
        "smarthost": "smtp.example.org:587",
        "sender": "alerts@example.org",
    },
    "logs": {},
    "traces": {},
    "cost": {},
    "chaos": {
        "targets": [{"namespace": "platform", "workload": "gateway", "experiment": "pod-kill"}],
        "abort_url": "http://gateway.platform.svc:8080/healthz",
    },
    "scaling": {"workloads": {"agent": {"namespace": "platform"}}},
    "node_scaling": {},
    "overflow": {"pools": {"beyond": {"cpu": 32}}},
    "gitops": {
        "applications": {
            "gateway": {"repository": "https://github.com/example/apps", "path": "gateway", "namespace": "platform"}
        }
    },
    "rollouts": {"workloads": {"agent": {"namespace": "platform"}}},
    "runners": {"sets": {"small": {"url": "https://github.com/example", "clusters": ["aws-eu-west-1"]}}},
    "probes": {"urls": ["https://example.org/healthz"]},
    "gatekeeper": {},
    "falco": {},
    "trivy": {},
    "dns": {"provider": "cloudflare", "domains": ["example.org"]},
    "backup": {},
    "cloudnative_pg": {"databases": {"ledger": {"users": ["platform/orders"]}}},
    "valkey": {"caches": {"sessions": {"users": ["platform/gateway"]}}},
}


def file(services: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The production stack with other services."""
    text = (PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["config"]["cloud-ecosystem:stack"]
    data.pop("links", None)  # they join the clusters of one mesh, which not all of these have
    return {**data, "services": services, **changes}


def problems(services: dict[str, Any], **changes: Any) -> list[str]:
    return [problem.line() for problem in judge(file(services, **changes), PROJECT)[1]]


def stack(services: dict[str, Any]) -> Stack:
    found, wrong = judge(file(services), PROJECT)
    assert found is not None, [problem.line() for problem in wrong]
    return found


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ALL.items() if key != name}


def test_every_service_has_settings_facts_and_locked_charts() -> None:
    assert set(AVAILABLE) == set(TABLE)
    for name, facts in TABLE.items():
        assert facts.charts, name
        assert all(versions(chart) for chart in facts.charts), name
        assert all(needed in AVAILABLE[: AVAILABLE.index(name)] for needed in facts.needs), "needs come first"


def test_all_services_together_are_a_stack() -> None:
    """All but the second of two that do the same, which may not stand beside the first."""
    second = {"kyverno", "kubecost", "elk"}
    assert [name for name, _ in stack(ALL).services.on()] == [name for name in AVAILABLE if name not in second]
    others = {**{name: ALL[name] for name in ALL if name not in {"gatekeeper", "cost", "logs"}},
              "kyverno": {}, "elk": {}, "kubecost": {"licence_accepted": True}}  # fmt: skip
    assert second <= set(dict(stack(others).services.on()))


def test_no_service_is_on_unless_it_is_written() -> None:
    assert not list(stack({}).services.on())


@pytest.mark.parametrize(
    ("services", "path", "text"),
    [
        (without("cert_manager"), "services.mesh", "needs cert_manager"),
        (without("external_secrets"), "services.monitoring", "needs external_secrets"),
        (without("monitoring"), "services.logs", "needs monitoring"),
        ({"mesh": None}, "services.mesh", "has no settings"),
        ({"meshes": {}}, "services.meshes", "Did you mean `mesh`"),
        ({"cert_manager": {"version": "v1.21.2"}}, "services.cert_manager.version", "Did you mean `v1.21.1`"),
        (
            {**ALL, "monitoring": {**ALL["monitoring"], "smarthost": None}},
            "services.monitoring.smarthost",
            "gets e-mail",
        ),
        ({**ALL, "monitoring": {}}, "services.monitoring.receivers", "somebody must hear"),
        ({**ALL, "kubecost": {"licence_accepted": True}}, "services.cost", "cannot stand beside kubecost"),
        ({**ALL, "elk": {}}, "services.elk", "cannot stand beside logs"),
        ({**without("cost"), "kubecost": {}}, "services.kubecost.licence_accepted", "IBM's terms"),
        (
            {**without("cost"), "kubecost": {"licence_accepted": True, "budgets": {"nobody": 5}}},
            "services.kubecost.budgets.nobody",
            "is no tenant namespace",
        ),
        (
            {**ALL, "monitoring": {"receivers": {"x": {"kind": "webhook", "to": "http://a.example.org"}}}},
            "services.monitoring.receivers.x.to",
            "an https address",
        ),
        (
            {**ALL, "monitoring": {"receivers": {"x": {"kind": "telegram", "to": "@channel"}}}},
            "services.monitoring.receivers.x.to",
            "a chat number",
        ),
        (
            {**ALL, "mesh": {"calls": [{"caller": "platfrom/a", "target": "platform/b"}]}},
            "services.mesh.calls.0.caller",
            "Did you mean `platform`",
        ),
        (
            {**ALL, "mesh": {"gateway": False, "calls": [{"caller": "istio-system/gateway", "target": "platform/b"}]}},
            "services.mesh.calls.0.caller",
            "switched off",
        ),
        (
            {**ALL, "mesh": {"calls": [{"caller": "platform/a", "target": "platform/b", "methods": ["FETCH"]}]}},
            "services.mesh.calls.0.methods.0",
            "none of the allowed",
        ),
        (
            {**ALL, "mesh": {"calls": [{"caller": "platform/a", "target": "platform/b", "paths": ["v1"]}]}},
            "services.mesh.calls.0.paths.0",
            "not well formed",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(services: dict[str, Any], path: str, text: str) -> None:
    found = problems(services)
    assert any(line.startswith(f"stack.{path}:") and text in line for line in found), found


@pytest.mark.parametrize(
    ("target", "key", "text"),
    [
        ({"namespace": "kube-system", "workload": "gateway"}, ".namespace", "no tenant namespace"),
        ({"namespace": "platform", "workload": "gatway"}, ".workload", "Did you mean `gateway`"),
        ({"namespace": "platform", "workload": "gateway", "experiment": "burn"}, ".experiment", "none of the allowed"),
    ],
)
def test_an_experiment_hits_only_what_exists_and_may_be_hit(target: dict[str, Any], key: str, text: str) -> None:
    chaos = {"targets": [{"experiment": "pod-kill", **target}], "abort_url": "http://gateway.platform.svc:8080/"}
    found = problems({**ALL, "chaos": chaos})
    assert any(line.startswith(f"stack.services.chaos.targets.0{key}:") and text in line for line in found), found


def test_an_experiment_needs_something_that_ends_it() -> None:
    found = problems({**ALL, "chaos": {"targets": ALL["chaos"]["targets"]}})
    assert [line for line in found if line.startswith("stack.services.chaos.abort_url:")]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://gateway.platform.svc:70000/healthz", "names port 70000"),
        ("http://gateway.platform.svc:0/healthz", "names port 0"),
        ("http://gateway.platform.svc:8080/*", "no single address"),
        ("http://gateway.platform.svc:8080/{**}", "no single address"),
        ("http://gateway.platfrom.svc:8080/healthz", "Did you mean `platform`"),
        ("http://GATEWAY.platform.svc:8080/healthz", "in plain text"),
        ("ftp://gateway.platform.svc/healthz", "not well formed"),
    ],
)
def test_health_is_asked_of_one_address(url: str, text: str) -> None:
    found = problems({**ALL, "chaos": {**ALL["chaos"], "abort_url": url}})
    assert any(line.startswith("stack.services.chaos.abort_url:") and text in line for line in found), found


def test_one_experiment_per_target_and_two_replicas() -> None:
    target = ALL["chaos"]["targets"][0]
    assert any("already" in line for line in problems({**ALL, "chaos": {**ALL["chaos"], "targets": [target, target]}}))
    lonely = [{"name": "gateway", "cpu": "1", "memory": "1Gi", "replicas": 1, "pools": ["general"]}]
    assert any("one replica" in line for line in problems(ALL, workloads=lonely))


def test_a_tenant_cannot_take_the_namespace_of_a_service() -> None:
    names = ("monitoring", "istio-system", "velero-canary")
    found = problems(ALL, namespaces={name: {} for name in ("platform", *names)})
    assert {line.split(":")[0] for line in found} == {f"stack.namespaces.{name}" for name in names}


def test_services_need_a_steady_pool() -> None:
    clusters = file({})["clusters"]
    pools = {"system": clusters["pools"]["system"], "burst": clusters["pools"]["burst"]}
    found = problems({"cert_manager": {}}, clusters={**clusters, "pools": pools}, workloads=[], demand=None)
    assert any("that services may use" in line for line in found), found


def test_the_room_of_services_is_demand_of_every_cluster() -> None:
    before, after = demand(stack({})), demand(stack(ALL))
    whole = stack(ALL)
    for cluster, jobs in after.items():
        here = replicas(whole.services, whole.region_of(cluster)[0])
        wanted = sum(shape.cpu_milli * shape.replicas for shape in here)
        assert wanted > 0
        added = {job.name: job for job in jobs if job not in before[cluster]}
        assert sum(job.cpu_milli * job.replicas for job in added.values()) == wanted
        assert all(job.pools == ("general",) and job.spot == "never" for job in added.values())
        assert not any(name.endswith((".ztunnel", ".cni", ".node-exporter", ".daemon")) for name in added)


def test_agents_of_nodes_are_summed_up() -> None:
    agents = per_node(stack(ALL).services)
    assert agents.replicas == 6
    assert per_node(stack({"cert_manager": {}}).services).cpu_milli == 0


def test_the_lock_has_addresses_and_says_what_is_not_resolved() -> None:
    for name, held in charts().items():
        for each in held:
            assert each.repository.startswith("https://") or each.oci.startswith("oci://"), name
            assert each.resolved == each.digest.startswith("sha256:"), name
    with pytest.raises(KeyError, match=r"v0\.0\.1"):
        find("cert-manager", "v0.0.1")


@pytest.mark.parametrize(
    ("regions", "region"),
    [
        ({"eu-west-1": {"zones": 2, "nat": "single"}, "us-east-1": {"zones": 2}}, "us-east-1"),
        ({"eu-west-1": {"zones": 2, "nat": "single"}}, "eu-west-1"),
        ({"eu-west-1": {"zones": 2, "nat": "none"}, "us-east-1": {"zones": 2}}, "eu-west-1"),
    ],
)
def test_databases_are_copied_to_another_region_where_there_is_a_way_to_one(
    regions: dict[str, Any], region: str
) -> None:
    whole = stack({"cert_manager": {}, "external_secrets": {}, "cloudnative_pg": ALL["cloudnative_pg"]})
    assert whole.clouds.aws is not None
    read = type(whole.clouds.aws).model_validate({"account": whole.clouds.aws.account, "regions": regions})
    held = whole.model_copy(update={"clouds": whole.clouds.model_copy(update={"aws": read})})
    assert held.archive_region("aws-eu-west-1") == region
    none = stack({"cert_manager": {}, "external_secrets": {}, "cloudnative_pg": {}})
    assert none.archive_region("aws-eu-west-1") is None
