"""The README is true: every command in it is run here, or by the test that is named beside it."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from automation.exits import Exit
from tests.loop.conftest import ROOT, CommandLine

TEXT = (ROOT / "README.md").read_text()

ELSEWHERE = {
    "make preview": "its recipe is `python -m automation preview dev --offline`, run below",
    "make test": "this very run",
    "make install engine": "every engine test stands on it",
    "python -m automation rehearse prod": "tests/loop/test_rehearse.py",
    "pulumi login s3://your-state-bucket": "needs an account; tests/loop/test_plain.py uses a file backend",
    "pulumi stack init prod": "tests/loop/test_plain.py, with another name",
    "pulumi preview -s prod --policy-pack policies": "tests/loop/test_plain.py, with another name",
    "pulumi up -s dev": "tests/loop/test_plain.py, with another name",
    "python -m automation report dev --out report": "tests/automation/pullrequest",
    "python -m automation off-hours STACK": "tests/automation/test_off_hours.py",
    "python -m automation verify-integrity": "tests/automation/integrity",
    "python -m automation size prod --rounds 5 --every 300": "tests/sizing/test_rounds.py, with fewer",
    "python -m automation lock [CHART...]": "tests/automation/test_lock.py",
    "python -m automation images update FOLDER": "tests/automation/images",
    "python -m automation manifests TARGET --crds DIR": "tests/components/kubernetes/test_definitions.py",
    "make story": "tests/automation/story",
    "python -m automation answer dev adopt --urn NAME": "tests/automation/answers",
    "python -m automation deploy prod --key FILE": "tests/automation/pipeline/test_deploy.py",
    "python -m automation guard look build/records": "tests/automation/guard/test_commands.py",
    "python -m automation law FILE": "tests/policies/test_command.py",
    "python -m automation release sbom": "tests/automation/release",
    "python -m automation console": "tests/automation/console",
    "python -m automation sandbox serve": "tests/sandbox/test_serving.py",
    "python -m automation sandbox serve --state .sandbox &": "tests/sandbox/test_serving.py",
    "pulumi config set --secret NAME": "the engine's own",
    "aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com": "needs an account",
}
HERE = (
    "python -m automation preview dev",
    "python -m automation up dev",
    "python -m automation demand dev --file demand/surge.csv",
    "python -m automation drift dev",
    "python -m automation doctor prod",
    "python -m automation size dev",
    "python -m automation explain clusters.pools",
)
STARTS = ("make ", "python -m ", "pulumi ", "aws ", "gcloud ", "az ")


def commands() -> set[str]:
    """Every command of the README: lines of its shell blocks, and code in backticks that starts like one."""
    found: set[str] = set()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL):
        found |= {line.split("  ")[0].split(" #")[0].strip() for line in block.splitlines()}
    found |= set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)))
    return {each for each in found if each.startswith(STARTS)}


def test_every_command_is_run_by_a_test() -> None:
    spoken_of = {"pulumi stack init", "pulumi config set", "python -m automation", "python -m automation --offline"}
    assert commands() - spoken_of == {*ELSEWHERE, *HERE}


def test_the_tests_that_are_named_are_there() -> None:
    named = {word.rstrip(",") for told in ELSEWHERE.values() for word in told.split() if word.startswith("tests/")}
    assert named
    assert not [each for each in named if not (ROOT / each).exists()]


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("command", HERE)
def test_a_command_of_the_readme_works(command: str, hands: CommandLine) -> None:
    words = shlex.split(command)[3:]
    offline = [] if words[0] in {"explain", "doctor", "size"} else ["--offline"]
    ran = hands.run(*words, *offline)
    allowed = {0, 1} if words[0] == "doctor" else {0}  # the doctor of a machine without accounts finds something
    assert ran.returncode in allowed, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"


def test_the_exit_codes_are_the_table_of_the_readme() -> None:
    rows = re.findall(r"^\| (\d) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [int(code) for code, _ in rows] == [each.value for each in Exit]


def test_make_knows_the_targets_of_the_readme() -> None:
    targets = {target for line in re.findall(r"make ([a-z -]+)", TEXT) for target in line.split()}
    for target in targets & {"preview", "test", "install", "engine"}:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if "://" not in link:
            assert Path(ROOT / link).exists(), link
