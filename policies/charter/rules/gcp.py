"""Rules over Google Cloud's networks, clusters and bindings."""

from __future__ import annotations

from collections.abc import Iterator

from charter.facts import Facts
from charter.network import cover_world, holds_port, is_world
from charter.rule import Finding, Resource, Severity, resource_rule

CLUSTER = "gcp:container/cluster:Cluster"
ADMIN_PORTS = (22, 3389)
EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
BROAD_ROLES = frozenset({"roles/owner", "roles/editor"})
TOKEN_ROLES = frozenset({"roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser"})


@resource_rule(
    "GCP-NET-03",
    "Nobody lets the whole internet reach a machine's administration.",
    Severity.CRITICAL,
    ["gcp:compute/firewall:Firewall"],
    controls=("CIS GCP 3.6", "CIS GCP 3.7", "PCI 1.2.5", "SOC2 CC6.6", "ISO A.8.20"),
    remediation="Name the source ranges, or use Identity-Aware Proxy; keep log_config on.",
    good=(
        {
            "allows": [{"protocol": "tcp", "ports": ["443"]}],
            "sourceRanges": ["0.0.0.0/0"],
            "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
        },
    ),
    bad=({"allows": [{"protocol": "tcp", "ports": ["20-30"]}], "sourceRanges": ["0.0.0.0/0"], "logConfig": {}},),
)
def world_administration(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """An ingress rule without sources means everybody."""
    reader = resource.reader
    if reader.raw("logConfig") is None:
        yield Finding("logConfig", "is absent: what the rule lets in or turns away is not logged")
    if str(reader.read("direction", "INGRESS")) != "INGRESS" or reader.flag("disabled"):
        return
    sources = list(reader.items("sourceRanges"))
    named = reader.raw("sourceTags") or reader.raw("sourceServiceAccounts")
    world = any(is_world(value) for _, value in sources) or cover_world(value for _, value in sources)
    if not world and (sources or named):
        return
    for allow in reader.each("allows"):
        protocol = str(allow.read("protocol")).lower()
        if protocol == "all":
            yield Finding(allow.at("protocol"), "every protocol is open to the whole internet")
        elif protocol in {"tcp", "6"}:
            held = holds_port([port for _, port in allow.items("ports")], ADMIN_PORTS)
            if held:
                yield Finding(allow.at("ports"), f"port {held[0]} is open to the whole internet")


@resource_rule(
    "GCP-GKE-01",
    "A cluster's nodes and API server are not on the internet.",
    Severity.CRITICAL,
    [CLUSTER],
    controls=("CIS GKE 5.6.3", "CIS GKE 5.6.4", "CIS GKE 5.6.5"),
    remediation="Enable private nodes, and a private endpoint or authorized networks without /0.",
    good=({"privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True}},),
    bad=({"privateClusterConfig": {"enablePrivateNodes": True}},),
)
def private_cluster(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """A public endpoint needs authorized networks, none of which is the world."""
    private = resource.reader.inside("privateClusterConfig")
    if not private.flag("enablePrivateNodes"):
        yield Finding(private.at("enablePrivateNodes"), "nodes have public addresses")
    if private.flag("enablePrivateEndpoint"):
        return
    allowed = resource.reader.inside("masterAuthorizedNetworksConfig")
    blocks = list(allowed.each("cidrBlocks"))
    if not blocks:
        yield Finding("masterAuthorizedNetworksConfig.cidrBlocks", "the API server answers the whole internet")
    for block in blocks:
        if is_world(block.read("cidrBlock")):
            yield Finding(block.at("cidrBlock"), f"{block.read('cidrBlock')} may reach the API server")


@resource_rule(
    "GCP-GKE-03",
    "Secrets in a cluster are encrypted with a key of one's own.",
    Severity.HIGH,
    [CLUSTER],
    controls=("CIS GKE 5.3.1", "PCI 3.5.1", "ISO A.8.24"),
    remediation="Set database_encryption to ENCRYPTED with a Cloud KMS key.",
    good=({"databaseEncryption": {"state": "ENCRYPTED", "keyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}},),
    bad=({"databaseEncryption": {"state": "DECRYPTED"}},),
)
def database_encryption(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """The key may be told by the update; that one is named is what counts."""
    encryption = resource.reader.inside("databaseEncryption")
    if encryption.read("state") not in {"ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"}:
        yield Finding(encryption.at("state"), "must be ENCRYPTED")
    elif encryption.raw("keyName") is None:
        yield Finding(encryption.at("keyName"), "no key is named")


@resource_rule(
    "GCP-NOD-01",
    "Nodes boot what was measured, and pods cannot become the node.",
    Severity.HIGH,
    ["gcp:container/nodePool:NodePool"],
    controls=("CIS GKE 5.5.1", "CIS GKE 5.2.1", "CIS GCP 4.1"),
    remediation="Shielded nodes with secure boot, GKE_METADATA, COS_CONTAINERD, a service account of their own.",
    good=(
        {
            "nodeConfig": {
                "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
                "workloadMetadataConfig": {"mode": "GKE_METADATA"},
                "imageType": "COS_CONTAINERD",
                "serviceAccount": "nodes@p.iam.gserviceaccount.com",
            },
            "management": {"autoRepair": True, "autoUpgrade": True},
        },
    ),
    bad=({"nodeConfig": {"imageType": "UBUNTU_CONTAINERD"}},),
)
def node_pool(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge boot, metadata, image, identity and management."""
    node = resource.reader.inside("nodeConfig")
    for name in ("enableSecureBoot", "enableIntegrityMonitoring"):
        if not node.flag(f"shieldedInstanceConfig.{name}"):
            yield Finding(node.at(f"shieldedInstanceConfig.{name}"), "must be on")
    if node.read("workloadMetadataConfig.mode") != "GKE_METADATA":
        yield Finding(node.at("workloadMetadataConfig.mode"), "must be GKE_METADATA")
    if node.read("imageType") != "COS_CONTAINERD":
        yield Finding(node.at("imageType"), f"is {node.read('imageType')}; allowed is COS_CONTAINERD")
    if node.raw("serviceAccount") in {None, "default"}:
        yield Finding(node.at("serviceAccount"), "is the default account, which may edit the project")
    for name in ("autoRepair", "autoUpgrade"):
        if not resource.reader.flag(f"management.{name}"):
            yield Finding(f"management.{name}", "must be on")


@resource_rule(
    "GCP-IAM-01",
    "Nobody owns or edits a project through the program, and nobody unknown gets a role.",
    Severity.CRITICAL,
    ["gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding"],
    controls=("CIS GCP 1.6", "CIS GCP 1.7", "PCI 7.2.1", "SOC2 CC6.3", "ISO A.5.15"),
    remediation="Grant the narrowest predefined role, on the resource that needs it.",
    good=({"role": "roles/logging.logWriter", "member": "serviceAccount:nodes@p.iam.gserviceaccount.com"},),
    bad=({"role": "roles/editor", "member": "user:someone@example.org"},),
)
def project_roles(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge the role first, then who gets it."""
    reader = resource.reader
    role = str(reader.read("role"))
    if role in BROAD_ROLES:
        yield Finding("role", f"{role} is too broad for anyone")
    if role in TOKEN_ROLES:
        yield Finding("role", f"{role} on a whole project lets its holder become every service account in it")
    members = [("member", reader.read("member"))] if reader.raw("member") is not None else list(reader.items("members"))
    for path, member in members:
        if member in EVERYBODY:
            yield Finding(path, f"{member} is everybody")
        elif str(member).startswith("serviceAccount:") and "admin" in role.lower():
            yield Finding("role", f"{role} makes a service account an administrator")
