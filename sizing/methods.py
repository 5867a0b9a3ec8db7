"""The methods of the portfolio in the order in which they run, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

ORDER: Final = (
    "greedy", "fluid", "cuts", "columns", "proportions", "mixtures", "exchange", "previous plan", "a step",
    "search, exhaustive", "search, qaoa",
)  # fmt: skip
WORDS: Final = {
    "greedy": "largest pods first",
    "fluid": "integer program over volumes",
    "cuts": "integer program with cuts",
    "columns": "column generation",
    "proportions": "proportions of types, on a sample",
    "mixtures": "all mixes of types, tried",
    "exchange": "pods exchanged between pools",
    "previous plan": "the plan that runs",
    "previous plan, adjusted": "the types that run, in other numbers",
    "a step from the previous plan": "a step from the plan that runs",
    "search, exhaustive": "search, small parts tried out whole",
    "search, qaoa": "search, small parts by the circuit",
}
AFTERWARDS: Final = ", descent"
MEANT: Final = {
    "greedy": "the largest pods are placed first, each where its room costs least",
    "fluid": "pods as if they could be cut, nodes whole",
    "cuts": "pods and nodes as whole numbers; inequalities that every plan keeps (cuts) rule out what cannot be",
    "columns": "good fillings of single nodes are generated, and the cheapest mix of them is taken",
    "proportions": "in pools of many nodes: how much of two or three types takes some of the pods, then all of them",
    "mixtures": "all mixes of up to three types, judged by kube-scheduler's own order and packed exactly",
    "exchange": "some pods go to another pool, others come back, and each pool gets the cheapest mix for its pods",
    "search": "a few pods at a time change places, all possibilities or those that are sampled",
}


def words(name: str) -> str:
    """A method in words; an unknown one by its name."""
    method, more, spares = name.partition(", with ")
    base = method.removesuffix(AFTERWARDS)
    return WORDS.get(base, base) + (", improved" if method.endswith(AFTERWARDS) else "") + more + spares


def seat(name: str) -> tuple[int, bool, str]:
    """A key that sorts names by when they run: a method, then its improvement."""
    place = next((i for i, key in enumerate(ORDER) if name.startswith(key)), len(ORDER))
    return place, name.endswith(AFTERWARDS), name


def meant(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each method among these, and for what `improved` means."""
    known = list(names)
    for key, told in MEANT.items():
        if any(name.startswith(key) for name in known):
            yield f"{WORDS.get(key, key)}: {told}"
    if any(name.endswith(AFTERWARDS) for name in known):
        yield "improved: nodes are taken out, swapped or made smaller one by one while every pod still has a place"
