"""Mutants: the examples' faults planted in a good stack, and who finds them."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
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


def mutants(
    state: Mapping[str, Any], facts: Mapping[str, Any], without: Collection[str] | None = None
) -> Iterator[Mutant]:
    """Yield every wrong example: planted in resources of the good stack, else in its own good graph.

    `without` names rules that need no more mutants; the others are then planted only.
    """
    from charter.examples import cases, written  # noqa: PLC0415 - the pack's own package, on the path by now
    from charter.rule import RULES  # noqa: PLC0415
    from charter.states import resources  # noqa: PLC0415

    good = resources(state)
    yield from _whole(good, facts)
    ground = Ground(good, facts)
    for rule, entry in sorted(written().items()):
        if without is not None and rule in without:
            continue
        planted = list(ground.plant(RULES[rule], entry))
        yield from planted
        if without is None and not any(one.exactly for one in planted):
            base, *others = cases(rule)
            yield from (Mutant(rule, in_stack=False, found=_added(base, case)) for case in others if case.finds)


def _whole(good: list[Any], facts: Mapping[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of rules that judge no property: a waiver, a stack hardly known, a parent, what feeds what."""
    from charter.values import UNKNOWN  # noqa: PLC0415

    before = _of_stack(good, facts)
    waiver = {"rule": "AWS-LOG-01", "urn": "*", "owner": "a", "reason": "b", "ticket": "c", "expires": "2020-01-01"}
    yield Mutant("CH-14", in_stack=True, found=_of_stack(good, {**facts, "waivers": [waiver]}) - before)
    hazy = [each if each.package == "aws" else _like(each, dict.fromkeys(each.props, UNKNOWN)) for each in good]
    yield Mutant("CH-30", in_stack=True, found=_of_stack(hazy, facts) - before)
    alone = _alone(good)
    if alone:
        yield Mutant("CH-10", in_stack=True, found=_of_stack(alone, facts) - before)
    led = _led(good)
    if led:
        yield Mutant("CH-17", in_stack=True, found=_of_stack(led, facts) - before)


def _alone(good: list[Any]) -> list[Any]:
    """Return the stack with one resource taken out of its component: one that no other refers to."""
    named = {urn for each in good for urns in each.property_dependencies.values() for urn in urns}
    named |= {urn for each in good for urn in (each.parent, each.provider_urn, *each.dependencies)}
    for place, each in enumerate(good):
        if each.package == "aws" and each.urn not in named:
            start = "::".join(each.urn.split("::")[:2])
            orphan = replace(each, urn=f"{start}::{each.type}::{each.name}", parent="")
            return [*good[:place], orphan, *good[place + 1 :]]
    return []


def _led(good: list[Any]) -> list[Any]:
    """Return the stack with an identity whose trust the optimizer decides."""
    sizing = next((each for each in good if each.type.startswith("pulumi-python:dynamic/sizing")), None)
    for place, each in enumerate(good):
        if sizing and each.type == "aws:iam/role:Role":
            fed = {**each.property_dependencies, "assumeRolePolicy": (sizing.urn,)}
            return [*good[:place], replace(each, property_dependencies=fed), *good[place + 1 :]]
    return []


def _of_stack(good: list[Any], facts: Mapping[str, Any]) -> frozenset[str]:
    from charter.judge import Judge  # noqa: PLC0415

    judge, told = Judge(), _facts(facts)
    verdicts = [verdict for each in good for verdict in judge.resource(each, told)]
    return frozenset(verdict.rule.id for verdict in [*verdicts, *judge.stack(good, told)])


class Ground:
    """A good stack in which faults are planted: what a fault adds is told by judging the stack before and after."""

    def __init__(self, good: list[Any], facts: Mapping[str, Any]) -> None:
        self.good = good
        self.facts = facts
        self._before: dict[str, set[tuple[str, str, str]]] = {}

    def plant(self, rule: Any, entry: Mapping[str, Any]) -> Iterator[Mutant]:
        """Yield a mutant for each wrong example whose resources the stack has: changed, taken away, or added beside."""
        for change in entry.get("wrong", []):
            told = {**self.facts, **entry.get("facts", {}), **change.get("facts", {})}
            for made, touched in self._changed(rule, entry, change):
                found = frozenset(name for name, _, _ in self._judged(made, touched, told) - self._base(told))
                if found:
                    yield Mutant(rule.id, in_stack=True, found=found)
                    if found <= {rule.id, *rule.implies}:
                        break

    def _changed(
        self, rule: Any, entry: Mapping[str, Any], change: Mapping[str, Any]
    ) -> Iterator[tuple[list[Any], list[Any]]]:
        """Yield the stack with a fault, and the resources that were changed, for some places where it can stand."""
        from charter.examples import SINGLE, SPECIAL  # noqa: PLC0415

        types = {SINGLE: entry["type"]} if "type" in entry else {n: r["type"] for n, r in entry["graph"].items()}
        told: dict[str, dict[str, Any]] = {}
        for path, value in change.items():
            if path in SPECIAL:
                continue
            name, rest = (SINGLE, path) if "type" in entry else (path.partition(".")[0], path.partition(".")[2])
            told.setdefault(name, {})[rest] = value
        if any(rest.startswith("$") and rest not in OPTIONS for paths in told.values() for rest in paths):
            return
        for turn in range(PLACES):
            made = self._place(rule, types, told, turn)
            if made is not None:
                yield made

    def _place(
        self, rule: Any, types: Mapping[str, str], told: Mapping[str, Mapping[str, Any]], turn: int
    ) -> tuple[list[Any], list[Any]] | None:
        swapped: dict[str, Any] = {}
        added: list[Any] = []
        for name, paths in told.items():
            whole = paths.get("") if "" in paths else None
            if "" in paths and whole is not None:
                if name in types or whole.get("refs"):
                    return None  # it would stand in place of another, or be fed by what is not here
                added.append(self._beside(name, whole))
                continue
            hosts = [each for each in self.good if _suits(rule, each, types.get(name, ""))]
            if not hosts and len(types) == 1:
                hosts = [each for each in self.good if _suits(rule, each, each.type) and _judges(rule, each)]
            if turn >= len(hosts):
                return None
            host = hosts[turn]
            swapped[host.urn] = None if "" in paths else _altered(host, paths)
            if swapped[host.urn] is host:
                return None
        changed = [each for each in swapped.values() if each is not None] + added
        made = [swapped.get(each.urn, each) for each in self.good]
        return [each for each in made if each is not None] + added, changed

    def _beside(self, name: str, written: Mapping[str, Any]) -> Any:
        """Return a resource that an example adds, with the provider that others of its package have."""
        from charter.rule import Resource  # noqa: PLC0415
        from charter.values import plain  # noqa: PLC0415

        kind = str(written["type"])
        near = next((each for each in self.good if each.package == kind.partition(":")[0]), self.good[0])
        return Resource(
            urn=f"{near.urn.rpartition('::')[0]}::{name}", type=kind, name=name, parent=near.parent,
            props=plain(written.get("props", {})), protect=True,
            provider_type=near.provider_type, provider_name=near.provider_name, provider_urn=near.provider_urn,
        )  # fmt: skip

    def _base(self, told: Mapping[str, Any]) -> set[tuple[str, str, str]]:
        key = repr(sorted(told.items(), key=str))
        if key not in self._before:
            self._before[key] = self._judged(self.good, self.good, told)
        return self._before[key]

    @staticmethod
    def _judged(made: list[Any], alone: list[Any], told: Mapping[str, Any]) -> set[tuple[str, str, str]]:
        """Return what is found: by rules over single resources in some of them, by the others in the whole stack."""
        from charter.judge import Judge  # noqa: PLC0415

        facts, judge = _facts(told), Judge()
        verdicts = [verdict for each in alone for verdict in judge.resource(each, facts)]
        verdicts += judge.stack(made, facts)
        return {(each.rule.id, each.urn, each.path) for each in verdicts}


OPTIONS = {"$protect": "protect", "$ignore_changes": "ignore_changes"}
"""Options of a resource that a fault may change, as examples write them."""
PLACES = 3
"""Resources of a kind in which a fault is tried."""


def _judges(rule: Any, resource: Any) -> bool:
    from charter.rule import matching  # noqa: PLC0415

    return "*" not in rule.types and bool(list(matching([rule], resource.type)))


def _suits(rule: Any, resource: Any, kind: str) -> bool:
    from charter.rule import matching  # noqa: PLC0415
    from charter.spellings import canonical  # noqa: PLC0415

    if resource.type == canonical(kind):
        return rule.applies is None or bool(rule.applies(resource)) or not list(matching([rule], resource.type))
    return False


def _altered(host: Any, paths: Mapping[str, Any]) -> Any:
    """Return a resource with properties changed, or the same when the change does not fit its shape."""
    from charter.examples import SINGLE, changed  # noqa: PLC0415

    graph = {SINGLE: {"type": host.type, "props": copy.deepcopy(dict(host.props))}}
    options = {
        OPTIONS[path]: tuple(to) if isinstance(to, list) else to for path, to in paths.items() if path in OPTIONS
    }
    try:
        props = changed(graph, {path: to for path, to in paths.items() if path not in OPTIONS})[SINGLE]["props"]
    except PLANTING:
        return host
    if options:
        return replace(host, **options)
    return host if props == host.props else _like(host, props)


def _like(resource: Any, props: Mapping[str, Any]) -> Any:
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
