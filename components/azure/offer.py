"""What Azure gives to the services of a cluster: disks, secrets, load balancers, ways to its own services."""

from __future__ import annotations

from ipaddress import IPv4Network

import pulumi

from components.contracts import Offer
from components.kubernetes.crds.external_secrets import (
    ClusterSecretStoreSpecProvider,
    ClusterSecretStoreSpecProviderAzurekv,
)

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


def offer(
    vault_uri: pulumi.Input[str],
    tenant: pulumi.Input[str],
    disk_encryption_set_id: pulumi.Input[str],
    endpoints: IPv4Network,
) -> Offer:
    """Describe the offer of one region.

    Sources: https://learn.microsoft.com/azure/aks/azure-disk-customer-managed-keys, .../internal-lb,
    .../workload-identity-overview (a token in a file, no address), 2026-11-21.
    """
    return Offer(
        volumes="disk.csi.azure.com",
        volume_parameters={
            "skuName": "Premium_LRS",
            "diskEncryptionSetID": disk_encryption_set_id,
            "networkAccessPolicy": "DenyAll",
            "csi.storage.k8s.io/fstype": "ext4",
        },
        snapshot_parameters={"incremental": "true"},
        secrets=ClusterSecretStoreSpecProvider(
            azurekv=ClusterSecretStoreSpecProviderAzurekv(
                vault_url=vault_uri, tenant_id=tenant, auth_type="WorkloadIdentity"
            )
        ),
        apis=(str(endpoints),),
        stores=(str(endpoints),),
        credentials=(),
        exchanged=True,
        inside={INTERNAL: "true"},
        outside={},
    )
