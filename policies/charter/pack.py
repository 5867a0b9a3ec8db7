"""The door to the engine: one dispatcher per level, so that each resource is decoded twice, not once per rule."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import charter.rules  # noqa: F401  registers every rule
from charter.decoding import decoded, marked
from charter.facts import CONFIG_SCHEMA, Facts, read_facts
from charter.judge import Judge, Verdict
from charter.patience import Watch
from charter.remedies import on, remedied
from charter.rule import Resource
from charter.tally import Ledger
from charter.values import plain
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Secret,
    StackValidationArgs,
    StackValidationPolicy,
)

MANDATORY = "charter-mandatory"
"""The policy whose configuration holds the facts: it runs first."""

REMEDY = "charter-remediate"
"""The policy that puts right what is safe; it has facts of its own, as it runs before any judgement."""

COLLECT_AFTER = (100_000, 50, 1000)
"""Thresholds of the cyclic garbage collector: a third of a stack call was spent in it with Python's own."""

SWITCHED_OFF = "CH-30 (configuration): the policy charter-mandatory did not run: somebody switched the law off"


class Dispatcher:
    """Judges each resource once and hands the findings to the policy of their level."""

    def __init__(self, judge: Judge | None = None) -> None:
        self.judge = judge or Judge()
        self._ledger = Ledger(self.judge.tally)
        self._watch = Watch()
        self._facts: Facts | None = None
        self._told: Any = None
        self._remedy_facts: Facts | None = None
        self._remedy_told: Any = None
        self._held: dict[str, list[Verdict]] = {}
        self._judged = 0
        self._stack_held: list[Verdict] = []

    def facts(self, args: Any) -> Facts:
        """Return the facts of the run; they are the same for each resource and read once."""
        config = args.get_config() or {}
        if self._facts is None or config != self._told:
            self._told = config
            self._facts = read_facts(plain(dict(config)))
            self._ledger.open(self._facts.counts_file)
        return self._facts

    def resource_mandatory(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Judge, report what must block, keep the rest for the advisory policy."""
        facts = self.facts(args)
        self._judged += 1
        with self._watch.over(args.urn):
            verdicts = self.judge.resource(resource_of(args), facts)
        self._ledger.step()
        self._report(verdicts, "mandatory", report)
        self._held[args.urn] = [verdict for verdict in verdicts if verdict.level == "advisory"]

    def resource_advisory(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Report what the mandatory run left; without one, that the law was switched off."""
        held = self._held.pop(args.urn, None)
        if held is None and self._judged < 1:
            report(SWITCHED_OFF, args.urn)
        self._report(held or [], "advisory", report)

    def remedy(self, args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        """Put right what is safe, where the facts let it; a policy without its facts touches nothing."""
        config = args.get_config() or {}
        if not config:
            return None
        if self._remedy_facts is None or config != self._remedy_told:
            self._remedy_told, self._remedy_facts = config, read_facts(plain(dict(config)))
        facts = self._remedy_facts
        return remedied(args.resource_type, raw(args.props), facts, Secret) if on(facts) else None

    def stack_mandatory(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Judge the stack, report what must block."""
        facts = self._facts or read_facts({})
        with self._watch.over("the whole stack"):
            seen = [_stack_resource(each, self.judge.recorded) for each in args.resources]
            self._stack_held = self.judge.stack(seen, facts)
        self._ledger.write()
        self._report(self._stack_held, "mandatory", report)

    def stack_advisory(self, _args: StackValidationArgs, report: ReportViolation) -> None:
        """Report what the mandatory run left."""
        self._report(self._stack_held, "advisory", report)

    @staticmethod
    def _report(verdicts: list[Verdict], level: str, report: ReportViolation) -> None:
        for verdict in verdicts:
            if verdict.level == level:
                report(verdict.told, verdict.urn or None)


def resource_of(args: Any) -> Resource:
    """Turn the engine's arguments into what rules see."""
    provider = args.provider
    props, seen = decoded(args.props)
    made = Resource(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        props=props,
        provider_type=provider.resource_type if provider else "",
        provider_name=provider.name if provider else "",
        provider_urn=provider.urn if provider else "",
        provider_props=plain(provider.props) if provider else {},
        protect=bool(args.opts.protect),
        ignore_changes=tuple(args.opts.ignore_changes or ()),
        parent=args.opts.parent or "",
    )
    return marked(made, seen)


def _stack_resource(resource: Any, recorded: Mapping[str, Resource]) -> Resource:
    """Turn one resource of the stack call into what rules see; its properties serve only if it was never analysed."""
    known = recorded.get(resource.urn)
    relations = {key: tuple(each.urn for each in targets) for key, targets in resource.property_dependencies.items()}
    return replace(
        known or resource_of(resource),
        parent=resource.parent.urn if resource.parent else "",
        dependencies=tuple(each.urn for each in resource.dependencies),
        property_dependencies=relations,
    )


def raw(value: Any) -> Any:
    """Return what is behind the engine's proxies: unknowns as they are written, secrets still wrapped."""
    while isinstance(value, Mapping | Sequence) and not isinstance(value, dict | list | str | bytes):
        value = value["__target"]  # type: ignore[call-overload]  # the proxies' own back door
    if isinstance(value, dict):
        return {key: raw(item) for key, item in value.items()}
    return [raw(item) for item in value] if isinstance(value, list) else value


def policies(dispatcher: Dispatcher) -> list[Any]:
    """Return the registered policies, in the order in which the engine must run them."""
    return [
        ResourceValidationPolicy(
            name=REMEDY,
            description="The integrity charter: what is put right.",
            enforcement_level=EnforcementLevel.REMEDIATE,
            config_schema=PolicyConfigSchema(properties=CONFIG_SCHEMA),
            remediate=dispatcher.remedy,  # type: ignore[arg-type]  # the SDK takes a map too, and says only awaitables
        ),
        ResourceValidationPolicy(
            name=MANDATORY,
            description="The integrity charter: what must hold.",
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=PolicyConfigSchema(properties=CONFIG_SCHEMA),
            validate=dispatcher.resource_mandatory,
        ),
        ResourceValidationPolicy(
            name="charter-advisory",
            description="The integrity charter: what should hold.",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=dispatcher.resource_advisory,
        ),
        StackValidationPolicy(
            name="charter-stack-mandatory",
            description="The integrity charter over the whole stack: what must hold.",
            enforcement_level=EnforcementLevel.MANDATORY,
            validate=dispatcher.stack_mandatory,
        ),
        StackValidationPolicy(
            name="charter-stack-advisory",
            description="The integrity charter over the whole stack: what should hold.",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=dispatcher.stack_advisory,
        ),
    ]


def serve() -> None:
    """Serve the pack to the engine; never returns.

    What was judged stays for the stack rules, so looking for garbage in it is wasted: it is looked for rarely.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    PolicyPack("integrity-charter", policies(Dispatcher()))
