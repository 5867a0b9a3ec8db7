"""Aliases of other API versions are dropped, and only those."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import resources

from components.azure.account import Account
from components.azure.old_names import spared
from tests.components.azure.region import SUBSCRIPTION, TENANT
from tests.components.mock_cloud import Cloud


class Holder(pulumi.ComponentResource):
    """A component that spares."""

    def __init__(self) -> None:
        super().__init__("test:index:Holder", "holder", {}, spared(None))
        self.register_outputs({})


def test_a_renamed_resource_keeps_its_old_name(cloud: Cloud) -> None:
    found: list[resources.ResourceGroup] = []

    def program() -> None:
        holder = Holder()
        provider = Account("azure", SUBSCRIPTION, TENANT).provider
        opts = pulumi.ResourceOptions(parent=holder, provider=provider, aliases=[pulumi.Alias(name="before")])
        found.append(resources.ResourceGroup("now", opts=opts))

    cloud.build(program)
    (group,) = found
    (only,) = cloud.run(lambda: pulumi.Output.all(*group._aliases))
    assert only.endswith("$azure-native:resources:ResourceGroup::before")
