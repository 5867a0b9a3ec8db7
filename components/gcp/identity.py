"""Who the nodes of a cluster are: a service account of their own with the least that a node needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gcp.account import Account
from components.gcp.names import account_id

ROLES: Final = {
    "node": "roles/container.defaultNodeServiceAccount",  # write logs and metrics
    "images": "roles/artifactregistry.reader",
}
"""Source: cloud.google.com/kubernetes-engine/docs/how-to/service-accounts (read 2026-11-21)."""


@dataclass(frozen=True, kw_only=True)
class NodeIdentityArgs:
    """The names that the account's id is made of."""

    environment: str
    region: str


class NodeIdentity(pulumi.ComponentResource):
    """A service account for one cluster's nodes; pods have their own through Workload Identity."""

    email: pulumi.Output[str]
    grants: list[pulumi.Resource]

    def __init__(
        self, name: str, args: NodeIdentityArgs, account: Account, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:gcp:NodeIdentity", name, {"region": args.region}, opts)
        child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        nodes = gcp.serviceaccount.Account(
            name,
            project=account.project,
            account_id=account_id(args.environment, args.region),  # 30 characters: too short for an autoname
            display_name=f"Nodes of {args.environment} in {args.region}",
            opts=child,
        )
        self.grants = [
            gcp.projects.IAMMember(
                f"{name}-{key}",
                project=account.project,
                role=role,
                member=nodes.member,
                opts=child,
            )
            for key, role in ROLES.items()
        ]
        self.email = nodes.email
        self.register_outputs({"email": self.email})
