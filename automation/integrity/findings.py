"""What the checks found, and what they could not look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """`problems` are sentences with a file; `checked` names what was looked at, `unchecked` what could not be."""

    problems: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def record(self) -> dict[str, Any]:
        return {"ok": self.ok, **self.__dict__}
