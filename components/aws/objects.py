"""Objects in S3 as a store of the stack file."""

from __future__ import annotations

import pulumi

from components.aws.bucket import Bucket
from components.aws.cluster import Cluster
from components.aws.network import Network
from components.contracts import StoreArgs, bucket_args
from components.objects import Objects


def objects(
    name: str, args: StoreArgs, _network: Network, _cluster: Cluster, opts: pulumi.ResourceOptions | None = None
) -> Objects:
    """Make the bucket of one store."""
    wish = bucket_args(args)
    return Objects(name, "aws", args, lambda child: Bucket(name, wish, child), opts)
