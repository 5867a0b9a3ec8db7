"""A real Kubernetes control plane on this machine, for tests and rehearsals."""

from toolchain.cluster.plane import ControlPlane, ControlPlaneError

__all__ = ["ControlPlane", "ControlPlaneError"]
