"""The report on a terminal: numbers stand under each other, and a finding is told to its end."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from automation.render import terminal

FINDING = {
    "level": "advisory",
    "rule": "CH-08",
    "urn": "urn:pulumi:dev::p::aws:ec2/vpc:Vpc::net",
    "path": "tags.owner",
    "message": "is missing " + "because of a long reason " * 8 + "To do: name the owner.",
}
POLICY = {
    "judged": True,
    "mandatory": 0,
    "advisory": 1,
    "remediated": 0,
    "evaluated": 9,
    "undetermined": 0,
    "findings": [FINDING],
}
COST = {
    "by_cloud": {"aws": 1234.5, "gcp": 9.25},
    "after": 1243.75,
    "before": 1000.0,
    "oldest_price": "2024-07-01",
    "unpriced": [],
    "by_use": [],
    "approximate": [],
}


def told(**report: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    terminal({"stack": "dev", "header": "OFFLINE", **report}, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_what_was_stands_above_what_will_be_and_numbers_end_alike() -> None:
    lines = [line for line in told(cost_monthly_usd=COST) if line.startswith("│")]
    assert [line.split("│")[1].strip() for line in lines[:4]] == ["aws", "gcp", "before", "after"]
    assert {line.split("│")[2].rstrip()[-3] for line in lines[:4]} == {"."}
    assert len({len(line.split("│")[2].rstrip()) for line in lines}) == 1


def test_what_to_do_about_a_finding_is_not_cut_off() -> None:
    text = "".join(line.split("│")[-2] if line.count("│") > 1 else "" for line in told(policy=POLICY))
    assert "name the owner." in " ".join(text.split())


def test_words_are_read_from_the_left() -> None:
    rows = [("aws", "Cluster", 5), ("azure", "Net", 12)]
    changes = [{"cloud": cloud, "component": part, "op": "create", "count": count} for cloud, part, count in rows]
    (first, second) = (line for line in told(changes=changes) if "create" in line)
    assert first.index("create") == second.index("create")
    assert first.rstrip(" │")[-1] == "5"
    assert first.index("5") == second.index("12") + 1


def test_rules_that_could_not_decide_are_named() -> None:
    pairs = [{"rule": rule, "urn": "urn", "path": "tags"} for rule in ("CH-01", "K8S-NS-03", "K8S-NS-03")]
    lines = told(policy={**POLICY, "findings": [], "undetermined": 3, "undetermined_list": pairs})
    assert "undetermined, by rule: K8S-NS-03 2, CH-01 1 (--json lists each)" in lines
