"""Rules of Microsoft that a table cannot hold: networks, roles, identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create, outputs
from sandbox.behaviour.rules_aws import network
from sandbox.errors import Failure, Refused
from sandbox.paths import each, first
from sandbox.wire import has_unknown, is_unknown

_INVALID = grpc.StatusCode.INVALID_ARGUMENT

BUILT_IN_ROLES = {
    "fa23ad8b-c56e-40d8-ac0c-ce449e1d2c64": "Billing Reader",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": "Private DNS Zone Contributor",
    "befefa01-2a29-4197-83a8-272ff33ce314": "DNS Zone Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": "Managed Identity Contributor",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": "Azure Kubernetes Service Cluster User Role",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": "Azure Kubernetes Service Cluster Admin Role",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "3498e952-d568-435e-9b2c-8d77e338d7f7": "Azure Kubernetes Service RBAC Admin",
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": "Azure Kubernetes Service RBAC Writer",
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": "Azure Kubernetes Service RBAC Reader",
    "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8": "Azure Kubernetes Service Contributor Role",
    "f25e0fa2-a7c8-4377-a976-54943a77a395": "Key Vault Contributor",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": "Key Vault Crypto Officer",
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": "Key Vault Crypto Service Encryption User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "21090545-7ca7-4776-b22c-e363652d74d2": "Key Vault Reader",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293": "Log Analytics Contributor",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa": "Monitoring Contributor",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "Virtual Machine Contributor",
}
"""Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles, 2026-11."""


@create
def azure_role(moment: Moment) -> None:
    """The role is a built-in one, or a definition that exists."""
    text = str(moment.inputs.get("roleDefinitionId") or "")
    short = text.rpartition("/")[2].lower()
    if short not in BUILT_IN_ROLES and not moment.database.by_handle(
        ("azure-native:authorization:RoleDefinition",), text
    ):
        raise Refused(
            "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{short}' does not exist.", _INVALID
        )
    wanted = [moment.inputs.get(key) for key in ("scope", "principalId", "roleDefinitionId")]
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if [other.inputs.get(key) for key in ("scope", "principalId", "roleDefinitionId")] == wanted:
            raise Refused("RoleAssignmentExists", f"The role assignment already exists. The ID of the existing role "
                          f"assignment is {other.name}.", grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip


def _exists(moment: Moment, id_: str) -> bool:
    """Tell whether an ARM id names something on the stage, or the subscription itself."""
    subscription = f"/subscriptions/{moment.scope}"
    if id_.rstrip("/") in {subscription, ""} or id_.startswith("/providers/Microsoft.Management/"):
        return True
    return bool(moment.database.find("package='azure-native' AND scope=? AND lower(id)=lower(?)", (moment.scope, id_)))


@create
def azure_scope(moment: Moment) -> None:
    """A role is given on something that exists."""
    scope = str(moment.inputs.get("scope") or "")
    if not _exists(moment, scope):
        raise Refused("ResourceNotFound", f"The Resource '{scope}' was not found.", grpc.StatusCode.NOT_FOUND)


@create
def azure_target(moment: Moment) -> None:
    """An extension resource hangs on something that exists."""
    target = str(moment.inputs.get("resourceUri") or "")
    if not _exists(moment, target):
        raise Refused("ResourceNotFound", f"The Resource '{target}' was not found.", grpc.StatusCode.NOT_FOUND)


@check
def azure_sink(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Diagnostics go somewhere and carry something."""
    sinks = (
        "workspaceId",
        "storageAccountId",
        "eventHubAuthorizationRuleId",
        "marketplacePartnerId",
        "serviceBusRuleId",
    )
    if not any(inputs.get(key) for key in sinks):
        yield Failure("workspaceId", f"At least one data sink needs to be specified ({', '.join(sinks[:3])})")
    if not inputs.get("logs") and not inputs.get("metrics"):
        yield Failure("logs", "At least one log or metric needs to be given")


@check
def azure_prefixes(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Address space is CIDR blocks without host bits."""
    for path, text in each(inputs, "addressSpace.addressPrefixes[*]"):
        if isinstance(text, str) and not is_unknown(text) and ":" not in text and network(text) is None:
            yield Failure(
                f"addressSpace.addressPrefixes[{path[-1]}]",
                f"InvalidCIDRNotation: The address prefix {text} has an invalid CIDR notation",
            )


def blocks_of(inputs: Mapping[str, Any]) -> list[IPv4Network]:
    """Give the IPv4 blocks of a subnet."""
    texts = [inputs.get("addressPrefix"), *(inputs.get("addressPrefixes") or ())]
    return [block for block in map(network, texts) if block]


@create
def azure_subnet_fits(moment: Moment) -> None:
    """A subnet lies inside its network, is a /29 or larger and overlaps no sibling."""
    nets = moment.found.get("virtualNetworkName")
    around = [network(text) for _, text in each(nets[0].inputs, "addressSpace.addressPrefixes[*]")] if nets else []
    name = moment.seed.facts["name"]
    blocks = blocks_of(moment.inputs)
    if not blocks:
        raise Refused("InvalidRequestFormat", f"Subnet {name} has no valid address prefix.", _INVALID)
    for block in blocks:
        if block.prefixlen > 29 or not any(outer and block.subnet_of(outer) for outer in around):  # noqa: PLR2004
            raise Refused("NetcfgInvalidSubnet", f"Subnet '{name}' is not valid because its IP address range is outside the "  # noqa: E501 - one message, one line
                          "IP address range of virtual network or is too small.", _INVALID)  # fmt: skip
        for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
            same = all(
                other.inputs.get(key) == moment.inputs.get(key) for key in ("resourceGroupName", "virtualNetworkName")
            )
            if same and any(block.overlaps(taken) for taken in blocks_of(other.inputs)):
                raise Refused("NetcfgSubnetRangesOverlap", f"Subnet '{name}' is not valid because its IP address range "
                              f"overlaps with that of an existing subnet in virtual network ({other.name}).", _INVALID)  # fmt: skip  # noqa: E501 - one message, one line


@check
def azure_priorities(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Rules of one direction have priorities and names of their own."""
    seen: dict[tuple[Any, Any], str] = {}
    names: set[Any] = set()
    rules = inputs.get("securityRules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping) or has_unknown(rule.get("priority")):
            continue
        key = (rule.get("direction"), rule.get("priority"))
        if key in seen:
            yield Failure(f"securityRules[{index}].priority", f"SecurityRuleConflict: {rule.get('name')} conflicts with "  # noqa: E501 - one message, one line
                          f"rule {seen[key]}. Rules cannot have the same Priority and Direction.")  # fmt: skip
        if rule.get("name") in names:
            yield Failure(f"securityRules[{index}].name", f"a rule {rule.get('name')} exists already in this group")
        seen[key] = str(rule.get("name"))
        names.add(rule.get("name"))


@check
def azure_static_address(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A Standard address is static."""
    if (
        str(first(inputs, "sku.name") or "").startswith("Standard")
        and inputs.get("publicIPAllocationMethod") != "Static"
    ):
        yield Failure(
            "publicIPAllocationMethod",
            "PublicIPAddressStandardSkuMustBeStatic: Standard sku publicIp must have AllocationMethod set to Static.",
        )


@create
def azure_private_target(moment: Moment) -> None:
    """A private endpoint leads to something that exists."""
    for _, target in each(moment.inputs, "privateLinkServiceConnections[*].privateLinkServiceId"):
        if not _exists(moment, str(target)):
            raise Refused("InvalidResourceReference", f"Resource {target} referenced by resource {moment.seed.facts['name']} "  # noqa: E501 - one message, one line
                          "was not found.", grpc.StatusCode.NOT_FOUND)  # fmt: skip


@outputs
def azure_identity(moment: Moment, values: dict[str, Any]) -> None:
    """Identities go in as a list and come out as a map with the ids of each."""
    wish = moment.inputs.get("identity")
    if not isinstance(wish, Mapping):
        return
    found = {thing.id: thing for thing in moment.found.get("identity.userAssignedIdentities[*]", [])}
    ids = wish.get("userAssignedIdentities") or []
    out = {key: item for key, item in wish.items() if key != "userAssignedIdentities"}
    if ids:
        out["userAssignedIdentities"] = {
            id_: {
                "principalId": found[id_].outputs["principalId"]
                if id_ in found
                else moment.seed.uuid("principal" + id_),
                "clientId": found[id_].outputs["clientId"] if id_ in found else moment.seed.uuid("client" + id_),
            }
            for id_ in ids
        }
    if "SystemAssigned" in str(wish.get("type")):
        out |= {"principalId": moment.seed.uuid("system"), "tenantId": moment.seed.facts["tenant"]}
    else:
        out |= {"principalId": "", "tenantId": moment.seed.facts["tenant"]}
    values["identity"] = out


@create
def azure_key(moment: Moment) -> None:
    """A key lives where its vault lives."""
    vaults = moment.found.get("vaultName")
    moment.seed.facts["parent_location"] = vaults[0].region if vaults else ""
