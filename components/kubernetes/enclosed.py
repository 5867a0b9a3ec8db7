"""A namespace of a service: closed like a tenant's, opened by the flows of the service, bounded by what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    LimitRange,
    LimitRangeItemArgs,
    LimitRangeSpecArgs,
    Namespace,
    ResourceQuota,
    ResourceQuotaSpecArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.kubernetes import flows
from components.kubernetes.base import NODE_LOCAL_DNS, _pod_security
from components.kubernetes.flows import Flow, Outside, Pods
from stacks.services.facts import MOST_NODES
from stacks.services.facts import Pods as Room

NAME: Final = "kubernetes.io/metadata.name"
PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
HBONE: Final = 15008
"""Port of the mesh's tunnel: between two pods of an ambient mesh every packet takes it."""
PROBES: Final = "169.254.7.127/32"
"""What probes of the node come from in an ambient mesh (istio.io/latest/docs/ambient/usage/networkpolicy, 2026-11)."""
SURGE: Final = 2
"""A rolling update may double what runs."""


@dataclass(frozen=True, kw_only=True)
class EnclosedArgs:
    """`flows` of the whole stack (those that touch the namespace are taken); `room` is what runs inside.

    `places` are the ranges of what is outside, by its name; a flow to a place that has none is left out.
    """

    namespace: str
    version: str
    flows: tuple[Flow, ...]
    room: tuple[Room, ...]
    control_plane: tuple[str, ...]
    labels: Mapping[str, str]
    ambient: bool
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def enclose(name: str, args: EnclosedArgs, opts: pulumi.ResourceOptions) -> Namespace:
    """Make the namespace with quota, limits and policies; `opts` are those of the service's children."""
    closed = Namespace(
        f"{name}-{args.namespace}",
        metadata=ObjectMetaArgs(name=args.namespace, labels={**_pod_security(args.version), **args.labels}),
        opts=opts,
    )
    inside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[closed]))
    _bounds(f"{name}-{args.namespace}", args, inside)
    for suffix, spec in policies(args):
        NetworkPolicy(
            f"{name}-{args.namespace}-{suffix}",
            metadata=ObjectMetaArgs(name=suffix, namespace=args.namespace),
            spec=spec,
            opts=inside,
        )
    return closed


def quota(room: tuple[Room, ...]) -> dict[str, str]:
    """What a namespace may hold: all its pods twice, for updates, or as many as scale, its agents, and a few jobs."""
    held = {each: max(each.replicas * SURGE, each.peak) for each in room if not each.per_node}
    held |= dict.fromkeys((each for each in room if each.enclosed), MOST_NODES)
    cpu = sum(each.cpu_milli * pods for each, pods in held.items()) + 500
    memory = sum(each.memory_mib * pods for each, pods in held.items()) + 512
    return {
        "requests.cpu": f"{cpu}m",
        "requests.memory": f"{memory}Mi",
        "limits.memory": f"{memory * 2}Mi",
        "pods": str(sum(held.values()) + 5),
        "services.nodeports": "0",
    }


def _bounds(name: str, args: EnclosedArgs, opts: pulumi.ResourceOptions) -> None:
    ResourceQuota(
        f"{name}-quota",
        metadata=ObjectMetaArgs(name="service", namespace=args.namespace),
        spec=ResourceQuotaSpecArgs(hard=quota(args.room)),
        opts=opts,
    )
    LimitRange(
        f"{name}-limits",
        metadata=ObjectMetaArgs(name="service", namespace=args.namespace),
        spec=LimitRangeSpecArgs(
            limits=[
                LimitRangeItemArgs(
                    type="Container",
                    default={"memory": "256Mi", "ephemeral-storage": "1Gi"},
                    default_request={"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "64Mi"},
                )
            ]
        ),
        opts=opts,
    )


def policies(args: EnclosedArgs) -> Iterator[tuple[str, NetworkPolicySpecArgs]]:
    """Yield name and spec of each policy: closed, names, and one per selection of pods and direction."""
    everything = LabelSelectorArgs()
    yield "default-deny", NetworkPolicySpecArgs(pod_selector=everything, policy_types=["Ingress", "Egress"])
    yield "allow-dns", NetworkPolicySpecArgs(pod_selector=everything, policy_types=["Egress"], egress=[_names()])
    if args.ambient:
        probes = NetworkPolicyIngressRuleArgs(
            from_=[NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=PROBES))], ports=[_range(1, 65535)]
        )
        yield (
            "allow-mesh-probes",
            NetworkPolicySpecArgs(pod_selector=everything, policy_types=["Ingress"], ingress=[probes]),
        )
    legs = tuple(_legs(args.flows))
    for labels in _selections(args, legs, "target"):
        rules = [
            NetworkPolicyIngressRuleArgs(from_=peers, ports=_ports(flow, args))
            for flow in legs
            if _is(flow.target, args.namespace, labels) and (peers := _peers(flow.source, args))
        ]
        yield (
            f"to-{_slug(labels)}",
            NetworkPolicySpecArgs(pod_selector=_selector(labels), policy_types=["Ingress"], ingress=rules),
        )
    for labels in _selections(args, legs, "source"):
        exits = [
            NetworkPolicyEgressRuleArgs(to=peers, ports=_ports(flow, args))
            for flow in legs
            if _is(flow.source, args.namespace, labels) and (peers := _peers(flow.target, args))
        ]
        yield (
            f"from-{_slug(labels)}",
            NetworkPolicySpecArgs(pod_selector=_selector(labels), policy_types=["Egress"], egress=exits),
        )


def _legs(flows: tuple[Flow, ...]) -> Iterator[Flow]:
    """Yield every flow, and where a waypoint stands between, both halves of the way that packets take, once."""
    yield from flows
    halves: list[Flow] = []
    for flow in flows:
        if flow.through is not None:
            halves.append(Flow(source=flow.source, target=flow.through, ports=(HBONE,)))
            halves.append(Flow(source=flow.through, target=flow.target, ports=flow.ports))
    yield from (each for index, each in enumerate(halves) if each not in halves[:index])


def _is(end: Pods | Outside, namespace: str, labels: tuple[tuple[str, str], ...]) -> bool:
    return isinstance(end, Pods) and end.namespace == namespace and tuple(sorted(end.labels.items())) == labels


def _selections(args: EnclosedArgs, legs: tuple[Flow, ...], side: str) -> list[tuple[tuple[str, str], ...]]:
    ends = (getattr(flow, side) for flow in legs)
    mine = {
        tuple(sorted(end.labels.items())) for end in ends if isinstance(end, Pods) and end.namespace == args.namespace
    }
    return sorted(mine)


def _slug(labels: tuple[tuple[str, str], ...]) -> str:
    return "-".join(value for _, value in labels) or "all"


def _selector(labels: tuple[tuple[str, str], ...]) -> LabelSelectorArgs:
    return LabelSelectorArgs(match_labels=dict(labels)) if labels else LabelSelectorArgs()


def _peers(end: Pods | Outside, args: EnclosedArgs) -> list[NetworkPolicyPeerArgs]:
    if isinstance(end, Pods):
        there = LabelSelectorArgs(match_labels={NAME: end.namespace})
        who = LabelSelectorArgs(match_labels=dict(end.labels)) if end.labels else None
        return [NetworkPolicyPeerArgs(namespace_selector=there, pod_selector=who)]
    if end != flows.WORLD:  # a list without peers would mean everybody
        ranges = args.control_plane if end == flows.API else args.places.get(end.name, ())
        return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=cidr)) for cidr in ranges]
    return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr="0.0.0.0/0", except_=list(PRIVATE)))]


def _ports(flow: Flow, args: EnclosedArgs) -> list[NetworkPolicyPortArgs]:
    """Give the ports of a flow; between pods of an ambient mesh also the tunnel's."""
    tunnel = args.ambient and isinstance(flow.source, Pods) and isinstance(flow.target, Pods)
    tunnel = tunnel and flow.protocol == "TCP"
    ports = dict.fromkeys((*flow.ports, *((HBONE,) if tunnel else ())))
    return [NetworkPolicyPortArgs(port=port, protocol=flow.protocol) for port in ports]


def _range(first: int, last: int) -> NetworkPolicyPortArgs:
    return NetworkPolicyPortArgs(port=first, end_port=last, protocol="TCP")


def _names() -> NetworkPolicyEgressRuleArgs:
    system = LabelSelectorArgs(match_labels={NAME: "kube-system"})
    return NetworkPolicyEgressRuleArgs(
        to=[
            NetworkPolicyPeerArgs(
                namespace_selector=system, pod_selector=LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"})
            ),
            NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=NODE_LOCAL_DNS)),
        ],
        ports=[NetworkPolicyPortArgs(port=53, protocol="UDP"), NetworkPolicyPortArgs(port=53, protocol="TCP")],
    )
