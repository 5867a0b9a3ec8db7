"""Judging: which rules look at a resource, what they found, what they could not decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from charter.dispatch import Index
from charter.documents import Malformed
from charter.facts import Facts
from charter.graph import Graph
from charter.lists import LIST, listed, outward
from charter.rule import RULES, Excused, Finding, Found, Resource, Rule
from charter.tally import Tally
from charter.values import Undetermined
from charter.waivers import Waiver, covering, faults, read_waivers

TO_DO: Final = "To do: "
"""Where the message of a finding ends and the way out begins."""
MOST_OPEN: Final = 0.05
ENOUGH: Final = 500
"""Pairs below which a share says nothing: one resource that is not known yet would be most of them."""


@dataclass(frozen=True)
class Verdict:
    """A finding with the rule that made it."""

    rule: Rule
    urn: str
    path: str
    text: str
    level: str

    @property
    def message(self) -> str:
        """Return the fixed form that reports parse: `RULE-ID path: text`."""
        return f"{self.rule.id} {self.path or '(resource)'}: {self.text}"

    @property
    def told(self) -> str:
        """Return what the engine shows: the message, and below it what to do and where more is said."""
        return f"{self.message}\n{TO_DO}{self.rule.remediation} See {self.rule.page}"


class Judge:
    """Runs every rule on each resource once and on the stack once; remembers the inputs for the stack rules.

    At a first preview the engine hands a stack policy empty properties where a provider's configuration is unknown,
    so stack rules judge what was recorded when each resource was analysed.
    """

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        chosen = (RULES if rules is None else rules).values()
        self._resource_rules = Index(rule for rule in chosen if rule.check)
        self._stack_rules = tuple(rule for rule in chosen if rule.stack_check)
        self.recorded: dict[str, Resource] = {}
        self.waived: set[Waiver] = set()
        self.tally = Tally(rules=len(chosen))

    def resource(self, resource: Resource, facts: Facts) -> list[Verdict]:
        """Judge one resource; a rule that raises becomes a finding of its own and the others go on."""
        self.recorded[resource.urn] = resource
        verdicts: list[Verdict] = []
        if resource.origin == "read":
            return verdicts  # somebody else's; CH-10 asks whose
        for each in listed(resource) if resource.kind.endswith(LIST) else (resource,):
            plan = self._resource_rules.plan(each)
            self.tally.resource(each.urn, plan.rules)
            seen = each.marks
            for rule, check, needs in plan.steps:
                if needs and not needs & seen:
                    continue
                try:
                    for found in check(each, facts):
                        self._note(rule, each.urn, found, verdicts)
                except Exception as error:  # noqa: BLE001  each kind is told apart there
                    self._raised(rule, each.urn, error, verdicts)
        return self._waive(verdicts, facts) if facts.waivers else verdicts

    def stack(self, resources: Iterable[Resource], facts: Facts) -> list[Verdict]:
        """Judge the whole stack on recorded inputs, enriched by the relations that only the stack call brings."""
        merged = (_merge(self.recorded.get(resource.urn), resource) for resource in resources)
        graph = Graph(each for resource in merged for each in listed(resource))
        whole = next((each.urn for each in graph.of("pulumi:pulumi:Stack")), "")
        verdicts: list[Verdict] = []
        for rule in self._stack_rules:
            chosen = graph.of(*rule.types) if rule.types else list(graph.resources)
            urns = tuple(each.urn for each in chosen if rule.applies is None or rule.applies(each))
            if urns:
                self.tally.begin(rule.id, urns, again=rule.check is not None)
                self._run(rule, whole, rule.stack_check, (graph, facts), verdicts)
        verdicts = self._waive(verdicts, facts) if facts.waivers else verdicts
        return [*verdicts, *self._judge_waivers(facts, whole), *self._attest(whole)]

    def _attest(self, whole: str) -> list[Verdict]:
        """CH-30: a run that leaves much open has judged too little to be believed."""
        rule = RULES["CH-30"]
        judged, left = self.tally.evaluated, len(self.tally.undetermined)
        self.tally.begin(rule.id, (whole,))
        if judged < ENOUGH or left <= judged * MOST_OPEN:
            return []
        told = f"{left} of {judged} pairs are undetermined; at most {MOST_OPEN:.0%} may be"
        return [Verdict(rule, whole, "", told, rule.severity.level)]

    def _waive(self, verdicts: list[Verdict], facts: Facts) -> list[Verdict]:
        """Let be what a valid waiver covers; the tally lists it."""
        kept: list[Verdict] = []
        for verdict in verdicts:
            waiver = covering(read_waivers(facts.waivers), verdict.rule, verdict.urn, facts)
            if waiver is None:
                kept.append(verdict)
            else:
                self.waived.add(waiver)
                self.tally.excuse(verdict.rule.id, verdict.urn, verdict.path, waiver.told)
        return kept

    def _judge_waivers(self, facts: Facts, whole: str) -> list[Verdict]:
        """CH-14: a waiver that is over, too long, not used, or too bold is a finding of its own."""
        rule = RULES["CH-14"]
        if not facts.waivers:
            return []
        self.tally.begin(rule.id, (whole,))
        found = faults(read_waivers(facts.waivers), self.waived, facts)
        return [Verdict(rule, whole, path, text, rule.severity.level) for path, text in found]

    def _run(
        self,
        rule: Rule,
        urn: str,
        check: Callable[..., Iterable[Found]] | None,
        given: tuple[Any, Any],
        verdicts: list[Verdict],
    ) -> None:
        try:
            for found in check(*given) if check else ():
                self._note(rule, urn, found, verdicts)
        except Exception as error:  # noqa: BLE001  each kind is told apart there
            self._raised(rule, urn, error, verdicts)

    def _raised(self, rule: Rule, urn: str, error: Exception, verdicts: list[Verdict]) -> None:
        """Take in what a rule raised: one broken rule must not silence the others, and its text may hold a value."""
        if isinstance(error, Undetermined):
            self.tally.leave_open(rule.id, *outward(urn, error.path))
        elif isinstance(error, Malformed):
            verdicts.append(Verdict(rule, *outward(urn, error.path), "is no JSON document", rule.severity.level))
        else:
            told = f"the rule itself failed ({type(error).__name__}); what it would have judged here is not judged"
            verdicts.append(Verdict(rule, *outward(urn, ""), told, "mandatory"))

    def _note(self, rule: Rule, urn: str, found: Found, verdicts: list[Verdict]) -> None:
        where, path = outward(found.urn or urn, found.path)
        if isinstance(found, Finding):
            verdicts.append(Verdict(rule, where, path, found.text, rule.severity.level))
        elif isinstance(found, Excused):
            self.tally.excuse(rule.id, where, path, found.why)
        else:
            self.tally.leave_open(rule.id, where, path)


def _merge(recorded: Resource | None, seen: Resource) -> Resource:
    if recorded is None:
        return seen
    return replace(
        recorded,
        parent=seen.parent or recorded.parent,
        dependencies=seen.dependencies,
        property_dependencies=seen.property_dependencies,
    )
