"""Node pools of AKS: the fixed one that lives in the cluster, and one per slot of the sizing plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import pulumi
from pulumi_azure_native import containerservice as aks

from components.azure.naming import scramble
from components.contracts import SizedPool
from stacks.model import NodePool

BOOTSTRAP_SIZE: Final = "Standard_D2s_v5"
"""Two vCPU and 8 GiB, the smallest that a system pool accepts and that encrypts at host; in every priced region.

Sources: https://learn.microsoft.com/azure/aks/use-system-pools, instance_prices.csv (2026-06-18).
"""

SYSTEM_TAINT: Final = "CriticalAddonsOnly=true:NoSchedule"
SPOT_KEY: Final = "kubernetes.azure.com/scalesetpriority"
DISK_GIB: Final = 128
"""Managed, because an ephemeral disk would bypass the encryption set, and not each size has room for one."""

MAX_PODS: Final = 110
NAME_LETTERS: Final = 7
NAME_MARK: Final = 4
"""Pool name: at most 12 lower-case letters and digits (https://learn.microsoft.com/azure/aks/create-node-pools)."""

POOL_TIMEOUTS: Final = pulumi.CustomTimeouts(create="45m", update="90m", delete="45m")


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """Where the pools of one cluster live."""

    group: pulumi.Input[str]
    cluster: pulumi.Input[str]  # physical name
    zones: int
    subnets: Mapping[str, pulumi.Input[str]]  # ids by zone key of the way out
    version: str | None  # None: the cloud's upgrade channel chooses


def zone_numbers(zones: int) -> list[str]:
    """Return Azure's logical zones."""
    return [str(number + 1) for number in range(zones)]


def subnet_key(pool: str, slot: int, keys: Sequence[str]) -> str:
    """Deal the pools over the subnets by their own name, so that none moves when another comes or goes."""
    return sorted(keys)[(crc32(pool.encode()) + slot) % len(keys)]


def pool_name(pool: SizedPool, size: str, place: str) -> str:
    """Name a pool after whatever cannot be changed in place: a new size is a new name, made before the old one goes."""
    letters = "".join(letter for letter in pool.pool.lower() if letter.isalnum())[:NAME_LETTERS]
    mark = scramble(f"{pool.key}/{size}/{pool.wish.spot}/{place}", NAME_MARK)
    return f"{letters}{pool.slot}{mark}"


def bootstrap(args: PoolArgs) -> aks.ManagedClusterAgentPoolProfileArgs:
    """Describe the pool without which AKS makes no cluster: one node per zone, for critical add-ons only."""
    return aks.ManagedClusterAgentPoolProfileArgs(
        name="bootstrap",
        mode="System",
        type="VirtualMachineScaleSets",
        count=args.zones,
        vm_size=BOOTSTRAP_SIZE,
        enable_auto_scaling=False,
        availability_zones=zone_numbers(args.zones),
        vnet_subnet_id=args.subnets[min(args.subnets)],
        orchestrator_version=args.version,
        node_taints=[SYSTEM_TAINT],
        upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(max_surge="33%", drain_timeout_in_minutes=30),
        **_every_pool("AzureLinux"),
    )


def node_pool(name: str, pool: SizedPool, args: PoolArgs, opts: pulumi.ResourceOptions) -> aks.AgentPool:
    """Make the pool of one slot. `count` is where it starts; the autoscaler moves it between the bounds."""
    spot = pool.wish.spot == "only"
    key = subnet_key(pool.pool, pool.slot, tuple(args.subnets))
    place = f"{key}/{args.zones}"
    return aks.AgentPool(
        name,
        resource_group_name=args.group,
        resource_name_=args.cluster,
        agent_pool_name=pulumi.Output.from_input(pool.instance_type).apply(lambda size: pool_name(pool, size, place)),
        mode=_mode(pool),
        type="VirtualMachineScaleSets",
        vm_size=pool.instance_type,
        enable_auto_scaling=True,
        min_count=pool.minimum,
        count=pool.desired,
        max_count=pool.maximum,
        availability_zones=zone_numbers(args.zones),
        vnet_subnet_id=args.subnets[key],
        orchestrator_version=args.version,
        node_labels=labels(pool.wish, pool.pool),
        node_taints=taints(pool.wish),
        scale_down_mode="Delete",
        scale_set_priority="Spot" if spot else "Regular",
        scale_set_eviction_policy="Delete" if spot else None,
        spot_max_price=-1.0 if spot else None,  # never evicted for its price, never above the list price
        upgrade_settings=None  # a spot pool refuses a surge
        if spot
        else aks.AgentPoolUpgradeSettingsArgs(max_surge="33%", drain_timeout_in_minutes=30),
        tags={"optimizer-evidence": pool.evidence},
        **_every_pool("Ubuntu" if pool.wish.gpu else "AzureLinux"),  # drivers: few GPU sizes have them on AzureLinux
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=POOL_TIMEOUTS)),
    )


def labels(wish: NodePool, pool: str) -> dict[str, str]:
    """Return a pool's labels; AKS puts the spot label on by itself, and says it here so that nothing drifts."""
    spot = {SPOT_KEY: "spot"} if wish.spot == "only" else {}
    return {**wish.labels, "pool": pool, **spot}


def taints(wish: NodePool) -> list[str]:
    """Return a pool's taints in AKS's spelling `key=value:effect`."""
    own = [f"{taint.key}={taint.value}:{taint.effect}" for taint in wish.taints]
    return [*own, f"{SPOT_KEY}=spot:NoSchedule"] if wish.spot == "only" else own


def _mode(pool: SizedPool) -> pulumi.Input[str]:
    """Call an empty slot of a system pool a user pool until the plan fills it: a system pool must keep a node.

    Nor is a spot pool ever a system pool (https://learn.microsoft.com/azure/aks/use-system-pools, 2026-11-21).
    """
    if pool.wish.purpose != "system" or pool.wish.spot == "only":
        return "User"
    return pulumi.Output.from_input(pool.minimum).apply(lambda least: "System" if least >= 1 else "User")


def _every_pool(system: str) -> dict[str, Any]:
    return {
        "os_type": "Linux",
        "os_sku": system,
        "os_disk_type": "Managed",
        "os_disk_size_gb": DISK_GIB,
        "max_pods": MAX_PODS,
        "enable_encryption_at_host": True,
        "enable_node_public_ip": False,
        "security_profile": aks.AgentPoolSecurityProfileArgs(ssh_access="Disabled"),
    }
