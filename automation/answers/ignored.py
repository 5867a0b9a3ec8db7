"""Drift that somebody decided to live with, until a date: `config/drift.yaml`, a reviewed file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from automation.exits import Ending, Exit

FILE: Final = Path("config/drift.yaml")
LONGEST_DAYS: Final = 366
HEADER: Final = """# Drift that is let be until a date, written by `python -m automation answer STACK ignore`.
# It no longer counts in `drift`; the next `up` still puts it right.
"""


class Ignored(BaseModel):
    """One decision; without a path it covers the whole resource."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    stack: str
    urn: Annotated[str, Field(pattern=r"^urn:pulumi:")]
    path: str = ""
    until: date
    reason: Annotated[str, Field(min_length=3, max_length=500)]
    who: str = ""

    def covers(self, stack: str, urn: str, path: str) -> bool:
        """Whether this drift is meant."""
        inner = path == self.path or path.startswith((f"{self.path}.", f"{self.path}["))
        return self.stack == stack and self.urn == urn and (not self.path or inner)


def load(project: Path) -> list[Ignored]:
    """Every decision; an absent file holds none, a wrong one is wrong input (exit 2)."""
    file = project / FILE
    if not file.exists():
        return []
    try:
        document: Any = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        return [Ignored.model_validate(one) for one in document.get("ignored") or ()]
    except ValidationError as error:
        details = tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise Ending(Exit.WRONG_INPUT, "drift-file", f"{file} is wrong", details) from None
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise Ending(Exit.WRONG_INPUT, "drift-file", f"{file} cannot be read ({type(error).__name__})") from None


def add(project: Path, one: Ignored) -> Path:
    """Write a decision down; the same resource and path is replaced."""
    kept = [old for old in load(project) if (old.stack, old.urn, old.path) != (one.stack, one.urn, one.path)]
    listed = [entry.model_dump(mode="json") for entry in [*kept, one]]
    file = project / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEADER + yaml.safe_dump({"ignored": listed}, sort_keys=False, width=1000), encoding="utf-8")
    return file


def until(text: str, today: date) -> date:
    """Read a date: in the future and at most a year away, else wrong input (exit 2)."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise Ending(Exit.WRONG_INPUT, "option", f"--until {text}: give a date such as 2026-12-31") from None
    if not 0 < (read - today).days <= LONGEST_DAYS:
        raise Ending(Exit.WRONG_INPUT, "option", f"--until {text}: give a day after today, at most a year away")
    return read


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def split(
    rows: Iterable[Mapping[str, Any]], known: Iterable[Ignored], stack: str, day: date
) -> tuple[list[dict[str, Any]], list[str]]:
    """What still counts, and a line for each thing that is let be or no longer is."""
    decisions = list(known)
    counted, lines = list[dict[str, Any]](), list[str]()
    for row in rows:
        left = []
        for path in row["paths"] or [""]:
            fits = [one for one in decisions if one.covers(stack, row["urn"], path)]
            valid = [one for one in fits if day < one.until]
            name = f"{row['urn'].rsplit('::', 1)[-1]} {path}".strip()
            if valid:
                lines.append(f"ignored until {valid[0].until}: {name} ({valid[0].reason})")
                continue
            lines += [f"no longer ignored since {one.until}: {name} ({one.reason})" for one in fits]
            left.append(path)
        if left:
            counted.append({**row, "paths": [path for path in left if path]})
    return counted, lines
