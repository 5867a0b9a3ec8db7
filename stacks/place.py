"""Where a stack lives: its addresses, clouds and regions, and who reaches its control planes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from stacks.part import Cidr, FreezeMapping, Part


class Share(Part):
    """Which of `of` equal parts of the address block this stack owns; other stacks own the others."""

    index: NonNegativeInt = 0
    """Position of this stack's part, counted from 0."""
    of: Literal[1, 2, 4, 8, 16] = 1
    """Into how many equal parts the block is cut; the same in every stack that shares it."""


class Addresses(Part):
    """The block that every network of the stack is cut from."""

    block: Cidr = Field(examples=["10.0.0.0/8"])
    """Private IPv4 block shared by all stacks: inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."""
    share: Share = Share()
    """The part of the block that belongs to this stack."""


class ControlPlaneAccess(Part):
    """Who reaches a cluster's API server, and who may deploy through it."""

    mode: Literal["private", "restricted"] = "private"
    """`private`: from inside the networks only. `restricted`: also from `allowed_cidrs`."""
    allowed_cidrs: tuple[Cidr, ...] = Field(default=(), max_length=40, examples=[["203.0.113.0/24"]])
    """Networks outside that reach the API servers; only with `restricted`, never the whole internet.

    EKS takes 40: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
    """
    deployers: tuple[str, ...] = Field(default=(), examples=[["arn:aws:iam::123456789012:role/deployer"]])
    """Who may deploy: IAM role ARNs, Google groups or service accounts (e-mail form), Entra object ids."""


class Region(Part):
    """One region of a cloud: one network and one cluster."""

    zones: Annotated[int, Field(ge=1, le=3)] = Field(examples=[3])
    """Availability zones that nodes run in."""
    nat: Literal["none", "single", "per_zone"] = "single"
    """Way out to the internet: none, one gateway for the region, or one in each zone."""
    slot: NonNegativeInt | None = None
    """Position in the address plan; known regions have a fixed one."""


Regions = Annotated[Mapping[str, Region], Field(min_length=1), FreezeMapping]


class Aws(Part):
    """What the stack uses of AWS."""

    account: Annotated[str, Field(pattern=r"^\d{12}$", json_schema_extra={"x-allowed": "12 digits, in quotes"})] = (
        Field(examples=["123456789012"])
    )
    """The only account this stack may touch; a run in another one is refused."""
    regions: Regions = Field(examples=[{"eu-west-1": {"zones": 3}}])
    """Regions by name."""


class Gcp(Part):
    """What the stack uses of Google Cloud."""

    project: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
            json_schema_extra={"x-allowed": "6 to 30 lower-case letters, digits and dashes, a letter first"},
        ),
    ] = Field(examples=["example-prod"])
    """The only project this stack may touch; a run in another one is refused."""
    project_number: (
        Annotated[str, Field(pattern=r"^\d{6,15}$", json_schema_extra={"x-allowed": "6 to 15 digits, in quotes"})]
        | None
    ) = None
    """Number of the project, where a service agent's name needs it; looked up when absent."""
    billing_account: (
        Annotated[
            str,
            Field(
                pattern=r"^[0-9A-F]{6}(-[0-9A-F]{6}){2}$",
                json_schema_extra={"x-allowed": "three groups of six upper-case hexadecimal digits"},
            ),
        ]
        | None
    ) = Field(default=None, examples=["012345-6789AB-CDEF01"])
    """Account that pays for the project; a budget of Google stands on it."""
    regions: Regions = Field(examples=[{"europe-west1": {"zones": 3}}])
    """Regions by name."""


Guid = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        json_schema_extra={"x-allowed": "32 lower-case hexadecimal digits in groups of 8-4-4-4-12"},
    ),
]


class Azure(Part):
    """What the stack uses of Azure."""

    subscription: Guid = Field(examples=["00000000-0000-4000-8000-000000000001"])
    """The only subscription this stack may touch; a run in another one is refused."""
    tenant: Guid = Field(examples=["00000000-0000-4000-8000-0000000000aa"])
    """The Entra tenant of the subscription."""
    regions: Regions = Field(examples=[{"westeurope": {"zones": 3}}])
    """Regions by name."""


class Clouds(Part):
    """Any non-empty subset of the clouds."""

    aws: Aws | None = None
    """Amazon Web Services: EKS."""
    gcp: Gcp | None = None
    """Google Cloud: GKE."""
    azure: Azure | None = None
    """Microsoft Azure: AKS."""
