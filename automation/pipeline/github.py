"""Writes a pipeline as a workflow of GitHub Actions: thin, read-only by default, identity by OIDC, pinned actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from automation.pipeline.model import Pipeline, Stage
from automation.pipeline.pins import Pin

HEADER: Final = (
    "# Written by `python -m automation pipelines write` from automation/pipeline/catalogue.py: do not edit.\n"
)
REASONS: Final = {
    "id-token: write": "identity at the clouds by OIDC, no stored key",
    "contents: write": "one branch with newer images",
    "pull-requests: write": "the one comment of the report, or the request for newer images",
    "pull-requests: read": "which pull requests are open",
}
GO_VERSION: Final = "1.26.x"
CLOUDS: Final = (
    (
        "aws-actions/configure-aws-credentials",
        "AWS",
        {
            "role-to-assume": "${{ vars.AWS_ROLE }}",
            "aws-region": "${{ vars.AWS_REGION }}",
            "role-session-name": "pipeline",
        },
    ),
    (
        "google-github-actions/auth",
        "Google Cloud",
        {"workload_identity_provider": "${{ vars.GCP_PROVIDER }}", "service_account": "${{ vars.GCP_ACCOUNT }}"},
    ),
    (
        "azure/login",
        "Azure",
        {
            "client-id": "${{ vars.AZURE_CLIENT }}",
            "tenant-id": "${{ vars.AZURE_TENANT }}",
            "subscription-id": "${{ vars.AZURE_SUBSCRIPTION }}",
        },
    ),
)


def render(pipeline: Pipeline, pins: Mapping[str, Pin]) -> str:
    """The workflow's text. Ends the run (exit 4) when an action in it is unresolved."""
    document: dict[str, Any] = {
        "name": pipeline.name,
        "run-name": f"{pipeline.title}",
        "on": _on(pipeline),
        "permissions": {"contents": "read"},
        "concurrency": {
            "group": "${{ github.workflow }}-" + (pipeline.one_at_a_time or "all"),
            "cancel-in-progress": False,  # a run that applies is never cancelled half-way
        },
        "defaults": {"run": {"shell": "bash"}},
        "jobs": {stage.key: _job(pipeline, stage, pins) for stage in pipeline.stages},
    }
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    versions = {pin.uses: pin.version for pin in pins.values() if pin.state != "unresolved"}
    text = re.sub(r"(uses: )(\S+)$", lambda m: f"{m[1]}{m[2]} # {versions[m[2]]}", text, flags=re.MULTILINE)
    for permission, why in REASONS.items():
        text = text.replace(f"      {permission}\n", f"      {permission} # {why}\n")
    return HEADER + text.replace("\n'on':", "\non:", 1)


class _Dumper(yaml.SafeDumper):
    """Lists are indented, several lines become a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _on(pipeline: Pipeline) -> dict[str, Any]:
    triggers = pipeline.triggers
    made: dict[str, Any] = {}
    if triggers.push:
        made["push"] = {"branches": list(triggers.push)}
    if triggers.pull_request:  # never pull_request_target: a fork's code runs without any secret
        made["pull_request"] = {"branches": list(triggers.pull_request)}
        if triggers.pull_request_types:
            made["pull_request"]["types"] = list(triggers.pull_request_types)
    if triggers.manual:
        choice = {"description": "which environment", "required": True, "type": "choice"}
        choice["options"] = list(triggers.environments)
        made["workflow_dispatch"] = {"inputs": {"environment": choice}} if triggers.environments else {}
    if triggers.schedule:
        made["schedule"] = [{"cron": triggers.schedule}]
    return made


def _job(pipeline: Pipeline, stage: Stage, pins: Mapping[str, Pin]) -> dict[str, Any]:
    job: dict[str, Any] = {"name": stage.title}
    if stage.needs:
        job["needs"] = list(stage.needs)
    if stage.when:
        job["if"] = " || ".join(f"({one.github()})" if len(stage.when) > 1 else one.github() for one in stage.when)
    job["runs-on"] = "ubuntu-24.04"
    job["timeout-minutes"] = stage.minutes
    permissions = {"contents": "read"}
    if stage.identity:
        permissions["id-token"] = "write"
    if stage.proposes:
        permissions |= {"contents": "write", "pull-requests": "write"}
    elif stage.comments:
        permissions["pull-requests"] = "write"
    elif stage.asks:
        permissions["pull-requests"] = "read"
    job["permissions"] = permissions
    if stage.environment:
        job["environment"] = _environment(pipeline, stage)
    if stage.lock:
        group = _choice(pipeline) if stage.lock == "environment" else stage.lock
        job["concurrency"] = {"group": f"stack-{group}", "cancel-in-progress": False}
    if stage.outputs:
        job["outputs"] = {name: f"${{{{ steps.stage.outputs.{name} }}}}" for name in stage.outputs}
    job["steps"] = list(_steps(pipeline, stage, pins))
    return job


def _environment(pipeline: Pipeline, stage: Stage) -> str:
    """`plan` and `apply` are environments per stack: apply-prod has the reviewers and the role of its stack."""
    return f"{stage.environment}-{_choice(pipeline)}" if pipeline.stacks else stage.environment


def _choice(pipeline: Pipeline) -> str:
    """The environment somebody chose, else the branch's."""
    if not pipeline.triggers.environments:
        return "dev"
    if not pipeline.stacks:
        return "${{ inputs.environment || 'dev' }}"
    parts = [f"github.ref_name == '{branch}' && '{name}'" for branch, name in pipeline.stacks.items()]
    return "${{ inputs.environment || " + " || ".join(parts) + " }}"


def _steps(pipeline: Pipeline, stage: Stage, pins: Mapping[str, Pin]) -> list[dict[str, Any]]:
    checkout: dict[str, Any] = {"persist-credentials": False}
    if stage.history:
        checkout["fetch-depth"] = 0
    steps: list[dict[str, Any]] = [
        {"name": "checkout", "uses": pins["actions/checkout"].uses, "with": checkout},
        {"name": "Python", "uses": pins["actions/setup-python"].uses, "with": {"python-version": "3.11"}},
        {
            "name": "locked packages",
            "run": "python -m venv .venv\n"
            ".venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.txt\n"
            'echo "$PWD/.venv/bin" >> "$GITHUB_PATH"\n',
        },
    ]
    if stage.engine:
        go = {"go-version": GO_VERSION, "cache": False}
        steps.append({"name": "Go", "uses": pins["actions/setup-go"].uses, "with": go})
        steps.append({"name": "engine", "run": "make engine"})
    if stage.key == "static-analysis":
        steps.append({"name": "actionlint", "run": "python -m toolchain.actionlint"})
    if stage.buildx:
        steps.append({"name": "Buildx", "uses": pins["docker/setup-buildx-action"].uses})
    if stage.identity:
        steps += [{"name": name, "uses": pins[action].uses, "with": dict(given)} for action, name, given in CLOUDS]
    brought = _brought(pipeline, stage)
    steps += [
        {
            "name": f"from {need}",
            "uses": pins["actions/download-artifact"].uses,
            "with": {"name": need, "path": "build"},
        }
        for need in brought
    ]
    run: dict[str, Any] = {"name": stage.title, "id": "stage", "env": _env(pipeline, stage)}
    run["run"] = (
        f"python -m automation pipeline {pipeline.name} --stage {stage.key} "
        f'--environment "$ECOSYSTEM_ENVIRONMENT" --record build/records{" --real" if stage.identity else ""}\n'
    )
    steps.append(run)
    paths = "\n".join(("build/records", *stage.artifacts)) + "\n"
    keep = {"name": stage.key, "path": paths, "if-no-files-found": "warn", "retention-days": 90}
    steps.append({"name": "keep", "if": "always()", "uses": pins["actions/upload-artifact"].uses, "with": keep})
    return steps


def _brought(pipeline: Pipeline, stage: Stage) -> list[str]:
    return [need for need in stage.needs if pipeline.stage(need).artifacts]


def _env(pipeline: Pipeline, stage: Stage) -> dict[str, str]:
    """Everything that comes from outside travels as a variable, never inside the command's text."""
    env = {"ECOSYSTEM_ENVIRONMENT": _choice(pipeline)}
    for need in stage.needs:
        for name in pipeline.stage(need).outputs:
            env[name.upper()] = f"${{{{ needs.{need}.outputs.{name} }}}}"
    if stage.comments or stage.asks or stage.proposes:
        env["GITHUB_TOKEN"] = "${{ github.token }}"  # noqa: S105 - an expression
    if pipeline.triggers.pull_request and (stage.comments or stage.environment == "preview"):
        env["PULL_REQUEST"] = "${{ github.event.pull_request.number }}"
    return env
