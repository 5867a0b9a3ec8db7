"""Rules over Azure's networks, vaults, storage, assignments and budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from charter.demands import demand, each, either, inside, named, off, on, one_of
from charter.facts import Facts
from charter.graph import Graph
from charter.network import holds_port, is_world, world_of
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.sidecars import some
from charter.values import UNKNOWN, Reader, Undetermined

GROUP = "azure-native:network:NetworkSecurityGroup"
SUBNET = "azure-native:network:Subnet"
NETWORK = "azure-native:network:VirtualNetwork"
FLOW_LOG = "azure-native:network:FlowLog"
VAULT = "azure-native:keyvault:Vault"
MODULE = "azure-native:keyvault:ManagedHsm"
ACCOUNT = "azure-native:storage:StorageAccount"
BLOBS = "azure-native:storage:BlobServiceProperties"
CONTAINER = "azure-native:storage:BlobContainer"
ADMIN_PORTS = (22, 3389)
EVERY_PORT = frozenset({"*", "0-65535", "1-65535"})
RETENTION_DAYS = 90
BROAD_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""learn.microsoft.com/azure/role-based-access-control/built-in-roles, 2026-11."""
SUBSCRIPTION_SEGMENTS = 2
WITHOUT_GROUP = ("gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet")
"""Subnets that take no security group.

Source: learn.microsoft.com/azure/virtual-network/virtual-network-vnet-plan-design-arm, 2026-11.
"""


def _several(reader: Reader, one: str, many: str) -> tuple[list[Any], str]:
    """Return what is known of one value and of several, and the path of what is not."""
    (single, unclear), (found, beside) = reader.sure(one), reader.sure(many)
    return [value for _, value in (*found, *single) if value != ""], unclear or beside


def _judge(rule: Reader) -> Iterator[Found]:
    if rule.text("access").lower() != "allow" or rule.text("direction").lower() != "inbound":
        return
    if not world_of(rule, "sourceAddressPrefix", "sourceAddressPrefixes"):
        return
    protocol = rule.text("protocol", "*").lower()
    ports, unclear = _several(rule, "destinationPortRange", "destinationPortRanges")
    if protocol not in ("*", "tcp") and not (protocol == "udp" and EVERY_PORT & {str(port) for port in ports}):
        return
    held = holds_port(ports, ADMIN_PORTS) if ports or not unclear else []
    if held:
        yield Finding(rule.at("destinationPortRange"), f"port {held[0]} is open to the whole internet")
    elif unclear:
        yield Open(unclear)


@resource_rule(
    "AZ-NET-01",
    "Nobody lets the whole internet reach a machine's administration.",
    CRITICAL,
    [GROUP, "azure-native:network:SecurityRule", "azure-native:network:DefaultSecurityRule", NETWORK, SUBNET],
    remediation="Name the source prefixes, or use Azure Bastion.",
)
def world_administration(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge rules inside a group, wherever the group is written, and rules of their own; port ranges are parsed."""
    reader = resource.reader
    if resource.type == NETWORK:
        for subnet in _known(reader, "subnets"):
            yield from _all(subnet, "networkSecurityGroup.securityRules")
    elif resource.type in (GROUP, SUBNET):
        yield from _all(reader, "securityRules" if resource.type == GROUP else "networkSecurityGroup.securityRules")
    else:
        yield from _judge(reader)


def _all(reader: Reader, path: str) -> Iterator[Found]:
    if reader.raw(path) is None:
        return
    for rule in reader.each(path):
        yield from apart(_judge(rule))


@stack_rule(
    "AZ-NET-02",
    "Every subnet has a firewall, and traffic is recorded for ninety days.",
    MEDIUM,
    [SUBNET, NETWORK, FLOW_LOG],
    remediation="Set network_security_group on each subnet; add a FlowLog on each network with 90 days of retention.",
)
def subnets(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Subnets that Azure itself manages take no group."""
    for subnet in graph.of(SUBNET):
        for found in apart(_guarded(subnet.reader)):
            yield located(found, subnet.urn)
    for network in graph.of(NETWORK):
        for inline in _known(network.reader, "subnets"):
            for found in apart(_guarded(inline)):
                yield located(found, network.urn)
        logs = graph.referrers(network, FLOW_LOG, "targetResourceId")
        answer = some(logs, _kept, "retentionPolicy") if logs else _logged_by_groups(graph, network)
        if isinstance(answer, Open):
            yield answer
        elif not answer:
            yield Finding("", f"no FlowLog with {RETENTION_DAYS} days names this network", network.urn)


def _logged_by_groups(graph: Graph, network: Resource) -> bool | Open:
    """Say whether the group of each subnet records: how it was done before networks could do it themselves."""
    subnets = graph.referrers(network, SUBNET, "virtualNetworkName")
    groups = [graph.named(subnet, "networkSecurityGroup", GROUP) for subnet in subnets]
    answers = [
        some([log for group in held for log in graph.referrers(group, FLOW_LOG, "targetResourceId")], _kept, "")
        for held in groups
    ]
    return bool(answers) and next((each for each in answers if each is not True), True)


def _known(reader: Reader, path: str) -> Iterator[Reader]:
    """Yield a reader per map of a list, as far as the list is known."""
    try:
        yield from reader.each(path)
    except Undetermined:
        return


def _guarded(subnet: Reader) -> Iterator[Found]:
    name = str(subnet.raw("subnetName") or subnet.raw("name") or "").lower()
    if name not in WITHOUT_GROUP and not subnet.has("networkSecurityGroup"):
        yield Finding(subnet.at("networkSecurityGroup"), "is absent")


def _kept(log: Reader) -> bool:
    days = log.number("retentionPolicy.days")
    forever = log.flag("retentionPolicy.enabled") and days == 0
    return log.flag("enabled", default=True) and (days >= RETENTION_DAYS or forever)


demand(
    "AZ-KV-01",
    "A vault is closed, and what is deleted from it can be brought back.",
    HIGH,
    [VAULT, MODULE],
    "Who purges a key purges all that it encrypted.",
    on("properties.enablePurgeProtection"),
    on("properties.enableSoftDelete", default=True),
    either(
        "properties.enableRbacAuthorization: is off; it must be on",
        on("properties.enableRbacAuthorization"),
        named("properties.initialAdminObjectIds", ""),  # a hardware module knows roles only
    ),
    either(
        "properties.networkAcls.defaultAction: the vault answers the whole internet",
        one_of("properties.networkAcls.defaultAction", ("Deny",)),
        one_of("properties.publicNetworkAccess", ("Disabled", "disabled")),
    ),
    remediation="Set purge protection, soft delete, RBAC authorisation, and default_action Deny or no public access.",
)


@resource_rule(
    "AZ-KV-02",
    "Keys and secrets end, and keys renew themselves.",
    MEDIUM,
    ["azure-native:keyvault:Key", "azure-native:keyvault:Secret"],
    remediation="Set attributes.expires; add a rotation policy to keys.",
)
def vault_lifetimes(resource: Resource, facts: Facts) -> Iterator[Found]:
    """An end in the attributes, and for keys a rotation before it."""
    reader = resource.reader
    yield from named("properties.attributes.expires", "the end")(reader, facts)
    if resource.kind == "Key":
        actions = list(reader.each("properties.rotationPolicy.lifetimeActions"))
        if not any(action.text("action.type").lower() == "rotate" for action in actions):
            yield Finding("properties.rotationPolicy", "does not rotate the key")


@resource_rule(
    "AZ-STO-01",
    "Storage is reached by TLS 1.2 or later, and no blob is public.",
    CRITICAL,
    [ACCOUNT, CONTAINER],
    remediation="Set enable_https_traffic_only, minimum_tls_version=TLS1_2, allow_blob_public_access=False.",
)
def storage_closed(resource: Resource, facts: Facts) -> Iterator[Found]:
    """HTTPS is on by default; the version and public access are not safe by default."""
    if resource.kind == "BlobContainer":
        yield from one_of("publicAccess", ("None",), default="None")(resource.reader, facts)
        return
    parts = (
        on("enableHttpsTrafficOnly", default=True),
        one_of("minimumTlsVersion", ("TLS1_2", "TLS1_3"), default="TLS1_0"),
        off("allowBlobPublicAccess", default=True),
    )
    yield from apart(*(part(resource.reader, facts) for part in parts))


def _no_world(rule: Reader, _facts: Facts) -> Iterator[Found]:
    value = rule.read("iPAddressOrRange")
    if value is not None and is_world(value):
        yield Finding(rule.at("iPAddressOrRange"), "is the whole internet")


demand(
    "AZ-STO-02",
    "Storage is closed to the internet, and nobody holds its keys.",
    HIGH,
    [ACCOUNT],
    "A shared key opens everything in the account to whoever has it.",
    either(
        "publicNetworkAccess: the account answers the whole internet",
        one_of("publicNetworkAccess", ("Disabled", "SecuredByPerimeter")),
        one_of("networkRuleSet.defaultAction", ("Deny",)),
    ),
    inside("networkRuleSet", each("ipRules", _no_world)),
    off("allowSharedKeyAccess", default=True),
    off("allowCrossTenantReplication"),
    remediation="Set public_network_access Disabled or default_action Deny, allow_shared_key_access=False.",
)


@resource_rule(
    "AZ-STO-03",
    "Storage has a key of one's own, a second layer, and time to change one's mind.",
    MEDIUM,
    [ACCOUNT, BLOBS],
    remediation="Encrypt with a key vault key and the infrastructure too; soft delete and versioning on blobs.",
)
def storage_care(resource: Resource, facts: Facts) -> Iterator[Found]:
    """The account's encryption, and the blob service's deletion and versions."""
    reader = resource.reader
    if resource.kind == "StorageAccount":
        parts = (
            one_of("encryption.keySource", ("Microsoft.Keyvault",)),
            on("encryption.requireInfrastructureEncryption"),
        )
    else:
        parts = (
            on("deleteRetentionPolicy.enabled"),
            on("containerDeleteRetentionPolicy.enabled"),
            on("isVersioningEnabled"),
        )  # type: ignore[assignment]
    yield from apart(*(part(reader, facts) for part in parts))


@resource_rule(
    "AZ-IAM-01",
    "Nobody gets a whole subscription, and no role may do everything.",
    CRITICAL,
    [
        "azure-native:authorization:RoleAssignment",
        "azure-native:authorization:PimRoleEligibilitySchedule",
        "azure-native:authorization:RoleDefinition",
    ],
    remediation="Assign a narrow built-in role on the resource or the resource group.",
)
def subscription_roles(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge broad roles at subscription scope or above, and definitions with a wildcard action."""
    reader = resource.reader
    if resource.kind == "RoleDefinition":
        for permission in reader.each("permissions"):
            yield from apart(_wild(permission, "actions"), _wild(permission, "dataActions"))
        return
    known = reader.raw("roleDefinitionId")
    if known is not UNKNOWN and str(known).rsplit("/", 1)[-1].lower() not in BROAD_ROLES:
        return
    role = BROAD_ROLES[reader.text("roleDefinitionId").rsplit("/", 1)[-1].lower()]
    segments = [part for part in reader.text("scope").split("/") if part]
    management = "managementgroups" in reader.text("scope").lower()
    if len(segments) <= SUBSCRIPTION_SEGMENTS or management:
        yield Finding("scope", f"{role} on a whole subscription or more; assign it on a resource group or narrower")


WILD = re.compile(r"^(\*|\*/\*|\*/(write|delete|action)|microsoft\.authorization/(\*|[^/]*/?(\*|write)|\*/write))$")
"""Actions that are everything, or every change, or the right to give rights; in lower case."""


def _wild(permission: Reader, name: str) -> Iterator[Found]:
    for path, action in permission.items(name):
        if WILD.match(str(action).lower()):
            yield Finding(path, "the role may do everything, or give itself the right to")


@stack_rule(
    "AZ-BUD-01",
    "Somebody hears of costs before the month is over.",
    HIGH,
    ["azure-native:consumption:Budget"],
    remediation="Add notifications with thresholdType Actual and Forecasted, each with contacts.",
)
def budget(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where budgets are declared, each warns on what is spent and on what will be."""
    for declared in graph.of("azure-native:consumption:Budget"):
        notes = declared.props.get("notifications")
        found = [Reader(note) for note in notes.values() if isinstance(note, dict)] if isinstance(notes, dict) else []
        if notes is UNKNOWN or (isinstance(notes, dict) and UNKNOWN in notes.values()):
            yield Open("notifications", declared.urn)
            continue
        for kind in ("Actual", "Forecasted"):
            try:
                on_time = [note for note in found if note.flag("enabled", default=True) and _contacts(note)]
                told = [note for note in on_time if note.text("thresholdType", "Actual").lower() == kind.lower()]
            except Undetermined:
                yield Open("notifications", declared.urn)
                break
            if not told:
                yield Finding("notifications", f"no {kind} notification with contacts", declared.urn)


def _contacts(note: Reader) -> bool:
    return any(note.has(name) for name in ("contactEmails", "contactGroups", "contactRoles"))
