"""What is installed in the project's Python: provider packages, dependencies, the interpreter itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import HostError
from .interpreter import Interpreter
from .processes import Processes, ending

PROBE = Path(__file__).with_name("probe.py")
OLDEST_PYTHON = (3, 10)  # of the SDK 3.259.0, by its own metadata
_RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.?(post|dev)(\d+))?", re.ASCII)
_PRE = {"a": "alpha", "b": "beta", "rc": "rc"}


@dataclass(frozen=True)
class Package:
    """One provider package, as the engine wants to know it."""

    name: str
    version: str
    server: str
    parameterization: Mapping[str, Any] | None
    extension: Mapping[str, Any] | None


def ask(what: str, python: Interpreter, processes: Processes, outer: Mapping[str, str]) -> Any:
    """Start the project's Python once and return its answer; raises `HostError` with what it said instead."""
    process = processes.start(
        [python.command, str(PROBE), what],
        env={**python.environment(outer), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate()
    if process.returncode:
        said = err.decode(errors="replace").strip().splitlines()
        raise HostError(
            f"`{python.command} {PROBE.name} {what}` {ending(process.returncode)}" + (f": {said[-1]}" if said else "")
        )
    said_all = json.loads(out)
    if tuple(said_all["python"]) < OLDEST_PYTHON:
        version, wanted = (".".join(map(str, pair)) for pair in (said_all["python"], OLDEST_PYTHON))
        sys.stderr.write(f"warning: {python.command} is Python {version}; the SDK needs {wanted} or newer\n")
        sys.stderr.flush()
    return said_all["answer"]


def provider_packages(said: list[dict[str, Any]]) -> list[Package]:
    """Return the packages that need a provider, in alphabetical order of their distributions."""
    found = []
    for entry in said:
        plugin = entry["plugin"]
        if plugin is not None and not plugin.get("resource", False):
            continue
        plugin = plugin or {}
        version = plugin.get("version") or semver(entry["version"])
        if not version:
            continue
        found.append(
            Package(
                name=plugin.get("name") or entry["distribution"].removeprefix("pulumi-"),
                version="v" + version.removeprefix("v"),
                server=plugin.get("server", ""),
                parameterization=plugin.get("parameterization"),
                extension=plugin.get("extensionParameterization"),
            )
        )
    return found


def semver(version: str) -> str:
    """Turn a Python version into a semantic one; empty when it cannot be (an epoch, a local part)."""
    match = _RELEASE.fullmatch(version.strip().lower())
    if match is None:
        return ""
    release, pre, pre_number, after, after_number = match.groups()
    numbers = [str(int(number)) for number in release.split(".")]
    text = ".".join([*numbers, "0", "0"][: max(3, len(numbers))])
    if pre:
        text += f"-{_PRE[pre]}.{int(pre_number)}"
    if after:
        text += f"+{after}{int(after_number)}"
    return text


def direct(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the distributions that no other one requires."""
    wanted = {name for entry in said for name in entry["requires"] if name != entry["name"]}
    return [entry for entry in said if entry["name"] not in wanted]
