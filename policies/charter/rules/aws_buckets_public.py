"""Rules over AWS buckets: who is let in, by a block, a list, a policy or another door."""

from __future__ import annotations

from collections.abc import Iterator

from charter.documents import Malformed, Statement, each_statement, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, Finding, Found, Resource, apart, located, stack_rule
from charter.rules.aws_buckets import BLOCK, BLOCKS, BUCKET, POLICY, blocked, sidecar
from charter.sidecars import some
from charter.values import Reader

ACL = "aws:s3/bucketAcl:BucketAcl"
ACCOUNT = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
POINT = "aws:s3/accessPoint:AccessPoint"
OBJECTS = (
    "aws:s3/bucketObject:BucketObject",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:s3/objectCopy:ObjectCopy",
)
POINT_POLICIES = (
    "aws:s3control/accessPointPolicy:AccessPointPolicy",
    "aws:s3control/bucketPolicy:BucketPolicy",
    "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy",
    "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy",
)
"""Policies of other doors to buckets; that over several regions stands in its `details`."""
REGIONS_POINT = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
PLACES = {POINT: "publicAccessBlockConfiguration", REGIONS_POINT: "details.publicAccessBlock"}
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
EVERYBODY = ("AllUsers", "AuthenticatedUsers")


@stack_rule(
    "AWS-S3-01",
    "No bucket is public.",
    CRITICAL,
    [BUCKET, BLOCK, ACCOUNT, POLICY, *POINT_POLICIES, ACL, POINT, REGIONS_POINT, *OBJECTS],
    remediation="Add a BucketPublicAccessBlock with all four on; no public acl, grant or policy.",
)
def not_public(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The block stops what a later policy or ACL would open; one of the whole account does for each bucket."""
    account = some(graph.of(ACCOUNT), blocked, "")
    if account is not True:
        yield from sidecar(
            graph,
            BLOCK,
            blocked,
            lambda _reader: False,
            "no BucketPublicAccessBlock with all four on names this bucket",
        )
    for holder in graph.of(ACCOUNT, POINT, REGIONS_POINT):
        for found in apart(_opened(holder.reader, holder.type)):
            yield located(found, holder.urn)
    for holder in graph.of(BUCKET, ACL, *OBJECTS):
        for found in apart(_public_acl(holder.reader), _public_grants(holder.reader)):
            yield located(found, holder.urn)
    for holder in graph.of(POLICY, BUCKET, POINT, *POINT_POLICIES):
        for path in ("policy", "details.policy"):
            if holder.reader.raw(path) is not None:
                yield from _public_policy(holder, path)


def _opened(reader: Reader, kind: str) -> Iterator[Found]:
    """Judge the block of an account, which is off unless it is on, and of an access point, which is on."""
    block = reader if kind == ACCOUNT else reader.inside(PLACES[kind])
    for name in BLOCKS:
        if not block.flag(name, default=kind != ACCOUNT):
            yield Finding(block.at(name), "is off; it must be on")


def _public_acl(reader: Reader) -> Iterator[Found]:
    if reader.read("acl") in PUBLIC_ACLS:
        yield Finding("acl", "is public")


def _public_grants(reader: Reader) -> Iterator[Found]:
    """Judge a bucket's own grants, and those of an access control policy beside it."""
    for grant in reader.each("grants"):
        if grant.text("uri").endswith(EVERYBODY):
            yield Finding("grants", "name everybody")
    for grant in reader.inside("accessControlPolicy").each("grants"):
        if grant.text("grantee.uri").endswith(EVERYBODY):
            yield Finding(grant.at("grantee.uri"), "is everybody")


def _public_policy(policy: Resource, path: str) -> Iterator[Found]:
    try:
        for found in each_statement(statements(policy.reader.raw(path), path), _lets_everybody):
            yield located(found, policy.urn)
    except Malformed:
        yield Finding(path, "is no JSON document", policy.urn)


def _lets_everybody(statement: Statement) -> Iterator[Found]:
    if statement.allows and "*" in statement.principals and not statement.bound:
        yield Finding(f"{statement.path}.Principal", "everybody is let in")
