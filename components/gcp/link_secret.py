"""The keys of tunnels in Secret Manager: encrypted with a key of their own, and somebody is told to change them."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gcp.account import Account
from components.gcp.keys import ROTATION, USE, crypto_key
from components.gcp.names import resource_name
from components.links import Keys, LinkGatewayArgs
from stacks.links import End

FIRST_ROTATION: Final = "2027-11-21T00:00:00Z"
"""A constant, because a date counted from now would change in every run; Google moves it on by itself.

Google wants a moment to come when a secret is made: move it once a year.
"""
TELLER: Final = "roles/pubsub.publisher"


class LinkSecret(pulumi.ComponentResource):
    """Key and topic of the secrets of one gateway; one secret for each link.

    Secret Manager does not change a secret, it tells a topic that it is time
    (cloud.google.com/secret-manager/docs/secret-rotation, read 2026-11-21); docs/runbooks/links.md says how.
    """

    def __init__(
        self,
        name: str,
        args: LinkGatewayArgs,
        account: Account,
        ring: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:gcp:LinkSecret", name, {}, opts)
        self._name, self._region, self._account = name, args.site.region, account
        self._child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        agent = account.agent("secretmanager")
        self._key = crypto_key(resource_name(name), ring, protect=args.protect, opts=self._child)
        use = gcp.kms.CryptoKeyIAMMember(name, crypto_key_id=self._key.id, role=USE, member=agent, opts=self._child)
        self._topic = gcp.pubsub.Topic(resource_name(name), project=account.project, opts=self._child)
        tell = gcp.pubsub.TopicIAMMember(
            name, project=account.project, topic=self._topic.name, role=TELLER, member=agent, opts=self._child
        )
        self._after: list[pulumi.Resource] = [use, tell]
        self.register_outputs({})

    def keep(self, end: End, keys: Keys) -> None:
        """Keep the keys of one link, by the number of the tunnel."""
        name = f"{self._name}-{end.far.name}"
        secret = gcp.secretmanager.Secret(
            name,
            project=self._account.project,
            secret_id=name,
            replication=gcp.secretmanager.SecretReplicationArgs(
                user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(
                    replicas=[
                        gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(
                            location=self._region,
                            customer_managed_encryption=gcp.secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
                                kms_key_name=self._key.id
                            ),
                        )
                    ]
                )
            ),
            topics=[gcp.secretmanager.SecretTopicArgs(name=self._topic.id)],
            rotation=gcp.secretmanager.SecretRotationArgs(rotation_period=ROTATION, next_rotation_time=FIRST_ROTATION),
            opts=pulumi.ResourceOptions.merge(
                self._child,
                pulumi.ResourceOptions(depends_on=self._after, ignore_changes=["rotation.nextRotationTime"]),
            ),
        )
        held = {str(tunnel.number): keys[tunnel.number] for tunnel in end.tunnels}
        gcp.secretmanager.SecretVersion(
            name, secret=secret.id, secret_data=pulumi.Output.json_dumps(held), opts=self._child
        )
