"""Rules over AKS clusters and their pools."""

from __future__ import annotations

from collections.abc import Iterator

from charter.demands import demand, either, named, none_of, off, on, one_of
from charter.facts import Facts
from charter.graph import Graph
from charter.network import is_world, world_of
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Open, Resource, apart, resource_rule, stack_rule
from charter.rules.azure import VAULT
from charter.sidecars import some
from charter.values import Reader
from charter.words import shown

CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
DIAGNOSTICS = "azure-native:monitor:DiagnosticSetting"
AUDIT = {CLUSTER: ("kube-audit", "kube-audit-admin"), VAULT: ("AuditEvent",)}


@resource_rule(
    "AZ-AKS-01",
    "A cluster's API server is private, or answers named networks only.",
    CRITICAL,
    [CLUSTER],
    remediation="Set enable_private_cluster, or authorized_ip_ranges without /0.",
)
def private_api_server(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Azure opens it to everybody unless told otherwise."""
    access = resource.reader.inside("apiServerAccessProfile")
    if access.flag("enablePrivateCluster"):
        return
    if access.read("authorizedIPRanges", []) == []:
        yield Finding(access.at("authorizedIPRanges"), "the API server answers the whole internet")
    world = world_of(access, "authorizedIPRanges")
    if world and not is_world(world[0][1]):
        yield Finding(access.at("authorizedIPRanges"), "these networks together are the whole internet")
        return
    for path, value in world:
        yield Finding(path, f"{shown(value)} may reach the API server")


demand(
    "AZ-AKS-02",
    "Who may use a cluster is decided by Entra ID, with no way around it.",
    HIGH,
    [CLUSTER],
    "A local account is a certificate that nobody can take back.",
    on("enableRBAC", default=True),
    on("aadProfile.managed"),
    on("aadProfile.enableAzureRBAC"),
    on("disableLocalAccounts"),
    remediation="Set enable_rbac, aad_profile with managed and enable_azure_rbac, and disable_local_accounts.",
)

demand(
    "AZ-AKS-03",
    "A cluster can part pods from each other.",
    HIGH,
    [CLUSTER],
    "Without a data plane that knows policies, NetworkPolicy objects are mere text.",
    one_of("networkProfile.networkPolicy", ("cilium", "calico", "azure")),
    none_of("networkProfile.networkPlugin", ("kubenet",)),
    remediation="Set network_policy cilium and network_plugin azure.",
)

demand(
    "AZ-AKS-04",
    "Workloads have identities, secrets and disks a key of one's own, and somebody watches.",
    HIGH,
    [CLUSTER],
    "Each switch closes one known way in.",
    on("securityProfile.workloadIdentity.enabled"),
    on("securityProfile.azureKeyVaultKms.enabled"),
    on("securityProfile.defender.securityMonitoring.enabled"),
    on("oidcIssuerProfile.enabled"),
    named("diskEncryptionSetID", "the disk encryption set"),
    remediation="Set workload identity, OIDC issuer, Key Vault KMS, Defender and disk_encryption_set_id.",
)


@resource_rule(
    "AZ-AKS-05",
    "Pools have no public address and encrypt their host; the cluster is kept up to date.",
    MEDIUM,
    [CLUSTER, POOL],
    remediation="Encrypt hosts; no public addresses; auto_upgrade_profile, a paid sku, the policy add-on.",
)
def pools(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge pools inside the cluster and pools of their own."""
    reader = resource.reader
    if resource.kind == "AgentPool":
        yield from _pool(reader, facts)
        return
    for pool in reader.each("agentPoolProfiles"):
        yield from _pool(pool, facts)
    yield from apart(
        named("autoUpgradeProfile", "the upgrade channel")(reader, facts),
        none_of("autoUpgradeProfile.upgradeChannel", ("none", "None"))(reader, facts),
        one_of("sku.tier", ("Standard", "Premium", "Paid"))(reader, facts),
        either(
            "addonProfiles.azurepolicy.enabled: is off; it must be on",
            on("addonProfiles.azurepolicy.enabled"),
            on("addonProfiles.azurePolicy.enabled"),
        )(reader, facts),
    )


def _pool(pool: Reader, facts: Facts) -> Iterator[Found]:
    yield from apart(off("enableNodePublicIP")(pool, facts), on("enableEncryptionAtHost")(pool, facts))


@stack_rule(
    "AZ-AKS-06",
    "The audit logs of clusters and vaults go where they are kept.",
    MEDIUM,
    [CLUSTER, VAULT, DIAGNOSTICS],
    remediation="Add a DiagnosticSetting with the audit category (or group) for each cluster and vault.",
)
def audit_exported(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A log that stays in the cluster goes with the cluster."""
    for kind, categories in AUDIT.items():
        for source in graph.of(kind):
            answer = some(
                graph.referrers(source, DIAGNOSTICS, "resourceUri"),
                lambda reader, categories=categories: _exports(reader, categories),  # type: ignore[misc]
                "logs",
            )
            if isinstance(answer, Open):
                yield answer
            elif not answer:
                yield Finding("", "no DiagnosticSetting exports its audit log", source.urn)


def _exports(reader: Reader, categories: tuple[str, ...]) -> bool:
    return any(
        log.flag("enabled")
        and (log.text("category") in categories or log.text("categoryGroup") in ("audit", "allLogs"))
        for log in reader.each("logs")
    )
