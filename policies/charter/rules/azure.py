"""Rules over Azure's networks, clusters, storage and assignments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.facts import Facts
from charter.network import holds_port, is_world
from charter.rule import Finding, Resource, Severity, resource_rule
from charter.values import Reader

CLUSTER = "azure-native:containerservice:ManagedCluster"
ADMIN_PORTS = (22, 3389)
BROAD_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
}
"""learn.microsoft.com/azure/role-based-access-control/built-in-roles, 2026-11."""
SUBSCRIPTION_SEGMENTS = 2


def _several(reader: Reader, one: str, many: str) -> list[Any]:
    found = [value for _, value in reader.items(many)]
    single = reader.read(one)
    return [*found, single] if single is not None else found


def _judge(rule: Reader) -> Iterator[Finding]:
    if str(rule.read("access", "")) != "Allow" or str(rule.read("direction", "")) != "Inbound":
        return
    sources = _several(rule, "sourceAddressPrefix", "sourceAddressPrefixes")
    if not any(is_world(source) for source in sources):
        return
    if str(rule.read("protocol", "*")).lower() not in {"*", "tcp"}:
        return
    ports = _several(rule, "destinationPortRange", "destinationPortRanges")
    held = holds_port(ports, ADMIN_PORTS)
    if held or "*" in ports:
        told = "every port" if "*" in ports else f"port {held[0]}"
        yield Finding(rule.at("destinationPortRange"), f"{told} is open to the whole internet")


@resource_rule(
    "AZ-NET-01",
    "Nobody lets the whole internet reach a machine's administration.",
    Severity.CRITICAL,
    ["azure-native:network:NetworkSecurityGroup", "azure-native:network:SecurityRule"],
    controls=("CIS Azure 7.1", "CIS Azure 7.2", "PCI 1.2.5", "SOC2 CC6.6", "ISO A.8.20"),
    remediation="Name the source prefixes, or use Azure Bastion.",
    good=(
        {
            "securityRules": [
                {
                    "access": "Allow",
                    "direction": "Inbound",
                    "protocol": "Tcp",
                    "sourceAddressPrefix": "10.0.0.0/8",
                    "destinationPortRange": "22",
                }
            ]
        },
    ),
    bad=(
        {
            "securityRules": [
                {
                    "access": "Allow",
                    "direction": "Inbound",
                    "protocol": "*",
                    "sourceAddressPrefix": "Internet",
                    "destinationPortRanges": ["20-30"],
                }
            ]
        },
    ),
)
def world_administration(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge rules inside a group and rules of their own."""
    if resource.type.endswith("NetworkSecurityGroup"):
        for rule in resource.reader.each("securityRules"):
            yield from _judge(rule)
    else:
        yield from _judge(resource.reader)


@resource_rule(
    "AZ-AKS-01",
    "A cluster's API server is private, or answers named networks only.",
    Severity.CRITICAL,
    [CLUSTER],
    controls=("CIS AKS 5.4.1", "CIS AKS 5.4.2", "PCI 1.3.1", "SOC2 CC6.1"),
    remediation="Set enable_private_cluster, or authorized_ip_ranges without /0.",
    good=({"apiServerAccessProfile": {"enablePrivateCluster": True}},),
    bad=({"apiServerAccessProfile": {"authorizedIPRanges": ["0.0.0.0/0"]}},),
)
def private_api_server(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Azure opens it to everybody unless told otherwise."""
    access = resource.reader.inside("apiServerAccessProfile")
    if access.flag("enablePrivateCluster"):
        return
    allowed = list(access.items("authorizedIPRanges"))
    if not allowed:
        yield Finding(access.at("authorizedIPRanges"), "the API server answers the whole internet")
    for path, value in allowed:
        if is_world(value):
            yield Finding(path, f"{value} may reach the API server")


@resource_rule(
    "AZ-AKS-02",
    "Who may use a cluster is decided by Entra ID, with no way around it.",
    Severity.HIGH,
    [CLUSTER],
    controls=("CIS AKS 5.2.2", "CIS AKS 5.5.1", "PCI 10.3.2", "HIPAA 308(a)(4)"),
    remediation="Set enable_rbac, aad_profile with managed and enable_azure_rbac, and disable_local_accounts.",
    good=(
        {
            "enableRBAC": True,
            "aadProfile": {"managed": True, "enableAzureRBAC": True},
            "disableLocalAccounts": True,
        },
    ),
    bad=({"enableRBAC": True, "disableLocalAccounts": False},),
)
def entra_only(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Four switches, all on."""
    for path in ("enableRBAC", "aadProfile.managed", "aadProfile.enableAzureRBAC", "disableLocalAccounts"):
        if not resource.reader.flag(path):
            yield Finding(path, "must be true")


@resource_rule(
    "AZ-STO-01",
    "Storage is reached by TLS 1.2 or later, and no blob is public.",
    Severity.CRITICAL,
    ["azure-native:storage:StorageAccount"],
    controls=("CIS Azure 9.3.4", "CIS Azure 9.3.6", "CIS Azure 9.3.8", "PCI 4.2.1", "SOC2 CC6.7", "HIPAA 312(e)"),
    remediation="Set enable_https_traffic_only, minimum_tls_version=TLS1_2, allow_blob_public_access=False.",
    good=({"enableHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False},),
    bad=({"enableHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": True},),
)
def storage_transport(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """HTTPS is on by default; the version and public access are not safe by default."""
    reader = resource.reader
    if not reader.flag("enableHttpsTrafficOnly", default=True):
        yield Finding("enableHttpsTrafficOnly", "plain HTTP is allowed")
    if str(reader.read("minimumTlsVersion", "TLS1_0")) not in {"TLS1_2", "TLS1_3"}:
        yield Finding("minimumTlsVersion", "must be TLS1_2 or TLS1_3")
    if reader.flag("allowBlobPublicAccess", default=True):
        yield Finding("allowBlobPublicAccess", "must be false")


@resource_rule(
    "AZ-IAM-01",
    "Nobody gets a whole subscription, and no role may do everything.",
    Severity.CRITICAL,
    ["azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition"],
    controls=("NIST AC-6", "SOC2 CC6.3"),
    remediation="Assign a narrow built-in role on the resource or the resource group.",
    good=({"scope": "/subscriptions/s/resourceGroups/g", "roleDefinitionId": "/x/roleDefinitions/acdd72a7"},),
    bad=(
        {
            "scope": "/subscriptions/s",
            "roleDefinitionId": "/x/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        },
    ),
)
def subscription_roles(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge broad roles at subscription scope or above, and definitions with a wildcard action."""
    reader = resource.reader
    if resource.type.endswith("RoleDefinition"):
        for permission in reader.each("permissions"):
            for path, action in permission.items("actions"):
                if action == "*":
                    yield Finding(path, "the role may do everything")
        return
    role = BROAD_ROLES.get(str(reader.read("roleDefinitionId")).rsplit("/", 1)[-1].lower())
    segments = [part for part in str(reader.read("scope")).split("/") if part]
    if role and len(segments) <= SUBSCRIPTION_SEGMENTS:
        yield Finding("scope", f"{role} on {reader.read('scope')}; assign it on a resource group or narrower")
