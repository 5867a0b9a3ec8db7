"""A role that a service or a pod assumes: bounded, short-lived, with named policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.documents import trust

SESSION_SECONDS: Final = 3600
POD_IDENTITY: Final = "pods.eks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """`managed` are policies of AWS and `inline` our own documents, both by a short name."""

    description: str
    trust: str
    managed: Mapping[str, str] = field(default_factory=dict)  # short name -> path below arn:aws:iam::aws:policy/
    inline: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Identity(pulumi.ComponentResource):
    """One role inside the account's boundary."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]  # the role with everything attached to it

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Identity", name, {}, opts)
        account = account_of(self)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            description=args.description,
            assume_role_policy=args.trust,
            permissions_boundary=account.boundary_arn,
            max_session_duration=SESSION_SECONDS,
            force_detach_policies=True,
            opts=child,
        )
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{key}", role=role.name, policy_arn=account.managed_policy(path), opts=child
            )
            for key, path in args.managed.items()
        ]
        own = [
            aws.iam.RolePolicy(f"{name}-{key}", role=role.name, policy=policy, opts=child)
            for key, policy in args.inline.items()
        ]
        self.arn, self.name = role.arn, role.name
        self.ready = (role, *attached, *own)
        self.register_outputs({"arn": self.arn})


def pod_trust(account_id: str, cluster_arn: str) -> str:
    """Let pods of one cluster assume a role through EKS Pod Identity.

    Source: docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html, 2026-11.
    """
    return trust(
        POD_IDENTITY,
        actions=("sts:AssumeRole", "sts:TagSession"),
        account_id=account_id,
        source_arn=cluster_arn,
    )
