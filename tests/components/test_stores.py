"""Stores come and go alone: what one brings goes with it, and what others have stays as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.runtime import settings

from components.platform import Platform
from stacks.model import Stack
from tests.components.mock_cloud import COMPUTED, Cloud, Computed, attach
from tests.inventory.test_inventory import SIZING, answers, planned
from tests.stacks.corpus import FILES

ORDERS = {"engine": "postgres", "users": ["platform/gateway"]}
CARTS = {"engine": "redis", "users": ["platform/gateway", "platform/worker"]}


def stack_with(data: dict[str, Any]) -> Stack:
    """The plain stack file of AWS alone, with some stores."""
    from stacks.load import read_file  # noqa: PLC0415 - once per test

    plain = json.loads(read_file(FILES / "happy.aws-only.yaml").model_dump_json(exclude_none=True))
    return Stack.model_validate_json(json.dumps({**plain, "data": data, "sizing": {"quality": "fast"}}))


def made(data: dict[str, Any]) -> dict[str, str]:
    """Type and inputs of all resources, by type and name."""
    stack = stack_with(data)
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned}
    computed["aws:rds/instance:Instance"] = {"address": "a.example.org", "masterUserSecrets": [{"secretArn": "arn:s"}]}
    computed["aws:elasticache/replicationGroup:ReplicationGroup"] = {"primaryEndpointAddress": "c.example.org"}
    computed["aws:kms/key:Key"] = {"keyId": "0123456789abcdef"}
    cloud = attach(Cloud(answers=answers(stack), computed=computed), "test")
    cloud.build(lambda: Platform("platform", stack).export())
    settings.reset_options()
    return {f"{each.typ} {each.name}": json.dumps(each.inputs, sort_keys=True, default=str) for each in cloud.asked}


@pytest.fixture(scope="module")
def all_of_them() -> dict[str, dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        return {
            "none": made({}),
            "orders": made({"orders": ORDERS}),
            "both": made({"orders": ORDERS, "carts": CARTS}),
        }


def test_a_store_that_goes_takes_what_it_brought_and_nothing_else(all_of_them: dict[str, dict[str, str]]) -> None:
    orders, both = all_of_them["orders"], all_of_them["both"]
    gone = set(both) - set(orders)
    assert gone
    assert not set(orders) - set(both)
    assert all("-data-carts" in name or "platform-worker" in name for name in gone)


def test_what_others_have_does_not_change(all_of_them: dict[str, dict[str, str]]) -> None:
    orders, both = all_of_them["orders"], all_of_them["both"]
    changed = {name for name in orders if orders[name] != both[name] and "Sizing" not in name}
    rights = {name for name in changed if "rolePolicy" in name and "platform-gateway" in name}
    assert changed == rights  # one identity, with rights on both
    assert len(rights) == 1


def test_without_stores_nothing_of_them_is_there(all_of_them: dict[str, dict[str, str]]) -> None:
    words = ("-data", "rds/", "elasticache/", "backup/", "-backups")
    assert not [name for name in all_of_them["none"] if any(word in name for word in words)]
