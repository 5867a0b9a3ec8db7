"""Identities of Azure and the built-in roles they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import authorization, managedidentity

ROLES: Final[dict[str, str]] = {
    "AKS Cluster User": "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
    "AKS RBAC Cluster Admin": "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
    "Billing Reader": "fa23ad8b-c56e-40d8-ac0c-ce449e1d2c64",
    "DNS Zone Contributor": "befefa01-2a29-4197-83a8-272ff33ce314",
    "Key Vault Contributor": "f25e0fa2-a7c8-4377-a976-54943a77a395",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
}
"""Ids of built-in roles, the same in every tenant.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles, 2026-11-21.
"""


@dataclass(frozen=True, kw_only=True)
class GrantArgs:
    """`principal_type` stays empty where the file does not say what a deployer is: a user, a group or a service."""

    role: str  # a key of ROLES
    principal: pulumi.Input[str]  # object id
    scope: pulumi.Input[str]  # ARM id
    subscription: pulumi.Input[str]
    principal_type: str | None = "ServicePrincipal"  # spares the wait until Entra has copied a new identity


def grant(name: str, args: GrantArgs, opts: pulumi.ResourceOptions) -> authorization.RoleAssignment:
    """Give a role to a principal within one scope.

    The name of an assignment must be a GUID. It is drawn from what is assigned, so that the same grant has the same
    id in every run, and the replacement of one (another principal, another scope) never collides with it.
    """
    role = ROLES[args.role]
    guid = pulumi.Output.all(args.scope, args.principal).apply(
        lambda found: str(uuid5(NAMESPACE_URL, f"{found[0]}|{found[1]}|{role}")),
    )
    return authorization.RoleAssignment(
        name,
        authorization.RoleAssignmentArgs(
            role_assignment_name=guid,
            principal_id=args.principal,
            principal_type=args.principal_type,
            role_definition_id=pulumi.Output.format(
                "/subscriptions/{0}/providers/Microsoft.Authorization/roleDefinitions/{1}", args.subscription, role
            ),
            scope=args.scope,
        ),
        opts=opts,
    )


def identity(
    name: str, group: pulumi.Input[str], region: str, opts: pulumi.ResourceOptions
) -> managedidentity.UserAssignedIdentity:
    """Make a user-assigned identity: unlike a system one it can be given its roles before its owner exists."""
    return managedidentity.UserAssignedIdentity(
        name,
        managedidentity.UserAssignedIdentityArgs(resource_group_name=group, location=region),
        opts=opts,
    )
