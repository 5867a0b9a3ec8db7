"""Objects for workloads beside one cluster: a bucket of whichever cloud, as a store of the stack file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pulumi

from components.contracts import HeldBucket, StoreArgs
from components.grants import Holder, PodIdentity, UseBucket
from stacks.clouds import Cloud

PORT: Final = 443


class Objects(pulumi.ComponentResource):
    """One bucket of the stack file; its users read, write and delete what is in it, but never the bucket."""

    address: pulumi.Output[str]
    port = PORT
    database: pulumi.Output[str]
    secret: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self,
        name: str,
        cloud: Cloud,
        args: StoreArgs,
        make: Callable[[pulumi.ResourceOptions], HeldBucket],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`make` makes the bucket; only Azure has an address inside the network for it."""
        super().__init__(f"ecosystem:{cloud}:Objects", name, {}, opts)
        self._key = args.key
        self._bucket = bucket = make(pulumi.ResourceOptions(parent=self))
        self.outside = cloud != "azure"
        self.address, self.database, self.ready = bucket.host, bucket.name, bucket.ready
        self.secret = pulumi.Output.from_input("")
        self.register_outputs({"name": bucket.name})

    def grant(self, holder: Holder) -> UseBucket:
        """What an identity needs for it."""
        del holder
        return self._bucket.use(self._key)

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Nothing to be made: the cloud's own IAM decides."""
        del holder
        return identity.principal
