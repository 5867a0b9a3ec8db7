"""The law's numbers in a report."""

from __future__ import annotations

from automation.policy import Verdicts
from automation.report import HELM

AT = "urn:pulumi:prod::cloud-ecosystem::ecosystem:index:Platform$"


def test_findings_about_releases_are_counted_as_findings_about_values() -> None:
    types = ("kubernetes:helm.sh/v3:Release::loki", "kubernetes:helm.sh/v4:Chart::loki", "aws:s3/bucket:Bucket::logs")
    found = Verdicts(judged=True, findings=[{"urn": f"{AT}{typ}"} for typ in types] + [{"urn": ""}])
    assert found.about(HELM) == 2
    assert Verdicts(judged=False).about(HELM) == 0
