"""Questions from outside: a blackbox exporter, and a Probe for each address that must answer."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.crds.prometheus import (
    Probe,
    ProbeSpec,
    ProbeSpecProber,
    ProbeSpecTargets,
    ProbeSpecTargetsStaticConfig,
)
from components.kubernetes.restricted import NON_ROOT
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.guarding import Probes as Wish

MODULE: Final = "https_2xx"
EXPORTER: Final = "blackbox"
EVERY: Final = "30s"


class Probes(Service):
    """The exporter, and one Probe over all addresses of the stack file."""

    SERVICE: ClassVar[str] = "probes"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.probes
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("prometheus-blackbox-exporter", values(ground, wish), name=EXPORTER)
        if wish.urls:
            self.custom("addresses", probe(wish), namespace=self.facts.namespace)
        self.done()


def probe(wish: Wish) -> Probe:
    """Ask every address each half minute; the answer must come before the question is given up."""
    return Probe(
        spec=ProbeSpec(
            job_name="probes",
            interval=EVERY,
            scrape_timeout=f"{wish.timeout_seconds + 1}s",
            module=MODULE,
            prober=ProbeSpecProber(url=f"{EXPORTER}.probes.svc:9115"),
            targets=ProbeSpecTargets(static_config=ProbeSpecTargetsStaticConfig(static=list(wish.urls))),
        )
    )


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: one module, TLS 1.2 at least, redirects only to TLS."""
    room = ground.room("probes")["blackbox"]
    asked = {
        "valid_http_versions": ["HTTP/1.1", "HTTP/2.0"],
        "follow_redirects": True,
        "fail_if_not_ssl": True,
        "preferred_ip_protocol": "ip4",
        "tls_config": {"min_version": "TLS12"},
    }
    return {
        "fullnameOverride": EXPORTER,
        "replicas": room.replicas,
        "resources": resources(room),
        "podSecurityContext": NON_ROOT,
        "podDisruptionBudget": {"minAvailable": 1},
        "topologySpreadConstraints": spread({"app.kubernetes.io/name": "prometheus-blackbox-exporter"}),
        "config": {"modules": {MODULE: {"prober": "http", "timeout": f"{wish.timeout_seconds}s", "http": asked}}},
    }
