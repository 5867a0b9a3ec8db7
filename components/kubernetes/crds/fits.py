"""Custom resources against definitions of any version: what an API server with these would refuse, or drop silently.

What is not judged is counted: rules in CEL need a server (`seen.rules`), and kinds without a definition are listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from components.kubernetes.crds.documents import Document, DocumentError, files, read
from components.kubernetes.crds.schemas import Met, filled, judge
from components.kubernetes.references.things import at, written

Json = Mapping[str, Any]
KINDS: Final = "CustomResourceDefinition"
TEMPLATES: Final = "ConstraintTemplate"
CONSTRAINTS: Final = "constraints.gatekeeper.sh"
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LABEL: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
BUILT_IN: Final = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})
"""Groups of the API server itself, and every other one that ends in .k8s.io, except those of `OWN`."""
OWN: Final = ("gateway.", "snapshot.", "autoscaling.", "policy.networking.")


@dataclass(frozen=True, kw_only=True, order=True)
class Misfit:
    """What is wrong with one object: where it stands, who it is, the path in it."""

    place: str
    who: str
    path: str
    what: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"{self.place}: {self.who}: {self.path}: {self.what}"


@dataclass
class Seen:
    """What a check came across."""

    misfits: list[Misfit] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    """Kinds without a definition, and how many objects there are of each."""
    judged: int = 0
    built_in: int = 0
    """Objects of kinds that the API server brings itself: not judged here."""
    rules: int = 0
    """Rules in CEL that were met and not evaluated."""


@dataclass
class Definitions:
    """Definitions by group and kind; of one that is there twice the last counts."""

    held: dict[tuple[str, str], Json] = field(default_factory=dict)
    templates: dict[str, Json] = field(default_factory=dict)

    def take(self, documents: Iterable[Document]) -> Definitions:
        """Add the definitions among some documents, and the templates of constraints."""
        for each in documents:
            spec = each.body.get("spec")
            if not isinstance(spec, dict):
                continue
            if each.body["kind"] == KINDS and isinstance(spec.get("names"), dict):
                self.held[str(spec.get("group")), str(spec["names"].get("kind"))] = spec
            elif each.body["kind"] == TEMPLATES and isinstance(inner := at(spec, "crd", "spec"), dict):
                self.templates[str(at(inner, "names", "kind"))] = inner
        return self

    def schema(self, group: str, version: str, kind: str) -> Json | str | None:
        """Return the schema; a sentence when the version is not served; None without a definition."""
        if group == CONSTRAINTS:
            return self._constraint(kind)
        spec = self.held.get((group, kind))
        if spec is None:
            return None
        versions = {
            str(each.get("name")): each
            for each in spec.get("versions") or [{"name": spec.get("version"), "served": True}]
        }
        served = sorted(name for name, each in versions.items() if each.get("served", True))
        if version not in served:
            known = " (it is there, but not served)" if version in versions else ""
            return f"{version} is not served{known}, only {', '.join(served) or 'nothing'}"
        of_all = spec.get("validation") or {}  # v1beta1: one schema for all versions
        found = (versions[version].get("schema") or of_all).get("openAPIV3Schema")
        return found if isinstance(found, dict) else {"x-kubernetes-preserve-unknown-fields": True}

    def _constraint(self, kind: str) -> Json | None:
        template = self.templates.get(kind)
        if template is None:
            return None
        told = (template.get("validation") or {}).get("openAPIV3Schema") or {
            "x-kubernetes-preserve-unknown-fields": True
        }
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        inner = {
            "enforcementAction": {"type": "string", "enum": ["deny", "dryrun", "warn", "scoped"]},
            "scopedEnforcementActions": {"type": "array", "items": free},
            "match": free,
            "parameters": told,
        }
        return {"type": "object", "properties": {"spec": {"type": "object", "properties": inner}}}


def definitions(folder: Path) -> Definitions:
    """Read every definition of a folder or file. Raises DocumentError when one cannot be read, or none is there."""
    found = Definitions()
    for each in files(folder):
        if each.name == "index.json":
            continue
        found.take(read(each, all_must_be_objects=False))
    if not found.held:
        raise DocumentError(f"{folder}: holds no CustomResourceDefinition")
    return found


def check(documents: Iterable[Document], known: Definitions) -> Seen:
    """Judge every custom resource among some documents."""
    seen, met = Seen(), Met()
    for each in documents:
        body = each.body
        group, _, version = body["apiVersion"].rpartition("/")
        schema = known.schema(group, version, body["kind"])
        if schema is None and (group in BUILT_IN or (group.endswith(".k8s.io") and not group.startswith(OWN))):
            seen.built_in += 1
        elif schema is None:
            kind = f"{group}/{body['kind']}"
            seen.missing[kind] = seen.missing.get(kind, 0) + 1
        else:
            seen.judged += 1
            found = [("apiVersion", schema)] if isinstance(schema, str) else _whole(schema, body, met)
            who = f"{body['apiVersion']} {body['kind']} {_name(body)}"
            seen.misfits += [Misfit(place=each.place, who=who, path=path, what=what) for path, what in found]
    seen.misfits.sort()
    seen.rules = met.rules
    return seen


def _name(body: Json) -> str:
    meta = body.get("metadata")
    found = (meta.get("namespace"), meta.get("name")) if isinstance(meta, dict) else ()
    return "/".join(str(each) for each in found if each)


def _whole(schema: Json, body: Json, met: Met) -> Iterator[tuple[str, str]]:
    props = {
        **(schema.get("properties") or {}),
        "apiVersion": {},
        "kind": {},
        "metadata": {"x-kubernetes-preserve-unknown-fields": True},
    }
    shape = {
        **schema,
        "properties": props,
        "required": [each for each in schema.get("required") or () if each != "metadata"],
    }
    yield from ((written(path), what) for path, what in judge(shape, filled(shape, body), (), met))
    meta = body.get("metadata")
    if not isinstance(meta, dict):
        yield "metadata", "is missing"
        return
    if not NAME.fullmatch(str(meta.get("name") or f"{meta.get('generateName') or '_'}x")):
        yield "metadata.name", f"{meta.get('name')!r} is no name: lower case, digits, - and ."
    for part in ("labels", "annotations"):
        for key, value in (meta.get(part) or {}).items():
            if not isinstance(value, str) or (part == "labels" and not LABEL.fullmatch(value)):
                yield f"metadata.{part}.{key}", f"{value!r} is no value of {part}"
