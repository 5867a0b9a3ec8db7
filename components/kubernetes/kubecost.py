"""What each namespace costs: Kubecost 3, by the contract of OpenCost, with pages and a history of its own."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.grants import Holder, PodIdentity, ReadPrices
from components.kubernetes.cost import BILL, BILL_KEY
from components.kubernetes.restricted import LOCKED, owner, user
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources
from stacks.services import lock
from stacks.services.costing import Kubecost as Wish

NAME: Final = "kubecost"
REGISTRY: Final = "icr.io"
CRITICAL: Final = "system-cluster-critical"
REMOVED: Final = {"helm.sh/resource-policy": "delete"}
"""The chart keeps its volumes when it goes; nothing of ours stays behind."""
USER: Final = 1001
CONFINED: Final = {**LOCKED, "privileged": False}
POD: Final = {**owner(USER), "fsGroupChangePolicy": "OnRootMismatch"}


class Kubecost(Service):
    """Kubecost without what acts on the cluster: no controller that resizes or turns down, no agent on the nodes."""

    SERVICE: ClassVar[str] = "kubecost"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.kubecost
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        reader = ground.cluster.identity_for(Holder(NAME, NAME), [ReadPrices()])
        self.last = [*self.last, *reader.ready]
        if wish.bill:
            held = external(ground, BILL, {BILL_KEY: BILL})
            self.last = [self.custom(BILL, held, namespace=self.facts.namespace), *reader.ready]
        self.release("kubecost", values(ground, wish, reader))
        self.done()


def values(ground: Ground, wish: Wish, reader: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the chart: restricted pods, images of the chart's own version, nothing told to IBM."""
    room = ground.room("kubecost")
    tests = lock.images()  # of `helm test`, which nobody runs here; the chart names one of Bitnami's, which is gone
    curl, _, tag = tests["curl"].image.rpartition(":")
    volume = {"storageClass": ground.storage_class or "", "annotations": REMOVED}
    bill = {"cloudIntegrationSecret": BILL} if wish.bill else {}
    return {
        "fullnameOverride": NAME,
        "global": {
            "clusterId": ground.cluster.name if ground.cluster is not None else "cluster",
            "imageRegistry": REGISTRY,
            "defaultStorageClass": ground.storage_class or "",
            "additionalLabels": dict(reader.labels) if reader else {},
            "securityContext": POD,
            "containerSecurityContext": CONFINED,
        },
        "serviceAccount": {
            "create": True,
            "name": NAME,
            "annotations": dict(reader.annotations) if reader else {},
        },
        "aggregator": {
            "replicas": 1,
            "retention1d": wish.retention_days,
            "resources": resources(room["aggregator"]),
            "priority": {"enabled": True, "name": CRITICAL},
            "aggregatorDbStorage": {**volume, "storageRequest": wish.storage},
            "persistentConfigsStorage": {**volume, "storageRequest": "1Gi"},
        },
        "localStore": {
            "resources": resources(room["store"]),
            "persistentVolume": {"enabled": True, "size": "32Gi", **volume},
        },
        "cloudCost": {
            "enabled": True,
            "serviceAccountName": NAME,
            "resources": resources(room["bill"]),
            "persistentConfigsStorage": {"enabled": True, "size": "1Gi", **volume},
            **bill,
        },
        "frontend": {
            "resources": resources(room["page"]),
            "priority": {"enabled": True, "name": CRITICAL},
            "service": {"type": "ClusterIP"},
            "ipv6": {"enabled": False},
        },
        "finopsagent": agent(ground, wish, reader),
        "kubecostProductConfigs": {"currencyCode": "USD", "budgets": {"budgetsConfig": list(_budgets(wish))}},
        "networkCosts": {"enabled": False},
        "clusterController": {"enabled": False},
        "forecasting": {"enabled": False},
        "telemetry": {"enabled": False},
        "reporting": {"logCollection": False},
        "basicHealth": {
            "registry": curl.partition("/")[0],
            "repository": curl.partition("/")[2],
            "tag": f"{tag}@{tests['curl'].digest}" if tests["curl"].resolved else tag,
        },
        "httprouteTest": {"image": tests["kubectl"].reference},
    }


def agent(ground: Ground, wish: Wish, reader: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the agent: it asks the cluster and the price lists, and tells Prometheus what it knows."""
    priced: dict[str, Any] = {"enabled": False}
    if wish.prices is not None:
        priced = {
            "enabled": True,
            "CPU": str(wish.prices.cpu),
            "spotCPU": str(wish.prices.cpu),
            "RAM": str(wish.prices.memory),
            "spotRAM": str(wish.prices.memory),
            "GPU": str(wish.prices.gpu),
            "storage": str(wish.prices.storage),
        }
    return {
        "enabled": True,
        "fullnameOverride": "finops-agent",
        "agent": {
            "collectorDataSource": {"enabled": True, "scrapeInterval": "60s"},
            "cloudability": {"enabled": False},
            "kubecost": {"customPrices": priced},
        },
        "metrics": {"enabled": True},
        "priorityClassName": CRITICAL,
        "podLabels": dict(reader.labels) if reader else {},
        "resources": resources(ground.room("kubecost")["agent"]),
        "serviceAccount": {"create": False, "name": NAME},
        "containerSecurityContext": {"enabled": True, **CONFINED, **user(USER), "runAsGroup": USER},
    }


def _budgets(wish: Wish) -> list[dict[str, Any]]:
    """The namespaces' budgets on its pages; who hears of them is Alertmanager's, as with OpenCost."""
    return [
        {
            "name": name,
            "budgetType": "allocations",
            "interval": "monthly",
            "intervalDay": 1,
            "spendLimit": monthly,
            "values": {"namespace": [name]},
        }
        for name, monthly in wish.budgets.items()
    ]
