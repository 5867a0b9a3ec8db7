"""Rules over Cloudflare's firewall: what attacks it stops, and how often one may ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, stack_rule
from charter.rules.cloudflare import ZONE, place_of, zones
from charter.values import UNKNOWN, Reader, Undetermined

RULESET = "cloudflare:index/ruleset:Ruleset"
GUARDED = ("agent", "api")
MANAGED = {
    "efb7b8c949ac4650a09736fc376e9aee": "Cloudflare managed",
    "4814384a9e5d4991b9815dcfc25d2f1f": "OWASP core",
}
"""developers.cloudflare.com/waf/managed-rules/reference, 2026-11."""


def _rules_of(ruleset: Resource) -> Iterator[Reader]:
    ruleset.reader.read("phase")  # a phase that is not known leaves the zone open
    yield from ruleset.reader.each("rules")


def _rules(graph: Graph, phase: str) -> dict[str, list[Resource]]:
    by_zone = zones(graph, (RULESET,))
    return {
        zone: [each for each in members if each.props.get("phase") in (phase, UNKNOWN)]
        for zone, members in by_zone.items()
    }


@stack_rule(
    "CF-WAF-01",
    "Every zone has a firewall for web attacks, and nothing skips it whole.",
    CRITICAL,
    [ZONE, RULESET],
    remediation="Execute the managed and OWASP rule sets in phase http_request_firewall_managed; no skip of all.",
)
def firewall(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Managed and OWASP, both enabled."""
    for zone, members in _rules(graph, "http_request_firewall_managed").items():
        run: set[str] = set()
        try:
            for rule in (one for each in members for one in _rules_of(each)):
                if _runs(rule):
                    run.add(rule.text("actionParameters.id"))
        except Undetermined as unknown:
            yield Open(unknown.path, place_of(graph, zone, members))
            continue
        missing = [name for key, name in MANAGED.items() if key not in run]
        if missing:
            yield Finding("rules", f"{' and '.join(missing)} rules do not run", place_of(graph, zone, members))
    for ruleset in graph.of(RULESET):
        for rule in ruleset.reader.each("rules"):
            if rule.text("action") == "skip" and ALWAYS.match(rule.text("expression").strip("() ").lower()):
                yield Finding(rule.at("expression"), "skips the firewall for everybody", ruleset.urn)


ALWAYS = re.compile(
    r"^(true|not false|1 eq 1|ip\.src in \{[^}]*(0\.0\.0\.0/0|::/0)[^}]*\}|http\.host ne \"\"|len\(http\.host\) gt 0"
    r"|(starts_with\()?http\.request\.uri\.path(, | contains | wildcard )r?\"/\*?\"\)?)$"
)
"""Expressions that every request meets, without their outer brackets."""


def _runs(rule: Reader) -> bool:
    """Say whether a rule runs a set for real: switched on, not switched off inside, for requests that exist."""
    overrides = rule.inside("actionParameters").inside("overrides")
    off = overrides.read("enabled") is False or overrides.text("action") == "log"
    never = rule.text("expression", "true").strip("() ").lower() == "false"
    return rule.text("action") == "execute" and rule.flag("enabled", default=True) and not off and not never


@stack_rule(
    "CF-WAF-02",
    "Nobody asks the agent or the API without end.",
    HIGH,
    [ZONE, RULESET],
    remediation="Add rules in phase http_ratelimit whose expressions hold the agent's and the API's paths.",
)
def rate_limit(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Each guarded path stands in the expression of a rate limit."""
    for zone, members in _rules(graph, "http_ratelimit").items():
        try:
            texts = [
                rule.text("expression").lower()
                for each in members
                for rule in _rules_of(each)
                if rule.has("ratelimit") and rule.flag("enabled", default=True) and rule.text("action") != "log"
            ]
        except Undetermined as unknown:
            yield Open(unknown.path, place_of(graph, zone, members))
            continue
        missing = [path for path in GUARDED if not any(_about(text, path) for text in texts)]
        if missing:
            yield Finding("rules", f"no rate limit on {' and '.join(missing)}", place_of(graph, zone, members))


def _about(text: str, path: str) -> bool:
    """Say whether an expression is about a path, as a word of its own, or about every request."""
    return bool(ALWAYS.match(text.strip("() "))) or re.search(rf"(?<![\w-]){path}(?![\w-])", text) is not None
