"""The door for exported states: `python -m charter.offline STATE.json [CONFIG.json]` judges without an engine.

`pulumi stack export` writes such a state. Findings go to standard output as JSON, one object; the exit code is 4 when
one of them is mandatory, 2 when state or configuration cannot be read, 0 otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import charter.rules  # noqa: F401  registers every rule
from charter.facts import Facts, read_facts
from charter.judge import Judge, Verdict
from charter.rule import Resource
from charter.values import SECRET, plain

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key under which the engine writes what a special value is."""
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  names the form, holds nothing
VERSIONS: Final = (3, 4)
WRONG_INPUT, REFUSED = 2, 4


class WrongState(ValueError):  # noqa: N818  named for what the file is
    """A file that is no exported state; the text says where and what to do."""


def normalised(value: Any) -> Any:
    """Replace every secret, encrypted or shown, by the mark that all doors use."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return SECRET
        return {key: normalised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normalised(item) for item in value]
    return value


def resources(document: Mapping[str, Any]) -> list[Resource]:
    """Return the resources of an exported state, as the engine would show them; raise WrongState when it is none."""
    if not isinstance(document, dict) or "deployment" not in document:
        raise WrongState("no `deployment`: this is no exported state; make one with `pulumi stack export --file FILE`")
    if document.get("version") not in VERSIONS:
        raise WrongState(f"version: {VERSIONS[0]} or {VERSIONS[-1]} is known; export it with the project's engine")
    written = (document["deployment"] or {}).get("resources", [])
    if not isinstance(written, list) or not all(isinstance(each, dict) and each.get("urn") for each in written):
        raise WrongState("deployment.resources: is no list of resources with a urn")
    by_urn = {each["urn"]: each for each in written}
    return [_resource(each, by_urn) for each in written if not each.get("delete")]


def _resource(written: Mapping[str, Any], by_urn: Mapping[str, Mapping[str, Any]]) -> Resource:
    urn = written["urn"]
    provider_urn = str(written.get("provider") or "").rpartition("::")[0]
    provider = by_urn.get(provider_urn, {})
    relations = written.get("propertyDependencies") or {}
    return Resource(
        urn=urn,
        type=written["type"],
        name=urn.rpartition("::")[2],
        props=plain(normalised(written.get("inputs") or {})),
        id=str(written.get("id") or ""),
        provider_type=str(provider.get("type", "")),
        provider_name=provider_urn.rpartition("::")[2],
        provider_urn=provider_urn,
        provider_props=plain(normalised(provider.get("inputs") or {})),
        protect=bool(written.get("protect")),
        ignore_changes=tuple(written.get("ignoreChanges") or ()),
        parent=str(written.get("parent") or ""),
        dependencies=tuple(written.get("dependencies") or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in relations.items()},
    )


def judge(document: Mapping[str, Any], facts: Facts) -> tuple[list[Verdict], Judge]:
    """Judge a state: each resource, then the stack; secrets are visible here."""
    sighted = facts.model_copy(update={"secrets_visible": True})
    judging = Judge()
    found = resources(document)
    verdicts = [verdict for resource in found for verdict in judging.resource(resource, sighted)]
    return [*verdicts, *judging.stack(found, sighted)], judging


def records(verdicts: list[Verdict]) -> Iterator[dict[str, Any]]:
    """Yield each finding as reports show it."""
    for verdict in verdicts:
        yield {
            "rule": verdict.rule.id,
            "level": verdict.level,
            "severity": verdict.rule.severity.value,
            "urn": verdict.urn,
            "path": verdict.path,
            "message": verdict.message,
            "remediation": verdict.rule.remediation,
            "controls": list(verdict.rule.controls),
        }


def _told(wrong: Exception) -> str:
    """Say what is wrong with a file without repeating what stands in it."""
    if isinstance(wrong, json.JSONDecodeError):
        return f"is no JSON: {wrong.msg} in line {wrong.lineno}; make one with `pulumi stack export --file FILE`"
    return wrong.strerror or "cannot be read" if isinstance(wrong, OSError) else str(wrong)


def main(arguments: list[str]) -> int:
    """Judge the state of the first argument by the configuration of the second; return the exit code."""
    try:
        document = json.loads(Path(arguments[0]).read_text("utf-8"))
        told = json.loads(Path(arguments[1]).read_text("utf-8")) if len(arguments) > 1 else {}
        facts = read_facts(told.get("charter-mandatory", told))
        verdicts, judging = judge(document, facts)
    except IndexError:
        sys.stderr.write("which state? python -m charter.offline STATE.json [CONFIG.json]\n")
        return WRONG_INPUT
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"{' '.join(arguments)}: {_told(wrong)}\n")
        return WRONG_INPUT
    found = list(records(verdicts))
    json.dump({"findings": found, **judging.tally.document()}, sys.stdout)
    return REFUSED if any(each["level"] == "mandatory" for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
