"""What is missing here, and what to do: tools, files, identity, and what a stack needs of its clouds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from automation import modes
from automation.exits import Ending
from automation.session import Options, locate_engine, read_stack

if TYPE_CHECKING:
    from rich.console import Console

    from stacks.model import Stack

Verdict = Literal["ok", "missing", "not asked"]
ASK_SECONDS: Final = 20


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `todo` says what to do unless it is ok."""

    what: str
    verdict: Verdict
    found: str
    todo: str = ""


def _tools(options: Options) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info[:2] == (3, 11)
    yield Check("Python 3.11", "ok" if fine else "missing", version, "" if fine else "run with Python 3.11: make venv")
    try:
        directory, engine = locate_engine()
        yield Check("engine", "ok", f"pulumi {engine} in {directory}")
        host = directory / "pulumi-language-python"
        yield Check(
            "language host", "ok" if host.exists() else "missing", str(host), "" if host.exists() else "make engine"
        )
    except Ending as ending:
        yield Check("engine", "missing", "none", ending.sentence)
    for path, todo in (("Pulumi.yaml", "run in a checkout"), ("policies/PulumiPolicy.yaml", "restore the policy pack")):
        exists = (options.project / path).is_file()
        yield Check(path, "ok" if exists else "missing", str(options.project / path), "" if exists else todo)


def _ask(*command: str) -> str | None:
    """What a cloud's own command line answers; None when it is not there or says no."""
    if shutil.which(command[0]) is None:
        return None
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ASK_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _identity(cloud: str, wanted: str, answer: str | None, login: str) -> Check:
    what = f"{cloud} identity is {wanted}"
    if answer is None:
        return Check(what, "not asked", f"no answer from the {cloud} command line", f"install it and run: {login}")
    if wanted in answer:
        return Check(what, "ok", wanted)
    return Check(what, "missing", answer[:80], f"log in to {wanted}: {login}")


def _identities(stack: Stack) -> Iterator[Check]:
    if stack.clouds.aws:
        answer = _ask("aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text")
        yield _identity("aws", stack.clouds.aws.account, answer, "aws sso login")
    if stack.clouds.gcp:
        answer = _ask("gcloud", "projects", "describe", stack.clouds.gcp.project, "--format=value(projectId)")
        yield _identity("gcp", stack.clouds.gcp.project, answer, "gcloud auth application-default login")
    if stack.clouds.azure:
        answer = _ask("az", "account", "list", "--query", "[].id", "--output", "tsv")
        yield _identity("azure", stack.clouds.azure.subscription, answer, "az login")


def _aws_quota(region: str) -> str | None:
    """Running on-demand standard vCPUs (quota L-1216C47A, https://docs.aws.amazon.com/servicequotas/, 2026-11-21)."""
    return _ask(
        "aws", "service-quotas", "get-service-quota", "--service-code", "ec2", "--quota-code", "L-1216C47A",
        "--region", region, "--query", "Quota.Value", "--output", "text",
    )  # fmt: skip


def _version_offered(cloud: str, region: str, version: str) -> Check:
    what = f"{cloud} {region} offers Kubernetes {version}"
    commands: dict[str, Callable[[], str | None]] = {
        "aws": lambda: _ask("aws", "eks", "describe-cluster-versions", "--region", region, "--output", "text"),
        "gcp": lambda: _ask(
            "gcloud", "container", "get-server-config", f"--region={region}", "--format=value(validMasterVersions)"
        ),
        "azure": lambda: _ask("az", "aks", "get-versions", "--location", region, "--output", "tsv"),
    }
    answer = commands[cloud]()
    if answer is None:
        return Check(what, "not asked", "no answer from the cloud's command line", "the first update will tell")
    if version in answer:
        return Check(what, "ok", version)
    return Check(what, "missing", "not among the offered versions", "choose another version in stack.clusters")


POOLS_PER_CLUSTER: Final[Mapping[str, tuple[int, str]]] = {
    "aws": (30, "ask AWS to raise the quota of managed node groups per cluster (L-6D54EA21), or write fewer `slots`"),
    "azure": (100, "AKS raises it for nobody: write fewer `slots`, or spread the pools over two clusters"),
}
"""Node pools that one cluster takes, unless raised. EKS: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html,
AKS: https://learn.microsoft.com/azure/aks/quotas-skus-regions; read 2026-11-21. GKE limits nodes, not pools."""


def _pools(stack: Stack, cluster: str) -> Iterator[Check]:
    cloud = stack.region_of(cluster)[0]
    if cloud not in POOLS_PER_CLUSTER:
        return
    most, todo = POOLS_PER_CLUSTER[cloud]
    own = 1 if cloud == "azure" else 0  # AKS: the bootstrap pool stands beside them
    asked = own + sum(pool.slots for pool in stack.cluster_pools(cluster).values())
    what = f"{cluster} takes {asked} node pools (pools times slots)"
    found = f"limit {most} unless raised" if cloud == "aws" else f"limit {most}"
    yield Check(what, "ok", found) if asked <= most else Check(what, "missing", found, todo)


def _needs(stack: Stack, mode: modes.Mode) -> Iterator[Check]:
    from sizing import catalogue  # noqa: PLC0415 - tables load only here

    prices = catalogue.load()
    for cluster in stack.cluster_names():
        cloud, region, wish = stack.region_of(cluster)
        try:
            yield Check(f"prices of {cloud} {region}", "ok", f"{len(prices.types(cloud, region))} instance types")
        except LookupError as error:
            yield Check(f"prices of {cloud} {region}", "missing", "none", str(error))
        yield from _pools(stack, cluster)
        if mode.offline:
            continue
        yield _version_offered(cloud, region, stack.cluster_version(cluster))
        if cloud == "aws":
            quota = _aws_quota(region)
            found = "no answer" if quota is None else f"{quota} vCPUs"
            yield Check(
                f"aws {region} vCPU quota", "not asked" if quota is None else "ok", found, "compare it with the plan"
            )
        else:
            yield Check(f"{cloud} {region} quota", "not asked", "no question for it here", "compare it with the plan")
        yield Check(
            f"{cloud} {region} instance types in {wish.zones} zones", "not asked", "", "the first update will tell"
        )
        if stack.control_plane_access.mode == "private":
            yield Check(
                f"{cluster} endpoint reachable from here",
                "not asked",
                "private",
                "run where the network reaches it (VPN, runner)",
            )


def _backend() -> Iterator[Check]:
    """The state's backend in use: the environment's, else the one somebody logged in to."""
    from automation import backends  # noqa: PLC0415

    url = os.environ.get("PULUMI_BACKEND_URL", "")
    if not url:
        try:
            login = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "credentials.json"
            url = str(json.loads(login.read_text(encoding="utf-8")).get("current") or "")
        except (OSError, ValueError, AttributeError):
            url = ""
    if not url and os.environ.get("PULUMI_ACCESS_TOKEN"):
        url = "https://api.pulumi.com"
    for one in backends.checks(url, os.environ, _ask):
        yield Check(one.what, one.verdict, one.found, one.todo)


def examine(name: str | None, options: Options) -> dict[str, Any]:
    """Look at everything; `ok` is False when something is missing."""
    mode = modes.decide(offline=options.offline, real=options.real, environ=dict(os.environ), home=Path.home())
    checks = list(_tools(options))
    if not mode.offline:
        checks += _backend()
    if name is not None:
        stack = read_stack(name, options)
        checks.append(Check(f"Pulumi.{name}.yaml", "ok", "describes a stack"))
        checks += _needs(stack, mode)
        if not mode.offline:
            checks += _identities(stack)
    return {
        "header": mode.header,
        "mode": mode.name,
        "stack": name,
        "ok": all(check.verdict != "missing" for check in checks),
        "checks": [vars(check) for check in checks],
    }


def show(made: dict[str, Any], console: Console) -> None:
    """Print the examination for people."""
    console.print(made["header"], style="bold", markup=False)
    marks = {"ok": "ok     ", "missing": "MISSING", "not asked": "?      "}
    for check in made["checks"]:
        todo = f" -> {check['todo']}" if check["todo"] else ""
        console.print(
            f"{marks[check['verdict']]} {check['what']}: {check['found']}{todo}", markup=False, highlight=False
        )
