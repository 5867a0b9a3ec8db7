"""Properties that hold a secret under a name that does not say so: parameters, vaults, scripts, documents in JSON."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Final

from charter.documents import json_list, several
from charter.rule import Resource
from charter.secrets import formed, harmless, secret_name
from charter.values import Reader

ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)=(?P<value>[^\s;&|]*)")
FIRST: Final = re.compile(r"[A-Za-z_]")
VALUE_END: Final = re.compile(r"[\s;&|]")


def assigns_secret(text: str) -> bool:
    """Say whether an argument, or a line of a shell, gives a value to something that is called like a secret."""
    return any(
        secret_name(name) and not value.startswith("$") and not harmless(value) for name, value in assignments(text)
    )


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield what ASSIGNMENT finds, name and value; looked for from each `=`, as a long script has few."""
    floor, at = 0, text.find("=")
    while at >= 0:
        start = at
        while start > floor and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
            start -= 1
        named = FIRST.search(text, start, at)
        if named is None:
            at = text.find("=", at + 1)
            continue
        end = VALUE_END.search(text, at + 1)
        floor = end.start() if end else len(text)
        yield text[named.start() : at], text[at + 1 : floor]
        at = text.find("=", floor)


def _parameter(resource: Resource) -> Iterator[str]:
    if resource.reader.text("type") == "SecureString" and isinstance(resource.props.get("value"), str):
        yield "value"


def _vault(resource: Resource) -> Iterator[str]:
    if isinstance(resource.reader.raw("properties.value"), str):
        yield "properties.value"


def _script(resource: Resource) -> Iterator[str]:
    """Look at what a machine runs when it starts, written as it is or in Base64."""
    for name in ("userData", "userDataBase64"):
        text = resource.props.get(name)
        if isinstance(text, str) and any(map(_tells, (text, _decoded(text)))):
            yield name


def _tells(text: str) -> bool:
    return formed(text) or assigns_secret(text.replace('"$', "$"))


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _task(resource: Resource) -> Iterator[str]:
    """Look at the variables of a task's containers, which stand in a document."""
    for index, container in enumerate(json_list(resource.props.get("containerDefinitions"))):
        for place, variable in enumerate(several(container.get("environment")) if isinstance(container, dict) else ()):
            name, value = (variable.get(key) for key in ("name", "value")) if isinstance(variable, dict) else ("", "")
            if isinstance(value, str) and (secret_name(str(name)) and not harmless(value)):
                yield f"containerDefinitions[{index}].environment[{place}].value"


PLACES: Final = (
    *("template.containers", "template.template.containers", "template.spec.containers", "containers"),
    *("template.initContainers", "initContainers"),
)
LISTS: Final = ("env", "envs", "environmentVariables", "siteConfig.appSettings", "environment.environmentVariables")
"""Where clouds that run containers, sites and builds by themselves take variables: in lists of names with values."""


def _variables(resource: Resource) -> Iterator[str]:
    reader = resource.reader
    holders = [reader, *(each for place in PLACES for each in _maps(reader, place))]
    for holder in holders:
        for name in LISTS:
            for variable in _maps(holder, name):
                value = variable.props.get("value")
                named = secret_name(str(variable.props.get("name"))) and variable.props.get("type") in KINDS_OF_TEXT
                if named and isinstance(value, str) and not harmless(value):
                    yield variable.at("value")


KINDS_OF_TEXT: Final = (None, "PLAINTEXT")
"""CodeBuild says of a variable whether it is a text or the name of where a secret is kept."""


def _maps(reader: Reader, path: str) -> Iterator[Reader]:
    """Yield a reader per map of a list, as far as it is known."""
    held = reader.raw(path)
    for index, one in enumerate(held if isinstance(held, list) else []):
        if isinstance(one, dict):
            yield Reader(one, reader.at(f"{path}[{index}]"))


def _object(resource: Resource) -> Iterator[str]:
    """Look at a Secret of a cluster, whose keys say nothing: whatever stands in it is one."""
    for name in ("data", "stringData"):
        held = resource.props.get(name)
        for key, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, str) and value:
                yield f"{name}.{key}"


HIDING: Final[dict[str, Callable[[Resource], Iterator[str]]]] = {
    "aws:ssm/parameter:Parameter": _parameter,
    "azure-native:keyvault:Secret": _vault,
    "aws:ec2/instance:Instance": _script,
    "aws:ec2/launchTemplate:LaunchTemplate": _script,
    "aws:ec2/launchConfiguration:LaunchConfiguration": _script,
    "aws:ecs/taskDefinition:TaskDefinition": _task,
    "aws:codebuild/project:Project": _variables,
    "azure-native:app:ContainerApp": _variables,
    "azure-native:app:Job": _variables,
    "azure-native:containerinstance:ContainerGroup": _variables,
    "azure-native:web:WebApp": _variables,
    "azure-native:web:WebAppSlot": _variables,
    "gcp:cloudrun/service:Service": _variables,
    "gcp:cloudrunv2/job:Job": _variables,
    "gcp:cloudrunv2/service:Service": _variables,
    "gcp:cloudrunv2/workerPool:WorkerPool": _variables,
    "kubernetes:core/v1:Secret": _object,
    "kubernetes:core/v1:SecretPatch": _object,
}
"""Types with such properties; each answers with the paths of what stands there in the open."""
