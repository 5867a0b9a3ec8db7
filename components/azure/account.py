"""The subscription of a stack: one explicit provider for every region."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import authorization

from components.azure.old_names import spared


class Account(pulumi.ComponentResource):
    """One subscription and the only provider that reaches it.

    The provider has no location: each resource names its own, so that a region costs no provider of its own.
    Once per subscription, outside of any stack: register the providers of the resources used and the feature
    `Microsoft.Compute/EncryptionAtHost`
    (https://learn.microsoft.com/azure/aks/enable-host-encryption, 2026-11-21).
    """

    provider: azure_native.Provider
    identity: pulumi.Output[str]  # the subscription that the run really reaches, as the cloud tells it

    def __init__(self, name: str, subscription: str, tenant: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:azure:Account", name, {"subscription": subscription}, spared(opts))
        self.provider = azure_native.Provider(
            name,
            azure_native.ProviderArgs(subscription_id=subscription, tenant_id=tenant),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.identity = authorization.get_client_config_output(
            opts=pulumi.InvokeOutputOptions(provider=self.provider)
        ).subscription_id
        self.register_outputs({"identity": self.identity})
