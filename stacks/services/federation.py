"""Federation: what makes the clusters of a stack one mesh, and one place to deploy into."""

from __future__ import annotations

from stacks.part import Name, Part


class MultiCluster(Part):
    """Every cluster has a control plane of the mesh, and each knows the workloads of the others.

    In the store of each cluster stand `mesh-root-cert`, `mesh-ca-cert`, `mesh-ca-key` and `mesh-cert-chain` (an issuer
    below one common root) and, for each other cluster, `mesh-kubeconfig-CLUSTER`. A Service with the label
    `istio.io/global: "true"` is found everywhere.
    """

    mesh: Name = "platform"
    """Name of the mesh, the same in all its clusters."""
