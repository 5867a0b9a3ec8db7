"""Mutants: the examples' faults planted in a good stack, and who finds them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PLANTING = (KeyError, IndexError, AttributeError, TypeError, ValueError)
"""What a path raises that does not fit into a resource of another shape."""


@dataclass(frozen=True)
class Mutant:
    """One planted fault: the rule that must find it, where it was planted, and the rules that found something new."""

    rule: str
    in_stack: bool
    found: frozenset[str]

    @property
    def killed(self) -> bool:
        """Say whether its rule found it."""
        return self.rule in self.found

    @property
    def exactly(self) -> bool:
        """Say whether its rule found it and no other, but for those that it implies."""
        from charter.rule import RULES  # noqa: PLC0415 - the pack's own package, on the path by now

        return self.killed and self.found <= {self.rule, *RULES[self.rule].implies}


def mutants(state: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Mutant]:
    """Yield every wrong example: planted in each kind of resource of the good stack, else in its own good graph."""
    from charter.examples import cases, written  # noqa: PLC0415
    from charter.states import resources  # noqa: PLC0415
    from charter.rule import RULES  # noqa: PLC0415

    good = resources(state)
    yield from _whole(good, facts)
    for rule, entry in sorted(written().items()):
        planted = list(_planted(RULES[rule], entry, good, facts)) if RULES[rule].check else []
        yield from planted
        if not any(one.exactly for one in planted):
            base, *others = cases(rule)
            yield from (Mutant(rule, in_stack=False, found=_added(base, case)) for case in others if case.finds)


def _whole(good: list[Any], facts: Mapping[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of the rules that judge no resource: a waiver that ended, and a stack that is hardly known."""
    from charter.values import UNKNOWN  # noqa: PLC0415

    before = _of_stack(good, facts)
    waiver = {"rule": "AWS-LOG-01", "urn": "*", "owner": "a", "reason": "b", "ticket": "c", "expires": "2020-01-01"}
    yield Mutant("CH-14", in_stack=True, found=_of_stack(good, {**facts, "waivers": [waiver]}) - before)
    hazy = [each if each.package == "aws" else _like(each, dict.fromkeys(each.props, UNKNOWN)) for each in good]
    yield Mutant("CH-30", in_stack=True, found=_of_stack(hazy, facts) - before)


def _of_stack(good: list[Any], facts: Mapping[str, Any]) -> frozenset[str]:
    from charter.judge import Judge  # noqa: PLC0415

    judge, told = Judge(), _facts(facts)
    verdicts = [verdict for each in good for verdict in judge.resource(each, told)]
    return frozenset(verdict.rule.id for verdict in [*verdicts, *judge.stack(good, told)])


def _planted(rule: Any, entry: Mapping[str, Any], good: list[Any], facts: Mapping[str, Any]) -> Iterator[Mutant]:
    from charter.examples import SINGLE, SPECIAL, changed  # noqa: PLC0415
    from charter.judge import Judge  # noqa: PLC0415
    from charter.rule import matching  # noqa: PLC0415

    if "type" not in entry:
        return
    kind = [each for each in good if list(matching([rule], each.type)) and (not rule.applies or rule.applies(each))]
    host = next((each for each in kind if each.type == entry["type"]), None)
    if host is None:
        return
    for change in entry.get("wrong", []):
        told = {**facts, **entry.get("facts", {}), **change.get("facts", {})}
        paths = {key: value for key, value in change.items() if key not in SPECIAL}
        if any(key.startswith("$") for key in paths):
            continue
        graph = {SINGLE: {"type": host.type, "props": copy.deepcopy(dict(host.props))}}
        try:
            props = changed(graph, paths)[SINGLE]["props"]
        except PLANTING:
            continue
        told = _facts(told)
        before = {verdict.rule.id for verdict in Judge().resource(_like(host, host.props), told)}
        after = {verdict.rule.id for verdict in Judge().resource(_like(host, props), told)}
        if after - before:
            yield Mutant(rule.id, in_stack=True, found=frozenset(after - before))


def _like(resource: Any, props: Mapping[str, Any]) -> Any:
    from dataclasses import replace  # noqa: PLC0415

    return replace(resource, props=props)


def _facts(told: Mapping[str, Any]) -> Any:
    from charter.facts import read_facts  # noqa: PLC0415

    return read_facts(told).model_copy(update={"secrets_visible": True})


def _added(base: Any, case: Any) -> frozenset[str]:
    """Return the rules that find in a case what they do not find in the good one."""
    return frozenset(rule for rule, *_ in _findings(case, case.facts) - _findings(base, base.facts))


def _findings(case: Any, facts: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    from charter.example_states import exported  # noqa: PLC0415
    from charter.facts import read_facts  # noqa: PLC0415
    from charter.offline import judge  # noqa: PLC0415

    verdicts, _ = judge(exported(case.resources), read_facts(facts))
    return {(each.rule.id, each.urn, each.path) for each in verdicts}
