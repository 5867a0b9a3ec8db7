"""Objects in Cloud Storage as a store of the stack file."""

from __future__ import annotations

import pulumi

from components.contracts import BucketArgs, StoreArgs, bucket_args
from components.gcp.bucket import Bucket
from components.gcp.cluster import Cluster
from components.gcp.network import Network
from components.objects import Objects


def bucket(name: str, args: BucketArgs, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions) -> Bucket:
    """Make a bucket."""
    return Bucket(name, args, network.account, cluster.keys.ring, opts)


def objects(
    name: str, args: StoreArgs, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
) -> Objects:
    """Make the bucket of one store."""
    wish = bucket_args(args)
    return Objects(name, "gcp", args, lambda child: bucket(name, wish, network, cluster, child), opts)
