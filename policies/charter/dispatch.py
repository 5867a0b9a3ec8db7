"""Which rules look at a resource: compiled once per type, so that a resource asks no rule that is not about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from charter.leaves import POD, STEPS
from charter.rule import Check, Question, Resource, Rule
from charter.spellings import canonical

Step = tuple[Rule, Check, int]
"""A rule, its check, and the marks of which a resource needs one for it; 0 when it is always asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a resource: the rules that judge it, and the steps of doing so."""

    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]


class Index:
    """Rules by the types that they judge; answers for a type without asking each rule."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._starred: dict[str, list[int]] = defaultdict(list)
        for place, rule in enumerate(self.rules):
            for pattern in rule.types:
                if pattern.endswith("*"):
                    self._starred[pattern[:-1]].append(place)
                else:
                    self._exact[pattern].append(place)
        self._known: dict[str, tuple[Rule, ...]] = {}
        self._plain: dict[str, Plan] = {}
        self._questions: dict[str, tuple[Question, ...]] = {}
        self._plans: dict[tuple[str, tuple[bool, ...]], Plan] = {}

    def of(self, resource_type: str) -> tuple[Rule, ...]:
        """Return the rules that judge a resource type, in their order."""
        found = self._known.get(resource_type)
        if found is None:
            spelt = canonical(resource_type)
            places = set(self._exact.get(spelt, ()))
            for start, starred in self._starred.items():
                if spelt.startswith(start):
                    places.update(starred)
            found = self._known[resource_type] = tuple(self.rules[place] for place in sorted(places))
        return found

    def plan(self, resource: Resource) -> Plan:
        """Return what happens to a resource, without the rules that look at only some of its type and not at it.

        Most resources hold no pod and ignore no change: all of a type get the same answers, and are asked once.
        """
        if resource.marks & (POD | STEPS) or resource.ignore_changes:
            return self._asked(resource)
        plan = self._plain.get(resource.type)
        if plan is None:
            plan = self._plain[resource.type] = self._asked(resource)
        return plan

    def _asked(self, resource: Resource) -> Plan:
        """Ask each question once, however many rules ask it; the same answers of one type are the same plan."""
        kind = resource.type
        questions = self._questions.get(kind)
        if questions is None:
            questions = self._questions[kind] = tuple({one.applies for one in self.of(kind) if one.applies})
        answers = tuple([bool(asks(resource)) for asks in questions])
        plan = self._plans.get((kind, answers))
        if plan is None:
            plan = self._plans[kind, answers] = self._compiled(kind, dict(zip(questions, answers, strict=True)))
        return plan

    def _compiled(self, kind: str, held: dict[Question, bool]) -> Plan:
        chosen = tuple(rule for rule in self.of(kind) if rule.applies is None or held[rule.applies])
        return Plan(chosen, tuple((one, one.check, one.needs(kind) if one.needs else 0) for one in chosen if one.check))
