"""Rules over keys, buckets, secrets and budgets of Google Cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from charter.demands import (
    demand,
    each,
    either,
    inside,
    named,
    none_of,
    on,
    one_of,
    seconds_at_most,
)
from charter.documents import Malformed
from charter.facts import Facts
from charter.grants import Grant, grants
from charter.graph import Graph
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Resource,
    apart,
    located,
    over_stack,
    resource_rule,
    stack_rule,
)
from charter.rules.gcp_constraints import CONSTRAINTS, enforces
from charter.rules.gcp_identity import EVERYBODY, everybody
from charter.values import Reader, Undetermined

KEY = "gcp:kms/cryptoKey:CryptoKey"
RING = "gcp:kms/keyRing:KeyRing"
KEY_MEMBERS = (
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
    "gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy",
)
RING_MEMBERS = (
    "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
    "gcp:kms/keyRingIAMBinding:KeyRingIAMBinding",
    "gcp:kms/keyRingIAMPolicy:KeyRingIAMPolicy",
)
BUCKET = "gcp:storage/bucket:Bucket"
QUARTER_SECONDS = 90 * 86_400
COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
ALWAYS = re.compile(r"^if[\s(]*(true|request\.time\s*<\s*timestamp\.[^;&]*)[\s)]*$")
"""Conditions that everybody meets: none at all, and Firebase's test mode, which ends some day."""


@stack_rule(
    "GCP-KMS-01",
    "Keys are renewed every quarter, and who keeps them does not use them.",
    HIGH,
    [KEY, *KEY_MEMBERS, *RING_MEMBERS],
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
        rings = graph.named(key, "keyRing", RING)
        bindings = [one for kind in KEY_MEMBERS for one in graph.referrers(key, kind, "cryptoKeyId")]
        bindings += [one for ring in rings for kind in RING_MEMBERS for one in graph.referrers(ring, kind, "keyRingId")]
        for binding in bindings:
            for grant in _sure(binding.reader):
                holders.setdefault(grant.member, set()).add(_part(grant.role))
        for parts in holders.values():
            if {"use", "keep"} <= parts:
                yield Finding("", "one member both keeps the key and uses it", key.urn)
    for binding in graph.of(*KEY_MEMBERS, *RING_MEMBERS):
        for found in apart(everybody(binding.reader)):
            yield located(found, binding.urn)


def _sure(reader: Reader) -> list[Grant]:
    """Return the grants that are known; what is not known is left open where everybody is looked for."""
    try:
        return list(grants(reader))
    except (Undetermined, Malformed):
        return []


def _part(role: str) -> str:
    if "rypter" in role:
        return "use"
    return "keep" if role in ("roles/cloudkms.admin", "roles/owner") else "other"


@resource_rule(
    "GCP-STO-01",
    "No bucket is public.",
    CRITICAL,
    [
        BUCKET,
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
        "gcp:storage/managedFolderIamMember:ManagedFolderIamMember",
        "gcp:storage/managedFolderIamBinding:ManagedFolderIamBinding",
        "gcp:storage/managedFolderIamPolicy:ManagedFolderIamPolicy",
        "gcp:storage/bucketAccessControl:BucketAccessControl",
        "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
        "gcp:storage/objectAccessControl:ObjectAccessControl",
        "gcp:storage/bucketACL:BucketACL",
        "gcp:storage/objectACL:ObjectACL",
        "gcp:storage/defaultObjectACL:DefaultObjectACL",
    ],
    remediation="Set public_access_prevention enforced and uniform_bucket_level_access; no allUsers.",
)
def bucket_public(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge the bucket and who is let in; a policy of the organisation, declared here, prevents for each bucket."""
    reader = resource.reader
    if resource.type == BUCKET:
        yield from apart(on("uniformBucketLevelAccess")(reader, facts))
        return
    yield from apart(everybody(reader), _public_entities(reader))


@over_stack("GCP-STO-01")
def prevented(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Look at each bucket for what prevents public access, unless a policy of its project or above does."""
    if any(enforces(each, "storage.publicAccessPrevention") for each in graph.of(*CONSTRAINTS)):
        return
    for bucket in graph.of(BUCKET):
        for found in apart(one_of("publicAccessPrevention", ("enforced",))(bucket.reader, facts)):
            yield located(found, bucket.urn)


def _public_entities(reader: Reader) -> Iterator[Found]:
    """Judge access control lists, the older way: one entity, several with roles, or a list by name."""
    for path, value in (*_given(reader, "entity"), *_given(reader, "roleEntities"), *_given(reader, "roleEntity")):
        if str(value).rpartition(":")[2] in EVERYBODY:
            yield Finding(path, f"{str(value).rpartition(':')[2]} is everybody")
    for name in ("predefinedAcl", "defaultAcl"):
        if reader.text(name).lower().startswith(("public", "authenticatedread")):
            yield Finding(name, "is public")


def _given(reader: Reader, name: str) -> Iterator[tuple[str, Any]]:
    if reader.raw(name) is not None:
        yield from reader.items(name)


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
        none_of("softDeletePolicy.retentionDurationSeconds", (0, "0"))(reader, facts),
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
    ["gcp:secretmanager/secret:Secret", "gcp:secretmanager/regionalSecret:RegionalSecret"],
    "A secret that never changes is known to everybody who ever left.",
    named("rotation", "the rotation"),
    either(
        "replication: no key of one's own",
        named("replication.auto.customerManagedEncryption", ""),
        named("customerManagedEncryption", ""),  # of a secret that stays in one region
        lambda reader, _facts: _replicas(reader),
    ),
    remediation="Set rotation, and customer_managed_encryption in the replication.",
)


def _replicas(reader: Reader) -> Iterator[Found]:
    replicas = list(reader.each("replication.userManaged.replicas"))
    if not replicas or not all(replica.has("customerManagedEncryption") for replica in replicas):
        yield Finding("replication", "no key of one's own")


@stack_rule(
    "GCP-BUD-01",
    "Somebody hears of costs before the month is over.",
    HIGH,
    ["gcp:billing/budget:Budget"],
    remediation="Add threshold_rules for current and forecasted spend, and a channel in all_updates_rule.",
)
def budget(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where budgets are declared, each warns on what is spent and on what will be."""
    for declared in graph.of("gcp:billing/budget:Budget"):
        bases = {rule.text("spendBasis", "CURRENT_SPEND") for rule in declared.reader.each("thresholdRules")}
        for basis in ("CURRENT_SPEND", "FORECASTED_SPEND"):
            if basis not in bases:
                yield Finding("thresholdRules", f"no rule for {basis}", declared.urn)
        updates = declared.reader.inside("allUpdatesRule")
        if not (updates.has("monitoringNotificationChannels") or updates.has("pubsubTopic")):
            yield Finding("allUpdatesRule", "nobody is told", declared.urn)


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
        text = " ".join(COMMENTS.sub(" ", file.text("content")).split())
        for verb in text.split("allow ")[1:]:
            rule = verb.partition(";")[0]
            verbs, found, condition = rule.partition(":")
            writes = any(word in verbs for word in ("write", "create", "update", "delete"))
            if writes and (not found or ALWAYS.match(condition.strip())):
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
    inside("dnssecConfig", each("defaultKeySpecs", none_of("algorithm", ("rsasha1",)))),
    remediation="Set dnssec_config state on.",
)
