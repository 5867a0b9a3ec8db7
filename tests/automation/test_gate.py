"""How a failed operation is classed by what the engine said."""

from __future__ import annotations

import pytest

from automation import gate
from automation.events import Step
from automation.exits import Exit


@pytest.mark.parametrize(("old", "new", "refused"), [("1.34", "1.35", 0), ("1.34", "1.36", 1), ("1.35", "1.34", 1)])
def test_kubernetes_goes_up_one_minor_at_a_time(old: str, new: str, refused: int) -> None:
    for kind, key in gate.CLUSTER_VERSION.items():
        step = Step(
            op="update", urn="urn::c", type=kind, provider="", old={key: old}, new={key: new}, old_outputs={},
            new_outputs={}, id="c", parent="", custom=True, protect=False, retain=False, diff={}, keys=(),
        )  # fmt: skip
        assert len(gate.upgrades([step])) == refused


@pytest.mark.parametrize(
    ("said", "reason", "code"),
    [
        ("sizing: no plan: aws-eu-west-1: pool_max: at least 7 are needed", "sizing", Exit.REFUSED),
        ("AWS account ID not allowed: 999999999999", "account", Exit.REFUSED),
        ("SubscriptionNotFound: The subscription 'x' could not be found.", "account", Exit.REFUSED),
        ("stack.clouds.gcp.project is one, but these credentials lead to other", "account", Exit.REFUSED),
        ("clouds.gcp.project_number: p has the number 123456, the stack file says 654321", "account", Exit.REFUSED),
        ("an update is currently locked by someone", "locked", Exit.FAILED),
        ("ExpiredToken: the security token has expired", "credentials", Exit.REFUSED),
        ("project `projekt` is not expected here", "engine", Exit.FAILED),
    ],
)  # fmt: skip
def test_a_failure_is_classed_by_what_was_said(said: str, reason: str, code: Exit) -> None:
    ending = gate.failure("preview", [said])
    assert (ending.reason, ending.code) == (reason, code)
