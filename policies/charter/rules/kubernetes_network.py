"""Rules over what gets into and out of namespaces: policies, services, ways in from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from charter.cluster_kinds import (
    GATEWAYS,
    INGRESS,
    POLICY,
    SERVICE,
    Key,
    by_namespace,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.network import is_world, share, world_of, world_of_blocks
from charter.pods import merged, name_of, namespace_of
from charter.rule import (
    HIGH,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.values import UNKNOWN, Reader, Undetermined

CILIUM = tuple(f"kubernetes:cilium.io/v2:{kind}" for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"))
ENTITIES = frozenset({"all", "world", "world-ipv4", "world-ipv6"})
"""Cilium's words for everybody, or everybody outside (docs.cilium.io/en/stable/security/policy/language, 2026-11)."""
PORTS = 65_535
ONE = ("/32", "/128")
"""What blocks of one address end in."""


@resource_rule(
    "K8S-NET-01",
    "A network policy names who, where and which port.",
    HIGH,
    [POLICY, f"{POLICY}Patch", *CILIUM],
    remediation="Give each peer a selector or a block with exceptions, and each rule its ports.",
)
def exact_policy(resource: Resource, _facts: Facts) -> Iterable[Found]:
    """An empty peer is everybody in every namespace; a rule without ports is every port."""
    if resource.type in CILIUM:
        return apart(_of_cilium(resource))
    return () if _plainly_exact(resource.props.get("spec")) else _exact(resource)


def _of_cilium(resource: Resource) -> Iterator[Found]:
    """Judge policies of Cilium: nobody is everybody, by its words or by a block without exceptions."""
    reader = resource.reader
    specs = [reader.inside("spec"), *reader.each("specs")]
    for spec in specs:
        for side, way in (("ingress", "from"), ("egress", "to")):
            for rule in spec.each(side):
                yield from apart(_entities(rule, f"{way}Entities"), _blocks(rule, way))


def _entities(rule: Reader, name: str) -> Iterator[Found]:
    for path, word in rule.items(name):
        if word in ENTITIES:
            yield Finding(path, f"{word} is everybody")


def _blocks(rule: Reader, way: str) -> Iterator[Found]:
    for path, _ in world_of(rule, f"{way}CIDR"):
        yield Finding(path, "is everybody, without exception")
    for block in rule.each(f"{way}CIDRSet"):
        if is_world(block.read("cidr")) and not block.has("except"):
            yield Finding(block.at("cidr"), "is everybody, without exception")


SIDES = (("ingress", "from"), ("egress", "to"))


def _exact(resource: Resource) -> Iterator[Found]:
    for side, peers in SIDES:
        for rule in resource.reader.each(f"spec.{side}"):
            yield from apart(_ports(rule, side, peers), _peers(rule, peers))


def _plainly_exact(spec: Any) -> bool:
    """Say at once, for most policies, that each rule has ports and narrow peers; whatever is odd is looked at closely.

    No part of it may be unknown, of another shape than the API's, or a wide block.
    """
    if type(spec) is not dict:
        return False
    for side, name in SIDES:
        rules = spec.get(side, [])
        if type(rules) is not list:
            return False
        for rule in rules:
            ports, peers = (rule.get("ports"), rule.get(name)) if type(rule) is dict else (None, None)
            if not ports or not peers or type(ports) is not list or type(peers) is not list:
                return False
            for port in ports:
                if not _some_ports(port, peers):
                    return False
            if not _narrow(peers):
                return False
    return True


def _some_ports(port: Any, peers: list[Any]) -> bool:
    """Say whether it is a number or a name, or a range that leaves some out or is for single addresses."""
    if type(port) is not dict:
        return False
    first, last = port.get("port"), port.get("endPort")
    if last is None:  # a text may hold a number below zero
        return (type(first) is int and first >= 0) or (type(first) is str and first[:1].isalnum())
    return type(first) is int and type(last) is int and (last - first < PORTS - 1 or _addresses(peers))


def _addresses(peers: list[Any]) -> bool:
    """Say whether every peer is one address."""
    blocks = [peer.get("ipBlock") if type(peer) is dict else None for peer in peers]
    return all(type(block) is dict and str(block.get("cidr")).endswith(ONE) for block in blocks)


def _narrow(peers: list[Any]) -> bool:
    """Say whether every peer is chosen by a selector that says something, and all blocks together are no world."""
    world = 0.0
    for peer in peers:
        if type(peer) is not dict:
            return False
        block = peer.get("ipBlock")
        if block is not None:
            if type(block) is not dict or type(block.get("cidr")) is not str:
                return False
            besides = block.get("except")
            if besides is None:
                world += share(block["cidr"])
            elif not besides or type(besides) is not list:
                return False
            continue
        spaces, chosen = peer.get("namespaceSelector"), peer.get("podSelector")
        if spaces is None:
            if chosen is None:
                return False
        elif type(spaces) is not dict or not (spaces or (chosen and type(chosen) is dict)):
            return False
    return world < 1


def _ports(rule: Reader, side: str, peers: str) -> Iterator[Found]:
    if rule.read("ports", []) == []:
        yield Finding(rule.at("ports"), f"are missing: the {side} rule opens every port")
    for port in rule.each("ports"):
        if port.read("port") is None:
            yield Finding(port.path, f"names no port: the {side} rule opens every port")
        elif port.number("endPort") - port.number("port", PORTS) >= PORTS - 1 and not _hosts(rule, peers):
            yield Finding(port.at("endPort"), f"the {side} rule opens every port")


def _hosts(rule: Reader, name: str) -> bool:
    """Say whether a rule is for single addresses only: a node's probes may ask any port."""
    blocks = [peer.text("ipBlock.cidr") for peer in rule.each(name)]
    return bool(blocks) and all(block.endswith(ONE) for block in blocks)


def _peers(rule: Reader, name: str) -> Iterator[Found]:
    if rule.read(name, []) == []:
        yield Finding(rule.at(name), "is missing: the rule is for everybody")
    yield from apart(_each_peer(rule, name), _together(rule, name))


def _each_peer(rule: Reader, name: str) -> Iterator[Found]:
    for peer in rule.each(name):
        yield from apart(_peer(peer))


def _peer(peer: Reader) -> Iterator[Found]:
    if not any(peer.raw(key) is not None for key in ("podSelector", "namespaceSelector", "ipBlock")):
        yield Finding(peer.path, "is an empty peer: everybody")
    elif peer.raw("ipBlock") is not None:
        block = peer.inside("ipBlock")
        if is_world(block.read("cidr")) and not block.read("except", []):
            yield Finding(block.at("cidr"), "is everybody, without exception")
    elif peer.read("namespaceSelector") == {} and not peer.read("podSelector", {}):
        yield Finding(peer.at("namespaceSelector"), "selects every pod of every namespace")


def _together(rule: Reader, name: str) -> Iterator[Found]:
    blocks = (peer.inside("ipBlock") for peer in rule.each(name) if peer.raw("ipBlock") is not None)
    world = world_of_blocks((block for block in blocks if not block.read("except", [])), "cidr")
    if world and not is_world(world[0][1]):
        yield Finding(rule.at(name), "these blocks together are everybody")


@resource_rule(
    "K8S-NET-02",
    "The outside comes in at the gateway only.",
    HIGH,
    [SERVICE, f"{SERVICE}Patch"],
    remediation="Use ClusterIP; a LoadBalancer only in the gateway's namespace, with loadBalancerSourceRanges.",
)
def services(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """NodePort and externalIPs go around every other control."""
    for found in apart(_service(resource)):
        yield merged(resource, found)


def _service(resource: Resource) -> Iterator[Found]:
    reader = resource.reader
    kind = reader.text("spec.type", "ClusterIP")
    if kind == "NodePort":
        yield Finding("spec.type", "is NodePort")
    if reader.has("spec.externalIPs"):
        yield Finding("spec.externalIPs", "takes over addresses")
    if kind == "LoadBalancer":
        internal = any(_internal(key, value) for key, value in reader.map("metadata.annotations").items())
        if namespace_of(resource) not in GATEWAYS:
            yield Finding("spec.type", "is LoadBalancer outside the gateway's namespace")
        ranges = "spec.loadBalancerSourceRanges"
        if not internal and (not reader.has(ranges) or world_of(reader, ranges)):
            yield Finding("spec.loadBalancerSourceRanges", "let in the whole internet")


def _internal(key: str, value: Any) -> bool:
    """Say whether an annotation keeps a load balancer inside: its name or its value says so, in each cloud."""
    text = str(value).lower()
    return text == "internal" or ("internal" in key and text not in ("false", "no", "0", ""))


@stack_rule(
    "K8S-NET-03",
    "An ingress speaks TLS, for named hosts, to services that exist.",
    HIGH,
    [INGRESS, SERVICE],
    remediation="List every host under tls; no wildcard, no snippets; a Service of this stack behind it.",
)
def ingresses(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Snippets are code that whoever may write an Ingress runs in the controller."""
    services_of = by_namespace(graph, SERVICE)
    opaque = {each.provider_urn for each in graph.of("kubernetes:helm.sh/v3:Release")}
    for ingress in graph.of(INGRESS):
        for found in apart(_open_default(ingress.reader), _ingress(ingress, services_of)):
            hidden = isinstance(found, Finding) and found.path.endswith(BACKENDS) and ingress.provider_urn in opaque
            yield located(Open(found.path) if hidden else found, ingress.urn)


BACKENDS = ("backend.service.name", "backend.serviceName", "defaultBackend.service.name")
"""Where an Ingress names a Service; a Release of the cluster may bring one that nobody sees here."""


def _open_default(reader: Reader) -> Iterator[Found]:
    if reader.has("spec.defaultBackend") and not reader.has("spec.tls"):
        yield Finding("spec.defaultBackend", "is served without TLS")


def _ingress(ingress: Resource, services_of: dict[Key, list[Resource]]) -> Iterator[Found]:
    reader = ingress.reader
    covered = {host for entry in reader.each("spec.tls") for host in entry.texts("hosts")}
    for key in reader.map("metadata.annotations"):
        if key.endswith("-snippet"):
            yield Finding("metadata.annotations", "hold a snippet")
    for each in (one for key, found in services_of.items() if key[0] == ingress.provider_urn for one in found):
        if UNKNOWN in (each.reader.raw("metadata.namespace"), each.reader.raw("metadata.name")):
            raise Undetermined("metadata.name")
    known = {name_of(each) for each in services_of.get((ingress.provider_urn, namespace_of(ingress)), [])}
    for rule in reader.each("spec.rules"):
        host = rule.text("host")
        if not host or "*" in host:
            yield Finding(rule.at("host"), "is missing or a wildcard")
        elif host not in covered and f"*.{host.partition('.')[2]}" not in covered:
            yield Finding(rule.at("host"), "has no TLS")
        for path in rule.each("http.paths"):
            yield from _backend(path, "backend", known)
    if reader.has("spec.defaultBackend"):
        yield from _backend(reader, "spec.defaultBackend", known)


def _backend(reader: Reader, where: str, known: set[str]) -> Iterator[Found]:
    if reader.has(f"{where}.resource"):
        return
    name = f"{where}.serviceName" if reader.has(f"{where}.serviceName") else f"{where}.service.name"
    if reader.text(name) not in known:
        yield Finding(reader.at(name), "is no Service of this namespace")
