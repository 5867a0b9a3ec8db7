"""Every service of a cluster that the stack file switches on, each after those that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pulumi

from components.contracts import Cluster
from components.kubernetes import flows
from components.kubernetes.certificates import Certificates
from components.kubernetes.chaos import Chaos
from components.kubernetes.cost import Cost
from components.kubernetes.crds.external_secrets import ClusterSecretStoreSpecProvider
from components.kubernetes.logs import Logs
from components.kubernetes.mesh import Mesh, Permissions
from components.kubernetes.monitoring import Monitoring
from components.kubernetes.openings import Openings
from components.kubernetes.secrets import Secrets
from components.kubernetes.service import Ground, Service
from components.kubernetes.traces import Traces
from stacks.services.settings import Services as Wishes
from stacks.services.table import TABLE

NEXT: Final[Mapping[str, Callable[[str, Ground, pulumi.ResourceOptions], Service]]] = {
    "cert_manager": Certificates,
    "mesh": Mesh,
    "monitoring": Monitoring,
    "logs": Logs,
    "traces": Traces,
    "cost": Cost,
    "chaos": Chaos,
}
"""Services that need nothing but the ground; one that is given more has a line of its own below."""


@dataclass(frozen=True, kw_only=True)
class ServicesArgs:
    """What the stack file wishes, and what differs per cloud: the store of secrets, annotations, storage class."""

    services: Wishes
    version: str
    environment: str
    tenants: tuple[str, ...]
    control_plane: tuple[str, ...]
    availability_target: float
    secrets: ClusterSecretStoreSpecProvider | None = None
    annotations: Mapping[str, Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    storage_class: str | None = None
    after: Sequence[pulumi.Resource] = ()


class ClusterServices(pulumi.ComponentResource):
    """The services of one cluster; `ready` says of each that it is there."""

    ready: Mapping[str, pulumi.Resource]

    def __init__(
        self, name: str, args: ServicesArgs, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:kubernetes:ClusterServices", name, {}, opts)
        ready: dict[str, pulumi.Resource] = {}
        ground = ground_of(args, cluster)
        child = pulumi.ResourceOptions(parent=self)
        for service, _ in args.services.on():
            facts = TABLE[service]
            needed = [ready[each] for each in (*facts.needs, *facts.after) if each in ready]
            ready[service] = self._make(
                service,
                f"{name}-{service.replace('_', '-')}",
                replace(ground, after=[*args.after, *needed]),
                args,
                child,
            ).ready
        last = replace(ground, after=[*args.after, *ready.values()])
        if args.services.mesh is not None:
            ready["permissions"] = Permissions(f"{name}-permissions", last, child).ready
        if ready:
            Openings(f"{name}-openings", ground, child)
        self.ready = ready
        self.register_outputs({"services": sorted(ready)})

    @staticmethod
    def _make(service: str, name: str, ground: Ground, args: ServicesArgs, opts: pulumi.ResourceOptions) -> Service:
        if service == "external_secrets":
            return Secrets(name, ground, args.secrets, opts)
        return NEXT[service](name, ground, opts)


def ground_of(args: ServicesArgs, cluster: Cluster) -> Ground:
    """What the services of a cluster stand on."""
    return Ground(
        cluster=cluster,
        version=args.version,
        environment=args.environment,
        services=args.services,
        tenants=args.tenants,
        flows=flows.of_stack(args.services, args.tenants),
        control_plane=args.control_plane,
        availability_target=args.availability_target,
        annotations=args.annotations,
        storage_class=args.storage_class,
    )
