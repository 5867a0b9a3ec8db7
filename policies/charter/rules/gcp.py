"""Rules over keys, buckets, secrets, rights and budgets of Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator

from charter.demands import (
    demand,
    either,
    forbidden,
    named,
    on,
    one_of,
    seconds_at_most,
)
from charter.facts import Facts
from charter.graph import Graph
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
from charter.rules.gcp_cluster import CLUSTER
from charter.values import Reader

KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBERS = ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")
BUCKET = "gcp:storage/bucket:Bucket"
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
