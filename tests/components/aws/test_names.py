"""Names on AWS at the longest that a stack file allows."""

from __future__ import annotations

import re

from components.aws.names import trial_name


def test_names_of_trials_are_taken_and_told_apart() -> None:
    assert trial_name("prod", "eu-west-1", "orders") == "prod_eu_west_1_orders"
    long = [trial_name("e" * 40, "us-east-1", part) for part in ("restore", "d" * 24, "d" * 23 + "x")]
    assert len(set(long)) == len(long)
    assert all(re.fullmatch(r"\w{1,50}", each) for each in long)
