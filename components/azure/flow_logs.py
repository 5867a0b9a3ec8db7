"""Who talked to whom: the flow log of a network, kept in a storage account of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import keyvault, network

from components.azure.identity import GrantArgs, grant, identity
from components.azure.naming import unique
from components.azure.storage_account import ClosedAccountArgs, closed_account, kept_versions

WATCHERS: Final = "NetworkWatcherRG"
"""Azure makes one watcher per region and subscription, here, with the first network of the region.

A second one is refused and the only one is shared by all stacks, so it is referred to and never made
(https://learn.microsoft.com/azure/network-watcher/network-watcher-create, 2026-11-21).
"""

KEPT_DAYS: Final = 90
UNDELETE_DAYS: Final = 14


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """`key` encrypts the store; costs 0.50 USD per GB after 5 GB a month, and the storage (service_prices.csv)."""

    environment: str
    group: pulumi.Input[str]
    region: str
    subscription: pulumi.Input[str]
    network_id: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    key: keyvault.Key
    protect: bool


class FlowLogs(pulumi.ComponentResource):
    """A flow log of the whole network; neither it nor its store knows a shared key."""

    storage_id: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:azure:FlowLogs", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        writer = identity(name, args.group, args.region, self._child)
        may_unwrap = grant(
            f"{name}-key",
            GrantArgs(
                role="Key Vault Crypto Service Encryption User",
                principal=writer.principal_id,
                scope=args.key.id,
                subscription=args.subscription,
            ),
            self._child,
        )
        account = closed_account(
            name,
            ClosedAccountArgs(
                name=unique("flow", args.subscription, args.environment, args.region),
                group=args.group,
                region=args.region,
                zone_redundant=False,
                reader=writer.id,
                key=args.key,
                vault_uri=args.vault_uri,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[may_unwrap], protect=args.protect),
        )
        may_write = grant(
            f"{name}-write",
            GrantArgs(
                role="Storage Blob Data Contributor",
                principal=writer.principal_id,
                scope=account.id,
                subscription=args.subscription,
            ),
            self._child,
        )
        kept_versions(name, account, args.group, UNDELETE_DAYS, self._child)
        network.FlowLog(
            name,
            network.FlowLogArgs(
                resource_group_name=WATCHERS,
                network_watcher_name=f"NetworkWatcher_{args.region}",
                location=args.region,
                target_resource_id=args.network_id,
                storage_id=account.id,
                enabled=True,
                format=network.FlowLogFormatParametersArgs(type="JSON", version=2),
                retention_policy=network.RetentionPolicyParametersArgs(enabled=True, days=KEPT_DAYS),
                identity=network.ManagedServiceIdentityArgs(
                    type=network.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[writer.id]
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_write]),
        )
        self.storage_id = account.id
        self.register_outputs({"storage_id": account.id})
