"""Rules of the law at the door of clusters: the files are what the law says today, read strictly, and they act."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kubernetes.kyverno import identity
from stacks.services import rendered
from stacks.services.guarding import Signer
from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL, KYVERNO, build, objects
from tests.components.mock_cloud import Cloud

TEMPLATE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "one"},
    "spec": {"crd": {"spec": {"names": {"kind": "One"}}}, "targets": []},
}
CONSTRAINT = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "One", "metadata": {"name": "one"}, "spec": {}}


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ([], "holds no rule"),
        (["text"], "is no object of Kubernetes"),
        ([{**CONSTRAINT, "kind": "Two"}, TEMPLATE], "stands on Two, which is not there"),
        (
            [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}],
            "only ConstraintTemplates and constraints",
        ),
        ([{**TEMPLATE, "metadata": {}}], "without a name"),
    ],
)
def test_what_is_no_rule_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, documents: list[Any], said: str
) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    monkeypatch.setattr(rendered, "PROJECT", tmp_path)
    rendered.read.cache_clear()
    with pytest.raises(ValueError, match=said):
        rendered.read("gatekeeper", "rules.yaml")
    rendered.read.cache_clear()


@pytest.mark.parametrize(("file", "said"), [("none.yaml", "does not exist"), ("../out.yaml", "outside the project")])
def test_a_file_elsewhere_is_refused(file: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rendered.read("gatekeeper", file)


@pytest.mark.parametrize("action", ["deny", "warn", "dryrun"])
def test_every_rule_acts_as_the_stack_file_says_and_not_on_the_platform_itself(cloud: Cloud, action: str) -> None:
    build(cloud, {**ALL, "gatekeeper": {"action": action}})
    rules = rendered.read("gatekeeper", rendered.FILES["gatekeeper"])
    found = [each for each in objects(cloud) if str(each["apiVersion"]).startswith(rendered.CONSTRAINTS)]
    templates = objects(cloud, "ConstraintTemplate")
    assert len(found) + len(templates) == len(rules)
    assert {each["spec"]["crd"]["spec"]["names"]["kind"] for each in templates} == {each["kind"] for each in found}
    ours = {TABLE[name].namespace for name in ALL}
    milder = ["dryrun", "warn", "deny"]
    told = {each["kind"]: each["spec"]["enforcementAction"] for each in rules if each["kind"] != "ConstraintTemplate"}
    assert set(told.values()) == {"warn", "deny"}
    for each in found:
        wanted = min(action, told[each["kind"]], key=milder.index)
        assert each["spec"]["enforcementAction"] == wanted, each["kind"]
        assert ours | {"kube-system"} <= set(each["spec"]["match"]["excludedNamespaces"])
        assert "platform" not in each["spec"]["match"]["excludedNamespaces"]


def test_policies_of_the_api_server_are_bound_outside_the_platform(cloud: Cloud) -> None:
    build(cloud, KYVERNO)
    bindings = objects(cloud, "ValidatingAdmissionPolicyBinding")
    rules = rendered.read("kyverno", rendered.FILES["kyverno"])
    told = {each["metadata"]["name"]: each["spec"].get("validationActions") for each in rules}
    assert {each["spec"]["policyName"] for each in bindings} == {
        each["metadata"]["name"] for each in objects(cloud, "ValidatingAdmissionPolicy")
    }
    for each in bindings:
        (outside,) = each["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert outside["operator"] == "NotIn"
        assert {"kyverno", "kube-system", "monitoring"} <= set(outside["values"])
        assert each["spec"]["validationActions"] == told[each["metadata"]["name"]]


def test_every_container_of_a_signed_image_is_judged(cloud: Cloud) -> None:
    build(cloud, KYVERNO)
    (policy,) = objects(cloud, "ImageValidatingPolicy")
    spec = policy["spec"]
    assert {each["expression"].split(".")[1] for each in spec["validations"]} == {
        "containers",
        "initContainers",
        "ephemeralContainers",
    }
    assert (spec["failurePolicy"], spec["validationActions"]) == ("Fail", ["Deny"])
    assert spec["validationConfigurations"] == {"mutateDigest": True, "required": True, "verifyDigest": True}
    (who,) = spec["attestors"][0]["cosign"]["keyless"]["identities"]
    assert who["subjectRegExp"] == r"^https://github\.com/example/.*$"
    assert who["issuer"] == "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("subject", "field", "value"),
    [
        ("a@example.org", "subject", "a@example.org"),
        ("https://github.com/example/*", "subject_reg_exp", r"^https://github\.com/example/.*$"),
        ("*", "subject_reg_exp", "^.*$"),
    ],
)
def test_an_identity_is_whole(subject: str, field: str, value: str) -> None:
    made = {"images": ["ghcr.io/example/*"], "issuer": "https://token.example.org", "subject": subject}
    found = identity(Signer.model_validate_json(json.dumps(made)))
    assert getattr(found, field) == value
