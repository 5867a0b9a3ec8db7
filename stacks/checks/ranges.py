"""Lists of ranges that may call: each once, none inside another, and all of them somewhere on a network."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from stacks.problems import Problem
from stacks.tree import Path, Tree

NOWHERE: Final = {
    IPv4Network("127.0.0.0/8"): "a machine itself",
    IPv4Network("169.254.0.0/16"): "one link (link-local)",
    IPv4Network("224.0.0.0/4"): "groups of receivers (multicast)",
    IPv4Network("240.0.0.0/4"): "nobody (reserved)",
}
"""Ranges from which no call arrives: https://www.iana.org/assignments/iana-ipv4-special-registry, 2026-11."""


def check_ranges(tree: Tree, path: Path) -> Iterator[Problem]:
    """Report ranges of a list that clouds refuse or that say nothing: firewalls take each rule once.

    The same one twice is a problem of the list.
    """
    seen: list[IPv4Network] = []
    for index, text in enumerate(tree.items(*path)):
        network = _network(text)
        if network is None:
            continue  # its shape is a problem of its own
        around = next((each for each in seen if network.subnet_of(each)), None)
        inside = next((each for each in seen if each.subnet_of(network)), None)
        if network not in seen and (around is not None or inside is not None):
            what = f"overlaps {around or inside}, which is listed too"
            fix = f"keep {network if around is None else around} alone, or make them differ"
            yield Problem(path=(*path, index), what=what, found=text, fix=fix)
        for range_, whose in NOWHERE.items():
            if network.subnet_of(range_):
                what = f"lies among the addresses of {whose}, from which no call arrives"
                fix = f"write a range outside of {range_}"
                yield Problem(path=(*path, index), what=what, found=text, fix=fix)
        seen.append(network)


def _network(text: object) -> IPv4Network | None:
    try:
        return IPv4Network(text) if isinstance(text, str) else None
    except ValueError:
        return None
