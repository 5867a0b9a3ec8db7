"""How a service comes and goes: namespace, chart, custom resources, and one small object that says it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.contracts import Cluster, HeldBucket
from components.kubernetes.enclosed import EnclosedArgs, enclose
from components.kubernetes.flows import CLOUD, CREDENTIALS, NODES, PEERS, Flow, mesh_labels
from components.kubernetes.shapes import Custom, plain
from stacks.off_hours import OffHours
from stacks.services import lock
from stacks.services.settings import Services
from stacks.services.table import TABLE, Pods
from stacks.work import Workload

TIMEOUTS: Final = pulumi.CustomTimeouts(create="15m", update="15m", delete="15m")
SECONDS: Final = 900
"""How long Helm waits for what a chart made."""
CACHE: Final = "64Mi"
SCRATCH: Final = "1Gi"


@dataclass(frozen=True, kw_only=True)
class ServicesArgs:
    """What the stack file wishes for one cluster; what differs per cloud comes with it (`contracts.Offer`)."""

    services: Services
    version: str
    """The cluster's MAJOR.MINOR."""
    environment: str
    tenants: tuple[str, ...]
    control_plane: tuple[str, ...]
    """Ranges from which the API server comes, and where it answers."""
    availability_target: float
    nodes: tuple[str, ...] = ()
    """Ranges that nodes have their own addresses from."""
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    """Workloads of the stack that this cluster carries, by name."""
    physical_name: str = ""
    """Name of the cluster as its cloud knows it."""
    others: tuple[str, ...] = ()
    """The other clusters of the stack."""
    peers: tuple[str, ...] = ()
    """Ranges of the other clusters: nodes, pods, API servers."""
    callers: tuple[str, ...] = ()
    """Ranges that call from linked networks of other clouds; without links none."""
    rules: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """What the law has rendered for clusters, by the service that installs it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The stack's common tags, for what something in the cluster makes outside of it."""
    off_hours: OffHours | None = None
    """When workloads rest, and which."""
    backups: HeldBucket | None = None
    """Where backups of the cluster go; None without them."""
    archive: HeldBucket | None = None
    """Where databases of the cluster write what they log; None without databases."""
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True)
class Ground(ServicesArgs):
    """What every service of a cluster stands on; all of it plain, but for the cluster and what is ready."""

    cluster: Cluster
    flows: tuple[Flow, ...]
    annotations: Mapping[str, Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    """What this cloud wants on an object, by what it is for: `gateway`, `external-secrets`."""
    storage_class: str | None = None

    @property
    def ambient(self) -> bool:
        """Say whether the nodes carry the mesh's traffic."""
        return self.services.mesh is not None and self.services.mesh.mode == "ambient"

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """Ranges of what is outside the cluster, by the name that flows use."""
        offer = self.cluster.offer
        return {
            CLOUD.name: offer.apis,
            CREDENTIALS.name: tuple(address for address, _ in offer.credentials),
            NODES.name: self.nodes,
            PEERS.name: self.peers,
        }

    def room(self, service: str) -> dict[str, Pods]:
        """What the pods of a service ask for, by their name."""
        pods = TABLE[service].pods(getattr(self.services, service))
        return {each.name: each for each in pods if each.stands_on(self.cluster.cloud)}


def resources(pods: Pods) -> dict[str, Any]:
    """Requests and limits of a container as values of a chart; a limit of memory is twice the request."""
    return {
        "requests": {"cpu": f"{pods.cpu_milli}m", "memory": f"{pods.memory_mib}Mi", "ephemeral-storage": CACHE},
        "limits": {"memory": f"{pods.memory_mib * 2}Mi", "ephemeral-storage": SCRATCH},
    }


def spread(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Keep the replicas of a workload in different zones, as far as there are zones."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(labels)},
        }
    ]


class Service(pulumi.ComponentResource):
    """One service of one cluster. A subclass names its `SERVICE`, makes its parts, and ends with `done`."""

    SERVICE: ClassVar[str]
    ready: pulumi.Resource

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"ecosystem:kubernetes:{type(self).__name__}", name, {}, opts)
        self.ground = ground
        self.named = name
        self.facts = TABLE[self.SERVICE]
        self.last: list[pulumi.Resource] = [ground.cluster.ready, *ground.after]
        self.made: list[pulumi.Resource] = []
        self.released: dict[str, str] = {}

    def options(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a child: the cluster takes it along when it goes, and it comes after what is named."""
        return pulumi.ResourceOptions(
            parent=self,
            provider=self.ground.cluster.provider,
            deleted_with=self.ground.cluster.resource,
            depends_on=list(after) or list(self.last),
            custom_timeouts=TIMEOUTS,
        )

    def namespace(
        self,
        *,
        meshed: bool = True,
        labels: Mapping[str, str] | None = None,
        name: str = "",
        room: Sequence[Pods] | None = None,
    ) -> Namespace:
        """Make the closed namespace; what follows comes after it. `meshed` says whether the mesh takes it in.

        `name` is that of a further one, and `room` what stands there.
        """
        ground = self.ground
        made = enclose(
            self.named,
            EnclosedArgs(
                namespace=name or self.facts.namespace,
                version=ground.version,
                flows=ground.flows,
                room=tuple(ground.room(self.SERVICE).values() if room is None else room),
                control_plane=ground.control_plane,
                labels={**(mesh_labels(ground.services) if meshed else {}), **(labels or {})},
                ambient=ground.ambient and meshed,
                places=ground.places,
            ),
            self.options(),
        )
        self.last = [made]
        return made

    def release(
        self, chart: str, values: Mapping[str, Any], *, name: str | None = None, namespace: str | None = None
    ) -> Release:
        """Install a locked chart; what follows comes after it."""
        main = chart == self.facts.charts[0]
        wish = getattr(self.ground.services, self.SERVICE).version if main else None
        locked = lock.find(chart, wish)
        self.released[chart] = locked.version
        address = f"{locked.oci}@{locked.digest}" if locked.oci and locked.resolved else locked.oci or locked.chart
        made = Release(
            f"{self.named}-{name or chart}",
            name=name or chart,
            namespace=namespace or self.facts.namespace,
            chart=address,
            version=locked.version,
            repository_opts=None if locked.oci else RepositoryOptsArgs(repo=locked.repository),
            values=dict(values),
            description=f"chart {locked.digest}, rendered {locked.rendered}",
            create_namespace=False,
            atomic=True,
            cleanup_on_fail=True,
            max_history=5,
            timeout=SECONDS,
            wait_for_jobs=True,
            opts=self.options(),
        )
        self.last = [made]
        return made

    def custom(  # noqa: PLR0913 - what an object has
        self,
        name: str,
        what: Custom,
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        after: Sequence[pulumi.Resource] = (),
        ignore: Sequence[str] = (),
        ends_first: bool = False,
    ) -> CustomResource:
        """Make a custom resource of a typed model; the logical name is kind and name.

        `ignore` are paths that somebody in the cluster changes afterwards; `ends_first` is for what stands for
        something outside the cluster: it is removed, and waited for, before the cluster goes.
        """
        options = self.options(*after)
        if ends_first:
            options.deleted_with = None
        place = f"{namespace}-" if namespace else ""
        made = CustomResource(
            f"{self.named}-{what.KIND.lower()}-{place}{name}",
            api_version=what.API_VERSION,
            kind=what.KIND,
            metadata=ObjectMetaArgs(
                name=name,
                namespace=namespace,
                labels=dict(labels) if labels else None,
                annotations=dict(annotations) if annotations else None,
            ),
            spec=plain(what)["spec"],
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=list(ignore) or None)),
        )
        self.made.append(made)
        return made

    def settings(
        self,
        name: str,
        namespace: str,
        data: Mapping[str, pulumi.Input[str]],
        *,
        object_name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> ConfigMap:
        """Make a ConfigMap; `object_name` where the same name stands in several namespaces."""
        made = ConfigMap(
            f"{self.named}-{name}",
            metadata=ObjectMetaArgs(
                name=object_name or name, namespace=namespace, labels=dict(labels) if labels else None
            ),
            data=dict(data),
            opts=self.options(),
        )
        self.made.append(made)
        return made

    def done(self) -> None:
        """Say that all of it is there: one small object, which others depend on."""
        charts = dict(self.released)
        self.ready = ConfigMap(
            f"{self.named}-ready",
            metadata=ObjectMetaArgs(name=f"{self.SERVICE.replace('_', '-')}-ready", namespace=self.facts.namespace),
            data={"service": self.SERVICE, **charts},
            opts=self.options(*self.last, *self.made),
        )
        self.register_outputs({"service": self.SERVICE, "charts": charts})
