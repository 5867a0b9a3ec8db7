"""A Release notes its digests in its description; offline the lock may admit that it could not resolve them."""

from __future__ import annotations

import charter.rules  # noqa: F401

from tests.policies.door import Door

RELEASE = {
    "chart": "falco",
    "version": "4.2.1",
    "repositoryOpts": {"repo": "https://falcosecurity.github.io/charts"},
    "description": "chart unresolved, rendered unresolved",
}


def test_an_unresolved_digest_is_open_offline_and_a_finding_elsewhere() -> None:
    kind = "kubernetes:helm.sh/v3:Release"
    offline, real = Door({"sandbox": True}), Door({"sandbox": False})
    assert "K8S-HLM-01" not in {each.rule for each in offline.resource(kind, RELEASE)}
    assert offline.open_pairs("K8S-HLM-01")
    assert {each.path for each in real.resource(kind, RELEASE) if each.rule == "K8S-HLM-01"} == {
        "verify",
        "description",
    }
