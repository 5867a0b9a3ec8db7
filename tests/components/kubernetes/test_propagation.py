"""Policies for Karmada: they fit its definitions, say what the stack file says, and a real API server takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from typer.testing import CliRunner

from automation.cli import app
from automation.pipeline import commands
from components.kubernetes.propagation import manifests, objects
from stacks.services.propagation import Propagated, divided
from tests.components.kubernetes.services.built import SHARED, needs_shared, tool
from tests.components.kubernetes.services.planted import plant

assert commands
PROJECT = Path(__file__).parents[3]
FILE = PROJECT / "tests/stackfiles/happy.services-propagation.yaml"
BOTH = ("aws-eu-west-1", "gcp-europe-west1")
WISHES = {
    "by-room": {"clusters": BOTH},
    "by-share": {"clusters": BOTH, "shares": {BOTH[0]: 3, BOTH[1]: 1}},
    "copied": {"clusters": BOTH, "replicas": "copied", "registries": {BOTH[1]: "europe-docker.pkg.dev"}},
    "apart": {"clusters": BOTH, "apart": "region", "moved_after_seconds": 60},
}
MISTAKES: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("by-room", ("spec", "resourceSelectors"), None),
    ("by-room", ("spec", "resourceSelectors", 0, "kind"), None),
    ("by-room", ("spec", "conflictResolution"), "Win"),
    ("by-room", ("spec", "placement", "replicaScheduling", "replicaSchedulingType"), "Shared"),
    ("by-share", ("spec", "placement", "replicaScheduling", "weightPreference", "staticWeightList", 0, "weight"), "1"),
    ("by-share", ("spec", "placement", "clusterAffinity", "clusterNames"), "aws-eu-west-1"),
    ("apart", ("spec", "placement", "spreadConstraints", 0, "spreadByField"), "continent"),
    ("apart", ("spec", "failover", "cluster", "purgeMode"), "Later"),
]


def wish(name: str) -> Propagated:
    return Propagated.model_validate_json(json.dumps({"namespace": "platform", **WISHES[name]}))


def spec(name: str) -> dict[str, Any]:
    found: dict[str, Any] = objects("gateway", wish(name))[0]["spec"]
    return found


@needs_shared
def test_policies_fit_the_definitions_and_mistakes_do_not() -> None:
    documents = [each for name in WISHES for each in objects(name, wish(name))]
    assert [each["kind"] for each in documents].count("OverridePolicy") == 1
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), documents)
    for each in documents:
        assert list(catalogue.check(each)) == [], each["metadata"]["name"]
    for name, path, wrong in MISTAKES:
        made = json.loads(json.dumps(objects(name, wish(name))[0]))
        plant(made, path, wrong)
        assert list(catalogue.check(made)), path


def test_replicas_are_divided_by_share_by_room_or_copied() -> None:
    scheduling = {name: spec(name)["placement"]["replicaScheduling"] for name in WISHES}
    assert scheduling["copied"] == {"replicaSchedulingType": "Duplicated"}
    assert scheduling["by-room"]["weightPreference"] == {"dynamicWeight": "AvailableReplicas"}
    weights = scheduling["by-share"]["weightPreference"]["staticWeightList"]
    assert {each["targetCluster"]["clusterNames"][0]: each["weight"] for each in weights} == {BOTH[0]: 3, BOTH[1]: 1}
    assert "spreadConstraints" not in spec("by-share")["placement"]
    fields = [each["spreadByField"] for each in spec("apart")["placement"]["spreadConstraints"]]
    assert fields == ["region", "cluster"]  # Karmada refuses the first without the second


def test_a_cluster_that_is_gone_is_waited_for_as_long_as_it_says() -> None:
    held = spec("apart")["placement"]["clusterTolerations"]
    assert {each["key"].rpartition("/")[2]: each["tolerationSeconds"] for each in held} == {
        "not-ready": 60,
        "unreachable": 60,
    }
    assert spec("apart")["failover"] == {"cluster": {"purgeMode": "Gracefully"}}


def test_another_registry_is_of_one_cluster_only() -> None:
    (rule,) = objects("gateway", wish("copied"))[1]["spec"]["overrideRules"]
    assert rule["targetCluster"] == {"clusterNames": [BOTH[1]]}
    (change,) = rule["overriders"]["imageOverrider"]
    assert change == {"component": "Registry", "operator": "replace", "value": "europe-docker.pkg.dev"}


@given(some.integers(0, 500), some.dictionaries(some.text("abc", min_size=1), some.integers(1, 100), max_size=6))
def test_division_loses_nothing_and_is_never_far_from_the_share(replicas: int, shares: dict[str, int]) -> None:
    given_out = divided(replicas, shares)
    assert sum(given_out.values()) == (replicas if shares else 0)
    for name, pods in given_out.items():
        assert 0 <= pods - replicas * shares[name] // sum(shares.values()) <= 1


def test_division_of_known_cases() -> None:
    assert divided(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert divided(5, {"a": 1, "b": 3}) == {"b": 4, "a": 1}
    assert divided(2, {"a": 9, "b": 1}) == {"a": 2, "b": 0}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    home = tmp_path / "project"
    home.mkdir()
    (home / "Pulumi.dev.yaml").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    text = (PROJECT / "Pulumi.yaml").read_text(encoding="utf-8")
    (home / "Pulumi.yaml").write_text(f"{text}main: {PROJECT}\n", encoding="utf-8")
    return home


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["propagation", "dev", *words])
    return done.exit_code, done.stderr


def test_the_folder_says_what_the_stack_file_says(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "karmada"
    words = ("--out", str(out), "--project", str(project))
    assert run(*words, "--check")[0] == 5
    assert run(*words)[0] == 0
    assert sorted(each.name for each in out.iterdir()) == ["gateway.yaml", "worker.yaml"]
    kinds = [each["kind"] for each in yaml.safe_load_all((out / "gateway.yaml").read_text(encoding="utf-8"))]
    assert kinds == ["PropagationPolicy", "OverridePolicy"]
    before = {each.name: each.read_bytes() for each in out.iterdir()}
    assert run(*words) == (0, "2 workloads, 0 files written, 0 removed\n")
    assert run(*words, "--check")[0] == 0
    assert {each.name: each.read_bytes() for each in out.iterdir()} == before

    (out / "old.yaml").write_bytes(before["worker.yaml"])
    (out / "mine.yaml").write_text("kind: ConfigMap\n", encoding="utf-8")
    assert run(*words)[1].startswith("2 workloads, 0 files written, 1 removed")
    assert sorted(each.name for each in out.iterdir()) == ["gateway.yaml", "mine.yaml", "worker.yaml"]

    (out / "worker.yaml").write_text("kind: Deployment\n", encoding="utf-8")
    code, said = run(*words)
    assert (code, "are not ours" in said) == (4, True)
    assert (out / "worker.yaml").read_text(encoding="utf-8") == "kind: Deployment\n"


def test_a_stack_without_propagation_is_wrong_input(project: Path, tmp_path: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    start, end = text.index("    services:"), text.index("    prices:")
    file.write_text(text[:start] + text[end:], encoding="utf-8")
    code, said = run("--out", str(tmp_path / "out"), "--project", str(project))
    assert (code, "hands nothing to Karmada" in said) == (2, True)
    assert not (tmp_path / "out").exists()


def test_the_same_wish_makes_the_same_bytes() -> None:
    made = {name: wish(name) for name in WISHES}
    assert manifests(made) == manifests(dict(reversed(list(made.items()))))
