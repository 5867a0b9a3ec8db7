"""Policies of a Google organisation that a stack declares itself: what they forbid, no resource needs to forbid."""

from __future__ import annotations

from typing import Final

from charter.rule import Resource
from charter.values import Reader

CONSTRAINTS: Final = (
    "gcp:orgpolicy/policy:Policy",
    "gcp:projects/organizationPolicy:OrganizationPolicy",
    "gcp:folder/organizationPolicy:OrganizationPolicy",
    "gcp:organizations/policy:Policy",
)
"""Kinds that set a constraint, the newer one first."""


def enforces(policy: Resource, constraint: str) -> bool:
    """Say whether a policy enforces a constraint without a condition; one that is not known yet does not.

    Source: cloud.google.com/resource-manager/docs/organization-policy/using-constraints, 2026-11.
    """
    reader = policy.reader
    told = reader.raw("name") if policy.type == CONSTRAINTS[0] else reader.raw("constraint")
    if not isinstance(told, str) or told.rpartition("/")[2] != constraint:
        return False
    if policy.type != CONSTRAINTS[0]:
        return _on(reader.raw("booleanPolicy.enforced"))
    rules = reader.raw("spec.rules")
    held = [Reader(rule) for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return bool(held) and all(_on(rule.raw("enforce")) and rule.raw("condition") is None for rule in held)


def _on(value: object) -> bool:
    return str(value).lower() == "true"
