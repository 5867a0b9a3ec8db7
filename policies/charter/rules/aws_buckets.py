"""Rules over AWS buckets. What stands beside a bucket is found by the graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from charter.documents import Statement, several, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, MEDIUM, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.sidecars import judged, some
from charter.values import UNKNOWN, Reader

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
TRAIL = "aws:cloudtrail/trail:Trail"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
INLINE_LOGS = ("loggings", "logging")
YEAR = 365
DELETIONS = ("s3:DeleteObject", "s3:DeleteObjectVersion")


def sidecar(
    graph: Graph,
    kind: str,
    judge: Callable[[Reader], bool],
    inline: Callable[[Reader], bool],
    missing: str,
) -> Iterator[Found]:
    """Judge each bucket by its side-cars of a kind, or by the inline form."""
    for bucket in graph.of(BUCKET):
        yield from _one(bucket, graph.referrers(bucket, kind, "bucket"), judge, inline, missing)


def _one(
    bucket: Resource,
    beside: list[Resource],
    judge: Callable[[Reader], bool],
    inline: Callable[[Reader], bool],
    missing: str,
) -> Iterator[Found]:
    answer = some(beside, judge, "")
    if answer is not True and judged(bucket, inline, "") is not True:
        yield answer if isinstance(answer, Open) else Finding("", missing, bucket.urn)


def blocked(reader: Reader) -> bool:
    """Say whether a block has all four on."""
    return all(reader.flag(name) for name in BLOCKS)


def _kms(rules: Reader, path: str, inner: str) -> bool:
    return any(
        rule.text(f"{inner}.sseAlgorithm").startswith("aws:kms")
        and rule.has(f"{inner}.kmsMasterKeyId")
        and "alias/aws/" not in str(rule.raw(f"{inner}.kmsMasterKeyId"))
        for rule in rules.each(path)
    )


def _encrypted(algorithms: Callable[[Reader, str, str], bool], reader: Reader) -> bool:
    return algorithms(reader, "rules", "applyServerSideEncryptionByDefault")


def _encrypted_inline(algorithms: Callable[[Reader, str, str], bool], reader: Reader) -> bool:
    """Two spellings of the inline form: as the first kind of bucket has it, and as the second."""
    first, second = (reader.inside(f"serverSideEncryptionConfiguration{end}") for end in ("", "s"))
    by_default = "applyServerSideEncryptionByDefault"
    return algorithms(first, "rule", by_default) or algorithms(second, "rules", f"{by_default}s")


def _kms_or_s3(rules: Reader, path: str, inner: str) -> bool:
    plain = (rule.text(f"{inner}.sseAlgorithm") == "AES256" for rule in rules.each(path))
    return _kms(rules, path, inner) or any(plain)


@stack_rule(
    "AWS-S3-02",
    "Every bucket is encrypted with a key of one's own.",
    HIGH,
    [BUCKET, ENCRYPTION],
    remediation="Add a BucketServerSideEncryptionConfiguration: aws:kms and a key, or AES256 if it takes access logs.",
)
def bucket_encryption(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Side-car or inline form.

    Access logs arrive only where S3 encrypts with its own key; a bucket that takes nothing else may say so.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html, 2026-11.
    """
    logs = {bucket.urn for bucket in _access_logs(graph)}
    for bucket in graph.of(BUCKET):
        algorithms = _kms_or_s3 if bucket.urn in logs else _kms
        yield from _one(
            bucket,
            graph.referrers(bucket, ENCRYPTION, "bucket"),
            partial(_encrypted, algorithms),
            partial(_encrypted_inline, algorithms),
            "no SSE-KMS configuration with a key of one's own names this bucket",
        )


_WHOLE = re.compile(r"^([^/]*[*]|[^/]*/[*]+|(?!arn:)[^/]*)$")
"""All objects of a bucket, or of all: `*`, `arn:aws:s3:::*`, `arn:aws:s3:::b/*`; a prefix would follow the slash.

What is no ARN is another way to say a bucket.
"""


def _denies_plain(statement: Statement) -> bool:
    """Say whether a statement turns away every request without TLS, and not only those that meet more conditions."""
    return (
        statement.denies
        and "*" in statement.principals
        and all(statement.may(action) for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"))
        and statement.tests("bool", "aws:securetransport") == ["false"]
        and statement.condition_keys == {"aws:securetransport"}
        and _whole_bucket(statement)
    )


def _whole_bucket(statement: Statement) -> bool:
    """Say whether it is about every object, not only those below a prefix; what it names not yet may be all."""
    if statement.body.get("NotResource") is not None:
        return False
    held = several(statement.body.get("Resource"))
    return not held or any(one is UNKNOWN or _WHOLE.match(str(one)) for one in held)


def _only_tls(reader: Reader) -> bool:
    return any(map(_denies_plain, statements(reader.raw("policy"), "policy")))


@stack_rule(
    "AWS-S3-03",
    "Nobody reads a bucket over an open line.",
    HIGH,
    [BUCKET, POLICY],
    remediation='Deny * when {"Bool": {"aws:SecureTransport": "false"}}.',
)
def only_tls(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Each bucket's policy denies requests without TLS."""
    yield from sidecar(
        graph,
        POLICY,
        _only_tls,
        _only_tls,
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
    yield from sidecar(
        graph,
        VERSIONING,
        _keeps_versions,
        lambda reader: reader.flag("versioning.enabled") or reader.flag("versionings.enabled"),
        "no BucketVersioning with status Enabled names this bucket",
    )
    yield from sidecar(
        graph,
        LIFECYCLE,
        lambda reader: any(map(_ends, reader.each("rules"))),
        lambda reader: any(map(_ends, reader.each("lifecycleRules"))),
        "no lifecycle with a noncurrent version expiration names this bucket",
    )


def _ends(rule: Reader) -> bool:
    on = rule.text("status", "Enabled") == "Enabled" and rule.flag("enabled", default=True)
    return on and (rule.has("noncurrentVersionExpiration") or rule.has("noncurrentVersionExpirations"))


@stack_rule(
    "AWS-S3-05",
    "Who opened what in a bucket is recorded in another one, which is guarded.",
    MEDIUM,
    [BUCKET, LOGGING],
    remediation="Add BucketLogging to another bucket, blocked, versioned, whose policy denies deletion to everybody.",
)
def bucket_logging(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A bucket of logs does not log into itself, and needs no log of its own."""
    logs = graph.of(LOGGING)
    targets = _log_targets(graph)
    for bucket in graph.of(BUCKET):
        if bucket.urn in targets:
            for found in apart(_guards_logs(graph, bucket)):
                yield located(found, bucket.urn)
            continue
        if bucket.reader.map("tags").get("purpose") == "audit":
            continue  # it keeps records of others; AWS-S3-06 asks it for more
        mine = graph.referrers(bucket, LOGGING, "bucket")
        if not mine and not any(bucket.reader.has(name) for name in INLINE_LOGS):
            yield Finding("", "no BucketLogging names this bucket", bucket.urn)
    for log in logs:
        if any(graph.refers(log, target, "bucket") for target in _targets(graph, log)):
            yield Finding("targetBucket", "a bucket records into itself", log.urn)


def _guards_logs(graph: Graph, bucket: Resource) -> Iterator[Found]:
    closed = some(graph.referrers(bucket, BLOCK, "bucket"), blocked, "")
    versioned = some([bucket, *graph.referrers(bucket, VERSIONING, "bucket")], _keeps_versions, "")
    if False in (closed, versioned):
        yield Finding("", "takes logs but is not blocked and versioned")
    for answer in (closed, versioned):
        if isinstance(answer, Open):
            yield answer
    kept = _kept(graph, bucket)
    if kept is not True and not bucket.reader.flag("objectLockEnabled"):
        yield kept or Finding("objectLockEnabled", "takes logs but is not locked, and no policy denies deletion")


def _kept(graph: Graph, bucket: Resource) -> bool | Open:
    """Say whether nobody may delete what a bucket holds, by its policy."""
    return some([*graph.referrers(bucket, POLICY, "bucket"), bucket], _denies_deletion, "policy")


def _denies_deletion(reader: Reader) -> bool:
    """Both deletions are denied to everybody, unconditionally, in one statement or in several.

    Expiry by a lifecycle goes on all the same, see
    docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html, 2026-11.
    """
    if reader.raw("policy") is None:
        return False
    told = [
        each
        for each in statements(reader.raw("policy"), "policy")
        if each.denies and "*" in each.principals and not each.condition
    ]
    return all(any(each.may(action) for each in told) for action in DELETIONS)


def _keeps_versions(reader: Reader) -> bool:
    return reader.text("versioningConfiguration.status") == "Enabled" or reader.flag("versioning.enabled")


def _targets(graph: Graph, log: Resource) -> list[Resource]:
    return [bucket for bucket in graph.of(BUCKET) if graph.refers(log, bucket, "targetBucket")]


def _log_targets(graph: Graph) -> dict[str, Resource]:
    """Return the buckets that take access logs of others, told by a side-car or by the bucket that writes them."""
    found = {target.urn: target for log in graph.of(LOGGING) for target in _targets(graph, log)}
    for bucket in graph.of(BUCKET):
        for name in INLINE_LOGS:
            written = bucket.reader.raw(name)
            if written is None or written is UNKNOWN:
                continue
            told = [each.raw("targetBucket") for each in bucket.reader.each(name)]
            for other in graph.of(BUCKET):
                if other is not bucket and (other in graph.feeds(bucket, name) or other.props.get("bucket") in told):
                    found[other.urn] = other
    return found


def _access_logs(graph: Graph) -> list[Resource]:
    """Return the buckets that take access logs of others, and no other records."""
    return [
        bucket
        for bucket in _log_targets(graph).values()
        if bucket.reader.map("tags").get("purpose") != "audit" and not graph.referrers(bucket, TRAIL, "s3BucketName")
    ]


def audit_buckets(graph: Graph) -> list[Resource]:
    """Return the buckets that keep records: tagged so, or the target of a trail or of another bucket's log."""
    found = _log_targets(graph)
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
    remediation="Lock for at least 365 days by default; a bucket of access logs denies deletion by its policy.",
)
def locked(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Who could delete the record could hide the deed.

    S3 delivers no access logs into a locked bucket: there a policy that denies deletion does for the lock.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html, 2026-11.
    """
    access_logs = {bucket.urn for bucket in _access_logs(graph)}
    for bucket in audit_buckets(graph):
        if bucket.urn in access_logs and (kept := _kept(graph, bucket)):
            if isinstance(kept, Open):
                yield kept
            continue
        for found in apart(_locked(bucket.reader)):
            yield located(found, bucket.urn)
        answer = some([*graph.referrers(bucket, LOCK, "bucket"), bucket], _a_year, "rule")
        if isinstance(answer, Open):
            yield answer
        elif not answer:
            yield Finding("", "no default retention of at least 365 days names this bucket of records", bucket.urn)


def _locked(reader: Reader) -> Iterator[Found]:
    if not reader.flag("objectLockEnabled") and reader.text("objectLockConfiguration.objectLockEnabled") != "Enabled":
        yield Finding("objectLockEnabled", "is off on a bucket of records")


def _a_year(reader: Reader) -> bool:
    inline = reader.inside("objectLockConfiguration")
    retention = (inline if inline.props else reader).inside("rule.defaultRetention")
    return retention.number("days") >= YEAR or retention.number("years") >= 1
