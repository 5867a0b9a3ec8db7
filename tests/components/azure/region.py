"""A region of Azure, built under the mock cloud with any wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
from pulumi.runtime import MockResourceArgs

from components.azure.account import Account
from components.azure.cluster import Cluster
from components.azure.network import Network
from components.contracts import ClusterArgs, NetworkArgs, SizedPool
from stacks.addresses import plan_region
from stacks.model import Addresses, ControlPlaneAccess, NodePool, Region
from tests.components.mock_cloud import Cloud

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "00000000-0000-0000-0000-0000000000a1"
DEPLOYER = "11111111-2222-3333-4444-555555555555"
REGION = "westeurope"

POOLS = {
    "system": NodePool(purpose="system", min=3, max=6, slots=2),
    "general": NodePool(min=2, max=40, slots=2, labels={"tier": "apps"}),
    "burst": NodePool(spot="only", min=0, max=60, slots=1),
}


def identities_as_a_map(args: MockResourceArgs) -> dict[str, Any]:
    """Answer as Azure does: a list of identities goes in, a map comes out."""
    inside = args.inputs["identity"]
    return {"identity": {**inside, "userAssignedIdentities": {one: {} for one in inside["userAssignedIdentities"]}}}


def sized(pools: dict[str, NodePool], size: str = "Standard_D4s_v5") -> dict[str, SizedPool]:
    """Return a plan that fills slot 0 of each pool and leaves the other slots empty."""
    return {
        f"{pool}-{slot}": SizedPool(
            key=f"{pool}-{slot}",
            pool=pool,
            slot=slot,
            wish=wish,
            instance_type=pulumi.Output.from_input(size),
            minimum=0 if slot else wish.min,
            desired=0 if slot else wish.min,
            maximum=1 if slot else wish.max,
            evidence="e" * 52,
        )
        for pool, wish in pools.items()
        for slot in range(wish.slots)
    }


@dataclass
class Built:
    """What a wish came to."""

    cloud: Cloud
    outputs: dict[str, Any]

    def inputs(self, token: str) -> dict[str, dict[str, Any]]:
        """Inputs by logical name of all resources of `module:Kind`."""
        return self.cloud.of_type(f"azure-native:{token}")

    def cluster(self) -> dict[str, Any]:
        """Inputs of the one cluster."""
        (found,) = self.inputs("containerservice:ManagedCluster").values()
        return found


def builder(cloud: Cloud) -> Callable[..., Built]:
    """Return what builds account, network and cluster of one region, forgetting what was built before."""
    known = cloud.computed["azure-native:containerservice:ManagedCluster"]
    assert callable(known)
    cloud.computed |= {
        "azure-native:containerservice:ManagedCluster": lambda args: {**known(args), **identities_as_a_map(args)},
        "azure-native:compute:DiskEncryptionSet": identities_as_a_map,
        "azure-native:storage:StorageAccount": identities_as_a_map,
        "azure-native:network:FlowLog": identities_as_a_map,
        "azure-native:keyvault:Key": lambda args: {"keyUriWithVersion": f"https://vault.example.org/{args.name}/1"},
        "azure-native:keyvault:Vault": lambda args: {
            "properties": {**args.inputs["properties"], "vaultUri": "https://vault.example.org/"},
        },
    }

    def now(
        *,
        zones: int = 3,
        nat: str = "single",
        mode: str = "private",
        channel: str = "stable",
        pools: dict[str, NodePool] | None = None,
        size: str = "Standard_D4s_v5",
        protect: bool = False,
    ) -> Built:
        wish = Region(zones=zones, nat=nat)
        plan = plan_region(Addresses(block=IPv4Network("10.0.0.0/8")), "azure", REGION, wish)
        allowed = (IPv4Network("192.0.2.0/24"),) if mode == "restricted" else ()
        access = ControlPlaneAccess(mode=mode, allowed_cidrs=allowed, deployers=(DEPLOYER, "arn:aws:iam::1:role/ci"))

        cloud.asked.clear()

        def program() -> pulumi.Output[dict[str, Any]]:
            account = Account("azure", SUBSCRIPTION, TENANT)
            opts = pulumi.ResourceOptions(provider=account.provider)
            network = Network(
                "azure-westeurope",
                NetworkArgs(
                    environment="test",
                    region=REGION,
                    wish=wish,
                    plan=plan,
                    clusters=("azure-westeurope",),
                    protect=protect,
                ),
                opts,
            )
            cluster = Cluster(
                "azure-westeurope",
                ClusterArgs(
                    environment="test",
                    region=REGION,
                    wish=wish,
                    plan=plan,
                    version="1.34",
                    channel=channel,
                    access=access,
                    pools=sized(pools if pools is not None else POOLS, size),
                    protect=protect,
                ),
                network,
                opts,
            )
            return pulumi.Output.all(
                identity=account.identity,
                subnets=network.private_subnet_ids,
                endpoint=cluster.endpoint,
                authority=cluster.certificate_authority,
                issuer=cluster.oidc_issuer,
                ready=cluster.ready.urn,
                pools=sorted(cluster.node_pools),
            )

        return Built(cloud, cloud.run(program))

    return now
