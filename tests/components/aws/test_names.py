"""Names on AWS at the longest that a stack file allows."""

from __future__ import annotations

import re

from components.aws.names import CACHE_LIMIT, DATABASE_LIMIT, store_name, trial_name


def test_names_of_trials_are_taken_and_told_apart() -> None:
    assert trial_name("prod", "eu-west-1", "orders") == "prod_eu_west_1_orders"
    long = [trial_name("e" * 40, "us-east-1", part) for part in ("restore", "d" * 24, "d" * 23 + "x")]
    assert len(set(long)) == len(long)
    assert all(re.fullmatch(r"\w{1,50}", each) for each in long)


def test_names_of_stores_are_taken_and_told_apart() -> None:
    assert store_name("prod-eu-west-1-orders", DATABASE_LIMIT) == "prod-eu-west-1-orders"
    odd = [
        "e" * 40 + "-us-east-1-" + "d" * 24,
        "e" * 40 + "-us-east-1-" + "d" * 23 + "x",
        "a--b-us-east-1-c",
        "a-b--us-east-1-c",
    ]
    for limit in (CACHE_LIMIT, DATABASE_LIMIT):
        made = [store_name(each, limit) for each in (*odd, "a-b-us-east-1-c")]
        assert len(set(made)) == len(made)
        assert all(re.fullmatch(r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]", each) and len(each) <= limit for each in made)
