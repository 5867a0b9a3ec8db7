"""What a workload finds in its namespace about a store, and the way to it through the closed network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.contracts import Cluster, HeldStore
from components.grants import Holder, PodIdentity
from components.kubernetes.enclosed import PRIVATE
from components.kubernetes.service import TIMEOUTS, Service


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One store for one workload: the pods with its name as label `app` get in, with its identity."""

    key: str
    store: HeldStore
    holder: Holder
    login: pulumi.Output[str]
    identity: PodIdentity
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """What a workload finds about a store, whoever runs it; `secret` says where a password stands, not what it is."""

    host: pulumi.Input[str]
    port: int
    database: pulumi.Input[str]
    user: pulumi.Input[str]
    secret: pulumi.Input[str]
    identity: pulumi.Input[str] = ""

    def data(self) -> dict[str, pulumi.Input[str]]:
        """Return the words of the ConfigMap."""
        return {
            "host": self.host,
            "port": str(self.port),
            "database": self.database,
            "user": self.user,
            "tls": "required",
            "secret": self.secret,
            "identity": self.identity,
        }


def named(store: str, account: str) -> str:
    """Name of that ConfigMap, in the workload's namespace."""
    return f"store-{store}-{account}"


def tell(service: Service, store: str, user: str, told: StoreSettings) -> None:
    """Tell a user, NAMESPACE/ACCOUNT, about a store that a service runs in the cluster."""
    namespace, account = user.split("/")
    name = named(store, account)
    service.settings(f"{namespace}-{name}", namespace, told.data(), object_name=name)


class StoreAccess(pulumi.ComponentResource):
    """A ConfigMap `store-STORE-WORKLOAD` without anything secret, and a network policy of the same name."""

    def __init__(self, name: str, opening: Opening, cluster: Cluster, opts: pulumi.ResourceOptions) -> None:
        super().__init__("ecosystem:kubernetes:StoreAccess", name, {}, opts)
        holder, store, offer = opening.holder, opening.store, cluster.offer
        child = pulumi.ResourceOptions(
            parent=self,
            provider=cluster.provider,
            deleted_with=cluster.resource,
            depends_on=[cluster.ready, *opening.after],
            custom_timeouts=TIMEOUTS,
        )
        metadata = ObjectMetaArgs(name=named(opening.key, holder.account), namespace=holder.namespace)
        ConfigMap(
            name,
            metadata=metadata,
            data=StoreSettings(
                host=store.address,
                port=store.port,
                database=store.database,
                user=opening.login,
                secret=store.secret,
                identity=opening.identity.principal,
            ).data(),
            opts=child,
        )
        ways = [
            *([(offer.stores, (store.port,))] if offer.stores else []),
            *([(offer.apis, (443,))] if offer.apis else []),
            *(((address,), (port,)) for address, port in offer.credentials),
        ]
        rules = [
            NetworkPolicyEgressRuleArgs(
                to=[NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=each)) for each in ranges], ports=_tcp(*ports)
            )
            for ranges, ports in ways
        ]
        if offer.exchanged or store.outside:
            internet = IPBlockArgs(cidr="0.0.0.0/0", except_=list(PRIVATE))
            rules.append(NetworkPolicyEgressRuleArgs(to=[NetworkPolicyPeerArgs(ip_block=internet)], ports=_tcp(443)))
        NetworkPolicy(
            name,
            metadata=metadata,
            spec=NetworkPolicySpecArgs(
                pod_selector=LabelSelectorArgs(match_labels={"app": holder.account}),
                policy_types=["Egress"],
                egress=rules,
            ),
            opts=child,
        )
        self.register_outputs({})


def _tcp(*ports: int) -> list[NetworkPolicyPortArgs]:
    return [NetworkPolicyPortArgs(port=port, protocol="TCP") for port in ports]
