"""Rules over networks, clusters and nodes of Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from charter.demands import (
    demand,
    either,
    holds,
    in_production,
    inside,
    named,
    none_of,
    nothing,
    off,
    on,
    one_of,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world, holds_port, is_world, world_of, world_of_blocks
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    over_stack,
    resource_rule,
)
from charter.sidecars import judged, some
from charter.values import Reader
from charter.words import shown

CLUSTER = "gcp:container/cluster:Cluster"
NETWORK = "gcp:compute/network:Network"
FIREWALL = "gcp:compute/firewall:Firewall"
POLICY_RULES = tuple(
    f"gcp:compute/{name}:{name[0].upper()}{name[1:]}"
    for name in ("firewallPolicyRule", "networkFirewallPolicyRule", "regionNetworkFirewallPolicyRule")
)
"""Rules of firewall policies: of an organisation or folder, of networks, of networks in a region."""
WHOLE_POLICIES = tuple(
    f"gcp:compute/{name}:{name[0].upper()}{name[1:]}"
    for name in ("firewallPolicyWithRules", "networkFirewallPolicyWithRules", "regionNetworkFirewallPolicyWithRules")
)
"""Policies that hold their rules."""
ADMIN_PORTS = (22, 3389)


demand(
    "GCP-NET-01",
    "Networks have the subnets that were drawn, no others.",
    HIGH,
    [NETWORK],
    "The default network opens SSH to the world, in every region.",
    off("autoCreateSubnetworks", default=True),
    none_of("name", ("default",)),
    remediation="Set auto_create_subnetworks=False; do not call it default.",
)


@resource_rule(
    "GCP-NET-02",
    "Subnets record their traffic and reach Google without the internet.",
    MEDIUM,
    ["gcp:compute/subnetwork:Subnetwork"],
    remediation="Set log_config and private_ip_google_access.",
)
def recorded_subnet(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Without flow logs nobody can tell afterwards what an intruder reached; subnets of proxies have none."""
    reader = resource.reader
    if reader.text("purpose", "PRIVATE") not in ("PRIVATE", "PRIVATE_RFC_1918"):
        return
    yield from apart(named("logConfig", "the flow log")(reader, facts), on("privateIpGoogleAccess")(reader, facts))


@resource_rule(
    "GCP-NET-03",
    "Nobody lets the whole internet reach a machine's administration.",
    CRITICAL,
    [FIREWALL, *POLICY_RULES, *WHOLE_POLICIES, NETWORK],
    remediation="Name the source ranges, or use Identity-Aware Proxy; log_config on; one rule denies all egress.",
)
def world_administration(resource: Resource, facts: Facts) -> Iterator[Found]:
    """An ingress rule without sources means everybody; what is not denied on the way out is allowed."""
    reader = resource.reader
    if resource.type in WHOLE_POLICIES:
        for rule in reader.each("rules"):
            yield from apart(_policy_rule(rule))
        return
    if resource.type != FIREWALL:
        yield from apart(_policy_rule(reader)) if resource.type != NETWORK else ()  # it is judged with its firewalls
        return
    yield from apart(named("logConfig", "the log of what is let in or turned away")(reader, facts), _ingress(reader))


def _ingress(reader: Reader) -> Iterator[Found]:
    if reader.text("direction", "INGRESS") != "INGRESS" or reader.flag("disabled"):
        return
    anybody = not any(reader.has(name) for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts"))
    if not anybody and not world_of(reader, "sourceRanges"):
        return
    for allow in reader.each("allows"):
        yield from apart(_allowed(allow))


def _policy_rule(reader: Reader) -> Iterator[Found]:
    """Judge a rule of a firewall policy, which matches where a firewall names."""
    if reader.text("action") != "allow" or reader.text("direction", "INGRESS") != "INGRESS" or reader.flag("disabled"):
        return
    match = reader.inside("match")
    sources = ("srcIpRanges", "srcSecureTags", "srcFqdns", "srcAddressGroups", "srcRegionCodes")
    if not any(match.has(name) for name in sources) or world_of(match, "srcIpRanges"):
        for layer in match.each("layer4Configs"):
            yield from apart(_allowed(layer, "ipProtocol"))


@over_stack("GCP-NET-03")
def egress_denied(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Each network has a firewall, of its own or of a policy, that denies every way out that no other rule opens."""
    policies = [each for each in graph.of(*POLICY_RULES) if judged(each, _denies_policy, "") is True]
    policies += [each for each in graph.of(*WHOLE_POLICIES) if judged(each, _holds_denial, "") is True]
    for network in graph.of(NETWORK):
        answer = some(graph.referrers(network, FIREWALL, "network"), _denies_all, "denies")
        if isinstance(answer, Open):
            yield answer
        elif not answer and not policies:
            yield Finding("", "no firewall denies all egress by default", network.urn)


def _denies_all(reader: Reader) -> bool:
    if reader.text("direction", "INGRESS") != "EGRESS" or reader.flag("disabled"):
        return False
    everything = any(rule.text("protocol").lower() == "all" for rule in reader.each("denies"))
    ranges = reader.values("destinationRanges")
    whole = not ranges or any(map(is_world, ranges)) or cover_world(ranges)
    return everything and whole and not reader.has("targetTags") and not reader.has("targetServiceAccounts")


def _holds_denial(reader: Reader) -> bool:
    return any(map(_denies_policy, reader.each("rules")))


def _denies_policy(reader: Reader) -> bool:
    match = reader.inside("match")
    everything = any(layer.text("ipProtocol").lower() == "all" for layer in match.each("layer4Configs"))
    egress = reader.text("action") == "deny" and reader.text("direction") == "EGRESS" and not reader.flag("disabled")
    return egress and everything and any(map(is_world, match.values("destIpRanges")))


def _allowed(allow: Reader, name: str = "protocol") -> Iterator[Found]:
    protocol = allow.text(name, "all").lower()
    if protocol == "all":
        yield Finding(allow.at(name), "every protocol is open to the whole internet")
    elif protocol in ("tcp", "6"):
        told, unclear = allow.sure("ports")
        ports = [port for _, port in told]
        held = holds_port(ports, ADMIN_PORTS) if ports or not unclear else []
        if held:
            yield Finding(allow.at("ports"), f"port {held[0]} is open to the whole internet")
        elif unclear:
            yield Open(unclear)


@resource_rule(
    "GCP-GKE-01",
    "A cluster's nodes and API server are not on the internet.",
    CRITICAL,
    [CLUSTER],
    remediation="Enable private nodes, and a private endpoint or authorized networks without /0.",
)
def private_cluster(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A public endpoint needs authorized networks, none of which is the world."""
    private = resource.reader.inside("privateClusterConfig")
    yield from apart(on("enablePrivateNodes")(private, facts), _endpoint(resource.reader, private))


def _endpoint(reader: Reader, private: Reader) -> Iterator[Found]:
    if private.flag("enablePrivateEndpoint"):
        return
    ends = reader.inside("controlPlaneEndpointsConfig")
    if ends.read("ipEndpointsConfig.enabled") in (False, "false"):
        if ends.flag("dnsEndpointConfig.allowExternalTraffic"):
            yield Finding(
                ends.at("dnsEndpointConfig.allowExternalTraffic"), "the API server answers the whole internet"
            )
        return
    allowed = reader.inside("masterAuthorizedNetworksConfig")
    if not allowed.has("cidrBlocks"):
        yield Finding("masterAuthorizedNetworksConfig.cidrBlocks", "the API server answers the whole internet")
        return
    if allowed.flag("gcpPublicCidrsAccessEnabled"):
        yield Finding(
            allowed.at("gcpPublicCidrsAccessEnabled"), "every machine in Google Cloud may reach the API server"
        )
    world = world_of_blocks(allowed.each("cidrBlocks"), "cidrBlock")
    if world and not is_world(world[0][1]):
        yield Finding("masterAuthorizedNetworksConfig.cidrBlocks", "these networks together are the whole internet")
        return
    for path, value in world:
        yield Finding(path, f"{shown(value)} may reach the API server")


demand(
    "GCP-GKE-02",
    "Pods have identities of their own, and nobody gets in by a certificate or an old list.",
    HIGH,
    [CLUSTER],
    "Client certificates cannot be taken back.",
    either(
        "workloadIdentityConfig.workloadPool: the workload pool is missing",
        named("workloadIdentityConfig.workloadPool", "the workload pool"),
        on("enableAutopilot"),
    ),
    off("enableLegacyAbac"),
    off("masterAuth.clientCertificateConfig.issueClientCertificate"),
    nothing("masterAuth.username", "is set: a password opens the cluster"),
    remediation="Set workload_identity_config; no legacy ABAC, no client certificate.",
)

demand(
    "GCP-GKE-03",
    "Secrets in a cluster are encrypted with a key of one's own.",
    HIGH,
    [CLUSTER],
    "The key may be told by the update; that one is named is what counts.",
    inside(
        "databaseEncryption",
        one_of("state", ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED")),
        named("keyName", "the key"),
    ),
    remediation="Set database_encryption to ENCRYPTED with a Cloud KMS key.",
)


@resource_rule(
    "GCP-GKE-04",
    "Only images that were admitted run.",
    HIGH,
    [CLUSTER, "gcp:binaryauthorization/policy:Policy"],
    remediation="Enforce the project's Binary Authorization policy; do not let it allow always.",
)
def admission(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge the cluster's mode and the policy's rules."""
    reader = resource.reader
    if resource.type == CLUSTER:
        modes = ("PROJECT_SINGLETON_POLICY_ENFORCE", "POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE")
        if not (reader.raw("binaryAuthorization") is None and reader.flag("enableBinaryAuthorization")):
            yield from one_of("binaryAuthorization.evaluationMode", modes)(reader, facts)
        return
    rules = [reader.inside("defaultAdmissionRule"), *reader.each("clusterAdmissionRules")]
    for rule in rules:
        yield from apart(
            one_of("evaluationMode", ("ALWAYS_DENY", "REQUIRE_ATTESTATION"))(rule, facts),
            one_of("enforcementMode", ("ENFORCED_BLOCK_AND_AUDIT_LOG",))(rule, facts),
        )


demand(
    "GCP-GKE-05",
    "A cluster can part pods from each other and nodes prove what they booted.",
    HIGH,
    [CLUSTER],
    "Without a data plane that knows policies, NetworkPolicy objects are mere text.",
    either(
        "datapathProvider: neither Dataplane V2 nor a network policy provider",
        one_of("datapathProvider", ("ADVANCED_DATAPATH",)),
        lambda reader, facts: chain(
            on("networkPolicy.enabled")(reader, facts), off("addonsConfig.networkPolicyConfig.disabled")(reader, facts)
        ),
        on("enableAutopilot"),
    ),
    on("enableShieldedNodes", default=True),
    either(
        "releaseChannel.channel: allowed is RAPID or REGULAR or STABLE or EXTENDED",
        one_of("releaseChannel.channel", ("RAPID", "REGULAR", "STABLE", "EXTENDED")),
        lambda reader, facts: chain(
            on("enableAutopilot")(reader, facts), nothing("releaseChannel", "is said")(reader, facts)
        ),
    ),
    off("enableKubernetesAlpha"),
    remediation="Set datapath_provider ADVANCED_DATAPATH, shielded nodes and a release channel; no alpha cluster.",
)

demand(
    "GCP-GKE-06",
    "A cluster tells what it does and costs, and is not deleted by mistake.",
    MEDIUM,
    [CLUSTER],
    "Logs of the API server are off unless asked for.",
    inside("loggingConfig", holds("enableComponents", ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER"))),
    inside("monitoringConfig", holds("enableComponents", ("SYSTEM_COMPONENTS", "APISERVER"))),
    on("costManagementConfig.enabled"),
    in_production(on("deletionProtection", default=True)),
    remediation="Set logging_config and monitoring_config, cost_management_config; deletion_protection in production.",
)


def _own_account(node: Reader, _facts: Facts) -> Iterator[Found]:
    account = node.raw("serviceAccount")
    if isinstance(account, str) and account.endswith("-compute@developer.gserviceaccount.com"):
        yield Finding(node.at("serviceAccount"), "is the project's default account, which may edit the project")


NODES = inside(
    "nodeConfig",
    on("shieldedInstanceConfig.enableSecureBoot"),
    on("shieldedInstanceConfig.enableIntegrityMonitoring", default=True),
    one_of("workloadMetadataConfig.mode", ("GKE_METADATA",)),
    one_of("imageType", ("COS_CONTAINERD",), default="COS_CONTAINERD"),
    named("serviceAccount", "a service account of its own"),
    none_of("serviceAccount", ("default",)),
    _own_account,
)
POOLS = (NODES, on("management.autoRepair"), on("management.autoUpgrade"))


@resource_rule(
    "GCP-NOD-01",
    "Nodes boot what was measured, and pods cannot become the node.",
    HIGH,
    ["gcp:container/nodePool:NodePool", CLUSTER],
    remediation="Shielded nodes with secure boot, GKE_METADATA, COS_CONTAINERD, a service account of their own.",
)
def measured_nodes(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Boot, metadata, image, identity and repair; of pools inside a cluster too, unless they are thrown away."""
    reader = resource.reader
    if resource.type != CLUSTER:
        yield from apart(*(part(reader, facts) for part in POOLS))
        return
    for pool in reader.each("nodePools"):
        yield from apart(*(part(pool, facts) for part in POOLS))
    if reader.has("nodeConfig") and not reader.flag("removeDefaultNodePool") and not reader.flag("enableAutopilot"):
        yield from apart(NODES(reader, facts))
