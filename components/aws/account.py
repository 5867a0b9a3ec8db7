"""The AWS account of a stack: its one explicit provider, who answers to it, and the limit of every role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.boundary import Boundary

SUFFIXES: Final = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
"""DNS suffix of a partition's service names (docs.aws.amazon.com/general/latest/gr/rande.html, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class AccountArgs:
    """`region` is where account-wide things are asked for; every other resource names its own region."""

    account_id: str
    region: str
    create_service_roles: bool = False  # True only in a new account, and in one stack of it
    launches: bool = False  # True where pods may start machines: overflow pools


class AccountProvider(aws.Provider):
    """The provider of one account; what is built with it finds the account through it."""

    account: Account


class Account(pulumi.ComponentResource):
    """The account that a run may touch: another one is refused by the provider and by `identity`."""

    account_id: str
    region: str  # where the account is opened: what there is once for all regions is kept here
    partition: str
    dns_suffix: str
    provider: AccountProvider
    identity: pulumi.Output[str]
    boundary_arn: pulumi.Output[str]
    autoscaling_role_arn: pulumi.Input[str]

    def __init__(self, name: str, args: AccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Account", name, {}, opts)
        self.account_id, self.region = args.account_id, args.region
        self.partition = partition_of(args.region)
        self.dns_suffix = SUFFIXES[self.partition]
        self.provider = AccountProvider(
            name,
            region=args.region,
            allowed_account_ids=[args.account_id],
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["region"],  # regions come and go in the stack file; each resource names its own
            ),
        )
        self.provider.account = self
        caller = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self, provider=self.provider))
        self.identity = caller.account_id.apply(self._same_account)
        self.boundary_arn = Boundary(
            f"{name}-boundary",
            self.arn_root,
            pulumi.ResourceOptions(parent=self, provider=self.provider),
            launches=args.launches,
        ).arn
        self.autoscaling_role_arn = self._autoscaling_role(name) if args.create_service_roles else self._role_of_asg()
        self.register_outputs({"account_id": self.account_id, "identity": self.identity})

    @property
    def arn_root(self) -> str:
        """Start of the ARN of what IAM keeps in this account: `arn:aws:iam::123456789012`."""
        return f"arn:{self.partition}:iam::{self.account_id}"

    def managed_policy(self, path: str) -> str:
        """ARN of a policy that AWS keeps up to date."""
        return f"arn:{self.partition}:iam::aws:policy/{path}"

    def _same_account(self, found: str) -> str:
        if found != self.account_id:
            raise pulumi.RunError(
                f"stack.clouds.aws.account is {self.account_id}, but these credentials belong to {found}: "
                "use credentials of the stack's account, or correct the stack file"
            )
        return found

    def _role_of_asg(self) -> str:
        return f"{self.arn_root}:role/aws-service-role/autoscaling.{self.dns_suffix}/AWSServiceRoleForAutoScaling"

    def _autoscaling_role(self, name: str) -> pulumi.Output[str]:
        role = aws.iam.ServiceLinkedRole(
            f"{name}-autoscaling",
            aws_service_name=f"autoscaling.{self.dns_suffix}",
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider, retain_on_delete=True),
        )
        return role.arn


def partition_of(region: str) -> str:
    """Name the partition of a region (docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, 2026-11)."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def account_of(component: pulumi.ComponentResource) -> Account:
    """Find the account that a component builds in, through its explicit provider."""
    provider = component.get_provider("aws:index:Account")
    if not isinstance(provider, AccountProvider):
        raise TypeError(
            f"{component.pulumi_resource_name} builds on AWS without an account: "
            "pass opts=ResourceOptions(provider=Account(...).provider)"
        )
    return provider.account
