"""System calls of all containers, watched by Falco on every node through its modern eBPF probe."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.service import Ground, Service, resources
from stacks.services.facts import KUBE_SYSTEM
from stacks.services.guarding import Falco as Wish

SOCKET: Final = "/run/containerd/containerd.sock"
"""EKS, GKE and AKS run containerd; no other engine is asked."""
OTHERS: Final = ("docker", "podman", "lxc", "libvirt_lxc", "bpm")


class Falco(Service):
    """Agents in kube-system: they need the node. What they see goes to their log, and as counts to Prometheus."""

    SERVICE: ClassVar[str] = "falco"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.falco
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace(meshed=False)
        self.release("falco", values(ground, wish), namespace=KUBE_SYSTEM)
        self.done()


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: capabilities instead of privilege, the rules of the image, nothing fetched at the start."""
    room = ground.room("falco")["falco"]
    engines = {each: {"enabled": False} for each in OTHERS}
    return {
        "fullnameOverride": "falco",
        "driver": {
            "kind": "modern_ebpf",
            "loader": {"enabled": False},
            "modernEbpf": {"leastPrivileged": True, "bufSizePreset": 4},
        },
        "collectors": {
            "containerEngine": {
                "engines": {
                    **engines,
                    "containerd": {"enabled": True, "sockets": [SOCKET]},
                    "cri": {"enabled": True, "sockets": [SOCKET]},
                }
            }
        },
        "falcoctl": {"artifact": {"install": {"enabled": False}, "follow": {"enabled": False}}},
        "metrics": {"enabled": True, "interval": "1m"},
        "falco": {
            "json_output": True,
            "priority": wish.priority,
            "syslog_output": {"enabled": False},
            "webserver": {"prometheus_metrics_enabled": True},
        },
        "podPriorityClassName": "system-node-critical",
        "resources": resources(room),
        "serviceAccount": {"name": "falco"},
        "tolerations": [{"operator": "Exists"}],
    }
