"""Charter: no way from the internet to a store, but the declared one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from charter.facts import Facts
from charter.graph import Graph
from charter.reach import FIREWALL, GROUP, HOLDERS, NSG, NSG_RULE, SERVER_RULES, SERVERS, SQL, Steps, clouds
from charter.reach import RULES as GROUP_RULES
from charter.reach_doors import DOORS
from charter.reach_fronts import unguarded
from charter.reach_pods import clusters
from charter.reach_walls import WALLED, unwalled
from charter.rule import CRITICAL, Finding, Found, apart, located, stack_rule
from charter.values import Reader

SERVICE_ENTRY: Final = "kubernetes:networking.istio.io/v1:ServiceEntry"
APART: Final = 3
"""Connections from the internet to a store where no edges are declared: to an edge, to a workload, to the store."""


@stack_rule(
    "CH-28",
    "No way leads from the internet to a store, but a declared one.",
    CRITICAL,
    [
        *(GROUP, *GROUP_RULES, *HOLDERS, SQL, FIREWALL, *SERVERS, *SERVER_RULES, NSG, NSG_RULE, *DOORS, SERVICE_ENTRY),
        *WALLED,
    ],
    remediation="Let the store in from the workload that needs it only; declare the steps in evidence.edges.",
)
def unreachable(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Firewalls, routes of gateways and permissions of the mesh are followed step by step; the finding is the way.

    `evidence.edges` declares steps as pairs of names, `internet` among them. Where it is given every step of every way
    must be declared; where it is not, an edge and a workload must stand between the internet and the store. Denials of
    firewalls come first where their priority says so, a store that no route leads to is not reached, and a balancer on
    a way has a web firewall: in AWS where the way leads through it, in the other clouds where stores stand in them.
    Where `evidence.egress` is given, workloads reach these hosts outside and no others.
    """
    for steps in (clouds(graph), *clusters(graph)):
        yield from steps.unread
        for store, way in steps.ways():
            if not _declared(steps, way, facts):
                yield Finding("", f"the internet reaches it: {steps.told(way)}", store.urn)
            elif way[1] in steps.entered:
                for door in unguarded(graph, steps.entered[way[1]]):
                    told = f"lets the internet on the way to {store.name} without a web firewall or mutual TLS"
                    yield Finding("", told, door.urn)
    yield from unwalled(graph, (SQL, *SERVERS))
    hosts = facts.evidence.get("egress")
    if isinstance(hosts, list):
        for entry in graph.of(SERVICE_ENTRY):
            for found in apart(_outside(entry.reader, hosts)):
                yield located(found, entry.urn)


def _outside(entry: Reader, hosts: list[Any]) -> Iterator[Found]:
    for path, host in entry.items("spec.hosts"):
        if host not in hosts and entry.text("spec.location", "MESH_EXTERNAL") == "MESH_EXTERNAL":
            yield Finding(path, "is outside, and no host that workloads are let to reach")


def _declared(steps: Steps, way: list[str], facts: Facts) -> bool:
    edges = facts.evidence.get("edges")
    if not isinstance(edges, list):
        return steps.strides(way) >= APART
    known = {tuple(each) for each in edges if isinstance(each, list)}
    names = [steps.names[each] for each in way]
    return all(pair in known for pair in pairwise(names))
