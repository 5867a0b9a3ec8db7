"""Rules over AWS keys: how long they last, who keeps them and who uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from charter.demands import between, either, named, on, one_of
from charter.documents import Statement
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, Finding, Found, Resource, apart, over_stack, resource_rule
from charter.rules.aws_identity import judged_document
from charter.values import Reader

KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
OTHER_KEYS = (
    "aws:kms/replicaKey:ReplicaKey",
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/replicaExternalKey:ReplicaExternalKey",
)
"""Copies of keys in another region, and keys that were made outside of AWS."""
USES = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey")
ADMINISTERS = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
ASYMMETRIC = (
    *(f"RSA_{bits}" for bits in (2048, 3072, 4096)),
    *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SM2"),
    *("ML_DSA_44", "ML_DSA_65", "ML_DSA_87"),
)
"""Keys that AWS does not renew by itself (docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html, 2026-11)."""
ROOT = re.compile(r"^(arn:[^:]*:iam::\d*:root|\d{12})$")
"""An account as a principal."""
YEAR = 365

RENEWED = (
    either(
        "enableKeyRotation: is off; it must be on",
        on("enableKeyRotation"),
        one_of("keyUsage", ("SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")),
        one_of("customerMasterKeySpec", ASYMMETRIC),
        named("customKeyStoreId", ""),
    ),
    between("rotationPeriodInDays", 90, YEAR, default=YEAR),
)
KEPT = between("deletionWindowInDays", 30, 30, default=30)


@resource_rule(
    "AWS-KMS-01",
    "Keys are renewed, and not deleted in haste.",
    HIGH,
    [KEY, *OTHER_KEYS],
    remediation="Set enable_key_rotation, rotation_period_in_days <= 365 and deletion_window_in_days = 30.",
)
def lasting_key(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A key that is gone takes everything with it that it encrypted; thirty days are the longest AWS gives.

    A copy is renewed with its first key, and what was made outside of AWS, or stands in a store of one's own, there.
    """
    parts = (*RENEWED, KEPT) if resource.type == KEY else (KEPT,)
    yield from apart(*(part(resource.reader, facts) for part in parts))


@resource_rule(
    "AWS-KMS-02",
    "A key names who may use it, and who keeps it does not use it.",
    CRITICAL,
    [KEY, *OTHER_KEYS, KEY_POLICY],
    remediation="Name the principals, or bind `*` by a condition such as kms:CallerAccount; part use from keeping.",
)
def key_policy(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """`*` without a condition opens the key to every account of AWS; no policy gives everything to one's own."""
    reader: Reader = resource.reader
    if reader.raw("policy") is None:
        return  # unless a KeyPolicy stands beside it, the part over the stack tells
    keepers: dict[str, str] = {}
    users: dict[str, str] = {}
    yield from judged_document(resource, "policy", lambda one: _parts(one, keepers, users))
    for who in keepers.keys() & users.keys() - _delegating(keepers, users):
        yield Finding(f"{users[who]}.Principal", "one principal both keeps the key and uses it")


def _delegating(keepers: dict[str, str], users: dict[str, str]) -> set[str]:
    """Return the account itself where others are named to keep and to use: it only leaves to IAM what IAM may give.

    Source: docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html, 2026-11.
    """
    whole = {who for who in keepers.keys() & users.keys() if ROOT.match(who)}
    return whole if keepers.keys() - whole and users.keys() - whole else set()


def _parts(statement: Statement, keepers: dict[str, str], users: dict[str, str]) -> Iterator[Found]:
    if "*" in statement.principals and not statement.bound:
        yield Finding(f"{statement.path}.Principal", "every account of AWS may use the key")
    principals = statement.principals
    keeps = any(statement.may(action) for action in ADMINISTERS)
    uses = any(statement.may(action) for action in USES) and not statement.condition
    for who in principals:
        if keeps:
            keepers.setdefault(who, statement.path)
        if uses:
            users.setdefault(who, statement.path)


@over_stack("AWS-KMS-02")
def has_policy(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Look for the policy of a key that brings none of its own."""
    for key in graph.of(KEY, *OTHER_KEYS):
        if key.reader.raw("policy") is None and not graph.referrers(key, KEY_POLICY, "keyId"):
            told = "is absent: AWS then lets everybody in the account use and delete the key"
            yield Finding("policy", told, key.urn)
