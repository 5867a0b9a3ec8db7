"""Writes the same pipelines for GitLab CI: one file, the same stages, the same commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from automation.pipeline.github import HEADER, _Dumper
from automation.pipeline.model import Pipeline, Stage, When

IMAGE: Final = "$PYTHON_IMAGE"
"""Set in the project's settings to an image with its digest: none is known here (config/actions.lock.json)."""


def render(pipelines: Mapping[str, Pipeline]) -> str:
    """The text of `.gitlab-ci.yml`."""
    document: dict[str, Any] = {
        "workflow": {
            "rules": [{"if": "$PYTHON_IMAGE !~ /@sha256:[0-9a-f]{64}$/", "when": "never"}, {"when": "always"}]
        },
        "variables": {"PIP_REQUIRE_HASHES": "1", "ENVIRONMENT": ""},
        "default": {
            "image": IMAGE,
            "interruptible": False,
            "before_script": [
                "python -m venv .venv",
                ".venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.txt",
                'export PATH="$PWD/.venv/bin:$PATH"',
            ],
        },
        "stages": [f"{pipeline.name}:{stage.key}" for pipeline in pipelines.values() for stage in pipeline.stages],
    }
    for pipeline in pipelines.values():
        for stage in pipeline.stages:
            document[f"{pipeline.name}:{stage.key}"] = _job(pipeline, stage)
    return HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def _job(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    job: dict[str, Any] = {
        "stage": f"{pipeline.name}:{stage.key}",
        "rules": _rules(pipeline, stage),
        "needs": [{"job": f"{pipeline.name}:{need}", "artifacts": True} for need in stage.needs],
        "timeout": f"{stage.minutes} minutes",
    }
    if stage.environment:
        job["environment"] = {"name": stage.environment}
    if stage.lock:
        job["resource_group"] = f"stack-{stage.lock}"  # one at a time; a running one is not interrupted
    if stage.history:
        job["variables"] = {"GIT_DEPTH": "0"}
    if stage.identity:
        job["id_tokens"] = {"CLOUD_TOKEN": {"aud": "$CLOUD_AUDIENCE"}}
    command = f'python -m automation pipeline {pipeline.name} --stage {stage.key} --environment "$ENVIRONMENT"'
    job["script"] = [
        *(["make engine"] if stage.engine else []),
        f"{command} --record build/records{' --real' if stage.identity else ''}",
    ]
    job["artifacts"] = {"when": "always", "paths": ["build/records", *stage.artifacts], "expire_in": "90 days"}
    if stage.outputs:
        job["artifacts"]["reports"] = {"dotenv": "build/outputs.env"}
    return job


def _rules(pipeline: Pipeline, stage: Stage) -> list[dict[str, str]]:
    whens = stage.when or _of_triggers(pipeline)
    rules = [{"if": one.gitlab()} for one in whens if one.closed is not True]
    return rules or [{"if": '$PREVIEW_CLOSED == "true"'}]  # GitLab starts no pipeline for a closed merge request


def _of_triggers(pipeline: Pipeline) -> tuple[When, ...]:
    triggers = pipeline.triggers
    made = []
    if triggers.push:
        made.append(When("push", branches=triggers.push))
    if triggers.pull_request:
        made.append(When("pull_request"))
    if triggers.manual:
        made.append(When("workflow_dispatch", environments=triggers.environments))
    if triggers.schedule:
        made.append(When("schedule"))
    return tuple(made)
