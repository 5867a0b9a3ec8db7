"""What Google Cloud gives to the services of a cluster: disks, secrets, load balancers, ways to its own services."""

from __future__ import annotations

from ipaddress import IPv4Network

import pulumi

from components.contracts import Offer
from components.kubernetes.crds.external_secrets import (
    ClusterSecretStoreSpecProvider,
    ClusterSecretStoreSpecProviderGcpsm,
)

INTERNAL = "networking.gke.io/load-balancer-type"


def offer(project: pulumi.Input[str], disk_key: pulumi.Input[str], nodes: IPv4Network) -> Offer:
    """Describe the offer of one region.

    Sources: cloud.google.com/kubernetes-engine/docs/how-to/using-cmek (disks), .../internal-load-balancing,
    .../how-to/workload-identity (the addresses of the metadata server, which Dataplane V2 judges by its first one);
    Google's APIs answer at private.googleapis.com, whose addresses are public ones (read 2026-11-21).
    """
    return Offer(
        volumes="pd.csi.storage.gke.io",
        volume_parameters={
            "type": "pd-balanced",
            "disk-encryption-kms-key": disk_key,
            "csi.storage.k8s.io/fstype": "ext4",
        },
        snapshot_parameters={},
        secrets=ClusterSecretStoreSpecProvider(gcpsm=ClusterSecretStoreSpecProviderGcpsm(project_id=project)),
        apis=(),
        stores=(str(nodes),),
        credentials=(("169.254.169.254/32", 80), ("169.254.169.252/32", 988)),
        exchanged=False,
        inside={INTERNAL: "Internal"},
        outside={"cloud.google.com/l4-rbs": "enabled"},
    )
