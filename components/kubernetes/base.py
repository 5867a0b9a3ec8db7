"""The ground of every cluster: namespaces that are closed, bounded and quiet until something is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.core.v1 import (
    LimitRange,
    LimitRangeItemArgs,
    LimitRangeSpecArgs,
    ResourceQuota,
    ResourceQuotaSpecArgs,
    ServiceAccount,
)
from pulumi_kubernetes.core.v1 import Namespace as KubernetesNamespace
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.contracts import Cluster
from stacks.model import Namespace

NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where NodeLocal DNSCache listens (kubernetes.io/docs/tasks/administer-cluster/nodelocaldns, 2026-11)."""

CREATE_TIMEOUT = pulumi.CustomTimeouts(create="10m", update="10m", delete="15m")


@dataclass(frozen=True, kw_only=True)
class ClusterBaseArgs:
    """`namespaces` by name; `version` is the cluster's `MAJOR.MINOR`, which pins the Pod Security level.

    `labels` and `annotations` are more of them on a namespace, by its name (the mesh is entered by a label).
    """

    namespaces: Mapping[str, Namespace]
    version: str
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class ClusterBase(pulumi.ComponentResource):
    """Tenant namespaces with Pod Security, quota, limits, default-deny policies and a service account of their own."""

    ready: pulumi.Resource
    namespaces: Mapping[str, KubernetesNamespace]

    def __init__(
        self, name: str, args: ClusterBaseArgs, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:kubernetes:ClusterBase", name, {}, opts)
        self.namespaces = {
            namespace: self._namespace(f"{name}-{namespace}", namespace, wish, args, cluster)
            for namespace, wish in sorted(args.namespaces.items())
        }
        self.ready = next(iter(self.namespaces.values()), cluster.ready)
        self.register_outputs({"namespaces": sorted(args.namespaces)})

    def _namespace(
        self, name: str, namespace: str, wish: Namespace, args: ClusterBaseArgs, cluster: Cluster
    ) -> KubernetesNamespace:
        closed = KubernetesNamespace(
            name,
            metadata=ObjectMetaArgs(
                name=namespace,
                annotations=dict(args.annotations[namespace]) if args.annotations.get(namespace) else None,
                labels={**_pod_security(args.version), **args.labels.get(namespace, {})},
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=cluster.provider,
                deleted_with=cluster.resource,
                depends_on=[cluster.ready],
                custom_timeouts=CREATE_TIMEOUT,
            ),
        )
        inside = pulumi.ResourceOptions(
            parent=self,
            provider=cluster.provider,
            deleted_with=cluster.resource,
            depends_on=[closed],
            custom_timeouts=CREATE_TIMEOUT,
        )
        self._bounds(name, namespace, wish, inside)
        self._policies(name, namespace, inside)
        ServiceAccount(
            f"{name}-workload",
            metadata=ObjectMetaArgs(name="workload", namespace=namespace),
            automount_service_account_token=False,
            opts=inside,
        )
        return closed

    @staticmethod
    def _bounds(name: str, namespace: str, wish: Namespace, opts: pulumi.ResourceOptions) -> None:
        ResourceQuota(
            f"{name}-quota",
            metadata=ObjectMetaArgs(name="tenant", namespace=namespace),
            spec=ResourceQuotaSpecArgs(
                hard={
                    "requests.cpu": wish.cpu_requests,
                    "requests.memory": wish.memory_requests,
                    "limits.cpu": wish.cpu_limits,
                    "limits.memory": wish.memory_limits,
                    "pods": str(wish.pods),
                    "services.loadbalancers": str(wish.load_balancers),
                }
            ),
            opts=opts,
        )
        LimitRange(
            f"{name}-limits",
            metadata=ObjectMetaArgs(name="tenant", namespace=namespace),
            spec=LimitRangeSpecArgs(
                limits=[
                    LimitRangeItemArgs(
                        type="Container",
                        default={"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                        default_request={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "256Mi"},
                    )
                ]
            ),
            opts=opts,
        )

    @staticmethod
    def _policies(name: str, namespace: str, opts: pulumi.ResourceOptions) -> None:
        NetworkPolicy(
            f"{name}-default-deny",
            metadata=ObjectMetaArgs(name="default-deny", namespace=namespace),
            spec=NetworkPolicySpecArgs(pod_selector=LabelSelectorArgs(), policy_types=["Ingress", "Egress"]),
            opts=opts,
        )
        NetworkPolicy(
            f"{name}-allow-dns",
            metadata=ObjectMetaArgs(name="allow-dns", namespace=namespace),
            spec=NetworkPolicySpecArgs(
                pod_selector=LabelSelectorArgs(),
                policy_types=["Egress"],
                egress=[
                    NetworkPolicyEgressRuleArgs(
                        to=[
                            NetworkPolicyPeerArgs(
                                namespace_selector=LabelSelectorArgs(
                                    match_labels={"kubernetes.io/metadata.name": "kube-system"}
                                ),
                                pod_selector=LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
                            ),
                            NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=NODE_LOCAL_DNS)),
                        ],
                        ports=[
                            NetworkPolicyPortArgs(port=53, protocol="UDP"),
                            NetworkPolicyPortArgs(port=53, protocol="TCP"),
                        ],
                    )
                ],
            ),
            opts=opts,
        )


def _pod_security(version: str) -> dict[str, str]:
    """Return the labels of Pod Security Admission: restricted in all modes, pinned to the cluster's version."""
    labels = {}
    for mode in ("enforce", "audit", "warn"):
        labels[f"pod-security.kubernetes.io/{mode}"] = "restricted"
        labels[f"pod-security.kubernetes.io/{mode}-version"] = f"v{version}"
    return labels
