"""Known weaknesses of images and mistakes of workloads: Trivy operator, its scans as jobs of its namespace."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.flows import SCANS
from components.kubernetes.restricted import LOCKED, owner
from components.kubernetes.service import Ground, Service, resources
from stacks.services.guarding import Trivy as Wish

POD: Final = owner(10000)
CONFINED: Final = {**LOCKED, "privileged": False}


class Trivy(Service):
    """The operator; what looks at nodes is off, it would need them."""

    SERVICE: ClassVar[str] = "trivy"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.trivy
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("trivy-operator", values(ground, wish))
        self.done()


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: no look into secrets, no node collector, jobs as closed as the namespace asks."""
    room = ground.room("trivy")
    return {
        "fullnameOverride": "trivy-operator",
        "operator": {
            "accessGlobalSecretsAndServiceAccount": False,
            "clusterComplianceEnabled": False,
            "infraAssessmentScannerEnabled": False,
            "metricsImageInfo": True,
            "scanJobsConcurrentLimit": wish.jobs,
            "scannerReportTTL": f"{wish.report_hours}h",
        },
        "resources": resources(room["operator"]),
        "podSecurityContext": POD,
        "securityContext": CONFINED,
        "serviceMonitor": {"enabled": False},
        "trivy": {
            "severity": ",".join(wish.severities),
            "ignoreUnfixed": True,
            "resources": resources(room["scan"]),
        },
        "trivyOperator": {
            "scanJobPodTemplatePodSecurityContext": POD,
            "scanJobPodTemplateContainerSecurityContext": CONFINED,
            "scanJobPodTemplateLabels": ",".join(f"{key}={value}" for key, value in SCANS.labels.items()),
            "scanJobTolerations": [],
        },
    }
