"""The door to clusters: what the API server and Gatekeeper find is what the pack finds, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from charter.admission.render import DOORS, EXEMPT, WANTED, beyond, rendered
from charter.facts import read_facts
from charter.rule import RULES

from tests.policies import pod_security
from tests.policies.cluster_corpus import Sample, completed, ours, samples
from tests.policies.cluster_verdicts import Admission, gator
from toolchain.gator import recipe

PROJECT = Path(__file__).parents[2]
FOLDER = Path(__file__).parents[2] / "config/admission"
FACTS = read_facts({})
STANDARD = {f"K8S-POD-0{number}" for number in range(1, 8)}
IMPOSSIBLE = (
    "must be greater than or equal to `minReplicas`",
    "must specify a peer",
    "must contain at least one letter",
    "ephemeral containers not allowed in pod template",
    "cannot be set for a windows pod",
)
"""What an API server itself refuses before it asks any policy: such an object cannot exist in a cluster."""


@pytest.fixture(scope="module")
def admission() -> Iterator[Admission]:
    with Admission(FACTS) as server:
        yield server


@pytest.mark.cluster
def test_the_api_server_finds_what_we_find(admission: Admission) -> None:
    assert admission.type_warnings() == []
    differing, refused = {}, {}
    for sample in samples():
        answer = admission.verdict(sample)
        if answer.status >= 400:
            refused[sample.label] = answer.said
        elif answer.rules != ours(sample, FACTS):
            differing[sample.label] = sorted(answer.rules ^ ours(sample, FACTS))
    assert differing == {}
    assert [label for label, said in refused.items() if not any(known in said for known in IMPOSSIBLE)] == []
    assert len(refused) < 10


@pytest.mark.cluster
def test_the_standard_itself_and_we_judge_its_pods_alike(admission: Admission) -> None:
    """The API server's own Pod Security admission checks the labels of our corpus; then our rules meet them."""
    for each in pod_security.corpus():
        sample = Sample(each.label, each.document)
        found = STANDARD & ours(sample, FACTS)
        assert bool(found) != each.good, (each.label, found)
        if each.document["kind"] in {"ReplicationController", "PodTemplate"}:
            continue  # asked like the others, and warned of by their pods only
        answer = admission.verdict(Sample(each.label, completed(each.document)))
        assert answer.status < 400, (each.label, answer.said)
        assert answer.standard != each.good, each.label


@pytest.mark.cluster
def test_what_is_written_is_in_force_outside_of_the_clusters_own_namespaces(admission: Admission) -> None:
    admission.plane.kubectl("delete", "validatingadmissionpolicybindings", "--all")
    admission.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(FOLDER / "cel.yaml"))
    pod = yaml.safe_load(json.dumps(next(one.document for one in pod_security.corpus() if one.good)))
    pod["spec"]["hostPID"] = True
    answer = admission.refusal(pod, "K8S-POD-02")
    assert "No pod shares the node's processes" in answer.said
    assert answer.status == 403
    pod["metadata"]["namespace"] = "kube-system"
    assert admission.ask(Sample("system", pod)).status == 201


@pytest.mark.cluster
@pytest.mark.skipif(recipe().program("gator") is None, reason="gator is not built: run `python -m toolchain.gator`")
def test_gatekeeper_finds_what_we_find() -> None:
    corpus = samples()
    verdicts = zip(corpus, gator(corpus, FACTS), strict=True)
    assert {one.label: sorted(told ^ ours(one, FACTS)) for one, told in verdicts if told != ours(one, FACTS)} == {}


@pytest.mark.cluster
@pytest.mark.skipif(recipe().program("gator") is None, reason="gator is not built: run `python -m toolchain.gator`")
def test_facts_of_a_stack_reach_the_clusters_door() -> None:
    facts = read_facts({"registries": ["registry.example.net"]})
    pod = next(one.document for one in pod_security.corpus() if one.good)
    (told,) = gator([Sample("pod", pod)], facts)
    assert "CH-01" in told
    assert told == ours(Sample("pod", pod), facts)


@pytest.mark.parametrize("door", DOORS)
def test_what_is_checked_in_is_what_the_rules_say_now(door: str) -> None:
    written = (FOLDER / f"{door}.yaml").read_text("utf-8")
    assert written == rendered(door, FACTS), "run `make admission`"


def test_every_rule_over_objects_is_at_the_door_or_says_why_not() -> None:
    whole = {wanted.rule for wanted in WANTED if not wanted.beside}
    for rule in RULES.values():
        if rule.id.startswith("K8S-"):
            assert (rule.id in whole) != (rule.id in beyond()), rule.id
    assert all(reason for reason in beyond().values())
    assert not [wanted.rule for wanted in WANTED if bool(wanted.beside) != bool(wanted.covers)]


def test_only_advice_lets_through() -> None:
    for each in yaml.safe_load_all(rendered("cel", FACTS)):
        if not each["kind"].endswith("Binding"):
            assert each["spec"]["failurePolicy"] == "Fail"
            continue
        severity = RULES[each["spec"]["policyName"].removeprefix("charter-").upper()].severity
        assert ("Deny" in each["spec"]["validationActions"]) == (severity.level == "mandatory")
        (told,) = each["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert tuple(told["values"]) == EXEMPT


def test_the_command_writes_it(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"registries": ["registry.example.net"]}))
    command = [sys.executable, "-m", "automation", "law", "render", "--door", "cel", "--out", str(tmp_path / "new")]
    done = subprocess.run([*command, "--config", str(facts)], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "cel.yaml").read_text() == rendered("cel", read_facts(json.loads(facts.read_text())))
    facts.write_text(json.dumps({"registry": 1}))
    done = subprocess.run([*command, "--config", str(facts)], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "registry" in done.stderr
