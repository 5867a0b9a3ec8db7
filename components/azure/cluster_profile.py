"""The parts of an AKS cluster's description, each from plain facts of the stack file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import containerservice as aks

from stacks.addresses import RegionPlan
from stacks.model import ControlPlaneAccess, Region

CHANNELS: Final[dict[str, str]] = {"rapid": "rapid", "regular": "stable", "stable": "patch"}
"""Our channels in AKS's words: `rapid` the newest minor, `stable` the one before, `patch` patches of the pinned minor.

Source: https://learn.microsoft.com/azure/aks/auto-upgrade-cluster, 2026-11-21.
"""

DNS_HOST: Final = 10
"""The usual tenth address of the service range; the first is the API server's."""

OBJECT_ID_LENGTH: Final = 36


@dataclass(frozen=True, kw_only=True)
class Places:
    """What a cluster of a region is wired to."""

    api_server_subnet_id: pulumi.Input[str]
    private_zone_id: pulumi.Input[str] | None
    workspace_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]
    etcd_key: pulumi.Input[str]  # with its version: AKS takes one and keeps it


def moves_minor(channel: str) -> bool:
    """Say whether the cloud itself goes to the next minor version, so that the file's version is where it began."""
    return CHANNELS[channel] != "patch"


def deployers(access: ControlPlaneAccess) -> list[str]:
    """Return the Entra object ids among the deployers: other clouds' names stand in the same list."""
    return [one for one in access.deployers if _is_object_id(one)]


def _is_object_id(text: str) -> bool:
    return len(text) == OBJECT_ID_LENGTH and [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]


def access_profile(access: ControlPlaneAccess, places: Places) -> aks.ManagedClusterAPIServerAccessProfileArgs:
    """Put the API server into the network, always: a private key vault demands it. Only who else reaches it varies."""
    private = access.mode == "private"
    return aks.ManagedClusterAPIServerAccessProfileArgs(
        disable_run_command=True,
        enable_vnet_integration=True,
        subnet_id=places.api_server_subnet_id,
        enable_private_cluster=private,
        enable_private_cluster_public_fqdn=False if private else None,
        private_dns_zone=places.private_zone_id,
        authorized_ip_ranges=None if private else [str(cidr) for cidr in access.allowed_cidrs],
    )


def network_profile(plan: RegionPlan, wish: Region) -> aks.ContainerServiceNetworkProfileArgs:
    """Azure CNI overlay on Cilium; out through our NAT gateway, or not at all.

    `none` is AKS's network-isolated cluster (https://learn.microsoft.com/azure/aks/concepts-network-isolated).
    """
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",
        ip_families=["IPv4"],
        pod_cidr=str(plan.pods),
        service_cidr=str(plan.services),
        dns_service_ip=str(plan.services[DNS_HOST]),
        load_balancer_sku="standard",
        outbound_type="none" if wish.nat == "none" else "userAssignedNATGateway",
    )


def bootstrap_profile(wish: Region) -> aks.ManagedClusterBootstrapProfileArgs | None:
    """Fetch AKS's own images from a cache inside where there is no way out."""
    return aks.ManagedClusterBootstrapProfileArgs(artifact_source="Cache") if wish.nat == "none" else None


def security_profile(places: Places) -> aks.ManagedClusterSecurityProfileArgs:
    """Encrypt etcd with our key, give pods identities of their own, watch, and clear away old images."""
    return aks.ManagedClusterSecurityProfileArgs(
        azure_key_vault_kms=aks.AzureKeyVaultKmsArgs(
            enabled=True,
            key_id=places.etcd_key,
            key_vault_network_access="Private",
            key_vault_resource_id=places.vault_id,
        ),
        defender=aks.ManagedClusterSecurityProfileDefenderArgs(
            log_analytics_workspace_resource_id=places.workspace_id,
            security_monitoring=aks.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(enabled=True),
        ),
        image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(enabled=True, interval_hours=168),
        workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
    )


def addons(places: Places) -> dict[str, aks.ManagedClusterAddonProfileArgs]:
    """Azure Policy, and container logs and metrics by managed identity."""
    return {
        "azurepolicy": aks.ManagedClusterAddonProfileArgs(enabled=True, config={"version": "v2"}),
        "omsagent": aks.ManagedClusterAddonProfileArgs(
            enabled=True,
            config={"logAnalyticsWorkspaceResourceID": places.workspace_id, "useAADAuth": "true"},
        ),
    }


def autoscaler_profile() -> aks.ManagedClusterPropertiesAutoScalerProfileArgs:
    """Waste least, wait ten minutes before a node goes; every value is text, as the API has it."""
    return aks.ManagedClusterPropertiesAutoScalerProfileArgs(
        expander="least-waste",
        balance_similar_node_groups="true",
        scan_interval="10s",
        scale_down_delay_after_add="10m",
        scale_down_delay_after_delete="10s",
        scale_down_delay_after_failure="3m",
        scale_down_unneeded_time="10m",
        scale_down_unready_time="20m",
        scale_down_utilization_threshold="0.5",
        max_graceful_termination_sec="600",
        max_node_provision_time="15m",
        skip_nodes_with_local_storage="false",
        skip_nodes_with_system_pods="true",
    )


def storage_profile() -> aks.ManagedClusterStorageProfileArgs:
    """Disks, files and snapshots; blobs are reached by the workloads' own identities."""
    return aks.ManagedClusterStorageProfileArgs(
        disk_csi_driver=aks.ManagedClusterStorageProfileDiskCSIDriverArgs(enabled=True),
        file_csi_driver=aks.ManagedClusterStorageProfileFileCSIDriverArgs(enabled=True),
        blob_csi_driver=aks.ManagedClusterStorageProfileBlobCSIDriverArgs(enabled=False),
        snapshot_controller=aks.ManagedClusterStorageProfileSnapshotControllerArgs(enabled=True),
    )


def window(day: str) -> aks.MaintenanceWindowArgs:
    """Return a weekly window of four hours, the shortest that AKS accepts, at night in UTC."""
    return aks.MaintenanceWindowArgs(
        schedule=aks.ScheduleArgs(weekly=aks.WeeklyScheduleArgs(day_of_week=day, interval_weeks=1)),
        duration_hours=4,
        start_time="01:00",
        utc_offset="+00:00",
    )
