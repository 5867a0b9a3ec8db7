"""What a stack brings beside its objects: pods and accounts of charts, workloads of tenants, exported figures."""

from __future__ import annotations

from collections.abc import Iterable

from components.kubernetes.exported import EXPORTED
from components.kubernetes.flow import Pods
from components.kubernetes.flows import of_stack
from components.kubernetes.references.pods import PodSet
from components.kubernetes.references.standing import Known
from stacks.services.settings import Services


def known(services: Services, tenants: Iterable[str], workloads: Iterable[str], users: Iterable[str] = ()) -> Known:
    """Return what is known of a stack's clusters; what is in none of their namespaces is not counted there.

    `users` are NAMESPACE/ACCOUNT of those who use stores: a tenant's repository may bring pods that nobody sizes.
    """
    tenants, workloads = tuple(sorted(tenants)), tuple(workloads)
    ends = [
        end
        for flow in of_stack(services, tenants)
        for end in (flow.source, flow.target, flow.through)
        if isinstance(end, Pods)
    ]
    on = {name for name, _ in services.on()}
    named = {(namespace, account) for namespace, _, account in (each.partition("/") for each in users)}
    apps = {(namespace, each) for namespace in tenants for each in workloads}
    apps |= {(end.namespace, end.account) for end in ends if end.namespace in tenants and end.account} | named
    return Known(
        pods=tuple(
            PodSet(namespace=end.namespace, labels=dict(end.labels), whole=False, maker="a chart")
            for end in ends
            if end.labels
        ),
        accounts=frozenset((end.namespace, end.account) for end in ends if end.account),
        tenants=frozenset(tenants),
        apps=frozenset(apps),
        series=frozenset().union(*(names for name, names in EXPORTED.items() if name in on)),
    )
