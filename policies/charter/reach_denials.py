"""What firewalls turn away before they let in: denials of Google Cloud and Azure, by priority, ports and protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from charter.graph import Graph
from charter.network import cover_world, is_world
from charter.rule import Resource
from charter.values import UNKNOWN, Reader, Undetermined

USUAL: Final = 1000
"""The priority of a firewall rule of Google Cloud that names none."""
LOWEST: Final = 65_536
PORTS: Final = (0, 65_535)
EVERY: Final = frozenset({"all", "*", ""})
NUMBERS: Final = {"6": "tcp", "17": "udp", "1": "icmp"}


@dataclass(frozen=True)
class Traffic:
    """Ports of a protocol, both ends counted."""

    protocol: str
    low: int = PORTS[0]
    high: int = PORTS[1]

    def within(self, others: Iterable[Traffic]) -> bool:
        """Say whether one of several holds all of it."""
        return any(
            (other.protocol in EVERY or other.protocol == self.protocol)
            and other.low <= self.low
            and self.high <= other.high
            for other in others
        )


def traffic(protocol: Any, ports: Iterable[Any]) -> Iterator[Traffic]:
    """Yield what a protocol and a list of ports and ranges stand for; no port is every port."""
    name = str(protocol or "").lower()
    name = NUMBERS.get(name, name)
    spans = [str(port).strip() for port in ports]
    for span in spans or ["*"]:
        low, _, high = span.partition("-")
        yield Traffic(name, int(low), int(high or low)) if low.isdigit() and (high or low).isdigit() else Traffic(name)


def wholly_denied(graph: Graph, allow: Resource, tags: set[str]) -> bool:
    """Say whether denials turn away all that a firewall of Google Cloud lets in to a machine with these tags.

    The lower number goes first; at the same one a denial does.
    Source: cloud.google.com/firewall/docs/firewalls, 2026-11.
    """
    own = allow.reader.number("priority", USUAL)
    denied = [
        one
        for deny in graph.of(allow.type)
        if deny.reader.number("priority", USUAL) <= own and _denies(deny.reader, tags) and _same(graph, deny, allow)
        for rule in deny.reader.each("denies")
        for one in traffic(rule.raw("protocol"), rule.values("ports"))
    ]
    let_in = [
        one for rule in allow.reader.each("allows") for one in traffic(rule.raw("protocol"), rule.values("ports"))
    ]
    return bool(let_in) and all(one.within(denied) for one in let_in)


def _denies(deny: Reader, tags: set[str]) -> bool:
    if deny.flag("disabled") or deny.text("direction", "INGRESS") != "INGRESS" or not deny.has("denies"):
        return False
    targets, sources = deny.texts("targetTags"), deny.values("sourceRanges")
    named = deny.has("sourceTags") or deny.has("sourceServiceAccounts")
    whole = any(map(is_world, sources)) or cover_world(sources) or not (sources or named)
    return whole and not deny.has("targetServiceAccounts") and (not targets or bool(tags & set(targets)))


def _same(graph: Graph, one: Resource, other: Resource) -> bool:
    """Say whether two firewalls are of one network, as far as they name it."""
    fed = graph.feeds(one, "network"), graph.feeds(other, "network")
    if any(fed):
        return fed[0] == fed[1]
    return bool(one.reader.raw("network") == other.reader.raw("network"))


def rules_of(graph: Graph, group: Resource, kind: str) -> list[Reader]:
    """Return the rules of a network security group of Azure: its own, and those that stand beside it."""
    beside = [rule.reader for rule in graph.of(kind) if group in graph.feeds(rule, "networkSecurityGroupName")]
    return [*group.reader.each("securityRules"), *beside]


def turned_away(rule: Reader, others: Iterable[Reader]) -> bool:
    """Say whether denials that come before it turn away all that a rule of Azure lets in."""
    own = rule.number("priority", LOWEST)
    denied = [
        one
        for other in others
        if other.number("priority", LOWEST) < own and _inbound(other, "deny") and _from_anywhere(other)
        for one in _of(other)
    ]
    return all(one.within(denied) for one in _of(rule))


def _inbound(rule: Reader, access: str) -> bool:
    return rule.text("direction").lower() == "inbound" and rule.text("access").lower() == access


def _from_anywhere(rule: Reader) -> bool:
    sources = [rule.raw("sourceAddressPrefix"), *rule.values("sourceAddressPrefixes")]
    if UNKNOWN in sources:
        raise Undetermined(rule.at("sourceAddressPrefix"))
    return any(map(is_world, sources)) or cover_world(sources)


def _of(rule: Reader) -> list[Traffic]:
    single = rule.raw("destinationPortRange")
    ports = [*rule.values("destinationPortRanges"), *([single] if single not in (None, "") else [])]
    return list(traffic(rule.raw("protocol"), ports))


def lets_in(rule: Reader) -> bool:
    """Say whether a rule of Azure lets everybody in."""
    return _inbound(rule, "allow") and _from_anywhere(rule)
