"""What each grant comes to: the least, on the one thing that it names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.aws.account import Account
from components.aws.workload_identity import Place, statements
from components.azure.identity import ROLES
from components.azure.workload_identity import Place as AzurePlace
from components.azure.workload_identity import _roles
from components.gcp import workload_identity as google
from components.grants import (
    ChangeNames,
    Grant,
    Holder,
    ReadPrices,
    ReadSecrets,
    ScaleNodes,
    UseBucket,
    UseCache,
    UseDatabase,
)

ACCOUNT = cast(
    "Account",
    SimpleNamespace(
        partition="aws", account_id="123456789012", dns_suffix="amazonaws.com", arn_root="arn:aws:iam::123456789012"
    ),
)
PLACE = Place(cluster="c", physical_name="test-eu-west-1", arn="arn:c", region="eu-west-1", environment="test")
BUCKET = UseBucket(name="copies", resource="arn:aws:s3:::copies")
EVERY: list[Grant] = [
    ReadSecrets(), ReadPrices(), ChangeNames(zone="Z1"), BUCKET, UseDatabase(secret="arn:s"),
    UseCache(resource="arn:c", user="arn:u"), ScaleNodes(),
]  # fmt: skip


def of(*grants: Grant) -> list[dict[str, Any]]:
    return [dict(each) for each in statements(grants, ACCOUNT, PLACE)]


def test_every_grant_is_known_to_every_cloud() -> None:
    assert of(*EVERY)
    azure = AzurePlace(
        name="a", group="g", region="r", subscription="s", issuer="https://i.example.org", vault_id="/vault"
    )
    assert {role for _key, role, _scope in _roles([UseBucket(name="c", resource="/account")], azure)} <= set(ROLES)
    assert set(google.ON_PROJECT.values()) == set(google.ROLES)
    missing = [type(each).__name__ for each in EVERY if type(each) not in google.ON_PROJECT]
    assert missing == ["UseBucket", "ScaleNodes"]


@pytest.mark.parametrize("grant", EVERY, ids=lambda each: type(each).__name__)
def test_nothing_changes_anything_on_everything(grant: Grant) -> None:
    """What is allowed on `*` only looks, or a condition narrows it."""
    for each in of(grant):
        if each["Resource"] == "*" and "Condition" not in each:
            verbs = {action.partition(":")[2] for action in each["Action"]}
            assert all(verb.startswith(("Describe", "Get", "List")) for verb in verbs), each


def test_no_action_is_a_wildcard() -> None:
    assert not [action for each in of(*EVERY) for action in each["Action"] if "*" in action]


def test_reading_a_bucket_writes_nothing() -> None:
    reads = of(UseBucket(name="copies", resource="arn:aws:s3:::copies", read_only=True))
    actions = {action for each in reads for action in each["Action"]}
    assert actions == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}


def test_the_autoscaler_changes_groups_of_its_own_cluster_only() -> None:
    (change,) = [each for each in of(ScaleNodes()) if "autoscaling:SetDesiredCapacity" in each["Action"]]
    assert change["Condition"] == {"StringEquals": {"aws:ResourceTag/kubernetes.io/cluster/test-eu-west-1": "owned"}}


def test_statements_of_one_policy_have_names_of_their_own() -> None:
    twice = of(BUCKET, UseBucket(name="more", resource="arn:aws:s3:::more"), UseDatabase(), UseDatabase())
    names = [each["Sid"] for each in twice]
    assert len(names) == len(set(names))


def test_an_identity_is_named_after_its_account() -> None:
    assert Holder("external-secrets", "external-secrets").key == "external-secrets"
    assert Holder("platform", "worker").key == "platform-worker"
