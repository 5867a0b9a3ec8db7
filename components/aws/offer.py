"""What AWS gives to the services of a cluster: disks, secrets, load balancers, ways to its own services."""

from __future__ import annotations

from ipaddress import IPv4Network

import pulumi

from components.contracts import Offer
from components.kubernetes.crds.external_secrets import (
    ClusterSecretStoreSpecProvider,
    ClusterSecretStoreSpecProviderAws,
)

BALANCER = "service.beta.kubernetes.io/aws-load-balancer-"


def offer(region: str, disk_key_arn: pulumi.Input[str], network: IPv4Network) -> Offer:
    """Describe the offer of one region.

    The controller inside EKS reads the annotations (kubernetes/cloud-provider-aws docs/service_controller.md), pods
    get credentials from the Pod Identity agent (docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html),
    and interface endpoints stand in the private subnets, 2026-11.
    """
    return Offer(
        volumes="ebs.csi.aws.com",
        volume_parameters={
            "type": "gp3",
            "encrypted": "true",
            "kmsKeyId": disk_key_arn,
            "csi.storage.k8s.io/fstype": "ext4",
        },
        snapshot_parameters={},
        secrets=ClusterSecretStoreSpecProvider(
            aws=ClusterSecretStoreSpecProviderAws(service="SecretsManager", region=region)
        ),
        apis=(str(network),),
        stores=(str(network),),
        credentials=(("169.254.170.23/32", 80),),
        exchanged=False,
        inside={f"{BALANCER}type": "nlb", f"{BALANCER}internal": "true"},
        outside={f"{BALANCER}type": "nlb"},
    )
