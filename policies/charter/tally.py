"""Counting pairs of rule and resource, judged and left open; a file carries them, the engine has no channel."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from charter.rule import Rule

EVERY: Final = 64
"""Resources between two writings: a file per resource would cost more than all rules together."""


class Tally:
    """Pairs of rule and resource, kept for one run."""

    def __init__(self, rules: int) -> None:
        self.rules = rules
        self.judged: dict[str, set[str]] = {}
        self._alone: dict[str, tuple[Rule, ...]] = {}
        """The rules over single resources that judged each; written once per resource, as this is done for all."""
        self.undetermined: dict[tuple[str, str], str] = {}
        self.excused: dict[tuple[str, str], tuple[str, str]] = {}

    def begin(self, rule: str, urns: tuple[str, ...], *, again: bool = False) -> None:
        """Count the pairs that a rule is about to judge; a resource judged again counts once.

        `again` is a second part of the same rule, which leaves standing what the first left open.
        """
        self.judged.setdefault(rule, set()).update(urns)
        if self.undetermined and not again:
            for urn in urns:
                self.undetermined.pop((rule, urn), None)

    def resource(self, urn: str, rules: tuple[Rule, ...]) -> None:
        """Count the pairs of a resource with the rules that are about to judge it alone."""
        if self.undetermined and urn in self._alone:
            for rule in rules:
                self.undetermined.pop((rule.id, urn), None)
        self._alone[urn] = rules

    def _judged(self) -> dict[str, int]:
        """Return how many resources each rule judged."""
        alone: dict[str, set[str]] = {}
        for urn, rules in self._alone.items():
            for rule in rules:
                alone.setdefault(rule.id, set()).add(urn)
        names = alone.keys() | self.judged.keys()
        return {name: len(alone.get(name, set()) | self.judged.get(name, set())) for name in names}

    def leave_open(self, rule: str, urn: str, path: str) -> None:
        """Note a pair that is not decided, with the first path that was not known."""
        self.undetermined.setdefault((rule, urn), path)

    def excuse(self, rule: str, urn: str, path: str, why: str) -> None:
        """Note a violation that a named exception lets be."""
        self.excused[(rule, urn)] = (path, why)

    @property
    def evaluated(self) -> int:
        """Return how many pairs were judged."""
        return sum(self._judged().values())

    def document(self) -> dict[str, object]:
        """Return the counts as they are written."""
        by_rule = self._judged()
        return {
            "evaluated": sum(by_rule.values()),
            "undetermined": len(self.undetermined),
            "undetermined_list": [
                {"rule": rule, "urn": urn, "path": where} for (rule, urn), where in sorted(self.undetermined.items())
            ],
            "excused": [
                {"rule": rule, "urn": urn, "path": path, "why": why}
                for (rule, urn), (path, why) in sorted(self.excused.items())
            ],
            "by_rule": dict(sorted(by_rule.items())),
            "rules": self.rules,
        }


class Ledger:
    """Writes a tally to its file: at the first resource, now and then, at the end of the stack and of the process."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._path: Path | None = None
        self._since = EVERY  # the first resource is written at once: whoever waits sees that the pack lives

    def open(self, path: str) -> None:
        """Name the file; an empty name keeps no counts."""
        if path and self._path is None:
            atexit.register(self.write)
        self._path = Path(path) if path else None

    def step(self) -> None:
        """Note one more resource."""
        self._since += 1
        if self._since > EVERY:
            self.write()

    def write(self) -> None:
        """Write the counts whole: readers never see half a file."""
        if self._path is None:
            return
        self._since = 0
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(self._tally.document()), encoding="utf-8")
        draft.replace(self._path)
