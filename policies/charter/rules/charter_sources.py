"""Charter: figures from outside, by where they come from and how old they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from charter.documents import json_object
from charter.facts import Facts
from charter.rule import HIGH, Finding, Found, Resource, apart, resource_rule

SIZING: Final = "pulumi-python:dynamic/sizing:*"
WANTED: Final = {
    "url": re.compile(r"^https?://\S+$"),
    "retrievedAt": re.compile(r"^\d{4}-\d{2}-\d{2}"),
    "sha256": re.compile(r"^(sha256:)?[0-9a-f]{64}$"),
    "licence": re.compile(r"\S"),
}
"""What the evidence says of each set of data that the stack was built from: prices, quotas, catalogues, benchmarks."""
DATED: Final = re.compile(r"^(?P<name>.+)@(?P<day>\d{4}(-\d{2}-\d{2})?)$")
DAYS: Final = 900
"""How old a set of data may be that says no age of its own."""


@resource_rule(
    "CH-07",
    "Every figure that comes from outside says where it comes from, and is not too old.",
    HIGH,
    [SIZING],
    implies=("CH-15",),  # whoever changes the document changes its hash
    remediation="Give each row of the catalogue its source; set prices.as_of and prices.max_age_days; refresh prices.",
)
def sources(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Prices are counted from `as_of`, an input, so that nothing expires by itself.

    Where `evidence.data` describes sets of data (prices, quotas, catalogues, benchmarks) each says url, retrievedAt,
    sha256 and licence, and every one that the catalogue names is there.
    """
    document = _json(resource.reader.read("document"))
    for cluster, problem in (document.get("problems") or {}).items():
        if not isinstance(problem, dict):
            continue
        nameless = [
            kind for kind in problem.get("types", []) if isinstance(kind, dict) and not kind.get("price_source")
        ]
        if nameless:
            yield Finding(f"document.problems.{cluster}.types", f"{len(nameless)} instance types have no price source")
        plan = (document.get("plans") or {}).get(cluster) or {}
        oldest, as_of = _day(plan.get("oldest_price")), _day(problem.get("as_of"))
        most = problem.get("max_age_days")
        if oldest is None or as_of is None or not isinstance(most, int | float):
            yield Finding(f"document.plans.{cluster}.oldest_price", "the age of the prices cannot be told")
        elif as_of - oldest > timedelta(days=most) and not plan.get("stale_prices"):
            yield Finding(
                f"document.plans.{cluster}.oldest_price", f"is older than {most:g} days and not listed as stale"
            )
        yield from apart(_named(cluster, problem, facts), _spot(cluster, problem))
    yield from _entries(facts, max((each for each in map(_as_of, _problems(document)) if each), default=None))


def _problems(document: dict[str, Any]) -> list[dict[str, Any]]:
    held = document.get("problems")
    return [each for each in held.values() if isinstance(each, dict)] if isinstance(held, dict) else []


def _as_of(problem: dict[str, Any]) -> date | None:
    return _day(problem.get("as_of"))


def _types(problem: dict[str, Any]) -> list[dict[str, Any]]:
    held = problem.get("types")
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _spot(cluster: str, problem: dict[str, Any]) -> Iterator[Found]:
    nameless = [each for each in _types(problem) if each.get("spot_price_usd_hour") and not each.get("spot_source")]
    if nameless:
        told = f"{len(nameless)} prices and interruption bands of spot capacity have no source"
        yield Finding(f"document.problems.{cluster}.types", told)


def _named(cluster: str, problem: dict[str, Any], facts: Facts) -> Iterator[Found]:
    """Judge whether the evidence holds every set of data that the catalogue names, where it holds any."""
    held = facts.evidence.get("data")
    if not isinstance(held, dict):
        return
    told = {str(each[key]) for each in _types(problem) for key in ("price_source", "spot_source") if each.get(key)}
    names = {part for one in told for part in _names(one)}
    missing = sorted(names - set(held))
    if missing:
        yield Finding(f"document.problems.{cluster}.types", f"the evidence has no {', '.join(missing)}")


def _names(source: str) -> Iterator[str]:
    for part in source.split("*"):  # a price that was scaled by another figure names both
        found = DATED.match(part.strip())
        yield found["name"] if found else part.strip()


def _entries(facts: Facts, as_of: date | None) -> Iterator[Found]:
    held = facts.evidence.get("data")
    for name, entry in held.items() if isinstance(held, dict) else ():
        if not isinstance(entry, dict):
            yield Finding(f"evidence.data.{name}", "is no description of where the data come from")
            continue
        missing = [key for key, form in WANTED.items() if not form.search(str(entry.get(key) or ""))]
        if missing:
            yield Finding(f"evidence.data.{name}", f"does not say {', '.join(missing)}")
        day, most = _day(entry.get("retrievedAt")), entry.get("maxAgeDays", DAYS)
        if facts.today and day and day > date.fromisoformat(facts.today):
            yield Finding(f"evidence.data.{name}.retrievedAt", "has not come yet")
        if day and as_of and isinstance(most, int | float) and as_of - day > timedelta(days=most):
            yield Finding(f"evidence.data.{name}.retrievedAt", f"is older than {most:g} days")


def _json(text: Any) -> dict[str, Any]:
    return json_object(text) or {}


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
