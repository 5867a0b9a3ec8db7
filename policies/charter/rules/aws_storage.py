"""Rules over AWS buckets, registries, databases and caches. Side-car resources of a bucket are found by the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from charter.demands import between, demand, each, either, in_production, named, nothing, off, on, one_of
from charter.documents import Malformed, Statement, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Open, Resource, resource_rule, stack_rule
from charter.values import Reader, Undetermined

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
TRAIL = "aws:cloudtrail/trail:Trail"
DATABASES = ("aws:rds/instance:Instance", "aws:rds/cluster:Cluster")
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
EVERYBODY = ("AllUsers", "AuthenticatedUsers")
YEAR = 365


def judged(resource: Resource, judge: Callable[[Reader], bool], path: str) -> bool | Open:
    """Answer a question about one side-car; what it cannot tell yet is left open at the resource."""
    try:
        return judge(resource.reader)
    except Undetermined as unknown:
        return Open(unknown.path or path, resource.urn)
    except Malformed:
        return False


def some(resources: list[Resource], judge: Callable[[Reader], bool], path: str) -> bool | Open:
    """Say whether one of several side-cars answers yes; open when none does but one may."""
    answers = [judged(each, judge, path) for each in resources]
    if any(answer is True for answer in answers):
        return True
    return next((answer for answer in answers if isinstance(answer, Open)), False)


def _sidecar(
    graph: Graph, kind: str, judge: Callable[[Reader], bool], inline: Callable[[Reader], bool], missing: str
) -> Iterator[Found]:
    """Judge each bucket by its side-cars of a kind, or by the inline form."""
    for bucket in graph.of(BUCKET):
        answer = some([*graph.referrers(bucket, kind, "bucket")], judge, "")
        if answer is True or judged(bucket, inline, "") is True:
            continue
        yield answer if isinstance(answer, Open) else Finding("", missing, bucket.urn)


@stack_rule(
    "AWS-S3-01",
    "No bucket is public.",
    CRITICAL,
    [BUCKET, BLOCK, POLICY],
    remediation="Add a BucketPublicAccessBlock with all four on; no public acl, grant or policy.",
)
def not_public(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The block stops what a later policy or ACL would open."""
    yield from _sidecar(
        graph,
        BLOCK,
        lambda reader: all(reader.flag(name) for name in BLOCKS),
        lambda _reader: False,
        "no BucketPublicAccessBlock with all four on names this bucket",
    )
    for bucket in graph.of(BUCKET):
        reader = bucket.reader
        if reader.read("acl") in PUBLIC_ACLS:
            yield Finding("acl", "is public", bucket.urn)
        if any(str(leaf).endswith(EVERYBODY) for leaf in _grantees(reader)):
            yield Finding("grants", "name everybody", bucket.urn)
    for policy in graph.of(POLICY):
        yield from _public_policy(policy)


def _grantees(reader: Reader) -> list[object]:
    grants = reader.raw("grants")
    return [grant.get("uri") for grant in grants if isinstance(grant, dict)] if isinstance(grants, list) else []


def _public_policy(policy: Resource) -> Iterator[Found]:
    try:
        for statement in statements(policy.reader.raw("policy"), "policy"):
            if statement.allows and "*" in statement.principals and not statement.condition:
                yield Finding(f"{statement.path}.Principal", "everybody is let in", policy.urn)
    except Undetermined as unknown:
        yield Open(unknown.path, policy.urn)
    except Malformed:
        yield Finding("policy", "is no JSON document", policy.urn)


def _kms(rules: Reader, path: str, inner: str) -> bool:
    return any(
        rule.text(f"{inner}.sseAlgorithm").startswith("aws:kms") and rule.has(f"{inner}.kmsMasterKeyId")
        for rule in rules.each(path)
    )


@stack_rule(
    "AWS-S3-02",
    "Every bucket is encrypted with a key of one's own.",
    HIGH,
    [BUCKET, ENCRYPTION],
    remediation="Add a BucketServerSideEncryptionConfiguration with aws:kms and a key.",
)
def bucket_encryption(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Side-car or inline form."""
    yield from _sidecar(
        graph,
        ENCRYPTION,
        lambda reader: _kms(reader, "rules", "applyServerSideEncryptionByDefault"),
        lambda reader: _kms(
            reader.inside("serverSideEncryptionConfiguration"), "rule", "applyServerSideEncryptionByDefault"
        ),
        "no SSE-KMS configuration with a key of one's own names this bucket",
    )


def _denies_plain(statement: Statement) -> bool:
    tests = statement.condition.get("Bool")
    return isinstance(tests, dict) and (
        statement.denies
        and "*" in statement.principals
        and str(tests.get("aws:SecureTransport", "")).lower() == "false"
    )


@stack_rule(
    "AWS-S3-03",
    "Nobody reads a bucket over an open line.",
    HIGH,
    [BUCKET, POLICY],
    remediation='Deny * when {"Bool": {"aws:SecureTransport": "false"}}.',
)
def only_tls(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Each bucket's policy denies requests without TLS."""
    yield from _sidecar(
        graph,
        POLICY,
        lambda reader: any(map(_denies_plain, statements(reader.raw("policy"), "policy"))),
        lambda _reader: False,
        "no BucketPolicy denies aws:SecureTransport=false on this bucket",
    )


@stack_rule(
    "AWS-S3-04",
    "What is overwritten can be fetched back, for a while.",
    HIGH,
    [BUCKET, VERSIONING, LIFECYCLE],
    remediation="Add BucketVersioning Enabled and a lifecycle with a noncurrent version expiration.",
)
def versioned(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Versions without an end would be kept and paid for ever."""
    yield from _sidecar(
        graph,
        VERSIONING,
        lambda reader: reader.text("versioningConfiguration.status") == "Enabled",
        lambda reader: reader.flag("versioning.enabled"),
        "no BucketVersioning with status Enabled names this bucket",
    )
    yield from _sidecar(
        graph,
        LIFECYCLE,
        lambda reader: any(rule.has("noncurrentVersionExpiration") for rule in reader.each("rules")),
        lambda reader: any(rule.has("noncurrentVersionExpiration") for rule in reader.each("lifecycleRules")),
        "no lifecycle with a noncurrent version expiration names this bucket",
    )


@stack_rule(
    "AWS-S3-05",
    "Who opened what in a bucket is recorded in another one, which is guarded.",
    MEDIUM,
    [BUCKET, LOGGING],
    remediation="Add BucketLogging with target_bucket another bucket of the stack, blocked, versioned and locked.",
)
def bucket_logging(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A bucket of logs does not log into itself, and needs no log of its own."""
    logs = graph.of(LOGGING)
    targets = {target.urn: target for log in logs for target in _targets(graph, log)}
    for bucket in graph.of(BUCKET):
        if bucket.urn in targets:
            if not graph.referrers(bucket, BLOCK, "bucket") or not graph.referrers(bucket, VERSIONING, "bucket"):
                yield Finding("", "takes logs but is not blocked and versioned", bucket.urn)
            if not bucket.reader.flag("objectLockEnabled"):
                yield Finding("objectLockEnabled", "takes logs but is not locked", bucket.urn)
            continue
        mine = graph.referrers(bucket, LOGGING, "bucket")
        if not mine and not bucket.reader.has("loggings"):
            yield Finding("", "no BucketLogging names this bucket", bucket.urn)
    for log in logs:
        if any(graph.refers(log, target, "bucket") for target in _targets(graph, log)):
            yield Finding("targetBucket", "a bucket records into itself", log.urn)


def _targets(graph: Graph, log: Resource) -> list[Resource]:
    return [bucket for bucket in graph.of(BUCKET) if graph.refers(log, bucket, "targetBucket")]


def audit_buckets(graph: Graph) -> list[Resource]:
    """Return the buckets that keep records: tagged so, or the target of a trail or of another bucket's log."""
    found = {target.urn: target for log in graph.of(LOGGING) for target in _targets(graph, log)}
    for bucket in graph.of(BUCKET):
        tagged = bucket.reader.map("tags").get("purpose") == "audit"
        if tagged or graph.referrers(bucket, TRAIL, "s3BucketName"):
            found[bucket.urn] = bucket
    return list(found.values())


@stack_rule(
    "AWS-S3-06",
    "Records cannot be deleted for a year.",
    HIGH,
    [BUCKET, LOCK],
    remediation="Set object_lock_enabled and a default retention of at least 365 days.",
)
def locked(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Who could delete the record could hide the deed."""
    for bucket in audit_buckets(graph):
        if not bucket.reader.flag("objectLockEnabled"):
            yield Finding("objectLockEnabled", "is off on a bucket of records", bucket.urn)
        answer = some(graph.referrers(bucket, LOCK, "bucket"), _a_year, "rule")
        if isinstance(answer, Open):
            yield answer
        elif not answer:
            yield Finding("", "no default retention of at least 365 days names this bucket of records", bucket.urn)


def _a_year(reader: Reader) -> bool:
    retention = reader.inside("rule.defaultRetention")
    return retention.number("days") >= YEAR or retention.number("years") >= 1


demand(
    "AWS-ECR-01",
    "An image that was pushed never changes, is scanned, and is encrypted.",
    HIGH,
    ["aws:ecr/repository:Repository"],
    "A tag that can be moved lets another image run tomorrow than was tested today.",
    one_of("imageTagMutability", ("IMMUTABLE",)),
    on("imageScanningConfiguration.scanOnPush"),
    each("encryptionConfigurations", one_of("encryptionType", ("KMS", "KMS_DSSE")), needed="no KMS encryption is set"),
    remediation="Set image_tag_mutability IMMUTABLE, scan_on_push and encryption_configurations KMS.",
)


@resource_rule(
    "AWS-ECR-02",
    "A registry lets in whom it names.",
    HIGH,
    ["aws:ecr/repositoryPolicy:RepositoryPolicy"],
    remediation="Name principals; let only the role of the build push.",
)
def registry_policy(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Nobody unknown pulls, and whoever pushes is named."""
    try:
        for statement in statements(resource.reader.raw("policy"), "policy"):
            if not statement.allows:
                continue
            if "*" in statement.principals:
                yield Finding(f"{statement.path}.Principal", "everybody is let in")
            pushes = statement.may("ecr:PutImage")
            if pushes and any(who.isdigit() or who.endswith(":root") for who in statement.principals):
                yield Finding(f"{statement.path}.Action", "a whole account may push; name the build's role")
    except Malformed:
        yield Finding("policy", "is no JSON document")


demand(
    "AWS-RDS-01",
    "No database is open or unencrypted.",
    CRITICAL,
    DATABASES,
    "A database on the internet is found within minutes.",
    on("storageEncrypted"),
    named("kmsKeyId", "a key of one's own"),
    off("publiclyAccessible"),
    remediation="Set storage_encrypted, kms_key_id, and publicly_accessible=False.",
)

demand(
    "AWS-RDS-02",
    "A database can be brought back.",
    HIGH,
    DATABASES,
    "Seven days of backups, thirty-five in production, and a last copy when it goes.",
    between("backupRetentionPeriod", 7, 35, default=1),
    in_production(between("backupRetentionPeriod", 35, 35, default=1)),
    on("deletionProtection"),
    off("skipFinalSnapshot"),
    remediation="Set backup_retention_period 7 (35 in production), deletion_protection, skip_final_snapshot=False.",
)

demand(
    "AWS-RDS-03",
    "The cloud keeps a database's password, nobody else.",
    CRITICAL,
    DATABASES,
    "A password in the program is a password in the state, in logs and in heads.",
    on("manageMasterUserPassword"),
    nothing("password", "a password is given; let AWS make and rotate it"),
    nothing("masterPassword", "a password is given; let AWS make and rotate it"),
    remediation="Set manage_master_user_password and drop the password.",
)


@resource_rule(
    "AWS-RDS-04",
    "A database stands in two zones, knows its callers and tells what happened.",
    MEDIUM,
    ["aws:rds/instance:Instance"],
    remediation="Set multi_az, iam_database_authentication_enabled and enabled_cloudwatch_logs_exports.",
)
def database_care(resource: Resource, facts: Facts) -> Iterator[Found]:
    """TLS is forced in the parameter group, judged with it."""
    reader = resource.reader
    for part in (on("multiAz"), on("iamDatabaseAuthenticationEnabled")):
        yield from part(reader, facts)
    yield from named("enabledCloudwatchLogsExports", "the export of logs")(reader, facts)


demand(
    "AWS-RED-01",
    "A cache encrypts what it holds and sends, and asks who calls.",
    HIGH,
    [CACHE],
    "A cache holds sessions and carts: other people's lives.",
    on("transitEncryptionEnabled"),
    one_of("transitEncryptionMode", ("required",), default="required"),
    on("atRestEncryptionEnabled"),
    named("kmsKeyId", "a key of one's own"),
    either("userGroupIds: neither user groups nor a token", named("userGroupIds", ""), named("authToken", "")),
    remediation="Set transit and at-rest encryption, kms_key_id, and user_group_ids.",
)

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
