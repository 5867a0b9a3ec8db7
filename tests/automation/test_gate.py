"""How a failed operation is classed by what the engine said."""

from __future__ import annotations

import pytest

from automation import gate
from automation.exits import Exit


@pytest.mark.parametrize(
    ("said", "reason", "code"),
    [
        ("resource 'sizing' has a problem: no plan: aws-eu-west-1: pool_max: at least 7 are needed", "sizing", Exit.REFUSED),
        ("AWS account ID not allowed: 999999999999", "account", Exit.REFUSED),
        ("an update is currently locked by someone", "locked", Exit.FAILED),
        ("ExpiredToken: the security token has expired", "credentials", Exit.REFUSED),
        ("gcp:projects/service:Service resource has a problem: an argument `projekt` is not expected here", "engine", Exit.FAILED),
    ],
)  # fmt: skip
def test_a_failure_is_classed_by_what_was_said(said: str, reason: str, code: Exit) -> None:
    ending = gate.failure("preview", [said])
    assert (ending.reason, ending.code) == (reason, code)
