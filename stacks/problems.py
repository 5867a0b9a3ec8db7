"""One wrong thing in a stack file, and the report that lists them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from stacks.plaintext import mask, printable, shown
from stacks.tree import Path

NOTHING: Final = object()
"""Marks a problem whose value is not to be shown."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Where, what is wrong, what stands there, what is allowed, what to do."""

    path: Path
    what: str
    fix: str
    allowed: str = ""
    found: Any = NOTHING

    def place(self) -> str:
        """Return the path in dots; a key that looks like a secret is masked."""
        return printable(".".join(mask(str(step)) for step in self.path)) or "stack"

    def line(self, number: int | None = None) -> str:
        """Return the problem as one line of the report."""
        where = self.place() + (f" (line {number})" if number else "")
        found = "" if self.found is NOTHING else f"; found {shown(self.path, self.found)}"
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        end = "" if self.fix.endswith("?") else "."
        return printable(f"{where}: {self.what}{found}{allowed}. {self.fix[:1].upper()}{self.fix[1:]}{end}")


class StackFileError(ValueError):
    """The file does not describe a stack; the text is the report, `problems` its parts."""

    def __init__(self, file: str, problems: Iterable[Problem], lines: dict[Path, int] | None = None) -> None:
        unique = {(problem.path, problem.what): problem for problem in problems}
        known = lines or {}
        numbered = [(_line_of(problem.path, known), problem) for problem in unique.values()]
        numbered.sort(key=lambda pair: (pair[0] or 0, pair[1].place(), pair[1].what))
        self.file = file
        self.problems = tuple(problem for _, problem in numbered)
        header = f"{file} does not describe a stack ({len(self.problems)} to fix):"
        super().__init__("\n".join([header, *(f"  {problem.line(number)}" for number, problem in numbered)]))


def _line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """Line of the path, or of the nearest thing around it that exists."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), None)


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Advice for a word that is not known."""
    options = {option.lower().replace("-", "_"): option for option in known}
    close = get_close_matches(word.lower().replace("-", "_"), options, n=1, cutoff=0.6)
    return f"did you mean `{options[close[0]]}`?" if close else otherwise


def listed(words: Iterable[str], none: str = "nothing") -> str:
    """Words with commas between them."""
    return ", ".join(words) or none
