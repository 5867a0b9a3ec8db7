"""Logs of all pods in Elasticsearch: Alloy reads them through the API server, a collector indexes, Kibana shows."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, StatefulSet
from pulumi_kubernetes.batch.v1 import CronJob
from pulumi_kubernetes.core.v1 import Service as KubernetesService
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.kubernetes import elk_files, elk_pods
from components.kubernetes.crds.cert_manager import (
    Certificate,
    CertificateSpec,
    CertificateSpecIssuerRef,
    CertificateSpecPrivateKey,
)
from components.kubernetes.crds.external_secrets import ExternalSecret, ExternalSecretSpecTargetTemplate
from components.kubernetes.elk_files import ADDRESS, NAMESPACE, PASSWORDS, SEARCH, TLS
from components.kubernetes.elk_pods import PARTS
from components.kubernetes.logs import READ, alloy
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources, spread
from components.kubernetes.traces import CONFINED
from stacks.services.searching import Elk as Wish

WRITE: Final = """\
otelcol.receiver.loki "own" {
  output { logs = [otelcol.exporter.otlp.own.input] }
}
otelcol.exporter.otlp "own" {
  client {
    endpoint = "opentelemetry-collector.elk.svc:4317"
    tls { insecure = true }
  }
}
"""
"""Alloy has no exporter for Elasticsearch (grafana.com/docs/alloy, otelcol components, 2026-11): the collector has."""
PIPELINE: Final = READ.replace("RECEIVER", "otelcol.receiver.loki.own.receiver") + WRITE
WAIT: Final = {"pulumi.com/skipAwait": "true"}
"""Passwords may come to the store after the stack is made: pods wait for them, an update does not."""


class Elk(Service):
    """Elasticsearch with TLS and people of its own, Kibana, and the way of the logs into it."""

    SERVICE: ClassVar[str] = "elk"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.elk
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        held: list[pulumi.Resource] = [
            self.custom(TLS, certificate(), namespace=NAMESPACE),
            self.custom(PASSWORDS, passwords(ground), namespace=NAMESPACE),
            self.settings("elasticsearch", NAMESPACE, elk_files.settings(wish)),
        ]
        self.last = held
        self._pods(ground, wish)
        self.release("opentelemetry-collector", collector(ground))
        self.release("alloy", shipper(ground))
        self.done()

    def _pods(self, ground: Ground, wish: Wish) -> None:
        """What no chart of ours brings: typed objects of Kubernetes itself."""
        room = ground.room("elk")
        for part in PARTS:
            made = ServiceAccount(
                f"{self.named}-account-{part}",
                metadata=ObjectMetaArgs(name=part, namespace=NAMESPACE),
                automount_service_account_token=False,
                opts=self.options(),
            )
            self.made.append(made)
        for each, port, headless in (("elasticsearch", 9200, False), (SEARCH, 9300, True), ("kibana", 5601, False)):
            self.made.append(
                KubernetesService(
                    f"{self.named}-service-{each}",
                    metadata=ObjectMetaArgs(name=each, namespace=NAMESPACE, annotations=WAIT),
                    spec=elk_pods.service(each, port, headless=headless),
                    opts=self.options(),
                )
            )
        for each in ("elasticsearch", "kibana"):
            self.made.append(
                PodDisruptionBudget(
                    f"{self.named}-budget-{each}",
                    metadata=ObjectMetaArgs(name=each, namespace=NAMESPACE),
                    spec=elk_pods.budget(each),
                    opts=self.options(),
                )
            )
        search = StatefulSet(
            f"{self.named}-elasticsearch",
            metadata=ObjectMetaArgs(name="elasticsearch", namespace=NAMESPACE, annotations=WAIT),
            spec=elk_pods.search(ground, wish, room["elasticsearch"]),
            opts=self.options(*self.last, *self.made),
        )
        page = Deployment(
            f"{self.named}-kibana",
            metadata=ObjectMetaArgs(name="kibana", namespace=NAMESPACE, annotations=WAIT),
            spec=elk_pods.page(room["kibana"]),
            opts=self.options(search),
        )
        kept = CronJob(
            f"{self.named}-retention",
            metadata=ObjectMetaArgs(name="retention", namespace=NAMESPACE),
            spec=elk_pods.retention(wish, room["retention"]),
            opts=self.options(search),
        )
        self.made += [page, kept]
        self.last = [search]


def certificate() -> Certificate:
    """One for the doors and for what the nodes say to one another, from the cluster's own authority."""
    names = [
        each for host in ("elasticsearch", "kibana") for each in (f"{host}.elk.svc", f"{host}.elk.svc.cluster.local")
    ]
    return Certificate(
        spec=CertificateSpec(
            secret_name=TLS,
            dns_names=[*names, f"*.{SEARCH}.elk.svc.cluster.local", f"{SEARCH}.elk.svc"],
            duration="2160h",
            renew_before="720h",
            private_key=CertificateSpecPrivateKey(algorithm="ECDSA", size=256, rotation_policy="Always"),
            issuer_ref=CertificateSpecIssuerRef(name="own", kind="ClusterIssuer"),
        )
    )


def passwords(ground: Ground) -> ExternalSecret:
    """Passwords of the store, and the same as Elasticsearch reads them: a file of names and hashes."""
    names = {each: f"elk-{each}" for each in ("admin", "shipper", "kibana", "saved-objects")}
    lines = [f'{{{{ htpasswd "{each}" .{each} }}}}' for each in ("admin", "shipper", "kibana")]
    template = ExternalSecretSpecTargetTemplate(
        data={
            "users": "\n".join([*lines, ""]),
            "shipper": "{{ .shipper }}",
            "kibana": "{{ .kibana }}",
            "saved-objects": '{{ index . "saved-objects" }}',
            "curl": 'user = "admin:{{ .admin }}"',
        }
    )
    return external(ground, PASSWORDS, names, template)


def shipper(ground: Ground) -> dict[str, Any]:
    """Values of Alloy: that of Loki's side, with another way out."""
    values = alloy(ground, "elk")
    return {**values, "alloy": {**values["alloy"], "configMap": {"content": PIPELINE}}}


def collector(ground: Ground) -> dict[str, Any]:
    """Values of the collector: it keeps what Elasticsearch does not take at once, and says so."""
    room = ground.room("elk")["collector"]
    off = {"enabled": False}
    mounts = [{"name": "authority", "mountPath": "/authority", "readOnly": True}]
    authority = {"name": "authority", "secret": {"secretName": TLS, "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    key = {"name": PASSWORDS, "key": "shipper"}
    written = {
        "endpoints": [ADDRESS],
        "user": "shipper",
        "password": "${env:SHIPPER}",
        "tls": {"ca_file": "/authority/ca.crt", "min_version": "1.2"},
        "retry": {"enabled": True, "max_retries": 5},
        "sending_queue": {"enabled": True},
    }
    return {
        "mode": "deployment",
        "image": {"repository": "otel/opentelemetry-collector-contrib"},
        "command": {"name": "otelcol-contrib"},
        "replicaCount": room.replicas,
        "resources": resources(room),
        "securityContext": CONFINED,
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        "topologySpreadConstraints": spread({"app.kubernetes.io/name": "opentelemetry-collector"}),
        "extraEnvs": [{"name": "SHIPPER", "valueFrom": {"secretKeyRef": key}}],
        "extraVolumes": [authority],
        "extraVolumeMounts": mounts,
        "ports": dict.fromkeys(("jaeger-compact", "jaeger-thrift", "jaeger-grpc", "zipkin"), off),
        "config": {
            "receivers": {
                "otlp": {"protocols": {"grpc": {"endpoint": "${env:MY_POD_IP}:4317"}, "http": None}},
                "jaeger": None,
                "zipkin": None,
                "prometheus": None,
            },
            "processors": {
                "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
                "batch": {},
            },
            "exporters": {"elasticsearch": written},
            "service": {
                "pipelines": {
                    "logs": {
                        "receivers": ["otlp"],
                        "processors": ["memory_limiter", "batch"],
                        "exporters": ["elasticsearch"],
                    },
                    "metrics": None,
                    "traces": None,
                }
            },
        },
    }
