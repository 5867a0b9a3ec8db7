"""Private ways to the services of AWS, open to this account's own identities only.

With them a cluster works without any NAT gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import Account, account_of
from components.aws.documents import Statement, allow, document

INTERFACE: Final[Mapping[str, Sequence[str]]] = {
    "ecr.api": ("ecr:*",),
    "ecr.dkr": ("ecr:*",),
    "sts": ("sts:*",),
    "kms": ("kms:*",),
    "secretsmanager": ("secretsmanager:*",),
    "logs": ("logs:*",),
    "ec2": ("ec2:*",),
    "eks": ("eks:*",),
    "eks-auth": ("eks-auth:*",),  # pod identity: without it no pod gets credentials in a network without NAT
    "elasticloadbalancing": ("elasticloadbalancing:*",),
    "autoscaling": ("autoscaling:*",),
}
"""Services that nodes and add-ons call (docs.aws.amazon.com/eks/latest/userguide/private-clusters.html, 2026-11)."""

ANYONE: Final = {"AWS": "*"}
HTTPS: Final = 443
ENDPOINT_TIMEOUT: Final = pulumi.CustomTimeouts(create="15m", update="15m", delete="15m")


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """Gateway endpoints hang on route tables, interface endpoints stand in subnets; `vpc_cidr` may call them."""

    region: str
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    route_table_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]


class Endpoints(pulumi.ComponentResource):
    """Gateway endpoints for S3 and DynamoDB, interface endpoints for what a cluster needs."""

    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Endpoints", name, {}, opts)
        account = account_of(self)
        slow = pulumi.ResourceOptions(parent=self, custom_timeouts=ENDPOINT_TIMEOUT)
        group = self._firewall(name, args)
        gateways = [
            aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=args.vpc_id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{args.region}.{service}",
                route_table_ids=args.route_table_ids,
                policy=document(*statements),
                region=args.region,
                tags={"Name": f"{name}-{service}"},
                opts=slow,
            )
            for service, statements in gateway_policies(account, args.region).items()
        ]
        interfaces = [
            aws.ec2.VpcEndpoint(
                f"{name}-{service.replace('.', '-')}",
                vpc_id=args.vpc_id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{args.region}.{service}",
                subnet_ids=args.subnet_ids,
                security_group_ids=[group.id],
                private_dns_enabled=True,
                policy=document(*interface_policy(account, service)),
                region=args.region,
                tags={"Name": f"{name}-{service}"},
                opts=slow,
            )
            for service in INTERFACE
        ]
        self.ready = (*gateways, *interfaces)
        self.register_outputs({"services": [*gateway_policies(account, args.region), *INTERFACE]})

    def _firewall(self, name: str, args: EndpointsArgs) -> aws.ec2.SecurityGroup:
        child = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            name,
            description="Interface endpoints: HTTPS from inside the VPC",
            vpc_id=args.vpc_id,
            region=args.region,
            tags={"Name": name},
            opts=child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-https",
            security_group_id=group.id,
            description="HTTPS from inside the VPC",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            cidr_ipv4=args.vpc_cidr,
            region=args.region,
            opts=child,
        )
        return group


def interface_policy(account: Account, service: str) -> list[Statement]:
    """Let this account's own identities through to one service, and nobody else's.

    A web identity has no account before it assumes a role, so STS lets it assume roles of this account.
    """
    ours = {"StringEquals": {"aws:PrincipalAccount": account.account_id}}
    statements = [allow("OurIdentities", INTERFACE[service], condition=ours, principal=ANYONE)]
    if service == "sts":
        roles = f"{account.arn_root}:role/*"
        statements.append(allow("WebIdentities", ["sts:AssumeRoleWithWebIdentity"], roles, principal=ANYONE))
    return statements


def gateway_policies(account: Account, region: str) -> dict[str, list[Statement]]:
    """Reach this account's own data, and read the layers of images that ECR keeps in buckets of AWS.

    Source of the bucket: docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html, 2026-11.
    """
    ours = {"StringEquals": {"aws:ResourceAccount": account.account_id}}
    layers = f"arn:{account.partition}:s3:::prod-{region}-starport-layer-bucket/*"
    return {
        "s3": [
            allow("OurBuckets", ["s3:*"], condition=ours, principal=ANYONE),
            allow("ImageLayers", ["s3:GetObject"], layers, principal=ANYONE),
        ],
        "dynamodb": [allow("OurTables", ["dynamodb:*"], condition=ours, principal=ANYONE)],
    }
