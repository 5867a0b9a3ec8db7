"""What rules demand of a property, as small parts that are put together; each leaves what it cannot see open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from charter.facts import Facts
from charter.rule import Check, Finding, Found, Open, Resource, Severity, apart, resource_rule
from charter.values import Reader, Undetermined
from charter.words import shown

Demand = Callable[[Reader, Facts], Iterable[Found]]


def demand(  # noqa: PLR0913  a rule is what it is; each part is named at the call
    rule_id: str,
    title: str,
    severity: Severity,
    types: Iterable[str],
    purpose: str,
    *demands: Demand,
    remediation: str,
    implies: Iterable[str] = (),
) -> None:
    """Register a rule that is nothing but demands; `purpose` is why, for its page."""
    check = all_of(demands)
    check.__doc__ = purpose
    resource_rule(rule_id, title, severity, types, remediation=remediation, implies=implies)(check)


def all_of(demands: Sequence[Demand]) -> Check:
    """Put demands together to one check of a resource."""
    judges = _eager(demands)

    def check(resource: Resource, facts: Facts) -> Iterable[Found]:
        return _together(judges, resource.reader, facts)

    return check


def _lazy(judge: Demand) -> Demand:
    """Let a demand that answers at once be put together with generators, which raise only when they are asked."""
    return AtOnce(judge)


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A demand that answers with a list, not bit by bit; called from a rule it waits until it is asked."""

    judge: Demand

    def __call__(self, reader: Reader, facts: Facts) -> Iterator[Found]:
        """Answer bit by bit."""
        yield from self.judge(reader, facts)


def _eager(demands: Sequence[Demand]) -> tuple[Demand, ...]:
    return tuple(one.judge if isinstance(one, AtOnce) else one for one in demands)


def _together(demands: Sequence[Demand], reader: Reader, facts: Facts) -> list[Found]:
    """Judge each demand on its own, as `apart` does, with a list instead of a generator in a generator."""
    found: list[Found] = []
    for one in demands:
        try:
            found += one(reader, facts)
        except Undetermined as unknown:
            found.append(Open(unknown.path))
    return found


def on(path: str, *, default: bool = False) -> Demand:
    """The flag is on; `default` is what the cloud takes when it is absent."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        return () if reader.flag(path, default=default) else (Finding(reader.at(path), "is off; it must be on"),)

    return _lazy(judge)


def off(path: str, *, default: bool = False) -> Demand:
    """The flag is off; `default` is what the cloud takes when it is absent."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        return (Finding(reader.at(path), "is on; it must be off"),) if reader.flag(path, default=default) else ()

    return _lazy(judge)


def one_of(path: str, allowed: Collection[Any], *, default: Any = None) -> Demand:
    """The value is one of a few."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        value = reader.read(path, default)
        if isinstance(value, str | int | float) and (value in allowed or _alike(value, allowed)):
            return ()
        told = " or ".join(str(each) for each in allowed)
        return (Finding(reader.at(path), f"is {shown(value)}; allowed is {told}"),)

    return _lazy(judge)


def none_of(path: str, refused: Collection[Any]) -> Demand:
    """The value is none of a few; absent is right."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        value = reader.read(path)
        if isinstance(value, str | int | float) and (value in refused or _alike(value, refused)):
            return (Finding(reader.at(path), f"is {value}; that is not allowed"),)
        return ()

    return _lazy(judge)


def between(path: str, low: float, high: float = float("inf"), *, default: float | None = None) -> Demand:
    """The number is within bounds; absent is wrong unless the cloud's default is right."""

    def judge(reader: Reader, _facts: Facts) -> Iterator[Found]:
        value = reader.read(path, default)
        number = _number(value)
        if number is None or not low <= number <= high:
            told = f"at least {low:g}" if high == float("inf") else f"{low:g} to {high:g}"
            yield Finding(reader.at(path), f"is {shown(value)}; allowed is {told}")

    return judge


def seconds_at_most(path: str, most: float) -> Demand:
    """The duration, in seconds with an `s` behind, is there and not longer."""

    def judge(reader: Reader, _facts: Facts) -> Iterator[Found]:
        value = reader.read(path)
        number = _number(value.removesuffix("s")) if isinstance(value, str) else _number(value)
        if number is None or number > most:
            told = "absent" if value is None else "longer"
            yield Finding(reader.at(path), f"is {told}; at most {most:g} seconds are allowed")

    return judge


def named(path: str, what: str) -> Demand:
    """Something is there; that only an update will tell which is right too."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        return () if reader.has(path) else (Finding(reader.at(path), f"{what} is missing"),)

    return _lazy(judge)


def nothing(path: str, why: str) -> Demand:
    """Nothing is there, not even something that only an update will tell."""

    def judge(reader: Reader, _facts: Facts) -> Iterable[Found]:
        return (Finding(reader.at(path), why),) if reader.has(path) else ()

    return _lazy(judge)


def holds(path: str, wanted: Collection[str]) -> Demand:
    """The list holds all of these."""

    def judge(reader: Reader, _facts: Facts) -> Iterator[Found]:
        found = {each for each in reader.values(path) if isinstance(each, str)}
        missing = [each for each in wanted if each not in found]
        if missing:
            yield Finding(reader.at(path), f"{', '.join(missing)} missing")

    return judge


def inside(path: str, *demands: Demand) -> Demand:
    """The demands hold in the map at `path`, whether it is there or not."""
    judges = _eager(demands)

    def judge(reader: Reader, facts: Facts) -> Iterable[Found]:
        return _together(judges, reader.inside(path), facts)

    return _lazy(judge)


def each(path: str, *demands: Demand, needed: str = "") -> Demand:
    """The demands hold in each map of a list; `needed` says what is missing when the list is empty."""

    def judge(reader: Reader, facts: Facts) -> Iterator[Found]:
        if needed and not reader.read(path, []):
            yield Finding(reader.at(path), needed)
        for item in reader.each(path):
            yield from apart(*(one(item, facts) for one in demands))

    return judge


def either(told: str, *demands: Demand) -> Demand:
    """At least one demand holds; `told` is `path: text` of the finding."""

    def judge(reader: Reader, facts: Facts) -> Iterator[Found]:
        open_parts: list[Found] = []
        for one in demands:
            found = list(apart(one(reader, facts)))
            if not found:
                return
            if not any(isinstance(each, Finding) for each in found):
                open_parts += found
        if open_parts:
            yield from open_parts[:1]
        else:
            path, _, text = told.partition(": ")
            yield Finding(reader.at(path), text)

    return judge


def in_production(*demands: Demand) -> Demand:
    """The demands hold where the facts say production."""
    judges = _eager(demands)

    def judge(reader: Reader, facts: Facts) -> Iterable[Found]:
        return _together(judges, reader, facts) if facts.production else ()

    return _lazy(judge)


def forbidden(text: str) -> Demand:
    """The type itself is not allowed."""

    def judge(_reader: Reader, _facts: Facts) -> Iterator[Found]:
        yield Finding("", text)

    return judge


def _alike(value: Any, known: Collection[Any]) -> bool:
    """Say whether a value is a known one spelt otherwise: words in any case, numbers as text."""
    return not isinstance(value, bool) and str(value).lower() in [str(each).lower() for each in known]


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
