"""Objects in Blob Storage for workloads beside one cluster."""

from __future__ import annotations

from typing import Final

import pulumi

from components.azure.bucket import Bucket
from components.azure.cluster import Cluster
from components.azure.network import Network
from components.contracts import StoreArgs, bucket_args
from components.grants import Holder, PodIdentity, UseBucket

PORT: Final = 443


class Objects(pulumi.ComponentResource):
    """One bucket of the stack file; its users read, write and delete what is in it, but never the bucket."""

    address: pulumi.Output[str]
    port = PORT
    outside = False
    database: pulumi.Output[str]
    secret: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self,
        name: str,
        args: StoreArgs,
        network: Network,
        _cluster: Cluster,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:azure:Objects", name, {}, opts)
        self._key = args.key
        self._bucket = bucket = Bucket(name, bucket_args(args), network, pulumi.ResourceOptions(parent=self))
        self.address, self.database, self.ready = bucket.host, bucket.name, bucket.ready
        self.secret = pulumi.Output.from_input("")
        self.register_outputs({"name": bucket.name})

    def grant(self, holder: Holder) -> UseBucket:
        """What an identity needs for it."""
        del holder
        return self._bucket.use(self._key)

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Nothing to be made: IAM decides."""
        del holder
        return identity.principal
