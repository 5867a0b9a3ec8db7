"""Keys that a stack file no longer has, or that people expect: what to write instead."""

from __future__ import annotations

from typing import Final

RENAMED: Final[dict[str, str]] = {
    "account_id": "clouds.aws.account",
    "allowed_accounts": "clouds.aws.account",
    "authorized_networks": "control_plane_access.allowed_cidrs",
    "availability_zones": "zones",
    "azs": "zones",
    "cidr": "addresses.block",
    "cidr_block": "addresses.block",
    "cloud": "clouds",
    "cost_center": "cost_centre",
    "cpu_request": "cpu",
    "env": "environment",
    "instance_types": "clusters.pools.NAME.arch (the optimizer chooses the instance type)",
    "instance_type": "clusters.pools.NAME.arch (the optimizer chooses the instance type)",
    "karpenter": "services.overflow",
    "k8s_version": "clusters.defaults.version",
    "kubernetes_version": "clusters.defaults.version",
    "machine_type": "clusters.pools.NAME.arch (the optimizer chooses the machine type)",
    "max_nodes": "max",
    "max_size": "max",
    "memory_request": "memory",
    "min_nodes": "min",
    "min_size": "min",
    "monthly": "budget.monthly_usd",
    "nat_gateway": "nat",
    "node_groups": "clusters.pools",
    "node_pools": "clusters.pools",
    "price_date": "prices.as_of",
    "project_id": "clouds.gcp.project",
    "public_access_cidrs": "control_plane_access.allowed_cidrs",
    "release_channel": "clusters.defaults.channel",
    "subscription_id": "clouds.azure.subscription",
    "tags": "owner, environment, cost_centre and data_classification (they become the tags)",
    "team": "owner",
    "tenant_id": "clouds.azure.tenant",
    "vm_size": "clusters.pools.NAME.arch (the optimizer chooses the size)",
    "vpc_cidr": "addresses.block",
    "zone_count": "zones",
}
"""Old or foreign name -> where it is written now."""

NO_SWITCH: Final[dict[str, str]] = {
    "encryption": "encryption is always on, with keys of the stack's own",
    "encrypted": "encryption is always on, with keys of the stack's own",
    "encryption_at_rest": "encryption is always on, with keys of the stack's own",
    "kms": "encryption is always on, with keys of the stack's own",
    "deletion_protection": "write `protect` at the top of the stack",
    "endpoint_public_access": "write `control_plane_access.mode: restricted` and the networks in `allowed_cidrs`",
    "public": "write `control_plane_access.mode: restricted` and the networks in `allowed_cidrs`",
    "karmada": "no Karmada is installed here; what one reads comes from `services.gitops.propagation`",
    "linkerd": "the mesh that is installed is Istio: write `mesh: {}`; Linkerd's charts are not at hand",
    "ssh": "nodes have no SSH: people reach them through the API server",
    "ssh_allowed_cidrs": "nodes have no SSH: people reach them through the API server",
    "ssh_cidrs": "nodes have no SSH: people reach them through the API server",
    "ssh_key": "nodes have no SSH: people reach them through the API server",
    "subnets": "subnets are cut from `addresses.block` by the address plan",
    "subnet": "subnets are cut from `addresses.block` by the address plan",
    "vpc": "networks are cut from `addresses.block` by the address plan",
    "depends_on": "regions do not depend on one another; the engine finds the order",
    "peer": "regions do not name one another: networks never overlap and are joined by the program",
    "peers": "regions do not name one another: networks never overlap and are joined by the program",
}
"""Keys for which there is nothing to write, and why."""


def advice(key: str) -> str | None:
    """Say what to do about a key that has another name or none, or None when it is unknown."""
    word = key.lower().replace("-", "_")
    if word in RENAMED:
        return f"it is written `{RENAMED[word]}` now"
    return NO_SWITCH.get(word)
