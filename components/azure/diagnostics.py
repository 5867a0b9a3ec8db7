"""Where logs of a region go, and which ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import monitor, operationalinsights

KEPT_DAYS: Final = 365
"""A year of history: PCI-DSS 4.0, 10.5.1. The first 31 days cost nothing extra, the rest 0.13 USD per GB and month."""

CLUSTER_LOGS: Final = (
    "kube-apiserver",
    "kube-audit",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "cloud-controller-manager",
    "guard",
)
"""Categories of a control plane (https://learn.microsoft.com/azure/aks/monitor-aks-reference, 2026-11-21).

`kube-audit` holds what `kube-audit-admin` holds and the reads too: nothing is bought twice.
"""

BLOB_LOGS: Final = ("StorageRead", "StorageWrite", "StorageDelete")
"""https://learn.microsoft.com/azure/storage/blobs/monitor-blob-storage-reference, 2026-11-21."""

VAULT_LOGS: Final = ("AuditEvent", "AzurePolicyEvaluationDetails")


@dataclass(frozen=True, kw_only=True)
class WorkspaceArgs:
    group: pulumi.Input[str]
    region: str
    protect: bool


def workspace(name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions) -> operationalinsights.Workspace:
    """Make the region's Log Analytics workspace; it takes Entra identities only, no shared key."""
    return operationalinsights.Workspace(
        name,
        operationalinsights.WorkspaceArgs(
            resource_group_name=args.group,
            location=args.region,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=KEPT_DAYS,
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True,
                enable_log_access_using_only_resource_permissions=True,
            ),
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=args.protect)),
    )


def export(
    name: str,
    source: pulumi.Input[str],
    workspace_id: pulumi.Input[str],
    categories: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> monitor.DiagnosticSetting:
    """Send these categories of a resource's logs to the workspace, each kind in a table of its own."""
    return monitor.DiagnosticSetting(
        name,
        monitor.DiagnosticSettingArgs(
            resource_uri=source,
            workspace_id=workspace_id,
            log_analytics_destination_type="Dedicated",
            logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in categories],
        ),
        opts=opts,
    )


@dataclass(frozen=True, kw_only=True)
class ContainerInsightsArgs:
    group: pulumi.Input[str]
    region: str
    workspace_id: pulumi.Input[str]
    cluster_id: pulumi.Input[str]


def container_insights(
    name: str, args: ContainerInsightsArgs, opts: pulumi.ResourceOptions
) -> monitor.DataCollectionRuleAssociation:
    """Tell the monitoring add-on what to send: with a managed identity it sends nothing without a rule.

    Source: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable, 2026-11-21.
    """
    stream = "Microsoft-ContainerInsights-Group-Default"
    rule = monitor.DataCollectionRule(
        name,
        monitor.DataCollectionRuleArgs(
            resource_group_name=args.group,
            location=args.region,
            kind="Linux",
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(
                extensions=[
                    monitor.ExtensionDataSourceArgs(
                        name="ContainerInsightsExtension",
                        extension_name="ContainerInsights",
                        streams=[stream],
                    )
                ],
            ),
            destinations=monitor.DataCollectionRuleDestinationsArgs(
                log_analytics=[
                    monitor.LogAnalyticsDestinationArgs(name="workspace", workspace_resource_id=args.workspace_id)
                ],
            ),
            data_flows=[monitor.DataFlowArgs(streams=[stream], destinations=["workspace"])],
        ),
        opts=opts,
    )
    return monitor.DataCollectionRuleAssociation(
        name,
        monitor.DataCollectionRuleAssociationArgs(
            resource_uri=args.cluster_id,
            association_name="ContainerInsightsExtension",
            data_collection_rule_id=rule.id,
        ),
        opts=opts,
    )
