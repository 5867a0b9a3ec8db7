"""The tags that every taggable resource carries; values obey the narrowest rule (GCP labels)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stacks.model import Stack

CHARTER_VERSION: Final = "v1"
"""Version of the integrity charter that the policies in this checkout hold."""


def common_tags(stack: Stack) -> dict[str, str]:
    """Tags in the spelling of AWS, Azure and GCP alike: lower case, dashes, at most 63 characters.

    The commit is not among them: each pull request would change every resource.
    """
    return {
        "environment": stack.environment,
        "owner": stack.owner,
        "cost-centre": stack.cost_centre,
        "data-classification": stack.data_classification,
        "charter-version": CHARTER_VERSION,
        "managed-by": "pulumi",
    }
