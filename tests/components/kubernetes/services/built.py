"""A cluster of memory, the services of a stack file on it, and the tools that judge what they emit."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi.runtime.mocks import MockResourceArgs

from components.contracts import Offer
from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from components.kubernetes.flows import tenant_annotations, tenant_labels
from components.kubernetes.service import ServicesArgs
from components.kubernetes.services import ClusterServices
from stacks.model import Namespace, Workload
from stacks.off_hours import OffHours
from stacks.services import rendered
from stacks.services.settings import Services
from tests.components.kubernetes.ground import OFFER, Kept, Standing
from tests.components.mock_cloud import Cloud

SHARED = Path(os.environ.get("SHARED", "../shared")).resolve()
needs_shared = pytest.mark.skipif(
    not (SHARED / "crds").exists() and os.environ.get("CI") != "true", reason=f"{SHARED} is not there"
)
CALLS = [
    {"caller": "istio-system/gateway", "target": "platform/gateway"},
    {"caller": "platform/gateway", "target": "platform/agent", "methods": ["POST"], "paths": ["/v1/*"]},
]
ALL: dict[str, Any] = {
    "cert_manager": {"email": "platform@example.org"},
    "external_secrets": {},
    "mesh": {"calls": CALLS},
    "monitoring": {
        "receivers": {
            "oncall": {"kind": "email", "to": "oncall@example.org", "severities": ["critical"]},
            "chat": {"kind": "telegram", "to": "-1001"},
            "hook": {"kind": "webhook", "to": "https://hooks.example.org/alerts"},
        },
        "smarthost": "smtp.example.org:587",
        "sender": "alerts@example.org",
    },
    "logs": {},
    "traces": {},
    "cost": {"budgets": {"platform": 900}, "prices": {"cpu": 0.031, "memory": 0.004, "storage": 0.0001}, "bill": True},
    "chaos": {
        "targets": [
            {"namespace": "platform", "workload": "gateway", "experiment": "pod-kill"},
            {"namespace": "platform", "workload": "agent", "experiment": "network-delay"},
            {"namespace": "platform", "workload": "optimizer", "experiment": "cpu-stress"},
        ],
        "abort_url": "http://gateway.platform.svc:8080/healthz",
    },
    "scaling": {
        "workloads": {
            "gateway": {"namespace": "platform"},
            "agent": {"namespace": "platform", "horizontal": {"requests_per_second": None}},
            "optimizer": {"namespace": "platform", "horizontal": None, "vertical": {"mode": "auto"}},
        }
    },
    "node_scaling": {},
    "overflow": {"pools": {"beyond": {"cpu": 64, "quiet": [{"starts": "0 8 * * 1-5", "hours": 10}]}}},
    "gitops": {
        "applications": {
            "gateway": {
                "repository": "https://github.com/example/deployments",
                "path": "apps/gateway",
                "overlays": True,
                "namespace": "platform",
            },
            "elsewhere": {
                "repository": "https://github.com/example/other",
                "path": "apps",
                "namespace": "platform",
                "clusters": ["gcp-europe-west1"],
            },
        },
        "private_repositories": {"deployments": "https://github.com/example/deployments"},
        "host": "argocd.example.org",
        "sso": {
            "issuer": "https://login.example.org",
            "client": "argocd",
            "administrators": ["platform-team"],
            "deployers": ["developers"],
        },
    },
    "rollouts": {
        "workloads": {
            "gateway": {"namespace": "platform", "canary": {"weights": [10, 50, 100], "shadow_percent": 20}},
            "agent": {"namespace": "platform", "strategy": "blue-green"},
        }
    },
    "runners": {
        "sets": {
            "small": {
                "url": "https://github.com/example",
                "rights": ["read-prices"],
                "clusters": ["gcp-europe-west1", "aws-eu-west-1"],
            },
            "large": {
                "url": "https://github.com/example/platform",
                "min": 1,
                "max": 4,
                "cpu": "4",
                "memory": "8Gi",
                "clusters": ["aws-eu-west-1"],
            },
            "elsewhere": {
                "url": "https://github.com/example",
                "cpu": "4",
                "memory": "8Gi",
                "clusters": ["azure-westeurope"],
            },
        }
    },
    "probes": {"urls": ["https://example.org/healthz", "https://grafana.example.org"]},
    "gatekeeper": {},
    "falco": {},
    "trivy": {},
    "dns": {"zones": {"aws": "Z0123456789ABC"}, "domains": ["example.org"]},
    "backup": {},
    "cloudnative_pg": {
        "databases": {
            "orders": {"users": ["platform/gateway", "platform/agent"]},
            "small": {"users": ["platform/agent"], "instances": 1, "cpu": "250m", "memory": "1Gi"},
        }
    },
    "valkey": {
        "caches": {
            "sessions": {"users": ["platform/gateway", "platform/agent"]},
            "locks": {"users": ["platform/agent"], "copies": 1, "memory": "256Mi", "evict": False},
        }
    },
}
KYVERNO: dict[str, Any] = {
    **{name: wish for name, wish in ALL.items() if name not in {"gatekeeper", "cost", "logs"}},
    "elk": {},
    "kubecost": {**ALL["cost"], "licence_accepted": True},
    "kyverno": {
        "signers": {
            "pipeline": {
                "images": ["ghcr.io/example/*"],
                "issuer": "https://token.actions.githubusercontent.com",
                "subject": "https://github.com/example/*",
            }
        }
    },
    "dns": {"provider": "cloudflare", "domains": ["example.org"]},
}
"""The same platform with the other policy engine, the other keeper of names the other teller of cost and the other
store of logs."""
WORKLOADS = {
    name: Workload(name=name, cpu="500m", memory="1Gi", replicas=3, pools=("general",))
    for name in ("gateway", "agent", "optimizer")
}


@dataclass
class MemoryCluster:
    """A cluster that somebody else has made."""

    provider: Any
    resource: Any
    ready: Any
    name: str = "aws-eu-west-1"
    cloud: Any = "aws"
    region: str = "eu-west-1"
    endpoint: Any = None
    certificate_authority: Any = None
    oidc_issuer: Any = None
    node_pools: dict[str, Any] = field(default_factory=dict)
    offer: Offer = OFFER
    identity_for = Standing.identity_for
    launching_for = Standing.launching_for


def build(
    cloud: Cloud, services: dict[str, Any], cluster_cloud: str = "aws", off_hours: dict[str, Any] | None = None
) -> Cloud:
    """Everything that the services of a stack file register on one cluster."""
    rest = OffHours.model_validate_json(json.dumps(off_hours)) if off_hours is not None else None
    wish = Services.model_validate_json(json.dumps(services))

    def program() -> None:
        provider = kubernetes.Provider("c", kubeconfig="{}")
        cluster = MemoryCluster(provider=provider, resource=provider, ready=provider, cloud=cluster_cloud)
        tenants = {"platform": Namespace()}
        base = ClusterBase(
            "c",
            ClusterBaseArgs(
                namespaces=tenants,
                version="1.34",
                labels={each: tenant_labels(wish, each) for each in tenants},
                annotations={each: tenant_annotations(wish, each) for each in tenants},
            ),
            cluster,
        )
        ClusterServices(
            "c-services",
            ServicesArgs(
                services=wish,
                version="1.34",
                environment="test",
                tenants=("platform",),
                control_plane=("10.0.240.0/28",),
                availability_target=0.999,
                nodes=("10.0.0.0/18",),
                workloads=WORKLOADS,
                physical_name="test-eu-west-1",
                others=("azure-westeurope", "gcp-europe-west1"),
                peers=("10.64.0.0/16", "10.128.0.0/16"),
                rules=rendered.of(wish),
                off_hours=rest,
                tags={"environment": "test", "owner": "platform-team"},
                backups=Kept(provider) if wish.backup is not None else None,
                archive=Kept(provider) if wish.cloudnative_pg is not None else None,
                after=tuple(base.namespaces.values()),
            ),
            cluster,
            pulumi.ResourceOptions(),
        )

    return cloud.build(program)


@cache
def tool(name: str) -> ModuleType:
    """A checker of the shared folder."""
    spec = importlib.util.spec_from_file_location(name, SHARED / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def objects(cloud: Cloud, kind: str = "") -> list[dict[str, Any]]:
    """Kubernetes objects as they are sent, of a kind or all."""
    found = []
    for asked in cloud.asked:
        package, _, rest = asked.typ.partition(":")
        if package != "kubernetes" or "helm.sh" in asked.typ:
            continue
        group, _, name = rest.partition(":")
        if kind in ("", name):
            api = group.removeprefix("core/")
            found.append({**asked.inputs, "apiVersion": api, "kind": name})
    return found


def releases(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """Releases by the name they have in the cluster."""
    return {each["name"]: each for each in cloud.of_type("kubernetes:helm.sh/v3:Release").values()}


def once(held: list[MockResourceArgs], cloud: Cloud, services: dict[str, Any]) -> Cloud:
    """Build services when `held` is empty, else show what it holds: a module's tests look at the same objects."""
    if not held:
        held.extend(build(cloud, services).asked)
    cloud.asked = list(held)
    return cloud


def named(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    """The one object of a kind and a name."""
    (found,) = (each for each in objects(cloud, kind) if each["metadata"]["name"] == name)
    return dict(found)


def spec(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    """The spec of the one object of a kind and a name."""
    return dict(named(cloud, kind, name)["spec"])
