"""A region of a stack file, built piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import pulumi

from components.contracts import ClusterArgs, NetworkArgs, SizedPool
from components.gcp.account import Account, AccountArgs
from components.gcp.cluster import Cluster
from components.gcp.network import Network
from stacks.addresses import RegionPlan, plan_region
from stacks.model import Addresses, ControlPlaneAccess, NodePool, Region

REGION = "europe-west1"
EVIDENCE = "a" * 52


def region(**wish: Any) -> Region:
    """Return a region of three zones with one way out, unless told otherwise."""
    return Region(**{"zones": 3, "nat": "single", **wish})


def plan(wish: Region, name: str = REGION) -> RegionPlan:
    """Return the addresses that the real plan lays out."""
    return plan_region(Addresses(block=IPv4Network("10.0.0.0/8")), "gcp", name, wish)


def account(**args: Any) -> Account:
    """Return the account of the project that the mock cloud knows."""
    return Account("gcp", AccountArgs(**{"project": "example-prod", "regions": (REGION,), **args}))


def using(owner: Account) -> pulumi.ResourceOptions:
    """Return the options that lead a component to its account."""
    return pulumi.ResourceOptions(provider=owner.provider)


def network(owner: Account, name: str = REGION, **wish: Any) -> Network:
    """Return a region's network."""
    asked = region(**wish)
    args = NetworkArgs(environment="prod", region=name, wish=asked, plan=plan(asked, name), clusters=(f"gcp-{name}",))
    return Network(f"gcp-{name}-network", args, using(owner))


def pool(key: str, **wish: Any) -> SizedPool:
    """Return one slot of a pool, `general-0` for instance."""
    name, slot = key.rsplit("-", 1)
    return SizedPool(
        key=key,
        pool=name,
        slot=int(slot),
        wish=NodePool(**{"min": 3, "max": 9, **wish}),
        instance_type="n2-standard-4",
        minimum=3,
        desired=4,
        maximum=9,
        evidence=EVIDENCE,
    )


def cluster(
    owner: Account,
    pools: Mapping[str, SizedPool] | None = None,
    access: ControlPlaneAccess | None = None,
    *,
    environment: str = "prod",
    protect: bool = False,
    **wish: Any,
) -> Cluster:
    """Return a cluster in its own network."""
    asked = region(**wish)
    args = ClusterArgs(
        environment=environment,
        region=REGION,
        wish=asked,
        plan=plan(asked),
        version="1.34",
        channel="stable",
        access=access or ControlPlaneAccess(),
        pools=pools or {},
        protect=protect,
    )
    return Cluster(f"gcp-{REGION}", args, network(owner, **wish), using(owner))
