"""What Karmada is told about workloads: typed policies of propagation and override, as manifests. Creates nothing.

Karmada itself is not installed by us (docs/services.md says why): its API server reads these from a repository.
Fields: karmada.io/docs/userguide/scheduling (propagation-policy, override-policy) and /failover, at v1.18, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from components.kubernetes.crds.karmada import (
    OverridePolicy,
    OverridePolicySpec,
    OverridePolicySpecOverrideRules,
    OverridePolicySpecOverrideRulesOverriders,
    OverridePolicySpecOverrideRulesOverridersImageOverrider,
    OverridePolicySpecOverrideRulesTargetCluster,
    OverridePolicySpecResourceSelectors,
    PropagationPolicy,
    PropagationPolicySpec,
    PropagationPolicySpecFailover,
    PropagationPolicySpecFailoverCluster,
    PropagationPolicySpecPlacement,
    PropagationPolicySpecPlacementClusterAffinity,
    PropagationPolicySpecPlacementClusterTolerations,
    PropagationPolicySpecPlacementReplicaScheduling,
    PropagationPolicySpecPlacementReplicaSchedulingWeightPreference,
    PropagationPolicySpecPlacementReplicaSchedulingWeightPreferenceStaticWeightList,
    PropagationPolicySpecPlacementReplicaSchedulingWeightPreferenceStaticWeightListTargetCluster,
    PropagationPolicySpecPlacementSpreadConstraints,
    PropagationPolicySpecResourceSelectors,
)
from components.kubernetes.shapes import Custom, plain
from stacks.services.propagation import Propagated

GONE: Final = ("cluster.karmada.io/not-ready", "cluster.karmada.io/unreachable")
"""Taints that Karmada puts on a cluster that does not answer."""
LEAST: Final = 2
"""Over so many clusters, regions or clouds at least, where it is asked for."""
DEPLOYMENT: Final = ("apps/v1", "Deployment")
SERVICE: Final = ("v1", "Service")


def manifests(propagated: Mapping[str, Propagated]) -> dict[str, str]:
    """Text of each file, by name: one per workload; the same wish makes the same bytes."""
    return {f"{name}.yaml": text(name, wish) for name, wish in sorted(propagated.items())}


def text(name: str, wish: Propagated) -> str:
    """Write the policies of one workload."""
    return yaml.safe_dump_all(objects(name, wish), sort_keys=True, explicit_start=True, default_flow_style=False)


def objects(name: str, wish: Propagated) -> list[dict[str, Any]]:
    """The policies of one workload, as they are sent."""
    made: list[Custom] = [propagation(name, wish)]
    if wish.registries:
        made.append(override(name, wish))
    metadata = {"name": name, "namespace": wish.namespace, "labels": {"app.kubernetes.io/managed-by": "pulumi"}}
    return [
        {"apiVersion": each.API_VERSION, "kind": each.KIND, "metadata": dict(metadata), "spec": plain(each)["spec"]}
        for each in made
    ]


def propagation(name: str, wish: Propagated) -> PropagationPolicy:
    """Where Deployment and Service go; what the Deployment mounts goes along."""
    selectors = [
        PropagationPolicySpecResourceSelectors(api_version=version, kind=kind, name=name, namespace=wish.namespace)
        for version, kind in (DEPLOYMENT, SERVICE)
    ]
    tolerated = [
        PropagationPolicySpecPlacementClusterTolerations(
            key=key, operator="Exists", effect="NoExecute", toleration_seconds=wish.moved_after_seconds
        )
        for key in GONE
    ]
    return PropagationPolicy(
        spec=PropagationPolicySpec(
            resource_selectors=selectors,
            propagate_deps=True,
            conflict_resolution="Abort",
            preemption="Never",
            failover=PropagationPolicySpecFailover(
                cluster=PropagationPolicySpecFailoverCluster(purge_mode="Gracefully")
            ),
            placement=PropagationPolicySpecPlacement(
                cluster_affinity=PropagationPolicySpecPlacementClusterAffinity(cluster_names=list(wish.clusters)),
                cluster_tolerations=tolerated,
                replica_scheduling=_scheduling(wish),
                spread_constraints=_spread(wish),
            ),
        )
    )


def _scheduling(wish: Propagated) -> PropagationPolicySpecPlacementReplicaScheduling:
    if wish.replicas == "copied":
        return PropagationPolicySpecPlacementReplicaScheduling(replica_scheduling_type="Duplicated")
    target = PropagationPolicySpecPlacementReplicaSchedulingWeightPreferenceStaticWeightListTargetCluster
    shares = [
        PropagationPolicySpecPlacementReplicaSchedulingWeightPreferenceStaticWeightList(
            target_cluster=target(cluster_names=[cluster]), weight=share
        )
        for cluster, share in sorted(wish.shares.items())
    ]
    by_room = PropagationPolicySpecPlacementReplicaSchedulingWeightPreference(dynamic_weight="AvailableReplicas")
    by_share = PropagationPolicySpecPlacementReplicaSchedulingWeightPreference(static_weight_list=shares)
    return PropagationPolicySpecPlacementReplicaScheduling(
        replica_scheduling_type="Divided",
        replica_division_preference="Weighted",
        weight_preference=by_share if shares else by_room,
    )


def _spread(wish: Propagated) -> list[PropagationPolicySpecPlacementSpreadConstraints] | None:
    """Karmada wants the constraint on clusters beside any other one."""
    if wish.apart is None:
        return None
    clusters = PropagationPolicySpecPlacementSpreadConstraints(spread_by_field="cluster", min_groups=LEAST)
    if wish.apart == "cluster":
        return [clusters]
    return [PropagationPolicySpecPlacementSpreadConstraints(spread_by_field=wish.apart, min_groups=LEAST), clusters]


def override(name: str, wish: Propagated) -> OverridePolicy:
    """Pull from another registry in some clusters."""
    rules = [
        OverridePolicySpecOverrideRules(
            target_cluster=OverridePolicySpecOverrideRulesTargetCluster(cluster_names=[cluster]),
            overriders=OverridePolicySpecOverrideRulesOverriders(
                image_overrider=[
                    OverridePolicySpecOverrideRulesOverridersImageOverrider(
                        component="Registry", operator="replace", value=registry
                    )
                ]
            ),
        )
        for cluster, registry in sorted(wish.registries.items())
    ]
    version, kind = DEPLOYMENT
    selector = OverridePolicySpecResourceSelectors(api_version=version, kind=kind, name=name, namespace=wish.namespace)
    return OverridePolicy(spec=OverridePolicySpec(resource_selectors=[selector], override_rules=rules))
