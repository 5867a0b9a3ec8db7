"""Names of the gateway, kept in a zone of the cloud or of Cloudflare by external-dns."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

import pulumi

from components.grants import ChangeNames, Holder, PodIdentity
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources
from stacks.services.guarding import Dns as Wish

ACCOUNT: Final = "external-dns"
TOKEN: Final = "cloudflare-api-token"  # noqa: S105 - a name
PROVIDERS: Final = {"aws": "aws", "gcp": "google", "azure": "azure"}


class Names(Service):
    """external-dns with an identity that may change one zone, or with the token of Cloudflare."""

    SERVICE: ClassVar[str] = "dns"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.dns
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        held = None
        if wish.provider == "cloudflare":
            token = external(ground, TOKEN, {"token": TOKEN})
            self.last = [self.custom(TOKEN, token, namespace=self.facts.namespace)]
        else:
            holder = Holder(self.facts.namespace, ACCOUNT)
            held = ground.cluster.identity_for(holder, [ChangeNames(zone=wish.zones[ground.cluster.cloud])])
            self.last = [*self.last, *held.ready]
        self.release("external-dns", values(ground, wish, held))
        self.done()


def values(ground: Ground, wish: Wish, held: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the chart: routes of the gateway only, domains of the stack file only, marked with the cluster."""
    owner = f"{ground.environment}-{ground.cluster.name}"
    found: dict[str, Any] = {
        "sources": ["gateway-httproute"],
        "policy": "sync" if wish.remove else "upsert-only",
        "registry": "txt",
        "txtOwnerId": owner,
        "txtPrefix": "owner-",
        "domainFilters": list(wish.domains),
        "interval": "1m",
        "logFormat": "json",
        "priorityClassName": "system-cluster-critical",
        "resources": resources(ground.room("dns")["external-dns"]),
        "serviceAccount": {"name": ACCOUNT, "annotations": dict(held.annotations) if held else {}},
        "podLabels": dict(held.labels) if held else {},
    }
    if wish.provider == "cloudflare":
        token = {"name": "CF_API_TOKEN", "valueFrom": {"secretKeyRef": {"name": TOKEN, "key": "token"}}}
        return {**found, "provider": {"name": "cloudflare"}, "env": [token]}
    cloud = ground.cluster.cloud
    found["provider"] = {"name": PROVIDERS[cloud]}
    zone = wish.zones[cloud]
    if cloud == "azure":
        found["secretConfiguration"] = {
            "enabled": True,
            "mountPath": "/etc/kubernetes/",
            "data": {"azure.json": json.dumps(_azure(zone), sort_keys=True)},
        }
    else:
        found["extraArgs"] = [f"--zone-id-filter={zone}"]
    return found


def _azure(zone: str) -> dict[str, Any]:
    """What external-dns must know of a zone; who it is comes from the identity of its pods."""
    parts = zone.strip("/").split("/")
    return {"subscriptionId": parts[1], "resourceGroup": parts[3], "useWorkloadIdentityExtension": True}
