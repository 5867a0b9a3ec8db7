"""Address arithmetic that rules share: what is the world, and which ports a range holds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from charter.values import UNKNOWN, Reader, Undetermined

WORLD_NAMES = frozenset({"*", "internet", "any"})


def network(text: Any) -> IPv4Network | IPv6Network | None:
    """Return the network a text names, None when it names none (a prefix list, a tag, a group)."""
    return _network(str(text))


@lru_cache(maxsize=8192)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def is_world(text: Any) -> bool:
    """Say whether a source or destination is everybody: /0 in either family, or a cloud's word for it."""
    if str(text).strip().lower() in WORLD_NAMES:
        return True
    found = network(text)
    return found is not None and found.prefixlen == 0


@lru_cache(maxsize=8192)
def share(text: str) -> float:
    """Return which part of all addresses of its family a text names; what names no network has none.

    Networks whose shares are less than 1 together, over both families, are not everybody.
    """
    if is_world(text):
        return 1.0
    found = _network(text)
    return 0.0 if found is None else 2.0**-found.prefixlen


def cover_world(texts: Iterable[Any]) -> bool:
    """Say whether several ranges together are everybody (0.0.0.0/1 and 128.0.0.0/1)."""
    found = [each for each in map(network, texts) if each is not None]
    v4 = collapse_addresses(each for each in found if isinstance(each, IPv4Network))
    v6 = collapse_addresses(each for each in found if isinstance(each, IPv6Network))
    return any(each.prefixlen == 0 for each in v4) or any(each.prefixlen == 0 for each in v6)


def world_of(reader: Reader, *lists: str) -> list[tuple[str, Any]]:
    """Return path and value of what in some lists is everybody, or of all of them when only together they are.

    What is known decides where it can; only then does an unknown among it raise `Undetermined`.
    """
    known: list[tuple[str, Any]] = []
    unclear = ""
    for name in lists:
        found, path = reader.sure(name)
        known += found
        unclear = unclear or path
    return _world(known, unclear)


def world_of_blocks(blocks: Iterable[Reader], name: str) -> list[tuple[str, Any]]:
    """Return the same of maps, each of which names a range at `name`."""
    known: list[tuple[str, Any]] = []
    unclear = ""
    try:
        for block in blocks:
            value = block.raw(name)
            if value is UNKNOWN:
                unclear = unclear or block.at(name)
            else:
                known.append((block.at(name), value))
    except Undetermined as unknown:
        unclear = unclear or unknown.path
    return _world(known, unclear)


def _world(known: list[tuple[str, Any]], unclear: str) -> list[tuple[str, Any]]:
    world = [(path, value) for path, value in known if is_world(value)]
    if world:
        return world
    if len(known) > 1 and cover_world([value for _, value in known]):
        return known
    if unclear:
        raise Undetermined(unclear)
    return []


def holds_port(ranges: Iterable[Any], wanted: Iterable[int]) -> list[int]:
    """Return which wanted ports the ranges hold; `*`, `all` or nothing at all mean every port."""
    spans = [str(each).strip().lower() for each in ranges]
    wanted = list(wanted)
    if not spans:
        return wanted
    held = []
    for port in wanted:
        for span in spans:
            low, _, high = span.partition("-")
            if span in {"*", "all", "-1"} or (low.isdigit() and int(low) <= port <= int(high or low)):
                held.append(port)
                break
    return held
