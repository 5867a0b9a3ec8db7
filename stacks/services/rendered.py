"""Rules that the law has rendered for clusters: YAML files of the project, read and judged before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from stacks.services.settings import Services

PROJECT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = "config/admission"
FILES: Final = {"gatekeeper": f"{FOLDER}/gatekeeper.yaml", "kyverno": f"{FOLDER}/cel.yaml"}
"""What is read when the stack file names no file, by service."""
CONSTRAINTS: Final = "constraints.gatekeeper.sh/"
KINDS: Final = {
    "gatekeeper": ("ConstraintTemplate",),
    "kyverno": ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
}
ALLOWED: Final = {
    "gatekeeper": "ConstraintTemplates and constraints",
    "kyverno": "ValidatingAdmissionPolicies and their bindings",
}


def file_of(service: str, wished: str | None) -> str:
    """Name the file of a service, relative to the project."""
    return wished or FILES[service]


def of(services: Services) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Rules of the services that are on. Raises ValueError where a file is not what it should be."""
    wishes = {"gatekeeper": services.gatekeeper, "kyverno": services.kyverno}
    return {name: read(name, file_of(name, wish.rules)) for name, wish in wishes.items() if wish is not None}


@cache
def read(service: str, file: str) -> tuple[Mapping[str, Any], ...]:
    """Read the documents of a file. Raises ValueError with what is wrong and where."""
    path = (PROJECT / file).resolve()
    if not path.is_relative_to(PROJECT):
        raise ValueError(f"{file} lies outside the project")
    try:
        found = [each for each in yaml.load_all(path.read_bytes(), yaml.CSafeLoader) if each is not None]
    except FileNotFoundError:
        raise ValueError(f"{file} does not exist") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {error}") from None
    if not found:
        raise ValueError(f"{file} holds no rule")
    for number, document in enumerate(found, 1):
        _judge(service, file, number, document)
    _whole(file, found)
    return tuple(found)


def _judge(service: str, file: str, number: int, document: Any) -> None:
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        raise ValueError(f"{file}: document {number} is no object of Kubernetes")  # noqa: TRY004 - of the file
    kind, version = str(document.get("kind")), str(document.get("apiVersion"))
    ours = kind in KINDS[service] or (service == "gatekeeper" and version.startswith(CONSTRAINTS))
    if not ours or not document["metadata"].get("name"):
        name = document["metadata"].get("name", "without a name")
        raise ValueError(f"{file}: document {number} is {kind} {name}; only {ALLOWED[service]} may stand there")


def _whole(file: str, found: list[Mapping[str, Any]]) -> None:
    """Every constraint has its template, every binding its policy."""
    given = {each["spec"]["crd"]["spec"]["names"]["kind"] for each in found if each["kind"] == "ConstraintTemplate"}
    given |= {each["metadata"]["name"] for each in found if each["kind"] == "ValidatingAdmissionPolicy"}
    for each in found:
        needed = each["kind"] if str(each["apiVersion"]).startswith(CONSTRAINTS) else ""
        if each["kind"] == "ValidatingAdmissionPolicyBinding":
            needed = each["spec"]["policyName"]
        if needed and needed not in given:
            raise ValueError(
                f"{file}: {each['kind']} {each['metadata']['name']} stands on {needed}, which is not there"
            )
