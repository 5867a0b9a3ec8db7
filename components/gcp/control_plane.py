"""The parts of a GKE cluster's configuration that a reader would otherwise lose in one long call."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import ClusterArgs
from components.gcp import firewall

LOGS: Final = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")

METRICS: Final = (
    "SYSTEM_COMPONENTS",
    "APISERVER",
    "CONTROLLER_MANAGER",
    "SCHEDULER",
    "STORAGE",
    "POD",
    "DEPLOYMENT",
    "STATEFULSET",
    "DAEMONSET",
    "HPA",
    "CADVISOR",
    "KUBELET",
)
"""WORKLOADS is not among them: GKE 1.24 removed it, managed Prometheus took its place."""

MAINTENANCE_START: Final = "2026-01-03T01:00:00Z"
MAINTENANCE_END: Final = "2026-01-03T07:00:00Z"
MAINTENANCE_DAYS: Final = "FREQ=WEEKLY;BYDAY=SA,SU"
"""Twice six hours a week; GKE demands 48 hours in any 32 days. The dates only start the series."""


def private(args: ClusterArgs) -> gcp.container.ClusterPrivateClusterConfigArgs:
    """Nodes have no public address; the control plane has one only where access is `restricted`."""
    return gcp.container.ClusterPrivateClusterConfigArgs(
        enable_private_nodes=True,
        enable_private_endpoint=args.access.mode == "private",
        master_ipv4_cidr_block=firewall.control_plane(args.plan),
        master_global_access_config=gcp.container.ClusterPrivateClusterConfigMasterGlobalAccessConfigArgs(
            enabled=args.beyond is not None and args.beyond.beside  # or other regions could not read this cluster
        ),
    )


def authorized(args: ClusterArgs) -> gcp.container.ClusterMasterAuthorizedNetworksConfigArgs:
    """Return who may knock: the region's own network, or the blocks of the stack file and nobody else."""
    if args.access.mode == "restricted":
        blocks = {f"allowed-{str(cidr).replace('/', '-')}": str(cidr) for cidr in args.access.allowed_cidrs}
        if not blocks:
            raise pulumi.RunError(
                "control_plane_access.allowed_cidrs: empty, so nobody could reach a `restricted` control plane: "
                "name the blocks that may, or set `mode: private`"
            )
    else:
        blocks = {"network": str(args.plan.network), "pods": str(args.plan.pods)}
    for place, each in enumerate(args.beyond.callers if args.beyond else ()):
        blocks[f"linked-{place}"] = each
    return gcp.container.ClusterMasterAuthorizedNetworksConfigArgs(
        cidr_blocks=[
            gcp.container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=cidr, display_name=name)
            for name, cidr in blocks.items()
        ],
        gcp_public_cidrs_access_enabled=False,
        private_endpoint_enforcement_enabled=True,
    )


def node_autoscaling() -> gcp.container.ClusterClusterAutoscalingArgs:
    """Let a node go after ten minutes without need (`BALANCED`); pools are the stack file's, none is made by itself.

    Source: cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler#autoscaling_profiles, 2026-11.
    """
    return gcp.container.ClusterClusterAutoscalingArgs(enabled=False, autoscaling_profile="BALANCED")


def addons() -> gcp.container.ClusterAddonsConfigArgs:
    """Load balancing, horizontal autoscaling and disks; Dataplane V2 takes the place of the policy add-on."""
    return gcp.container.ClusterAddonsConfigArgs(
        http_load_balancing=gcp.container.ClusterAddonsConfigHttpLoadBalancingArgs(disabled=False),
        horizontal_pod_autoscaling=gcp.container.ClusterAddonsConfigHorizontalPodAutoscalingArgs(disabled=False),
        network_policy_config=gcp.container.ClusterAddonsConfigNetworkPolicyConfigArgs(disabled=True),
        gce_persistent_disk_csi_driver_config=(
            gcp.container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(enabled=True)
        ),
    )


def metrics() -> gcp.container.ClusterMonitoringConfigArgs:
    """Return control plane, state and container metrics, collected by managed Prometheus."""
    return gcp.container.ClusterMonitoringConfigArgs(
        enable_components=list(METRICS),
        managed_prometheus=gcp.container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=True),
        advanced_datapath_observability_config=(
            gcp.container.ClusterMonitoringConfigAdvancedDatapathObservabilityConfigArgs(
                enable_metrics=True, enable_relay=False
            )
        ),
    )


def maintenance() -> gcp.container.ClusterMaintenancePolicyArgs:
    """Return when Google may upgrade: at weekends, early in the morning (UTC)."""
    return gcp.container.ClusterMaintenancePolicyArgs(
        recurring_window=gcp.container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=MAINTENANCE_START,
            end_time=MAINTENANCE_END,
            recurrence=MAINTENANCE_DAYS,
        )
    )


def first_pool(service_account: pulumi.Input[str], disk_key: pulumi.Input[str]) -> gcp.container.ClusterNodeConfigArgs:
    """Return the nodes of the pool that GKE insists on and that goes at once: small, and not the default account's."""
    return gcp.container.ClusterNodeConfigArgs(
        machine_type="e2-medium",
        disk_size_gb=20,
        disk_type="pd-balanced",
        boot_disk_kms_key=disk_key,
        image_type="COS_CONTAINERD",
        service_account=service_account,
        oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
        shielded_instance_config=gcp.container.ClusterNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        workload_metadata_config=gcp.container.ClusterNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
    )
