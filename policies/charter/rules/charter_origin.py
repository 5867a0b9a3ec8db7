"""Charter: where things come from. Providers, data, the commit, and who is responsible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from charter.documents import json_object
from charter.facts import Facts
from charter.rule import HIGH, Finding, Found, Open, Resource, apart, resource_rule
from charter.tables import taggable
from charter.values import UNKNOWN, Reader
from charter.words import shown

PROVIDERS = "pulumi:providers:*"
COMMIT = re.compile(r"^[0-9a-f]{40}$")
DYNAMIC_VERSION = "0.1.0"
SCOPES = {"aws": "allowedAccountIds", "gcp": "project", "azure-native": "subscriptionId"}
TAGS: dict[str, re.Pattern[str]] = {
    "environment": re.compile(r"^[a-z][a-z0-9-]{0,62}$"),
    "owner": re.compile(r"^[a-z][a-z0-9_-]{0,62}$"),
    "cost-centre": re.compile(r"^[a-z0-9_-]{1,63}$"),
    "data-classification": re.compile(r"^(public|internal|confidential|restricted)$"),
    "charter-version": re.compile(r"^v\d+$"),
    "managed-by": re.compile(r"^pulumi$"),
}
"""Tags that everything carries, and what their values may be: closed sets where there is one."""
LENGTHS = {"aws": 256, "azure-native": 256, "gcp": 63}
COMMIT_WORDS = (
    *("commit", "git commit", "commit sha", "commit id", "source commit", "git sha", "sha"),
    *("revision", "git revision", "vcs ref", "git ref"),
)
COMMIT_TAGS = frozenset(
    spelt
    for words in map(str.split, COMMIT_WORDS)
    for joined in ("-".join(words), "_".join(words), "".join(words), "".join(word.title() for word in words))
    for spelt in (joined, joined.upper(), joined[0].lower() + joined[1:])
)
"""How tags are called that carry a commit, as people and pipelines spell them."""
ABBREVIATED = re.compile(r"^[0-9a-f]{7,40}(-dirty)?$", re.IGNORECASE)


PLACELESS: Final = ("aws:iam/", "aws:route53/", "aws:cloudfront/", "aws:organizations/")
"""Services of AWS that have no region, so that the provider's says nothing about them.

https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
"""


@resource_rule(
    "CH-04",
    "Every provider is made on purpose, at the locked version, for an account and region that are declared.",
    HIGH,
    ["pulumi:providers:*", "aws:*", "gcp:*", "azure-native:*"],
    remediation="Make one explicit provider per account with the stack's id; declare the region in the stack file.",
)
def providers(resource: Resource, facts: Facts) -> Iterable[Found]:
    """The default provider takes the account of whoever runs the program."""
    if resource.package in SCOPES:
        name, place = _place(resource)
        if resource.package != "gcp" and (not name or _stands(place, facts.regions.get(resource.package))):
            return ()
        return apart(_region(resource, facts), _project(resource, facts))
    package = resource.type.rpartition(":")[2]
    return apart(
        _explicit(resource, facts, package),
        _version(resource, facts, package),
        _source(resource, facts),
        _account(resource.reader, facts, package),
        _default_place(resource.reader, facts, package),
    )


def _stands(place: Any, declared: tuple[str, ...] | None) -> bool:
    """Say at once, for most resources, that they stand in a declared region, spelt as it is declared."""
    return isinstance(place, str) and declared is not None and place in declared


def _explicit(resource: Resource, facts: Facts, package: str) -> Iterator[Found]:
    default = resource.name == "default" or resource.name.startswith("default_")
    if default and package != "pulumi" and facts.production:
        yield Finding("", "is a default provider; make an explicit one")


def _version(resource: Resource, facts: Facts, package: str) -> Iterator[Found]:
    locked = DYNAMIC_VERSION if package == "pulumi-python" else facts.provider_versions.get(package)
    used = resource.reader.read("version")
    if used is None or package == "pulumi":
        return
    if locked is None:
        yield Open("version")
    elif used != locked:
        yield Finding("version", f"is not the locked {locked}")


def _source(resource: Resource, facts: Facts) -> Iterator[Found]:
    for name in ("pluginDownloadURL", "pluginDownloadUrl"):
        address = resource.reader.read(name)
        if address and address not in facts.plugin_sources:
            yield Finding(name, "is no allowed source of plug-ins")


def _account(reader: Reader, facts: Facts, package: str) -> Iterator[Found]:
    if package not in SCOPES:
        return
    declared = facts.accounts.get(package)
    name = SCOPES[package]
    value = reader.read(name)
    if declared is None:
        yield Open(name)
        return
    asked = ids(value)
    if not asked:
        yield Finding(name, "is absent: the provider would take any account")
    for one in asked:
        if one not in declared:
            yield Finding(name, "is not an account that the stack declares")


def ids(value: Any) -> list[str]:
    """Read one id or several; provider properties hold lists as JSON text."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []


def _region(resource: Resource, facts: Facts) -> Iterator[Found]:
    declared = facts.regions.get(resource.package)
    name, value = _place(resource)
    if not name or value is None:
        return
    if value is UNKNOWN or declared is None:
        yield Open(name)
    elif not isinstance(value, str) or not _declared(value, declared):
        yield Finding(name, f"is {shown(value)}; the stack declares {', '.join(declared)}")


def _default_place(reader: Reader, facts: Facts, package: str) -> Iterator[Found]:
    """Judge where what names no place would stand; AWS's resources are asked one by one."""
    declared = facts.regions.get(package)
    for name in DEFAULT_PLACES.get(package, ()) if declared is not None else ():
        value = reader.read(name)
        if isinstance(value, str) and value and not _declared(value, declared or ()):
            yield Finding(name, f"is {shown(value)}; the stack declares {', '.join(declared or ())}")


DEFAULT_PLACES: Final = {"gcp": ("region", "zone"), "azure-native": ("location",)}
PLACES: Final = {"aws": ("region",), "gcp": ("location", "region", "zone"), "azure-native": ("location",)}


def _place(resource: Resource) -> tuple[str, Any]:
    """Return which property tells where a resource stands, and what it tells."""
    for name in PLACES[resource.package]:
        value = resource.props.get(name)
        if value is not None:
            return name, value
    if resource.package == "aws" and resource.provider_props and not resource.type.startswith(PLACELESS):
        return "region", Reader(resource.provider_props).raw("region")
    return "", None


def _declared(value: str, declared: tuple[str, ...]) -> bool:
    text = value.rpartition("/")[2].lower().replace(" ", "")
    return text in {"global", *declared} or any(re.fullmatch(re.escape(one) + "-[a-f]", text) for one in declared)


def _project(resource: Resource, facts: Facts) -> Iterator[Found]:
    if resource.package != "gcp":
        return
    value = resource.reader.read("project")
    declared = facts.accounts.get("gcp")
    if value is not None and declared is not None and value not in declared:
        yield Finding("project", "is not a project that the stack declares")


@resource_rule(
    "CH-08",
    "Everything says whose it is, what it costs whom, and how sensitive it is.",
    HIGH,
    ["aws:*", "gcp:*", "azure-native:*"],
    remediation="Leave tags to the stack's tagging; do not overwrite them; correct the stack file.",
)
def tags(resource: Resource, facts: Facts) -> Iterable[Found]:
    """Which types carry tags is generated from the SDKs; values come from closed sets."""
    where = taggable(resource.type)
    if not where:
        return ()
    held = resource.props.get(where)
    if isinstance(held, dict):
        try:
            if _right(tuple(map(held.get, TAGS)), resource.package, facts.owners, facts.environment):
                return ()
        except TypeError:  # a list or a map where a text belongs
            pass
    return _tags(resource, where, facts)


@lru_cache(maxsize=4096)
def _right(values: tuple[Any, ...], package: str, owners: tuple[str, ...], environment: str) -> bool:
    """Say whether tags are right; nearly all resources of a stack have the same."""
    if not all(isinstance(value, str) for value in values):
        return False
    held = dict(zip(TAGS, values, strict=True))
    formed = all(form.match(held[key]) and len(held[key]) <= LENGTHS[package] for key, form in TAGS.items())
    whose = not owners or held["owner"] in owners
    return formed and whose and (not environment or held["environment"] == environment)


def _tags(resource: Resource, where: str, facts: Facts) -> Iterator[Found]:
    held = {**_by_default(resource), **resource.reader.map(where)}
    for key, form in TAGS.items():
        value = held.get(key)
        if value is UNKNOWN:
            yield Open(f"{where}.{key}")
        elif value is None:
            yield Finding(f"{where}.{key}", "is missing")
        elif not form.match(str(value)) or len(str(value)) > LENGTHS[resource.package]:
            yield Finding(f"{where}.{key}", f"is not of the form {form.pattern}")
        elif key == "owner" and facts.owners and value not in facts.owners:
            yield Finding(f"{where}.{key}", "is no owner of this stack")
        elif key == "environment" and facts.environment and value != facts.environment:
            yield Finding(f"{where}.{key}", "is another environment's")


def _by_default(resource: Resource) -> dict[str, Any]:
    """Return the tags that the provider puts on everything; provider properties hold maps as JSON text."""
    told: dict[str, Any] = {}
    for path in ("defaultTags", "defaultLabels"):
        held = resource.provider_props.get(path)
        held = json_object(held) if isinstance(held, str) else held
        told = {**told, **_tag_map(held)}
    return told


def _tag_map(held: Any) -> dict[str, Any]:
    inner = held.get("tags", held) if isinstance(held, dict) else {}
    inner = json_object(inner) if isinstance(inner, str) else inner
    return inner if isinstance(inner, dict) else {}


@resource_rule(
    "CH-09",
    "The stack knows its one commit; nothing else carries one.",
    HIGH,
    ["pulumi:pulumi:Stack", "aws:*", "gcp:*", "azure-native:*"],
    remediation="Run from a clean checkout; drop commit tags from resources: they change with every pull request.",
)
def commit(resource: Resource, facts: Facts) -> Iterable[Found]:
    """The commit comes with the pack's configuration; a dirty checkout has none."""
    if resource.type == "pulumi:pulumi:Stack":
        if not facts.commit:
            return (Open("commit"),)
        clean = COMMIT.match(facts.commit)
        return () if clean else (Finding("commit", "is no clean commit of 40 hexadecimal digits"),)
    where = taggable(resource.type)
    held = resource.props.get(where) if where else None
    if not isinstance(held, dict) or COMMIT_TAGS.isdisjoint(held):
        return ()
    named = COMMIT_TAGS.intersection(held)
    if any("commit" in key.lower() or ABBREVIATED.match(str(held[key])) for key in named):
        return (Finding(where, "carries a commit"),)
    return (Open(where),) if UNKNOWN in [held[key] for key in named] else ()
