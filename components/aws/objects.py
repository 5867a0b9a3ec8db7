"""Objects in S3 as a store of the stack file."""

from __future__ import annotations

import pulumi

from components.aws.bucket import Bucket
from components.aws.cluster import Cluster
from components.aws.network import Network
from components.contracts import BucketArgs, StoreArgs, bucket_args
from components.objects import Objects


def bucket(name: str, args: BucketArgs, _network: Network, _cluster: Cluster, opts: pulumi.ResourceOptions) -> Bucket:
    """Make a bucket."""
    return Bucket(name, args, opts)


def objects(
    name: str, args: StoreArgs, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
) -> Objects:
    """Make the bucket of one store."""
    wish = bucket_args(args)
    return Objects(name, "aws", args, lambda child: bucket(name, wish, network, cluster, child), opts)
