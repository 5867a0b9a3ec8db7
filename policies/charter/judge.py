"""Judging: which rules look at a resource, what they found, what they could not decide."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charter.facts import Facts
from charter.rule import RULES, Finding, Resource, Rule, matching
from charter.values import Undetermined


@dataclass(frozen=True)
class Verdict:
    """A finding with the rule that made it."""

    rule: Rule
    urn: str
    path: str
    text: str

    @property
    def message(self) -> str:
        """Return the fixed form that reports parse: `RULE-ID path: text`."""
        return f"{self.rule.id} {self.path or '(resource)'}: {self.text}"


@dataclass
class Tally:
    """Pairs of rule and resource: judged, and left open because something is not known yet."""

    evaluated: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    undetermined: dict[tuple[str, str], str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the counts whole: readers never see half a file."""
        document = {
            "evaluated": self.evaluated,
            "undetermined": len(self.undetermined),
            "undetermined_list": [
                {"rule": rule, "urn": urn, "path": where} for (rule, urn), where in sorted(self.undetermined.items())
            ],
            "by_rule": dict(sorted(self.by_rule.items())),
            "rules": len(RULES),
        }
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(document))
        draft.replace(path)


class Judge:
    """Runs every rule on each resource once and on the stack once; remembers the inputs for the stack rules.

    At a first preview the engine hands a stack policy empty properties where a provider's configuration is unknown,
    so stack rules judge what was recorded when each resource was analysed.
    """

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        chosen = (RULES if rules is None else rules).values()
        self._resource_rules = tuple(rule for rule in chosen if rule.check)
        self._stack_rules = tuple(rule for rule in chosen if rule.stack_check)
        self._index: dict[str, tuple[Rule, ...]] = {}
        self.recorded: dict[str, Resource] = {}
        self.tally = Tally()

    def resource(self, resource: Resource, facts: Facts) -> list[Verdict]:
        """Judge one resource; a rule that raises becomes a finding of its own and the others go on."""
        self.recorded[resource.urn] = resource
        rules = self._index.get(resource.type)
        if rules is None:
            rules = self._index[resource.type] = tuple(matching(self._resource_rules, resource.type))
        verdicts: list[Verdict] = []
        for rule in rules:
            assert rule.check is not None  # noqa: S101  chosen above
            verdicts += self._run(rule, resource.urn, lambda rule=rule: rule.check(resource, facts), 1)
        return verdicts

    def stack(self, resources: Iterable[Resource], facts: Facts) -> list[Verdict]:
        """Judge the whole stack on recorded inputs, enriched by the relations that only the stack call brings."""
        merged = tuple(_merge(self.recorded.get(resource.urn), resource) for resource in resources)
        verdicts: list[Verdict] = []
        for rule in self._stack_rules:
            chosen = tuple(resource for resource in merged if next(matching((rule,), resource.type), None))
            assert rule.stack_check is not None  # noqa: S101  chosen above
            verdicts += self._run(rule, "", lambda rule=rule: rule.stack_check(merged, facts), len(chosen))
        return verdicts

    def _run(self, rule: Rule, urn: str, check: Any, pairs: int) -> Iterator[Verdict]:
        self.tally.evaluated += pairs
        self.tally.by_rule[rule.id] += pairs
        self.tally.undetermined.pop((rule.id, urn), None)
        try:
            for found in check():
                if isinstance(found, Finding):
                    yield Verdict(rule, found.urn or urn, found.path, found.text)
                else:  # a stack rule may leave single resources open and go on
                    self.tally.undetermined[(rule.id, found.urn)] = found.path
        except Undetermined as unknown:
            self.tally.undetermined[(rule.id, urn)] = unknown.path
        except Exception as error:  # noqa: BLE001  one broken rule must not silence the others
            yield Verdict(rule, urn, "", f"the rule itself failed: {type(error).__name__}; nothing was judged by it")


def _merge(recorded: Resource | None, seen: Resource) -> Resource:
    if recorded is None:
        return seen
    return Resource(
        **{
            **recorded.__dict__,
            "parent": seen.parent,
            "dependencies": seen.dependencies,
            "property_dependencies": seen.property_dependencies,
        }
    )


@dataclass(frozen=True)
class Open:
    """What a stack rule yields for a resource that it cannot decide yet."""

    urn: str
    path: str
