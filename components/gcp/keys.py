"""The keys of one cluster: one for the secrets in its database, one for the disks of its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gcp.account import Account

ROTATION: Final = f"{90 * 24 * 3600}s"
"""90 days, the longest that the law allows (GCP-KMS-01)."""

DESTROY_AFTER: Final = f"{30 * 24 * 3600}s"
"""A key that was deleted by mistake can be restored for 30 days."""

USE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """Keys live in the cluster's region, also where its control plane lives in one zone."""

    region: str
    protect: bool


class Keys(pulumi.ComponentResource):
    """A key ring with two keys and the grants that Google's service agents need before the cluster is made.

    Google keeps a key ring for ever: it has no delete call. So the ring is retained when the stack goes, and said to
    be; its name carries a random suffix and never stands in the way of the next one.
    """

    ring: pulumi.Output[str]
    database: pulumi.Output[str]
    disks: pulumi.Output[str]
    grants: list[pulumi.Resource]

    def __init__(self, name: str, args: KeysArgs, account: Account, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:gcp:Keys", name, {"region": args.region}, opts)
        ring = gcp.kms.KeyRing(
            name,
            project=account.project,
            location=args.region,
            opts=pulumi.ResourceOptions(
                parent=self, provider=account.provider, retain_on_delete=True, protect=args.protect or None
            ),
        )
        agents = {"database": account.container_agent, "disks": account.compute_agent}
        child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        keys = {key: crypto_key(f"{name}-{key}", ring.id, protect=args.protect, opts=child) for key in agents}
        self.ring = ring.id
        self.grants = [
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-{key}-agent",
                crypto_key_id=keys[key].id,
                role=USE,
                member=agent,
                opts=child,
            )
            for key, agent in agents.items()
        ]
        self.database = keys["database"].id
        self.disks = keys["disks"].id
        self.register_outputs({"database": self.database, "disks": self.disks})


def crypto_key(name: str, ring: pulumi.Input[str], *, protect: bool, opts: pulumi.ResourceOptions) -> gcp.kms.CryptoKey:
    """Make a key in a ring: renewed each quarter, thirty days to change one's mind."""
    return gcp.kms.CryptoKey(
        name,
        key_ring=ring,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=ROTATION,
        destroy_scheduled_duration=DESTROY_AFTER,
        version_template=gcp.kms.CryptoKeyVersionTemplateArgs(
            algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level="SOFTWARE"
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=protect or None)),
    )
