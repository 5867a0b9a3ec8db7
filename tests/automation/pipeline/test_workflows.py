"""Which trigger starts which job, by our model and by the forge's own file; and what every workflow has to have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from expression import evaluate

from automation.exits import Ending, Exit
from automation.pipeline import files, gitlab, pins, ruleset
from automation.pipeline.catalogue import PIPELINES
from automation.pipeline.model import Trigger
from toolchain.actionlint import recipe

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

BUILD = ("primary-llm-check", "static-analysis", "tests", "images", "sizing")
STAGE = (*BUILD, "staging", "chaos-load")
ALL = (*STAGE, "production", "verify")
TABLE: list[tuple[str, Trigger, tuple[str, ...]]] = [
    ("ultimate-pipeline", Trigger("push"), ALL),
    ("ultimate-pipeline", Trigger("push", branch="develop"), ()),
    ("ultimate-pipeline", Trigger("pull_request"), BUILD),
    ("ultimate-pipeline", Trigger("pull_request", fork=True), BUILD),
    ("ultimate-pipeline", Trigger("pull_request", branch="staging"), ()),
    ("ultimate-pipeline", Trigger("pull_request", action="closed"), ()),
    ("ultimate-pipeline", Trigger("workflow_dispatch", environment="dev"), BUILD),
    ("ultimate-pipeline", Trigger("workflow_dispatch", environment="staging"), STAGE),
    ("ultimate-pipeline", Trigger("workflow_dispatch", environment="prod"), ALL),
    ("ultimate-pipeline", Trigger("workflow_dispatch", branch="x'; rm -rf /", environment="prod"), ALL),
    ("ultimate-pipeline", Trigger("schedule"), ()),
    ("cloud-ecosystem-pipeline", Trigger("push", branch="develop"), ("plan", "apply")),
    ("cloud-ecosystem-pipeline", Trigger("push", branch="staging"), ("plan", "apply")),
    ("cloud-ecosystem-pipeline", Trigger("push", branch="main"), ()),
    ("cloud-ecosystem-pipeline", Trigger("workflow_dispatch", environment="prod"), ("plan", "apply")),
    ("cloud-ecosystem-pipeline", Trigger("pull_request"), ()),
    ("preview", Trigger("pull_request", action="opened"), ("offline", "comment", "environment")),
    ("preview", Trigger("pull_request", action="synchronize"), ("offline", "comment", "environment")),
    ("preview", Trigger("pull_request", action="opened", fork=True), ("offline",)),
    ("preview", Trigger("pull_request", action="closed"), ("remove",)),
    ("preview", Trigger("pull_request", action="closed", fork=True), ()),
    ("preview", Trigger("pull_request", action="labeled"), ()),
    ("preview", Trigger("push"), ()),
    ("integrity-check", Trigger("push"), ("integrity",)),
    ("integrity-check", Trigger("pull_request", fork=True), ("integrity",)),
    ("integrity-check", Trigger("schedule"), ("integrity",)),
    ("drift", Trigger("schedule"), ("drift", "expire")),
    ("drift", Trigger("workflow_dispatch", environment="prod"), ("drift", "expire")),
    ("drift", Trigger("push"), ()),
    ("image-updates", Trigger("schedule"), ("propose",)),
    ("image-updates", Trigger("workflow_dispatch"), ("propose",)),
    ("image-updates", Trigger("pull_request", fork=True), ()),
    ("image-updates", Trigger("push"), ()),
]


def by_the_file(name: str, trigger: Trigger) -> tuple[str, ...]:
    """What the forge would start, read from the workflow file alone."""
    document = yaml.load((ROOT / f".github/workflows/{name}.yml").read_text(), Loader=yaml.BaseLoader)
    on = document["on"]
    given = on.get(trigger.event)
    if given is None:
        return ()
    if trigger.event in {"push", "pull_request"} and trigger.branch not in given["branches"]:
        return ()
    if trigger.event == "pull_request":
        types = given.get("types", ["opened", "synchronize", "reopened"])
        if (trigger.action or "opened") not in types:
            return ()
    context = {
        "github.event_name": trigger.event,
        "github.ref_name": trigger.branch,
        "github.repository": "us/it",
        "github.event.pull_request.head.repo.full_name": "them/it" if trigger.fork else "us/it",
        "github.event.action": trigger.action or "opened",
        "inputs.environment": trigger.environment,
    }
    started: list[str] = []
    for key, job in document["jobs"].items():
        if all(need in started for need in job.get("needs", ())) and evaluate(job.get("if", "'yes'"), context):
            started.append(key)
    return tuple(started)


@pytest.mark.parametrize(("name", "trigger", "jobs"), TABLE)
def test_truth_table(name: str, trigger: Trigger, jobs: tuple[str, ...]) -> None:
    assert PIPELINES[name].chosen(trigger) == jobs
    assert by_the_file(name, trigger) == jobs


def test_nine_stages_in_their_order() -> None:
    assert tuple(stage.key for stage in PIPELINES["ultimate-pipeline"].stages) == ALL


def test_files_are_of_the_definition() -> None:
    assert files.problems(ROOT) == []
    assert {path.stem for path in WORKFLOWS} == set(PIPELINES)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow(path: Path) -> None:
    text = path.read_text()
    document: dict[Any, Any] = yaml.safe_load(text)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["cancel-in-progress"] is False
    assert "pull_request_target" not in text
    assert "secrets." not in text  # OIDC only: there is no secret to name
    for key, job in document["jobs"].items():
        stage = PIPELINES[path.stem].stage(key)
        allowed = {"contents": "read"}
        if stage.identity:
            allowed["id-token"] = "write"
        if stage.proposes:
            allowed |= {"contents": "write", "pull-requests": "write"}
        elif stage.comments:
            allowed["pull-requests"] = "write"
        elif stage.asks:
            allowed["pull-requests"] = "read"
        assert job["permissions"] == allowed
        assert job["timeout-minutes"] <= 120
        if stage.lock:
            assert job["concurrency"]["cancel-in-progress"] is False
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "outside text never stands in a command"
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
        (line,) = [step["run"] for step in job["steps"] if step.get("id") == "stage"]
        assert ("--real" in line) == stage.identity  # without it, what needs credentials would only be left out
        assert any("--require-hashes" in step.get("run", "") for step in job["steps"])


def test_jobs_of_forks_have_no_identity() -> None:
    for pipeline in PIPELINES.values():
        for key in pipeline.chosen(Trigger("pull_request", fork=True, action="opened")):
            stage = pipeline.stage(key)
            assert not stage.identity
            assert not stage.comments
            assert not stage.proposes
            assert not stage.environment


def test_actionlint() -> None:
    program = recipe().program("actionlint")
    if program is None:
        pytest.skip("actionlint is not built: python -m toolchain.actionlint")
    ran = subprocess.run([program, "-no-color"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_zizmor() -> None:
    program = Path(sys.executable).parent / "zizmor"
    ran = subprocess.run(
        [program, "--offline", "--quiet", "--pedantic", ".github/workflows"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_linters_find_what_is_wrong(tmp_path: Path) -> None:
    """A linter that says nothing to a bad workflow would prove nothing."""
    bad = tmp_path / ".github" / "workflows" / "bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v5\n      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    ran = subprocess.run(
        [Path(sys.executable).parent / "zizmor", "--offline", "--quiet", str(bad)], capture_output=True, check=False
    )
    assert ran.returncode != 0
    found = pins.problems(bad.read_text(), pins.load(ROOT), "bad.yml")
    assert found == ["bad.yml: actions/checkout@v5 is not pinned by a full commit"]


def test_an_unresolved_action_is_refused() -> None:
    pin = pins.Pin("some/action", "v1", "", "unresolved")
    with pytest.raises(Ending, match="no known commit") as caught:
        _ = pin.uses
    assert caught.value.code == Exit.REFUSED
    assert pins.problems(f"uses: some/action@{'a' * 40}", {}, "x.yml") == [
        "x.yml: some/action is not in config/actions.lock.json"
    ]


def test_gitlab() -> None:
    document = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())
    for pipeline in PIPELINES.values():
        for stage in pipeline.stages:
            job = document[f"{pipeline.name}:{stage.key}"]
            assert job["rules"]
            assert ("id_tokens" in job) == stage.identity
            assert ("resource_group" in job) == bool(stage.lock)
            assert f"--stage {stage.key}" in job["script"][-1]
    assert gitlab.render(PIPELINES) == (ROOT / ".gitlab-ci.yml").read_text()
    assert document["workflow"]["rules"][0]["when"] == "never"  # an image without a digest starts nothing


def test_the_ruleset_requires_only_what_every_pull_request_runs() -> None:
    document = json.loads((ROOT / ruleset.FILE).read_text())
    rules = {one["type"]: one.get("parameters", {}) for one in document["rules"]}
    assert {"deletion", "non_fast_forward", "required_signatures", "pull_request"} <= set(rules)
    assert rules["pull_request"]["required_approving_review_count"] >= 1
    assert document["bypass_actors"] == []
    named = {one["context"] for one in rules["required_status_checks"]["required_status_checks"]}
    fork = Trigger("pull_request", fork=True, action="opened")
    titles = {stage.title for one in PIPELINES.values() for stage in one.stages if stage.key in one.chosen(fork)}
    assert named == titles
    assert "4 Images: application, fallback agent, optimizer" in named
    assert not any("Staging" in one for one in named)


def test_the_operator_never_updates() -> None:
    (stack,) = yaml.safe_load_all((ROOT / "config/operator/stack.yaml").read_text())
    assert stack["spec"]["preview"] is True
    assert stack["spec"]["destroyOnFinalize"] is False
    for name in ("stack.yaml", "access.yaml"):
        assert "secretRef" not in (text := (ROOT / "config/operator" / name).read_text())
        assert all(one["metadata"].get("namespace", "x") for one in yaml.safe_load_all(text))
