"""What the engine shows of a finding: what is there, what to do, where more is said; and how reports read it."""

from __future__ import annotations

from pathlib import Path

import charter.rules  # noqa: F401
import pytest
from charter.rule import RULES

from automation.events import finding_of
from tests.policies.door import Door

PROJECT = Path(__file__).parents[2]


def test_the_engine_is_told_what_to_do_and_where_to_read() -> None:
    (found,) = [each for each in Door().resource("aws:iam/user:User", {}) if each.rule == "AWS-IAM-04"]
    text, _, way_out = found.text.partition("\nTo do: ")
    assert text.startswith("users and their keys are not allowed")
    assert way_out == f"{RULES['AWS-IAM-04'].remediation} See docs/policies/aws.md#aws-iam-04"


def test_reports_keep_the_message_and_leave_the_way_out_to_the_rule() -> None:
    event = {"policyName": "charter-mandatory", "enforcementLevel": "mandatory", "resourceUrn": "u"}
    message = "The integrity charter.\nCH-08 tags.owner: is missing\nTo do: Leave tags. See docs/policies/ch.md#ch-08"
    assert finding_of({**event, "message": message}).record() == {
        "rule": "CH-08", "level": "mandatory", "urn": "u", "path": "tags.owner", "message": "is missing",
    }  # fmt: skip
    assert finding_of({**event, "message": "The law.\nCH-08 tags.owner: is missing"}).message == "is missing"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_link_leads_to_a_section(rule: str) -> None:
    path, _, anchor = RULES[rule].page.partition("#")
    assert f"\n## {anchor.upper()}\n" in (PROJECT / path).read_text("utf-8")
