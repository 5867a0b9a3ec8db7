"""A node pool: one slot of the sizing plan, on Google Cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import SizedPool
from components.gcp import machines
from components.gcp.account import Account
from components.gcp.names import node_pool_name
from stacks.model import NodePool as Wish
from stacks.model import Taint

DISK_GIB: Final = 100

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
"""Scopes are a legacy limit: what a node may do, its service account's roles say."""

EFFECTS: Final = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}

TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="180m", delete="60m")
"""An update drains node after node."""


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """What all pools of one cluster share."""

    cluster: pulumi.Input[str]
    location: str
    zones: tuple[str, ...]
    service_account: pulumi.Input[str]
    disk_key: pulumi.Input[str]


def initial_nodes(pool: SizedPool, zones: int) -> int:
    """Return how many nodes per zone a new pool starts with: one in the first slot of a pool that is never empty.

    The number is plain and never sent again, because changing it replaces the pool; it is not the plan's `desired`,
    which counts nodes over all zones and may be smaller than one per zone. The autoscaler owns the count from then on.
    """
    return 1 if pool.slot == 0 and pool.wish.min >= zones else 0


def build(
    name: str, pool: SizedPool, args: NodePoolArgs, account: Account, opts: pulumi.ResourceOptions
) -> gcp.container.NodePool:
    """Create the pool. A change that cannot be made in place makes the new pool before the old one goes (autoname).

    `opts` carries the parent and the provider. `desired` is not sent: GKE's autoscaler takes bounds only.
    """
    zones = len(args.zones)
    first = initial_nodes(pool, zones)
    return gcp.container.NodePool(
        node_pool_name(name, pool.key),
        project=account.project,
        cluster=args.cluster,
        location=args.location,
        node_locations=list(args.zones),
        initial_node_count=pulumi.Output.from_input(pool.maximum).apply(
            lambda most: first if most >= first * zones else 0  # the plan may leave even the first slot empty
        ),
        autoscaling=gcp.container.NodePoolAutoscalingArgs(
            total_min_node_count=pool.minimum,
            total_max_node_count=pool.maximum,
            location_policy="ANY" if pool.wish.spot == "only" else "BALANCED",
        ),
        management=gcp.container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
        upgrade_settings=gcp.container.NodePoolUpgradeSettingsArgs(strategy="SURGE", max_surge=1, max_unavailable=0),
        network_config=gcp.container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
        node_config=_node_config(pool, args),
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                custom_timeouts=TIMEOUTS,
                ignore_changes=["initialNodeCount"],  # forces replacement, and GKE reports another one after a resize
                replace_on_changes=["nodeConfig.machineType"],  # a new pool stands before the old one's pods move
            ),
        ),
    )


def _node_config(pool: SizedPool, args: NodePoolArgs) -> gcp.container.NodePoolNodeConfigArgs:
    machine_type = pulumi.Output.from_input(pool.instance_type)
    return gcp.container.NodePoolNodeConfigArgs(
        machine_type=machine_type,
        spot=pool.wish.spot == "only",
        image_type="COS_CONTAINERD",
        disk_size_gb=DISK_GIB,
        disk_type=machine_type.apply(machines.disk_type),
        boot_disk_kms_key=args.disk_key,
        service_account=args.service_account,
        oauth_scopes=list(SCOPES),
        labels={
            "ecosystem/pool": pool.pool,
            "ecosystem/purpose": pool.wish.purpose,
            **pool.wish.labels,
        },
        resource_labels={"optimizer-evidence": pool.evidence},
        taints=[_taint(taint) for taint in pool.wish.taints] or None,
        taint_config=_no_architecture_taint(pool.wish),
        guest_accelerators=_accelerators(pool.wish, machine_type),
        metadata={"disable-legacy-endpoints": "true"},
        shielded_instance_config=gcp.container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        workload_metadata_config=gcp.container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
        kubelet_config=gcp.container.NodePoolNodeConfigKubeletConfigArgs(
            insecure_kubelet_readonly_port_enabled="FALSE"
        ),
        gvnic=gcp.container.NodePoolNodeConfigGvnicArgs(enabled=True),
        logging_variant="DEFAULT",
    )


def _taint(taint: Taint) -> gcp.container.NodePoolNodeConfigTaintArgs:
    return gcp.container.NodePoolNodeConfigTaintArgs(key=taint.key, value=taint.value, effect=EFFECTS[taint.effect])


def _no_architecture_taint(wish: Wish) -> gcp.container.NodePoolNodeConfigTaintConfigArgs | None:
    """Keep GKE from tainting arm64 nodes: a pool that asks for both architectures runs images built for both."""
    if "arm64" not in wish.arch:
        return None
    return gcp.container.NodePoolNodeConfigTaintConfigArgs(architecture_taint_behavior="NONE")


def _accelerators(
    wish: Wish, machine_type: pulumi.Output[str]
) -> list[gcp.container.NodePoolNodeConfigGuestAcceleratorArgs] | None:
    if not wish.gpu:
        return None
    return [
        gcp.container.NodePoolNodeConfigGuestAcceleratorArgs(
            type=machines.ACCELERATOR,
            count=machine_type.apply(machines.gpus),
            gpu_driver_installation_config=(
                gcp.container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
                    gpu_driver_version="DEFAULT"
                )
            ),
        )
    ]
