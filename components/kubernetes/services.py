"""Every service of a cluster that the stack file switches on, each after those that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Final

import pulumi

from components.contracts import Cluster
from components.kubernetes import flows, volumes
from components.kubernetes.backup import Backup
from components.kubernetes.caches import Caches
from components.kubernetes.certificates import Certificates
from components.kubernetes.chaos import Chaos
from components.kubernetes.cost import Cost
from components.kubernetes.databases import Databases
from components.kubernetes.elk import Elk
from components.kubernetes.falco import Falco
from components.kubernetes.gatekeeper import Gatekeeper
from components.kubernetes.gitops import Gitops
from components.kubernetes.kubecost import Kubecost
from components.kubernetes.kyverno import Kyverno
from components.kubernetes.logs import Logs
from components.kubernetes.mesh import Mesh, Permissions
from components.kubernetes.monitoring import Monitoring
from components.kubernetes.names import Names
from components.kubernetes.node_scaling import NodeScaling
from components.kubernetes.openings import Openings
from components.kubernetes.overflow import Overflow
from components.kubernetes.probes import Probes
from components.kubernetes.rollouts import Rollouts
from components.kubernetes.runners import Runners
from components.kubernetes.scaling import Scaling
from components.kubernetes.secrets import Secrets
from components.kubernetes.service import Ground, Service, ServicesArgs
from components.kubernetes.traces import Traces
from components.kubernetes.traffic import reach
from components.kubernetes.trivy import Trivy
from stacks.services.table import TABLE, of_cloud

NEXT: Final[Mapping[str, Callable[[str, Ground, pulumi.ResourceOptions], Service]]] = {
    "cert_manager": Certificates,
    "external_secrets": Secrets,
    "mesh": Mesh,
    "monitoring": Monitoring,
    "logs": Logs,
    "elk": Elk,
    "traces": Traces,
    "cost": Cost,
    "kubecost": Kubecost,
    "chaos": Chaos,
    "scaling": Scaling,
    "node_scaling": NodeScaling,
    "overflow": Overflow,
    "gitops": Gitops,
    "rollouts": Rollouts,
    "runners": Runners,
    "probes": Probes,
    "gatekeeper": Gatekeeper,
    "kyverno": Kyverno,
    "falco": Falco,
    "trivy": Trivy,
    "dns": Names,
    "backup": Backup,
    "cloudnative_pg": Databases,
    "valkey": Caches,
}
"""How each service is made, from its name and the ground that it stands on."""


class ClusterServices(pulumi.ComponentResource):
    """The services of one cluster; `ready` says of each that it is there."""

    ready: Mapping[str, pulumi.Resource]

    def __init__(
        self, name: str, args: ServicesArgs, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:kubernetes:ClusterServices", name, {}, opts)
        ready: dict[str, pulumi.Resource] = {}
        args = replace(args, services=of_cloud(args.services, cluster.cloud))
        ground = ground_of(args, cluster)
        child = pulumi.ResourceOptions(parent=self)
        classes = volumes.Volumes(f"{name}-volumes", replace(ground, after=args.after), child).ready
        for service, _ in args.services.on():
            facts = TABLE[service]
            needed = [ready[each] for each in (*facts.needs, *facts.after) if each in ready]
            ready[service] = NEXT[service](
                f"{name}-{service.replace('_', '-')}",
                replace(ground, after=[*args.after, classes, *needed]),
                child,
            ).ready
        last = replace(ground, after=[*args.after, *ready.values()])
        if args.services.mesh is not None:
            ready["permissions"] = Permissions(f"{name}-permissions", last, child).ready
        if ready:
            Openings(f"{name}-openings", replace(ground, after=args.after), child)
        self.ready = ready
        self.register_outputs({"services": sorted(ready)})


def ground_of(args: ServicesArgs, cluster: Cluster) -> Ground:
    """What the services of a cluster stand on."""
    wished = {each.name: getattr(args, each.name) for each in fields(ServicesArgs) if each.name != "after"}
    return Ground(
        **wished,
        cluster=cluster,
        flows=flows.of_stack(args.services, args.tenants),
        annotations={"gateway": reach(args.services.mesh, cluster.offer)},
        storage_class=volumes.CLASS,
    )
