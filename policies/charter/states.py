"""An exported state as resources, in the form that rules see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from charter.decoding import decoded, marked
from charter.rule import Resource
from charter.values import SECRET, plain

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key under which the engine writes what a special value is."""
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  names the form, holds nothing
VERSIONS: Final = (3, 4)


URN: Final = re.compile(r"^urn:pulumi:[^:]*::[^:]*::.+::.+$", re.DOTALL)
FORMS: Final[dict[str, type]] = {
    **dict.fromkeys(("inputs", "outputs", "propertyDependencies"), dict),
    **dict.fromkeys(("dependencies", "ignoreChanges"), list),
    **dict.fromkeys(("parent", "provider", "id", "importID"), str),
    **dict.fromkeys(("delete", "external", "protect"), bool),
}
"""Parts of an entry that rules see, with their form."""
WORDS: Final[dict[type, str]] = {dict: "map", list: "list", str: "text", bool: "true or false"}
AGAIN: Final = "export the state with the project's engine"


class WrongState(ValueError):  # noqa: N818  named for what the file is
    """A file that is no exported state or saved preview; the text says where and what to do."""


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
    entries = written(document)
    by_urn = {each["urn"]: each for each in entries}
    return [resource(each, by_urn) for each in entries if not each.get("delete")]


def written(document: Any) -> list[dict[str, Any]]:
    """Return the resources as a state holds them; raise WrongState when it is none."""
    if not isinstance(document, dict) or "deployment" not in document:
        raise WrongState("no `deployment`: this is no exported state; make one with `pulumi stack export --file FILE`")
    if document.get("version") not in VERSIONS:
        raise WrongState(f"version: {VERSIONS[0]} or {VERSIONS[-1]} is known; export it with the project's engine")
    held = document["deployment"]
    if not isinstance(held, dict):
        raise WrongState("deployment: is no map; an encrypted or empty export cannot be judged, export it anew")
    found = held.get("resources", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) and each.get("urn") for each in found):
        raise WrongState("deployment.resources: is no list of resources with a urn")
    seen: set[str] = set()
    for index, entry in enumerate(found):
        whole(entry, f"deployment.resources[{index}]")
        if entry["urn"] in seen and not entry.get("delete"):
            raise WrongState(f"deployment.resources[{index}].urn: stands there twice; mend it by `pulumi state repair`")
        if not entry.get("delete"):
            seen.add(entry["urn"])
    return found


def waiting(document: Any) -> list[str]:
    """Return the URNs of operations that an update began and never ended; what they made, no state tells."""
    held = document.get("deployment") if isinstance(document, dict) else None
    told = [held.get(name) for name in ("pending_operations", "pendingOperations")] if isinstance(held, dict) else []
    entries = [one.get("resource") for some in told if isinstance(some, list) for one in some if isinstance(one, dict)]
    return [str(entry.get("urn")) for entry in entries if isinstance(entry, dict)]


def whole(entry: Mapping[str, Any], where: str) -> None:
    """Raise WrongState when an entry is not of the form of a state's: what cannot be read is not judged by half."""
    if not isinstance(entry.get("urn"), str) or not URN.match(entry["urn"]):
        raise WrongState(f"{where}.urn: is none; it is written urn:pulumi:STACK::PROJECT::TYPE::NAME")
    if not isinstance(entry.get("type"), str) or ":" not in entry["type"]:
        raise WrongState(f"{where}.type: is none; it is written package:module:Kind")
    for name, kind in FORMS.items():
        if entry.get(name) is not None and not isinstance(entry[name], kind):
            raise WrongState(f"{where}.{name}: is no {WORDS[kind]}; {AGAIN}")
    relations = entry.get("propertyDependencies") or {}
    for name, held in {**relations, "dependencies": entry.get("dependencies"), **_ignored(entry)}.items():
        if held is not None and not (isinstance(held, list) and all(isinstance(one, str) for one in held)):
            place = f"propertyDependencies.{name}" if name in relations else name
            raise WrongState(f"{where}.{place}: is no list of texts; {AGAIN}")


def _ignored(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"ignoreChanges": entry["ignoreChanges"]} if entry.get("ignoreChanges") else {}


def _told(entry: Mapping[str, Any]) -> Any:
    """Return what is known of an entry: its inputs, or what came out where the stack only reads it, or is it."""
    read = entry.get("outputs") if entry.get("external") or entry["type"] == "pulumi:pulumi:Stack" else None
    return read or entry.get("inputs") or {}


def resource(entry: Mapping[str, Any], by_urn: Mapping[str, Mapping[str, Any]]) -> Resource:
    """Return one entry of a state as rules see it; its provider is looked up among the others."""
    urn = entry["urn"]
    provider_urn = str(entry.get("provider") or "").rpartition("::")[0]
    provider = by_urn.get(provider_urn, {})
    relations = entry.get("propertyDependencies") or {}
    try:
        props, seen = decoded(normalised(_told(entry)))
    except RecursionError:
        raise WrongState(f"{urn}: its inputs are nested deeper than can be judged; {AGAIN}") from None
    made = Resource(
        urn=urn,
        type=entry["type"],
        name=urn.split("::", 3)[3],
        props=props,
        origin="read" if entry.get("external") else "imported" if entry.get("importID") else "",
        id=str(entry.get("id") or ""),
        provider_type=str(provider.get("type", "")),
        provider_name=provider_urn.rpartition("::")[2],
        provider_urn=provider_urn,
        provider_props=plain(normalised(provider.get("inputs") or {})),
        protect=bool(entry.get("protect")),
        ignore_changes=tuple(entry.get("ignoreChanges") or ()),
        parent=str(entry.get("parent") or ""),
        dependencies=tuple(entry.get("dependencies") or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in relations.items()},
    )
    return marked(made, seen)
