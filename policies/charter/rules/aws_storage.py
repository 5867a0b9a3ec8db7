"""Rules over AWS registries, databases and caches."""

from __future__ import annotations

from collections.abc import Iterator

from charter.demands import between, demand, each, either, in_production, named, none_of, nothing, off, on, one_of
from charter.documents import Malformed, Statement, each_statement, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Resource, apart, located, over_stack, resource_rule
from charter.sidecars import some
from charter.values import Reader

INSTANCE = "aws:rds/instance:Instance"
DATABASES = (INSTANCE, "aws:rds/cluster:Cluster")
REPOSITORY = "aws:ecr/repository:Repository"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
"""What repositories look like that AWS makes by itself."""
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
MEMORY = "aws:memorydb/cluster:Cluster"
WAREHOUSE = "aws:redshift/cluster:Cluster"
OTHERS = ("aws:docdb/cluster:Cluster", "aws:neptune/cluster:Cluster")
"""Clusters of other engines, with the same settings; Neptune names its key by ARN."""
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
SERVERLESS = "aws:elasticache/serverlessCache:ServerlessCache"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
FORCED = {"rds.force_ssl": ("1", "on", "true"), "require_secure_transport": ("1", "on", "true")}
"""Parameters that turn away connections without TLS: PostgreSQL and SQL Server, MySQL and MariaDB."""
FORCES_ITSELF = 15
"""The first major version of PostgreSQL whose default parameters force TLS.

Source: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html, 2026-11.
"""


demand(
    "AWS-ECR-01",
    "An image that was pushed never changes, is scanned, and is encrypted.",
    HIGH,
    [REPOSITORY, TEMPLATE],
    "A tag that can be moved lets another image run tomorrow than was tested today.",
    one_of("imageTagMutability", ("IMMUTABLE",)),
    each("encryptionConfigurations", one_of("encryptionType", ("KMS", "KMS_DSSE")), needed="no KMS encryption is set"),
    remediation="Set image_tag_mutability IMMUTABLE, scan_on_push and encryption_configurations KMS.",
)


@over_stack("AWS-ECR-01")
def scanned(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Each repository scans what is pushed, or the whole registry does."""
    if some(graph.of(SCANNING), _scans_all, "rules") is True:
        return
    for repository in graph.of(REPOSITORY):
        for found in apart(on("imageScanningConfiguration.scanOnPush")(repository.reader, facts)):
            yield located(found, repository.urn)


def _scans_all(registry: Reader) -> bool:
    return any(
        rule.text("scanFrequency") in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
        and any(one.text("filter") == "*" for one in rule.each("repositoryFilters"))
        for rule in registry.each("rules")
    )


@resource_rule(
    "AWS-ECR-02",
    "A registry lets in whom it names.",
    HIGH,
    ["aws:ecr/repositoryPolicy:RepositoryPolicy", "aws:ecr/registryPolicy:RegistryPolicy"],
    remediation="Name principals; let only the role of the build push.",
)
def registry_policy(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Nobody unknown pulls, and whoever pushes is named."""
    try:
        yield from each_statement(statements(resource.reader.raw("policy"), "policy"), _pulls_and_pushes)
    except Malformed:
        yield Finding("policy", "is no JSON document")


def _pulls_and_pushes(statement: Statement) -> Iterator[Found]:
    if not statement.allows:
        return
    if "*" in statement.principals and not statement.bound:
        yield Finding(f"{statement.path}.Principal", "everybody is let in")
    if statement.may("ecr:PutImage") and any(who.isdigit() or who.endswith(":root") for who in statement.principals):
        yield Finding(f"{statement.path}.Action", "a whole account may push; name the build's role")


@resource_rule(
    "AWS-RDS-01",
    "No database is open or unencrypted.",
    CRITICAL,
    [*DATABASES, *OTHERS, WAREHOUSE, "aws:rds/clusterInstance:ClusterInstance", "aws:rds/globalCluster:GlobalCluster"],
    remediation="Set storage_encrypted, kms_key_id, and publicly_accessible=False.",
)
def closed_database(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A database on the internet is found within minutes.

    The instances of a cluster share its encryption, a copy that of what it follows; each region of a global one has
    a key of its own.
    """
    reader = resource.reader
    encrypted = "encrypted" if resource.type == WAREHOUSE else "storageEncrypted"
    parts = [off("publiclyAccessible")]
    follows = reader.has("replicateSourceDb") and reader.raw(encrypted) is None
    if resource.kind != "ClusterInstance" and not follows:
        parts += [on(encrypted)]
        key = "kmsKeyArn" if resource.type == OTHERS[1] else "kmsKeyId"
        parts += [named(key, "a key of one's own")] if resource.kind != "GlobalCluster" else []
    yield from apart(*(part(reader, facts) for part in parts))


REPLICA = (named("replicateSourceDb", ""),)
"""A copy that follows another database; AWS takes its backups there, and no last one of a replica."""

demand(
    "AWS-RDS-02",
    "A database can be brought back.",
    HIGH,
    DATABASES,
    "Seven days of backups, thirty-five in production, and a last copy when it goes.",
    either(
        "backupRetentionPeriod: is absent or too short; allowed is 7 to 35 days",
        between("backupRetentionPeriod", 7, 35, default=1),
        *REPLICA,
    ),
    in_production(
        either(
            "backupRetentionPeriod: is absent or too short; allowed is 35 days",
            between("backupRetentionPeriod", 35, 35, default=1),
            *REPLICA,
        )
    ),
    on("deletionProtection"),
    either("skipFinalSnapshot: is on; it must be off", off("skipFinalSnapshot"), *REPLICA),
    remediation="Set backup_retention_period 7 (35 in production), deletion_protection, skip_final_snapshot=False.",
)


def _secondary(reader: Reader, _facts: Facts) -> Iterator[Found]:
    """A further region of a global cluster has the password of the first, and no user of its own."""
    if not reader.has("globalClusterIdentifier") or reader.has("masterUsername"):
        yield Finding("globalClusterIdentifier", "")


demand(
    "AWS-RDS-03",
    "The cloud keeps a database's password, nobody else.",
    CRITICAL,
    [*DATABASES, OTHERS[0]],
    "A password in the program is a password in the state, in logs and in heads.",
    either(
        "manageMasterUserPassword: is off; it must be on",
        on("manageMasterUserPassword"),
        named("replicateSourceDb", ""),
        named("replicationSourceIdentifier", ""),
        _secondary,
    ),
    nothing("passwordWo", "a password is given; let AWS make and rotate it"),
    nothing("masterPasswordWo", "a password is given; let AWS make and rotate it"),
    nothing("password", "a password is given; let AWS make and rotate it"),
    nothing("masterPassword", "a password is given; let AWS make and rotate it"),
    remediation="Set manage_master_user_password and drop the password.",
)


@resource_rule(
    "AWS-RDS-04",
    "A database stands in two zones, knows its callers and tells what happened.",
    MEDIUM,
    [INSTANCE],
    remediation="Set multi_az, iam_database_authentication_enabled, log exports; force TLS in a parameter group.",
)
def database_care(resource: Resource, facts: Facts) -> Iterator[Found]:
    """TLS is forced in the parameter group, judged with it; PostgreSQL 15 and later force it by themselves."""
    parts = (
        on("multiAz"),
        on("iamDatabaseAuthenticationEnabled"),
        named("enabledCloudwatchLogsExports", "the export of logs"),
    )
    yield from apart(*(part(resource.reader, facts) for part in parts))


@over_stack("AWS-RDS-04")
def only_tls(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Look into the parameter group of each database."""
    for database in graph.of(INSTANCE):
        for found in apart(_forced(graph, database)):
            yield located(found, database.urn)


def _forced(graph: Graph, database: Resource) -> Iterator[Found]:
    groups = graph.named(database, "parameterGroupName", PARAMETERS)
    groups = groups or [each for each in graph.of(PARAMETERS) if graph.refers(database, each, "parameterGroupName")]
    held: dict[str, str] = {}
    for parameter in (one for group in groups for one in group.reader.each("parameters")):
        held[parameter.text("name").lower()] = parameter.text("value").lower()
    if any(held.get(name) in values for name, values in FORCED.items()):
        return
    told = any(name in held for name in FORCED)
    if told or not _forces_itself(database.reader):
        yield Finding("parameterGroupName", "names no parameter group that forces TLS")


def _forces_itself(reader: Reader) -> bool:
    major = reader.text("engineVersion").partition(".")[0]
    return reader.text("engine") == "postgres" and major.isdigit() and int(major) >= FORCES_ITSELF


ENCRYPTED_CACHE = (
    on("transitEncryptionEnabled"),
    one_of("transitEncryptionMode", ("required",), default="required"),
    on("atRestEncryptionEnabled"),
    named("kmsKeyId", "a key of one's own"),
    either("userGroupIds: neither user groups nor a token", named("userGroupIds", ""), named("authToken", "")),
)
ENCRYPTED_SERVERLESS = (
    named("kmsKeyId", "a key of one's own"),
    named("userGroupId", "the user group"),
)
"""It always encrypts what it sends and holds, with AWS's key unless one of one's own is named."""
ENCRYPTED_MEMORY = (
    on("tlsEnabled", default=True),
    named("kmsKeyArn", "a key of one's own"),
    none_of("aclName", ("open-access",)),
)


@resource_rule(
    "AWS-RED-01",
    "A cache encrypts what it holds and sends, and asks who calls.",
    HIGH,
    [CACHE, MEMORY, SERVERLESS],
    remediation="Set transit and at-rest encryption, kms_key_id, and user_group_ids.",
)
def encrypted_cache(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A cache holds sessions and carts: other people's lives."""
    reader = resource.reader
    parts = {CACHE: ENCRYPTED_CACHE, SERVERLESS: ENCRYPTED_SERVERLESS}.get(resource.type, ENCRYPTED_MEMORY)
    if resource.type == SERVERLESS and reader.text("engine").lower() == "memcached":
        parts = ENCRYPTED_SERVERLESS[:1]  # it knows no users
    yield from apart(*(part(reader, facts) for part in parts))


demand(
    "AWS-RED-02",
    "A cache survives the loss of a zone.",
    MEDIUM,
    [CACHE],
    "Fail over by itself, to another zone, with a week of copies.",
    on("automaticFailoverEnabled"),
    on("multiAzEnabled"),
    between("snapshotRetentionLimit", 7, default=0),
    remediation="Set automatic_failover_enabled, multi_az_enabled and snapshot_retention_limit 7.",
)
