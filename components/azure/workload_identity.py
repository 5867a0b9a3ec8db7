"""Identities of pods on AKS: a user-assigned identity per service account, trusted by federation, no secret at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi
from pulumi_azure_native import managedidentity

from components.azure.identity import GrantArgs, grant, identity
from components.grants import (
    ChangeNames,
    Grant,
    Holder,
    PodIdentity,
    ReadPrices,
    ReadSecrets,
    ScaleNodes,
    UseBucket,
    UseCache,
    UseDatabase,
)

AUDIENCE = "api://AzureADTokenExchange"
PREFIX = "azure.workload.identity/"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cluster whose pods get an identity, and where what they may use is kept."""

    name: str
    group: pulumi.Input[str]
    region: str
    subscription: pulumi.Input[str]
    issuer: pulumi.Input[str]
    vault_id: pulumi.Input[str]


def pod_identity(place: Place, holder: Holder, grants: Sequence[Grant], opts: pulumi.ResourceOptions) -> PodIdentity:
    """Make the identity, trust the tokens of one service account, and assign its roles.

    Source: https://learn.microsoft.com/azure/aks/workload-identity-overview, 2026-11-21.
    """
    name = f"{place.name}-{holder.key}"
    made = identity(name, place.group, place.region, opts)
    trusted = managedidentity.FederatedIdentityCredential(
        name,
        resource_group_name=place.group,
        resource_name_=made.name,
        federated_identity_credential_resource_name=holder.key,
        audiences=[AUDIENCE],
        issuer=place.issuer,
        subject=f"system:serviceaccount:{holder.namespace}:{holder.account}",
        opts=opts,
    )
    assigned = [
        grant(
            f"{name}-{key}",
            GrantArgs(role=role, principal=made.principal_id, scope=scope, subscription=place.subscription),
            opts,
        )
        for key, role, scope in _roles(grants, place)
    ]
    return PodIdentity(
        principal=made.client_id,
        subject=made.principal_id,
        login=made.name,
        annotations={f"{PREFIX}client-id": made.client_id},
        labels={f"{PREFIX}use": "true"},
        ready=(trusted, *assigned),
    )


def _roles(grants: Sequence[Grant], place: Place) -> Iterator[tuple[str, str, pulumi.Input[str]]]:
    """Yield key, role and scope of each assignment."""
    for each in grants:
        match each:
            case ReadSecrets():
                yield "secrets", "Key Vault Secrets User", place.vault_id
            case ReadPrices():
                yield "prices", "Billing Reader", pulumi.Output.concat("/subscriptions/", place.subscription)
            case ChangeNames():
                yield "records", "DNS Zone Contributor", each.zone
            case UseBucket():
                role = f"Storage Blob Data {'Reader' if each.read_only else 'Contributor'}"
                yield each.key, role, each.resource
            case UseDatabase() | UseCache() | ScaleNodes():
                continue  # stores know their users by themselves, and AKS scales its pools itself
            case _:
                assert_never(each)
