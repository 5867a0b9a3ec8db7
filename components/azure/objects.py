"""Objects in Blob Storage as a store of the stack file."""

from __future__ import annotations

import pulumi

from components.azure.bucket import Bucket
from components.azure.cluster import Cluster
from components.azure.network import Network
from components.contracts import StoreArgs, bucket_args
from components.objects import Objects


def objects(
    name: str, args: StoreArgs, network: Network, _cluster: Cluster, opts: pulumi.ResourceOptions | None = None
) -> Objects:
    """Make the bucket of one store."""
    wish = bucket_args(args)
    return Objects(name, "azure", args, lambda child: Bucket(name, wish, network, child), opts)
