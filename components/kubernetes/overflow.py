"""Nodes beyond the plan: Karpenter, its pools, and the class of machines that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import pulumi

from components.contracts import Launches, Launching
from components.grants import Holder
from components.kubernetes.crds.karpenter import (
    EC2NodeClass,
    EC2NodeClassSpec,
    EC2NodeClassSpecAmiSelectorTerms,
    EC2NodeClassSpecBlockDeviceMappings,
    EC2NodeClassSpecBlockDeviceMappingsEbs,
    EC2NodeClassSpecKubelet,
    EC2NodeClassSpecMetadataOptions,
    EC2NodeClassSpecSecurityGroupSelectorTerms,
    EC2NodeClassSpecSubnetSelectorTerms,
    NodePool,
    NodePoolSpec,
    NodePoolSpecDisruption,
    NodePoolSpecDisruptionBudgets,
    NodePoolSpecTemplate,
    NodePoolSpecTemplateMetadata,
    NodePoolSpecTemplateSpec,
    NodePoolSpecTemplateSpecNodeClassRef,
    NodePoolSpecTemplateSpecRequirements,
    NodePoolSpecTemplateSpecTaints,
)
from components.kubernetes.restricted import SECCOMP
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.overflow import TAINT, OverflowPool, nodes, of_cluster

ACCOUNT: Final = "karpenter"
CLASS: Final = "overflow"
PODS_PER_NODE: Final = 110
"""What a node of the plan takes too: addresses come in prefixes, not by network interface."""
DISK: Final = "50Gi"
GENERATION: Final = "4"
"""Machines above this generation: Nitro, whose disks and traffic are encrypted by hardware."""
DRAINED_WITHIN: Final = "24h"
"""How long a node that has to go waits for pods that may not be moved; then it goes."""
CAPACITY: Final[Mapping[str, tuple[str, ...]]] = {
    "never": ("on-demand",),
    "first": ("spot", "on-demand"),
    "only": ("spot",),
}


class Overflow(Service):
    """Definitions, the controller with the right to start machines of this cluster, one class, and the pools."""

    SERVICE: ClassVar[str] = "overflow"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        if not isinstance(ground.cluster, Launches):
            raise TypeError(f"{ground.cluster.name} lets no pod start machines: overflow is for clusters on AWS")
        launching = ground.cluster.launching_for(Holder(self.facts.namespace, ACCOUNT))
        self.namespace()
        self.release("karpenter-crd", {})
        self.last += launching.identity.ready
        self.release("karpenter", values(ground, launching))
        made = self.custom(CLASS, node_class(launching, ground.tags), ends_first=True)
        for pool, wish in of_cluster(ground.services.overflow, ground.cluster.name).items():
            self.custom(pool, node_pool(pool, wish), after=(*self.last, made), ends_first=True)
        self.done()


def values(ground: Ground, launching: Launching) -> dict[str, Any]:
    """Values of the chart; its own keep the controller off the nodes that it starts, and restrict its container.

    The region is told, because pods do not reach the machine's own metadata. Replicas avoid each other as far as
    there are nodes: the chart would leave one without a place in a cluster of one node.
    """
    room = ground.room("overflow")["controller"]
    mine = {"app.kubernetes.io/name": "karpenter"}
    apart = {"labelSelector": {"matchLabels": mine}, "topologyKey": "kubernetes.io/hostname"}
    return {
        "replicas": room.replicas,
        "serviceAccount": {
            "create": True,
            "name": ACCOUNT,
            "annotations": dict(launching.identity.annotations),
        },
        "podLabels": dict(launching.identity.labels),
        "priorityClassName": "system-cluster-critical",
        "podDisruptionBudget": {"name": "karpenter", "maxUnavailable": 1},
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": apart}],
            }
        },
        "topologySpreadConstraints": spread(mine),
        "controller": {
            "resources": resources(room),
            "env": [{"name": "AWS_REGION", "value": ground.cluster.region}],
            "securityContext": {"seccompProfile": SECCOMP},
        },
        "settings": {
            "clusterName": ground.physical_name,
            "eksControlPlane": True,
            "interruptionQueue": launching.queue,
        },
    }


def node_class(launching: Launching, tags: Mapping[str, str]) -> EC2NodeClass:
    """Describe the machines: they are found, encrypted, watched and closed as those of the plan."""
    disk = EC2NodeClassSpecBlockDeviceMappingsEbs(
        volume_type="gp3",
        volume_size=DISK,
        encrypted=True,
        kms_key_id=launching.disk_key,
        delete_on_termination=True,
    )
    return EC2NodeClass(
        spec=EC2NodeClassSpec(
            ami_selector_terms=[EC2NodeClassSpecAmiSelectorTerms(alias=launching.image)],
            instance_profile=launching.profile,
            subnet_selector_terms=[EC2NodeClassSpecSubnetSelectorTerms(tags=launching.found_by)],
            security_group_selector_terms=[EC2NodeClassSpecSecurityGroupSelectorTerms(tags=launching.found_by)],
            associate_public_ip_address=False,
            detailed_monitoring=True,
            block_device_mappings=[
                EC2NodeClassSpecBlockDeviceMappings(device_name="/dev/xvda", root_volume=True, ebs=disk)
            ],
            metadata_options=EC2NodeClassSpecMetadataOptions(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,
                http_protocol_i_pv6="disabled",
            ),
            kubelet=EC2NodeClassSpecKubelet(max_pods=PODS_PER_NODE),
            tags=dict(tags) or None,
        )
    )


def node_pool(name: str, wish: OverflowPool) -> NodePool:
    """Describe a pool: what may be bought, how much of it, and how gently it goes again."""
    mark = NodePoolSpecTemplateSpecTaints(key=TAINT, value=name, effect="NoSchedule")
    asked = {
        "kubernetes.io/os": ("In", ("linux",)),
        "kubernetes.io/arch": ("In", wish.arch),
        "karpenter.sh/capacity-type": ("In", CAPACITY[wish.spot]),
        "karpenter.k8s.aws/instance-category": ("In", wish.families),
        "karpenter.k8s.aws/instance-generation": ("Gt", (GENERATION,)),
        "karpenter.k8s.aws/instance-cpu": ("Gt", (str(wish.node_cpu_min - 1),)),
    }
    requirements: list[NodePoolSpecTemplateSpecRequirements] = [
        NodePoolSpecTemplateSpecRequirements(key=key, operator="Gt" if how == "Gt" else "In", values=list(what))
        for key, (how, what) in asked.items()
    ]
    largest = NodePoolSpecTemplateSpecRequirements(
        key="karpenter.k8s.aws/instance-cpu", operator="Lt", values=[str(wish.node_cpu_max + 1)]
    )
    limits: dict[str, int | str] = {"cpu": str(wish.cpu), "nodes": str(nodes(wish))}
    return NodePool(
        spec=NodePoolSpec(
            limits={**limits, **({"memory": wish.memory} if wish.memory else {})},
            disruption=NodePoolSpecDisruption(
                consolidation_policy="WhenEmptyOrUnderutilized",
                consolidate_after=f"{wish.consolidate_after_minutes}m",
                budgets=budgets(wish),
            ),
            template=NodePoolSpecTemplate(
                metadata=NodePoolSpecTemplateMetadata(labels={TAINT: name}),
                spec=NodePoolSpecTemplateSpec(
                    node_class_ref=NodePoolSpecTemplateSpecNodeClassRef(
                        group="karpenter.k8s.aws", kind=EC2NodeClass.KIND, name=CLASS
                    ),
                    requirements=[*requirements, largest],
                    taints=[mark],
                    expire_after=f"{wish.expire_days * 24}h",
                    termination_grace_period=DRAINED_WITHIN,
                ),
            ),
        )
    )


def budgets(wish: OverflowPool) -> list[NodePoolSpecDisruptionBudgets]:
    """How many nodes may go at once, always; and in a quiet window none that carries pods."""
    quiet = [
        NodePoolSpecDisruptionBudgets(
            nodes="0", schedule=each.starts, duration=f"{each.hours}h", reasons=["Underutilized", "Drifted"]
        )
        for each in wish.quiet
    ]
    return [NodePoolSpecDisruptionBudgets(nodes=f"{wish.disrupted_percent}%"), *quiet]
