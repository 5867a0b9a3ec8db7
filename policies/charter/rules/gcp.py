"""Rules over Google Cloud's networks, clusters, storage and bindings."""

from __future__ import annotations

from collections.abc import Iterator

from charter.demands import (
    demand,
    either,
    forbidden,
    holds,
    in_production,
    inside,
    named,
    none_of,
    off,
    on,
    one_of,
    seconds_at_most,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world, holds_port, is_world
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
from charter.rules.aws_storage import some
from charter.values import Reader
from charter.words import shown

CLUSTER = "gcp:container/cluster:Cluster"
NETWORK = "gcp:compute/network:Network"
FIREWALL = "gcp:compute/firewall:Firewall"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBERS = ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")
BUCKET = "gcp:storage/bucket:Bucket"
ADMIN_PORTS = (22, 3389)
EVERYBODY = (
    "allUsers",
    "allAuthenticatedUsers",
)
BROAD_ROLES = (
    "roles/owner",
    "roles/editor",
)
TOKEN_ROLES = (
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountUser",
    "roles/iam.workloadIdentityUser",
)
QUARTER_SECONDS = 90 * 86_400

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

demand(
    "GCP-NET-02",
    "Subnets record their traffic and reach Google without the internet.",
    MEDIUM,
    ["gcp:compute/subnetwork:Subnetwork"],
    "Without flow logs nobody can tell afterwards what an intruder reached.",
    named("logConfig", "the flow log"),
    on("privateIpGoogleAccess"),
    remediation="Set log_config and private_ip_google_access.",
)


@resource_rule(
    "GCP-NET-03",
    "Nobody lets the whole internet reach a machine's administration.",
    CRITICAL,
    [FIREWALL],
    remediation="Name the source ranges, or use Identity-Aware Proxy; keep log_config on.",
)
def world_administration(resource: Resource, facts: Facts) -> Iterator[Found]:
    """An ingress rule without sources means everybody."""
    reader = resource.reader
    yield from apart(named("logConfig", "the log of what is let in or turned away")(reader, facts), _ingress(reader))


def _ingress(reader: Reader) -> Iterator[Found]:
    if reader.text("direction", "INGRESS") != "INGRESS" or reader.flag("disabled"):
        return
    sources = reader.values("sourceRanges")
    groups = reader.has("sourceTags") or reader.has("sourceServiceAccounts")
    world = any(map(is_world, sources)) or cover_world(sources)
    if not world and (sources or groups):
        return
    for allow in reader.each("allows"):
        yield from apart(_allowed(allow))


def _allowed(allow: Reader) -> Iterator[Found]:
    protocol = allow.text("protocol", "all").lower()
    if protocol == "all":
        yield Finding(allow.at("protocol"), "every protocol is open to the whole internet")
    elif protocol in ("tcp", "6"):
        held = holds_port(allow.values("ports"), ADMIN_PORTS)
        if held:
            yield Finding(allow.at("ports"), f"port {held[0]} is open to the whole internet")


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
    allowed = reader.inside("masterAuthorizedNetworksConfig")
    known = []
    for block in allowed.each("cidrBlocks"):
        value = block.read("cidrBlock")
        known.append(value)
        if is_world(value):
            yield Finding(block.at("cidrBlock"), f"{shown(value)} may reach the API server")
    if not known:
        yield Finding("masterAuthorizedNetworksConfig.cidrBlocks", "the API server answers the whole internet")
    elif cover_world(known) and not any(map(is_world, known)):
        yield Finding("masterAuthorizedNetworksConfig.cidrBlocks", "these networks together are the whole internet")


demand(
    "GCP-GKE-02",
    "Pods have identities of their own, and nobody gets in by a certificate or an old list.",
    HIGH,
    [CLUSTER],
    "Client certificates cannot be taken back.",
    named("workloadIdentityConfig.workloadPool", "the workload pool"),
    off("enableLegacyAbac"),
    off("masterAuth.clientCertificateConfig.issueClientCertificate"),
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
        on("networkPolicy.enabled"),
    ),
    on("enableShieldedNodes", default=True),
    one_of("releaseChannel.channel", ("RAPID", "REGULAR", "STABLE", "EXTENDED")),
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

demand(
    "GCP-NOD-01",
    "Nodes boot what was measured, and pods cannot become the node.",
    HIGH,
    ["gcp:container/nodePool:NodePool"],
    "Boot, metadata, image, identity and repair.",
    inside(
        "nodeConfig",
        on("shieldedInstanceConfig.enableSecureBoot"),
        on("shieldedInstanceConfig.enableIntegrityMonitoring", default=True),
        one_of("workloadMetadataConfig.mode", ("GKE_METADATA",)),
        one_of("imageType", ("COS_CONTAINERD",)),
        named("serviceAccount", "a service account of its own"),
        none_of("serviceAccount", ("default",)),
    ),
    on("management.autoRepair"),
    on("management.autoUpgrade"),
    remediation="Shielded nodes with secure boot, GKE_METADATA, COS_CONTAINERD, a service account of their own.",
)


@stack_rule(
    "GCP-KMS-01",
    "Keys are renewed every quarter, and who keeps them does not use them.",
    HIGH,
    [KEY, *KEY_MEMBERS],
    remediation="Set rotation_period to at most 7776000s; grant use and administration to different members.",
)
def keys(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A symmetric key without rotation encrypts years of data with one number."""
    for key in graph.of(KEY):
        purpose = key.reader.raw("purpose")
        if purpose in (None, "ENCRYPT_DECRYPT"):
            for found in apart(seconds_at_most("rotationPeriod", QUARTER_SECONDS)(key.reader, facts)):
                yield located(found, key.urn)
        holders: dict[str, set[str]] = {}
        for binding in (one for kind in KEY_MEMBERS for one in graph.referrers(key, kind, "cryptoKeyId")):
            role = str(binding.props.get("role"))
            for member in _members(binding.reader):
                if member in EVERYBODY:
                    yield Finding("member", f"{member} is everybody", binding.urn)
                holders.setdefault(member, set()).add(_part(role))
        for roles in holders.values():
            if {"use", "keep"} <= roles:
                yield Finding("", "one member both keeps the key and uses it", key.urn)


def _part(role: str) -> str:
    if "rypter" in role:
        return "use"
    return "keep" if role in ("roles/cloudkms.admin", "roles/owner") else "other"


def _members(reader: Reader) -> list[str]:
    many = reader.raw("members")
    return [each for each in (reader.raw("member"), *(many if isinstance(many, list) else ())) if isinstance(each, str)]


@resource_rule(
    "GCP-STO-01",
    "No bucket is public.",
    CRITICAL,
    [
        BUCKET,
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        "gcp:storage/bucketAccessControl:BucketAccessControl",
    ],
    remediation="Set public_access_prevention enforced and uniform_bucket_level_access; no allUsers.",
)
def bucket_public(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge the bucket and who is let in."""
    reader = resource.reader
    if resource.type == BUCKET:
        yield from apart(
            one_of("publicAccessPrevention", ("enforced",))(reader, facts),
            on("uniformBucketLevelAccess")(reader, facts),
        )
        return
    for name in ("member", "entity"):
        if reader.read(name) in EVERYBODY:
            yield Finding(name, f"{reader.read(name)} is everybody")
    for path, member in reader.items("members"):
        if member in EVERYBODY:
            yield Finding(path, f"{member} is everybody")


@resource_rule(
    "GCP-STO-02",
    "Buckets have a key, versions, a log, and time to change one's mind.",
    MEDIUM,
    [BUCKET],
    remediation="Set encryption, versioning, logging and soft_delete_policy; lock the retention of audit buckets.",
)
def bucket_care(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A bucket labelled purpose=audit takes the logs of others and locks its retention instead."""
    reader = resource.reader
    yield from apart(
        named("encryption.defaultKmsKeyName", "a key of one's own")(reader, facts),
        on("versioning.enabled")(reader, facts),
        named("softDeletePolicy", "the soft delete policy")(reader, facts),
        _records(reader, facts),
    )


def _records(reader: Reader, facts: Facts) -> Iterator[Found]:
    if reader.map("labels").get("purpose") == "audit":
        yield from on("retentionPolicy.isLocked")(reader, facts)
    else:
        yield from named("logging.logBucket", "the bucket of logs")(reader, facts)


demand(
    "GCP-SEC-01",
    "Secrets change, and have a key of one's own.",
    MEDIUM,
    ["gcp:secretmanager/secret:Secret"],
    "A secret that never changes is known to everybody who ever left.",
    named("rotation", "the rotation"),
    either(
        "replication: no key of one's own",
        named("replication.auto.customerManagedEncryption", ""),
        lambda reader, _facts: _replicas(reader),
    ),
    remediation="Set rotation, and customer_managed_encryption in the replication.",
)


def _replicas(reader: Reader) -> Iterator[Found]:
    replicas = list(reader.each("replication.userManaged.replicas"))
    if not replicas or not all(replica.has("customerManagedEncryption") for replica in replicas):
        yield Finding("replication", "no key of one's own")


@resource_rule(
    "GCP-IAM-01",
    "Nobody owns or edits a project through the program, and nobody unknown gets a role.",
    CRITICAL,
    ["gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding"],
    remediation="Grant the narrowest predefined role, on the resource that needs it.",
)
def project_roles(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge the role first, then who gets it."""
    reader = resource.reader
    role = reader.text("role")
    if role in BROAD_ROLES:
        yield Finding("role", f"{role} is too broad for anyone")
    if role in TOKEN_ROLES:
        yield Finding("role", f"{role} on a whole project lets its holder become every service account in it")
    yield from apart(_who(reader, "member", role), _who(reader, "members", role))


def _who(reader: Reader, name: str, role: str) -> Iterator[Found]:
    for path, member in reader.items(name):
        if member in EVERYBODY:
            yield Finding(path, f"{member} is everybody")
        elif str(member).startswith("serviceAccount:") and "admin" in role.lower():
            yield Finding("role", "makes a service account an administrator")


demand(
    "GCP-IAM-02",
    "No key of a service account exists.",
    HIGH,
    ["gcp:serviceaccount/key:Key"],
    "Keys leak and live for ever; workloads have identities that the cloud renews.",
    forbidden("keys of service accounts are not allowed; use workload identity"),
    remediation="Use workload identity, or federation from outside.",
)


@stack_rule(
    "GCP-IAM-03",
    "Every access to every API of a project is recorded.",
    HIGH,
    ["gcp:projects/iAMAuditConfig:IAMAuditConfig", CLUSTER],
    remediation="Add IAMAuditConfig for allServices with ADMIN_READ, DATA_READ and DATA_WRITE, nobody exempted.",
)
def audit(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where something is built in a project, its accesses are recorded."""
    configs = graph.of("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    if not configs and not graph.of(CLUSTER):
        return
    answer = some(configs, _everything, "auditLogConfigs")
    if isinstance(answer, Open):
        yield answer
    elif not answer:
        where = configs[0].urn if configs else graph.of(CLUSTER)[0].urn
        yield Finding("", "no IAMAuditConfig for allServices records every access of everybody", where)


def _everything(reader: Reader) -> bool:
    configs = list(reader.each("auditLogConfigs"))
    kinds = {config.text("logType") for config in configs}
    exempted = any(config.has("exemptedMembers") for config in configs)
    return (
        reader.text("service") == "allServices" and kinds >= {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} and not exempted
    )


@stack_rule(
    "GCP-BUD-01",
    "Somebody hears of costs before the month is over.",
    HIGH,
    ["gcp:billing/budget:Budget"],
    remediation="Add threshold_rules for current and forecasted spend, and a channel in all_updates_rule.",
)
def budget(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where budgets are declared, each warns on what is spent and on what will be."""
    for each in graph.of("gcp:billing/budget:Budget"):
        bases = {rule.text("spendBasis", "CURRENT_SPEND") for rule in each.reader.each("thresholdRules")}
        for basis in ("CURRENT_SPEND", "FORECASTED_SPEND"):
            if basis not in bases:
                yield Finding("thresholdRules", f"no rule for {basis}", each.urn)
        updates = each.reader.inside("allUpdatesRule")
        if not (updates.has("monitoringNotificationChannels") or updates.has("pubsubTopic")):
            yield Finding("allUpdatesRule", "nobody is told", each.urn)


@resource_rule(
    "GCP-FBS-01",
    "Nobody writes to the database without being somebody.",
    HIGH,
    ["gcp:firebaserules/ruleset:Ruleset", "gcp:firebase/appCheckServiceConfig:AppCheckServiceConfig"],
    remediation="Bind write and read by request.auth; set App Check to ENFORCED.",
)
def firebase(resource: Resource, facts: Facts) -> Iterator[Found]:
    """`allow write: if true` is the example that everybody copies."""
    reader = resource.reader
    if resource.kind == "AppCheckServiceConfig":
        yield from one_of("enforcementMode", ("ENFORCED",))(reader, facts)
        return
    for file in reader.inside("source").each("files"):
        text = " ".join(file.text("content").split())
        for verb in text.split("allow ")[1:]:
            rule = verb.partition(";")[0]
            verbs, found, condition = rule.partition(":")
            writes = any(word in verbs for word in ("write", "create", "update", "delete"))
            if writes and (not found or condition.strip() in ("if true", "if (true)")):
                yield Finding(file.at("content"), "lets everybody write")


demand(
    "GCP-DNS-01",
    "Answers of public names are signed.",
    MEDIUM,
    ["gcp:dns/managedZone:ManagedZone"],
    "Private zones are not asked: they are answered inside the network only.",
    either(
        "dnssecConfig.state: is off; it must be on",
        one_of("visibility", ("private",)),
        one_of("dnssecConfig.state", ("on",)),
    ),
    remediation="Set dnssec_config state on.",
)
