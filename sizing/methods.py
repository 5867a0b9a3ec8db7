"""The methods of the portfolio in the order in which they run, and in words."""

from __future__ import annotations

from typing import Final

ORDER: Final = (
    "greedy", "fluid", "cuts", "columns", "mixtures", "previous plan", "a step", "search, exhaustive", "search, qaoa",
)  # fmt: skip
WORDS: Final = {
    "greedy": "largest pods first",
    "fluid": "integer program over volumes",
    "cuts": "integer program with cuts",
    "columns": "column generation",
    "mixtures": "mixes of types, drawn and tried",
    "previous plan": "the plan that runs",
    "previous plan, adjusted": "the types that run, in other numbers",
    "a step from the previous plan": "a step from the plan that runs",
    "search, exhaustive": "search, small parts tried out whole",
    "search, qaoa": "search, small parts by the circuit",
}
AFTERWARDS: Final = ", descent"


def words(name: str) -> str:
    """A method in words; an unknown one by its name."""
    method, more, spares = name.partition(", with ")
    base = method.removesuffix(AFTERWARDS)
    return WORDS.get(base, base) + (", improved" if method.endswith(AFTERWARDS) else "") + more + spares


def seat(name: str) -> tuple[int, bool, str]:
    """A key that sorts names by when they run: a method, then its improvement."""
    place = next((i for i, key in enumerate(ORDER) if name.startswith(key)), len(ORDER))
    return place, name.endswith(AFTERWARDS), name
