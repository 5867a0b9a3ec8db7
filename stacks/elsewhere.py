"""What other stacks keep for this one, by name: so that a rule can tell "elsewhere" from "nowhere"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Part

Text = Annotated[str, Field(min_length=1, max_length=512)]


class Elsewhere(Part):
    """Things that guard the stack's accounts and are made by another stack, or by the organisation."""

    sinks: Annotated[
        Mapping[Literal["aws", "gcp", "azure", "cloudflare"], Text],
        FreezeMapping,
    ] = Field(default=Frozen(), examples=[{"aws": "arn:aws:cloudtrail:eu-west-1:123456789012:trail/organisation"}])
    """By cloud: what records whatever is done in the account; the law asks for one (CH-11)."""
    budgets: Annotated[Mapping[Literal["aws", "gcp", "azure"], Text], FreezeMapping] = Field(
        default=Frozen(), examples=[{"gcp": "billingAccounts/000000-000000-000000/budgets/platform"}]
    )
    """By cloud: a budget over the account that somebody hears of; the law asks for one (CH-23)."""
    costs: Annotated[Mapping[Literal["aws", "gcp", "azure"], Text], FreezeMapping] = Field(
        default=Frozen(), examples=[{"aws": "split cost allocation data of the payer account"}]
    )
    """By cloud: what splits the costs of clusters by namespace, where no OpenCost does; the law asks for it (CH-23)."""
    copies: Annotated[Mapping[Literal["aws", "gcp", "azure"], Text], FreezeMapping] = Field(
        default=Frozen(), examples=[{"azure": "the backup vault of the platform team in the paired region"}]
    )
    """By cloud: what keeps a copy of confidential data in another place; the law asks for one (CH-24)."""
