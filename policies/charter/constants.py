"""Charter: what tells of a state or of health is measured, never written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from charter.facts import Facts
from charter.graph import Graph
from charter.pods import pods
from charter.rule import Finding, Found, Resource, apart
from charter.values import UNKNOWN, Reader, walk

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
ALWAYS: Final = re.compile(r"^\s*(/(usr/)?bin/)?(true|:|echo\b[^|;&<>`$]*|exit\s+0|sleep\s+\S+)\s*(;\s*exit\s+0\s*)?$")
"""Commands that succeed whatever happens."""
SHELLS: Final = re.compile(r"^(/(usr/)?bin/)?(ba|da|a|z)?sh$")
TELLS: Final = re.compile(r"^(.*[._-])?(status|health|healthy|ready|readiness)$", re.IGNORECASE)
WELL: Final = frozenset({"ok", "up", "healthy", "ready", "green", "passing", "true", "running", "good", "available"})
HOLDERS: Final = frozenset({"status", "health"})
"""How the name of a ConfigMap ends that tells of a state."""
REAL: Final = frozenset(
    [
        *("vpcId", "subnetId", "subnetIds", "securityGroupId", "securityGroupIds", "vpcSecurityGroupIds", "zoneId"),
        *("kmsKeyId", "kmsKeyArn", "roleArn", "nodeRoleArn", "certificateArn", "principalArn", "targetResourceId"),
        *("subscriptionId", "tenantId", "principalId", "roleDefinitionId", "network", "subnetwork"),
    ]
)
"""Properties that take the id of something that exists; others of that ending may be names that one gives."""


def by_hand(resource: Resource) -> Iterator[Found]:
    """Judge the status of an object of a cluster; definitions are generated with an empty one."""
    status = resource.props.get("status") if resource.package == "kubernetes" else None
    if not isinstance(status, dict) or resource.kind == "CustomResourceDefinition":
        return
    for path, leaf in walk(status, "status"):
        if leaf not in (None, "", [], {}) and leaf is not UNKNOWN:
            yield Finding(path, "is written by hand; the status of an object is what its controller saw")
            return


def constant_probes(resource: Resource) -> Iterator[Found]:
    """Judge each container's probes."""
    for pod in pods(resource):
        for container in pod.containers():
            yield from apart(_probes(container))


def _probes(container: Reader) -> Iterator[Found]:
    for name in PROBES:
        path = f"{name}.exec.command"
        words = container.texts(path) if container.has(path) else []
        if words and ALWAYS.match(_command(words)):
            yield Finding(container.at(path), "succeeds whatever happens: health is measured, never a constant")


def _command(words: list[str]) -> str:
    """Return what is run, without the shell that runs it."""
    if SHELLS.match(words[0]) and len(words) > 2 and words[1].startswith("-"):  # noqa: PLR2004  shell, -c, script
        return words[2]
    return " ".join(words)


def measured(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Judge what only relations tell: a state that comes from nowhere, an id that is made up."""
    if not facts.production:
        return
    for holder in graph.of("kubernetes:core/v1:ConfigMap"):
        if not holder.property_dependencies.get("data"):
            yield from _constants(holder)
    made_up = {each.urn for each in graph.resources if each.type.startswith(("random:", "null:"))}
    for resource in graph.resources if made_up else ():
        for prop, sources in resource.property_dependencies.items():
            if prop in REAL and made_up & set(sources):
                yield Finding(prop, "is made up at random; a real id comes from the resource that has it", resource.urn)


def _constants(holder: Resource) -> Iterator[Found]:
    name, data = holder.reader.raw("metadata.name"), holder.reader.raw("data")
    told = isinstance(name, str) and name.rpartition("-")[2] in HOLDERS
    for key, value in data.items() if isinstance(data, dict) else ():
        if TELLS.match(str(key)) and _well(value):
            yield Finding(f"data.{key}", "is a constant; a state is what somebody measured", holder.urn)
        elif told and isinstance(value, str) and _well(value):
            yield Finding(f"data.{key}", "is a constant in an object that tells of a state", holder.urn)


def _well(value: Any) -> bool:
    return isinstance(value, str) and value.strip().strip("\"'").lower() in WELL
