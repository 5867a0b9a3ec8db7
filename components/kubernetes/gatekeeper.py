"""The law at the door of clusters: Gatekeeper, with the templates and constraints that the law has rendered."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes import rendered
from components.kubernetes.certificates import OUT
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.guarding import Gatekeeper as Wish

GUARD: Final = {"admission.gatekeeper.sh/ignore": "no-self-managing"}
"""Gatekeeper does not judge the namespace that it lives in: it could lock itself out."""
SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease")


class Gatekeeper(Service):
    """Webhook in three replicas, audit in one, and the rules."""

    SERVICE: ClassVar[str] = "gatekeeper"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.gatekeeper
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace(labels=GUARD)
        self.release("gatekeeper", values(ground, wish))
        rendered.install(self, ground.rules.get(self.SERVICE, ()), wish.action)
        self.done()


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: no mutation, no hooks that label namespaces of ours; closed while it refuses."""
    room = ground.room("gatekeeper")
    webhook = {"gatekeeper.sh/operation": "webhook"}
    return {
        "replicas": room["webhook"].replicas,
        "auditInterval": 60,
        "constraintViolationsLimit": 50,
        "disableMutation": True,
        "enableExternalData": False,
        "logDenies": True,
        "validatingWebhookFailurePolicy": "Fail" if wish.action == "deny" else "Ignore",
        "validatingWebhookTimeoutSeconds": 3,
        "podLabels": OUT,
        "postInstall": {"labelNamespace": {"enabled": False}, "probeWebhook": {"enabled": False}},
        "postUpgrade": {"labelNamespace": {"enabled": False}},
        "preUninstall": {"deleteWebhookConfigurations": {"enabled": False}},
        "resourceQuota": False,
        "controllerManager": {
            "exemptNamespaces": [*SYSTEM, "gatekeeper-system"],
            "resources": resources(room["webhook"]),
            "topologySpreadConstraints": spread(webhook),
        },
        "audit": {"resources": resources(room["audit"])},
        "pdb": {"controllerManager": {"minAvailable": 2}},
    }
