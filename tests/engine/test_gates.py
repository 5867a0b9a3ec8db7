"""What the gate refuses, and that nothing was changed when it did."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from automation import schemas
from tests.engine.conftest import ROOT, Hands

pytestmark = pytest.mark.engine


def test_above_the_budget(deployed: Hands) -> None:
    things = deployed.things()
    made = deployed.json("up", "--offline", code=4, ECOSYSTEM_TINY_SPEND="15")
    jsonschema.validate(made, schemas.load("preview"))
    assert [refusal["code"] for refusal in made["refusals"]] == ["budget"]
    assert "500.00" in made["refusals"][0]["sentence"]
    assert made["cost_monthly_usd"]["after"] > 500
    assert deployed.things() == things


def test_a_replaced_key_needs_a_broken_glass(deployed: Hands) -> None:
    things = deployed.things()
    made = deployed.json("preview", "--offline", code=4, ECOSYSTEM_TINY_KEY="SIGN_VERIFY")
    assert [refusal["code"] for refusal in made["refusals"]] == ["stateful"]
    assert made["changed"][0]["stateful"]
    made = deployed.json("up", "--offline", code=4, ECOSYSTEM_TINY_KEY="SIGN_VERIFY")
    assert "up_steps" not in made
    assert deployed.things() == things
    deployed.json("preview", "--offline", "--break-glass", "the key was never used", ECOSYSTEM_TINY_KEY="SIGN_VERIFY")


def test_destroy_of_stateful_things_is_refused(deployed: Hands) -> None:
    made = deployed.json("destroy", "--offline", code=4)
    assert made["refusals"][0]["details"] == ["delete urn:pulumi:small::tiny::aws:kms/key:Key::data"]
    assert len(deployed.things()) == 4


def test_an_approved_plan_is_applied_and_a_stale_one_is_refused(deployed: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "approved.json"
    deployed.json("preview", "--offline", "--save-plan", str(plan), ECOSYSTEM_TINY_GROUPS="1")
    made = deployed.json("up", "--offline", "--plan", str(plan), code=4, ECOSYSTEM_TINY_GROUPS="2")
    (refusal,) = made["refusals"]
    assert refusal["code"] == "plan"
    assert refusal["details"] == ["new: create urn:pulumi:small::tiny::aws:ec2/securityGroup:SecurityGroup::group-1"]
    assert len(deployed.things()) == 4, "refused before any change"
    made = deployed.json(
        "up", "--offline", "--plan", str(plan), code=4, ECOSYSTEM_TINY_GROUPS="1", ECOSYSTEM_TINY_WORD="other"
    )
    assert made["refusals"][0]["details"][0].startswith("differs: create"), "the same step with other inputs"
    made = deployed.json("up", "--offline", "--plan", str(plan), ECOSYSTEM_TINY_GROUPS="1")
    assert made["up_steps"] == {"create": 1, "same": 6}


def test_a_wrong_account_is_refused_before_anything_is_made(fresh: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("accounts: {aws: '999999999999'}\n")
    made = fresh.json("up", "--offline", "--faults", str(plan), code=4)
    assert made["error"]["reason"] == "account", made
    assert fresh.things() == []


def test_a_missing_policy_pack_fails_closed(fresh: Hands, tiny_project: Path) -> None:
    fresh.project = tiny_project
    made = fresh.json("preview", "--offline", "--judged", code=1)
    jsonschema.validate(made, schemas.load("error"))
    assert made["error"]["reason"] == "policy-pack"
    assert "policy pack is missing" in made["error"]["sentence"]


PACK = """description: A pack for tests.
runtime: {{name: python, options: {{toolchain: pip, virtualenv: {venv}}}}}
version: 0.1.0
main: .
"""


def _pack(project: Path, program: str) -> None:
    folder = project / "policies"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text(PACK.format(venv=ROOT / ".venv"))
    (folder / "__main__.py").write_text(program)


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "import os; os._exit(9)",
        "def broken(",
        # answers, but judges nothing and counts nothing
        "from pulumi_policy import PolicyPack; PolicyPack('empty', [])",
    ],
)
def test_a_broken_policy_pack_fails_closed(fresh: Hands, tiny_project: Path, program: str) -> None:
    fresh.project = tiny_project
    _pack(tiny_project, program)
    made = fresh.json("preview", "--offline", "--judged", code=1)
    text = json.dumps(made)
    assert "polic" in text
    assert '"mandatory": 0' not in text


def test_a_hanging_policy_pack_is_ended_by_the_watchdog(fresh: Hands, tiny_project: Path) -> None:
    fresh.project = tiny_project
    _pack(tiny_project, "import time; time.sleep(3600)")
    made = fresh.json("preview", "--offline", "--judged", "--patience", "15", code=3)
    assert "policy pack" in " ".join(made["error"]["details"])


FINDS = """
from pulumi_policy import *
import json

def rule(args, report):
    config = args.get_config()
    if args.resource_type == "aws:ec2/vpc:Vpc":
        report("NET-01 cidrBlock: is too wide")
    open(config["counts_file"], "w").write(json.dumps(
        {"evaluated": 7, "undetermined": 1, "undetermined_list": [], "by_rule": {}, "rules": 1}))

kinds = {name: {"type": kind} for name, kind in dict(production="boolean", sandbox="boolean", accounts="object",
    regions="object", owners="array", environment="string", provider_versions="object", counts_file="string",
    commit="string").items()}
PolicyPack("finds", [ResourceValidationPolicy(name="charter-mandatory", description="What must hold.",
    enforcement_level=EnforcementLevel.MANDATORY, config_schema=PolicyConfigSchema(properties=kinds), validate=rule),
    ResourceValidationPolicy(name="charter-remediate", description="What is put right.",
    enforcement_level=EnforcementLevel.ADVISORY, config_schema=PolicyConfigSchema(properties=kinds),
    validate=lambda args, report: None)])
"""


def test_mandatory_findings_refuse_before_any_change(fresh: Hands, tiny_project: Path) -> None:
    fresh.project = tiny_project
    _pack(tiny_project, FINDS)
    made = fresh.json("up", "--offline", "--judged", code=4)
    law = made["policy"]
    assert (law["mandatory"], law["evaluated"], law["undetermined"]) == (1, 7, 1)
    (finding,) = law["findings"]
    assert (finding["rule"], finding["path"], finding["message"]) == ("NET-01", "cidrBlock", "is too wide")
    assert finding["urn"].endswith("::net")
    assert [refusal["code"] for refusal in made["refusals"]] == ["policy"]
    assert fresh.things() == []
