"""Waivers as data: who let what be, why, under which ticket, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from charter.facts import Facts
    from charter.rule import Rule

LONGEST: Final = timedelta(days=90)
FIELDS: Final = ("rule", "urn", "owner", "reason", "ticket", "expires")


@dataclass(frozen=True)
class Waiver:
    """One exception: a rule, a pattern of URNs, and who answers for it until when."""

    rule: str
    urn: str
    owner: str
    reason: str
    ticket: str
    expires: date

    @property
    def told(self) -> str:
        """Say in one line who let it be."""
        return f"waived by {self.owner} until {self.expires.isoformat()}, {self.ticket}"


def read_waivers(written: Iterable[Mapping[str, Any]]) -> tuple[Waiver, ...]:
    """Read waivers; raise ValueError with place and hint when one is malformed or names no rule."""
    return tuple(_read(f"waivers[{index}]", entry) for index, entry in enumerate(written))


def _read(where: str, entry: Mapping[str, Any]) -> Waiver:
    from charter.rule import RULES  # noqa: PLC0415  rules know facts, and facts hold waivers

    missing = [name for name in FIELDS if not isinstance(entry.get(name), str) or not entry[name].strip()]
    extra = sorted(set(entry) - set(FIELDS))
    if missing or extra:
        told = f"{', '.join(missing)} missing or empty" if missing else f"{', '.join(extra)} not known"
        raise ValueError(f"{where}: {told}; a waiver holds exactly {', '.join(FIELDS)}, all of them texts")
    if entry["rule"] not in RULES:
        raise ValueError(f"{where}.rule: no such rule; name one of the charter's, for example AWS-NET-03")
    try:
        expires = date.fromisoformat(entry["expires"])
    except ValueError:
        raise ValueError(f"{where}.expires: is no date; write it as 2026-12-31") from None
    return Waiver(entry["rule"], entry["urn"], entry["owner"], entry["reason"], entry["ticket"], expires)


def day_of(facts: Facts) -> date:
    """Return the day with which ends are compared; raise ValueError when the fact is no date."""
    return date.fromisoformat(facts.today) if facts.today else datetime.now(tz=UTC).date()


def covering(waivers: Iterable[Waiver], rule: Rule, urn: str, facts: Facts) -> Waiver | None:
    """Return the waiver that lets a finding be, if a valid one does."""
    if rule.severity == "critical" and facts.production:
        return None
    today = day_of(facts)
    for waiver in waivers:
        if waiver.rule == rule.id and fnmatchcase(urn, waiver.urn) and today <= waiver.expires <= today + LONGEST:
            return waiver
    return None


def faults(waivers: Iterable[Waiver], used: set[Waiver], facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield path and text of what is wrong with waivers themselves."""
    from charter.rule import RULES  # noqa: PLC0415  see above

    today = day_of(facts)
    for index, waiver in enumerate(waivers):
        where = f"waivers[{index}]"
        if waiver.expires < today:
            yield f"{where}.expires", f"the waiver of {waiver.rule} ended on {waiver.expires.isoformat()}"
        elif waiver.expires > today + LONGEST:
            yield f"{where}.expires", f"the waiver of {waiver.rule} is longer than {LONGEST.days} days"
        elif facts.production and RULES[waiver.rule].severity == "critical":
            yield f"{where}.rule", f"{waiver.rule} is critical and cannot be waived in production"
        elif waiver not in used:
            yield f"{where}.urn", f"the waiver of {waiver.rule} matches nothing any more; drop it"
