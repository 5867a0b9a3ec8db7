"""Nodes beyond the plan on EKS: who they are, what encrypts their disks, and who may start and end them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from components.aws.account import Account, account_of
from components.aws.boundary import NODE_ROLE
from components.aws.documents import Statement, allow, trust
from components.aws.identity import Identity, IdentityArgs
from components.aws.interruptions import SENDER, Interruptions, InterruptionsArgs
from components.aws.key import USE, Key, KeyArgs
from components.aws.overflow_rights import Bounds, rights
from components.aws.workload_identity import Place, pod_role
from components.contracts import Launching
from components.grants import Holder


@dataclass(frozen=True, kw_only=True)
class OverflowArgs:
    """`image` is a release of the nodes' images, as Karpenter writes it; `holder` starts and ends them."""

    place: Place
    holder: Holder
    image: str
    protect: bool = False


class OverflowNodes(pulumi.ComponentResource):
    """A role, an instance profile and an entry of the cluster for the nodes; a key, a queue, and who uses them.

    The role is not that of the sized pools: what starts machines can give them this one and no other. Spot capacity
    needs the account's own `AWSServiceRoleForEC2Spot`, which whoever keeps the account makes once
    (docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html, 2026-11).
    """

    launching: Launching

    def __init__(self, name: str, args: OverflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:OverflowNodes", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account, place = account_of(self), args.place
        role = Identity(
            f"{name.removesuffix('-overflow')}-{NODE_ROLE}",
            IdentityArgs(
                description=f"Overflow nodes of {place.physical_name}",
                trust=trust(f"ec2.{account.dns_suffix}"),
                managed={"worker": "AmazonEKSWorkerNodePolicy", "images": "AmazonEC2ContainerRegistryPullOnly"},
            ),
            child,
        )
        profile = aws.iam.InstanceProfile(name, role=role.name, opts=child)
        entry = aws.eks.AccessEntry(
            name,
            cluster_name=place.cluster,
            principal_arn=role.arn,
            type="EC2_LINUX",
            region=place.region,
            opts=child,
        )
        key = Key(
            name,
            KeyArgs(
                description=f"Disks of overflow nodes of {place.physical_name}, and the queue that tells of their end",
                region=place.region,
                users=list(_users(account, place.region)),
                protect=args.protect,
            ),
            child,
        )
        told = Interruptions(f"{name}-interruptions", InterruptionsArgs(region=place.region, key_arn=key.arn), child)
        bounds = Bounds(
            cluster=place.physical_name,
            cluster_arn=place.arn,
            region=place.region,
            node_role_arn=role.arn,
            profile_arn=profile.arn,
            queue_arn=told.arn,
            key_arn=key.arn,
        )
        identity = pod_role(self, place, args.holder, (), list(rights(account, bounds)))
        self.launching = Launching(
            identity=replace(identity, ready=(*identity.ready, entry, *role.ready, *told.ready)),
            profile=profile.name,
            queue=told.queue,
            disk_key=key.arn,
            found_by={"karpenter.sh/discovery": place.physical_name},
            image=args.image,
        )
        self.register_outputs({"profile": profile.name, "queue": told.queue})


def _users(account: Account, region: str) -> tuple[Statement, ...]:
    """Let IAM decide who uses the key through EC2 and SQS; events are sent into the encrypted queue.

    Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html, 2026-11.
    """
    root = {"AWS": f"{account.arn_root}:root"}
    through = [f"{service}.{region}.{account.dns_suffix}" for service in ("ec2", "sqs")]
    ours = {"StringEquals": {"kms:ViaService": through, "kms:CallerAccount": account.account_id}}
    told = {"StringEquals": {"aws:SourceAccount": account.account_id}}
    return (
        allow("Through", USE, condition=ours, principal=root),
        allow("Events", ["kms:Decrypt", "kms:GenerateDataKey*"], condition=told, principal={"Service": SENDER}),
    )
