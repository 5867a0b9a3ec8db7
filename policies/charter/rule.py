"""What a rule is, what it judges and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from charter.facts import Facts
from charter.values import Reader


class Severity(StrEnum):
    """How much harm a violation does; critical and high are mandatory, medium is advisory."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"

    @property
    def level(self) -> str:
        """Return the enforcement level of findings of this severity."""
        return "advisory" if self is Severity.MEDIUM else "mandatory"


@dataclass(frozen=True)
class Finding:
    """One violation: where, what is there, what is allowed."""

    path: str
    text: str
    urn: str | None = None  # stack rules name the resource; resource rules are about the one they judge


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a rule sees it: plain values, in three states."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    provider_type: str = ""
    provider_name: str = ""
    provider_urn: str = ""
    provider_props: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        """Return a reader of the properties."""
        return Reader(self.props)


Check = Callable[[Resource, Facts], Iterable[Finding]]
StackCheck = Callable[[tuple[Resource, ...], Facts], Iterable[Finding]]
Example = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A sentence of the charter that a machine can judge.

    `types` are resource types: exact (`aws:ec2/vpc:Vpc`), a prefix with `*`, or `*` for all. `good` and `bad` are
    property maps that a test executes and the documentation shows.
    """

    id: str
    title: str
    severity: Severity
    types: tuple[str, ...]
    controls: tuple[str, ...]
    remediation: str
    check: Check | None = None
    stack_check: StackCheck | None = None
    implies: tuple[str, ...] = ()
    good: tuple[Example, ...] = ()
    bad: tuple[Example, ...] = ()


RULES: Final[dict[str, Rule]] = {}


def resource_rule(
    rule_id: str,
    title: str,
    severity: Severity,
    types: Iterable[str],
    *,
    controls: Iterable[str] = (),
    remediation: str,
    implies: Iterable[str] = (),
    good: Iterable[Example] = (),
    bad: Iterable[Example] = (),
) -> Callable[[Check], Check]:
    """Register a rule over single resources; the decorated function yields findings."""

    def register(check: Check) -> Check:
        _add(
            Rule(
                id=rule_id,
                title=title,
                severity=severity,
                types=tuple(types),
                controls=tuple(controls),
                remediation=remediation,
                check=check,
                implies=tuple(implies),
                good=tuple(good),
                bad=tuple(bad),
            )
        )
        return check

    return register


def stack_rule(
    rule_id: str,
    title: str,
    severity: Severity,
    types: Iterable[str],
    *,
    controls: Iterable[str] = (),
    remediation: str,
    implies: Iterable[str] = (),
) -> Callable[[StackCheck], StackCheck]:
    """Register a rule over the whole stack; it gets every resource of its types, and findings name the URN."""

    def register(check: StackCheck) -> StackCheck:
        _add(
            Rule(
                id=rule_id,
                title=title,
                severity=severity,
                types=tuple(types),
                controls=tuple(controls),
                remediation=remediation,
                stack_check=check,
                implies=tuple(implies),
            )
        )
        return check

    return register


def _add(rule: Rule) -> None:
    if rule.id in RULES:
        raise ValueError(f"rule {rule.id} is registered twice")
    RULES[rule.id] = rule


def matching(rules: Iterable[Rule], resource_type: str) -> Iterator[Rule]:
    """Yield the rules that judge a resource type."""
    for rule in rules:
        if any(_matches(pattern, resource_type) for pattern in rule.types):
            yield rule


def _matches(pattern: str, resource_type: str) -> bool:
    return resource_type.startswith(pattern[:-1]) if pattern.endswith("*") else resource_type == pattern
