"""What a rule is, what it judges and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from charter.controls import controls_of
from charter.facts import Facts
from charter.leaves import marks
from charter.once import once
from charter.spellings import canonical
from charter.values import Reader, Undetermined, texts

if TYPE_CHECKING:
    from charter.graph import Graph


class Severity(StrEnum):
    """How much harm a violation does; critical and high are mandatory, medium is advisory."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"

    @property
    def level(self) -> str:
        """Return the enforcement level of findings of this severity."""
        return "advisory" if self is Severity.MEDIUM else "mandatory"


CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM


@dataclass(frozen=True)
class Finding:
    """One violation: where, what is there, what is allowed."""

    path: str
    text: str
    urn: str = ""  # stack rules name the resource; resource rules are about the one they judge


@dataclass(frozen=True)
class Open:
    """What a rule yields for a resource that it cannot decide yet, when it goes on with others."""

    path: str
    urn: str = ""


@dataclass(frozen=True)
class Excused:
    """A violation that a named exception inside the rule lets be; every report lists it."""

    path: str
    why: str
    urn: str = ""


Found = Finding | Open | Excused


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a rule sees it: plain values, in three states."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    id: str = ""
    """What the cloud calls it; only an exported state tells."""
    provider_type: str = ""
    provider_name: str = ""
    provider_urn: str = ""
    provider_props: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origin: str = ""
    """`read` for what the stack only looks at, `imported` for what was there before it; files tell, the engine not."""
    kind: str = field(init=False)
    """The last part of the type: `Vpc` of `aws:ec2/vpc:Vpc`."""
    package: str = field(init=False)
    """The provider package of the type."""

    def __post_init__(self) -> None:
        """Spell the type as rules do, and take it apart once."""
        spelt = canonical(self.type)
        set_ = object.__setattr__
        set_(self, "type", spelt)
        set_(self, "kind", spelt.rpartition(":")[2])
        set_(self, "package", spelt.partition(":")[0])

    @property
    def reader(self) -> Reader:
        """Return a reader of the properties."""
        return Reader(self.props)

    @once
    def marks(self) -> int:
        """Return what one look at all leaves saw (charter.leaves), so that few resources need a closer one."""
        return marks(self.props)

    @once
    def texts(self) -> list[tuple[str, str]]:
        """Return every text of the properties with its path; found once, for all rules that look at all of them."""
        found: list[tuple[str, str]] = []
        texts(dict(self.props), "", found)
        return found


Check = Callable[[Resource, Facts], Iterable[Found]]
Question = Callable[[Resource], bool]
Needs = Callable[[str], int]
StackCheck = Callable[["Graph", Facts], Iterable[Found]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A sentence of the charter that a machine can judge.

    `types` are resource types: exact (`aws:ec2/vpc:Vpc`), a prefix with `*`, or `*` for all. Good and bad examples,
    boundaries and unknowns stand in `charter/cases`; tests execute them and the documentation shows them.
    """

    id: str
    title: str
    severity: Severity
    types: tuple[str, ...]
    remediation: str
    purpose: str = ""
    check: Check | None = None
    stack_check: StackCheck | None = None
    implies: tuple[str, ...] = ()
    applies: Question | None = None
    """Whether it judges a resource of its types; of the others nothing is counted. For rules over single resources the
    answer may hang on the type, the pods and the ignored changes of a resource, and on nothing else (charter.dispatch).
    """
    needs: Needs | None = None
    """Marks (charter.leaves) of which a resource of a type must have one for the check to find anything; 0: none."""

    @property
    def controls(self) -> tuple[str, ...]:
        """Return the controls of published standards that this rule helps with; `~` marks our own reading."""
        return controls_of(self.id)

    @property
    def page(self) -> str:
        """Return where the rule is explained, with examples."""
        return f"docs/policies/{self.id.partition('-')[0].lower()}.md#{self.id.lower()}"


RULES: Final[dict[str, Rule]] = {}


def resource_rule(  # noqa: PLR0913  a rule is what it is; each part is named at the call
    rule_id: str,
    title: str,
    severity: Severity,
    types: Iterable[str],
    *,
    remediation: str,
    implies: Iterable[str] = (),
    applies: Question | None = None,
    needs: Needs | None = None,
) -> Callable[[Check], Check]:
    """Register a rule over single resources; the decorated function yields findings."""
    rule = Rule(
        id=rule_id,
        title=title,
        severity=severity,
        types=tuple(types),
        remediation=remediation,
        applies=applies,
        implies=tuple(implies),
        needs=needs,
    )

    def register(check: Check) -> Check:
        _add(replace(rule, purpose=_purpose(check), check=check))
        return check

    return register


def stack_rule(  # noqa: PLR0913  see above
    rule_id: str,
    title: str,
    severity: Severity,
    types: Iterable[str],
    *,
    remediation: str,
    implies: Iterable[str] = (),
    applies: Question | None = None,
) -> Callable[[StackCheck], StackCheck]:
    """Register a rule over the whole stack; it gets the graph, and its findings name the URN."""
    rule = Rule(
        id=rule_id,
        title=title,
        severity=severity,
        types=tuple(types),
        remediation=remediation,
        applies=applies,
        implies=tuple(implies),
    )

    def register(check: StackCheck) -> StackCheck:
        _add(replace(rule, purpose=_purpose(check), stack_check=check))
        return check

    return register


def over_stack(rule_id: str) -> Callable[[StackCheck], StackCheck]:
    """Add to a rule over single resources what only the whole stack tells."""

    def register(check: StackCheck) -> StackCheck:
        RULES[rule_id] = replace(RULES[rule_id], stack_check=check)
        return check

    return register


def _purpose(check: Callable[..., Any]) -> str:
    return (check.__doc__ or "").strip().split("\n\n")[0]


def _add(rule: Rule) -> None:
    if rule.id in RULES:
        raise ValueError(f"rule {rule.id} is registered twice")
    RULES[rule.id] = rule


def apart(*parts: Iterable[Found]) -> Iterator[Found]:
    """Judge each part on its own: an unknown in one leaves that one open and does not hide what the others find."""
    for part in parts:
        try:
            yield from part
        except Undetermined as unknown:
            yield Open(unknown.path)


def located(found: Found, urn: str) -> Found:
    """Say about which resource something was found: stack rules judge many."""
    return found if found.urn else replace(found, urn=urn)


def matching(rules: Iterable[Rule], resource_type: str) -> Iterator[Rule]:
    """Yield the rules that judge a resource type, in their order."""
    for rule in rules:
        if any(matches(pattern, resource_type) for pattern in rule.types):
            yield rule


def matches(pattern: str, resource_type: str) -> bool:
    """Say whether a type is the pattern's, in whatever spelling."""
    spelt = canonical(resource_type)
    return spelt.startswith(pattern[:-1]) if pattern.endswith("*") else spelt == pattern
