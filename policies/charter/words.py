"""How a value is told in a message: never one that could be a secret."""

from __future__ import annotations

from typing import Any, Final

from charter.network import network

KNOWN: Final = frozenset(
    [
        "ACCEPT",
        "ALL",
        "ALWAYS_ALLOW",
        "API",
        "API_AND_CONFIG_MAP",
        "Allow",
        "CONFIG_MAP",
        "DECRYPTED",
        "DISABLED",
        "Deny",
        "DISABLE",
        "Delete",
        "Disabled",
        "EXTENDED",
        "Enabled",
        "Free",
        "GCE_METADATA",
        "IPV4",
        "Inbound",
        "LEGACY_DATAPATH",
        "MUTABLE",
        "None",
        "Orphan",
        "PERMISSIVE",
        "REJECT",
        "SIMPLE",
        "STANDARD",
        "SUSPENDED",
        "Standard",
        "Suspended",
        "TLS1_0",
        "TLS1_1",
        "UNSPECIFIED",
        "UBUNTU_CONTAINERD",
        "allow",
        "audit",
        "azure",
        "baseline",
        "calico",
        "default",
        "enabled",
        "flexible",
        "full",
        "inherited",
        "kubenet",
        "none",
        "off",
        "on",
        "optional",
        "privileged",
        "required",
        "restricted",
        "strict",
        "Unconfined",
        "RuntimeDefault",
        "Localhost",
        "NodePort",
        "LoadBalancer",
        "ClusterIP",
        "Ignore",
        "Fail",
        "Auto",
        "Recreate",
        "Initial",
        "Off",
    ]
)
"""Words of the clouds' own vocabularies that messages may repeat."""
LARGEST: Final = 1e300
"""From here on a whole number cannot be told as a decimal one."""


def shown(value: Any) -> str:
    """Tell a value: flags, numbers, networks and words of the clouds' vocabulary as they are, anything else not."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < LARGEST else "larger than anything"
    if isinstance(value, str) and (value in KNOWN or network(value) is not None):
        return value
    if isinstance(value, list | dict):
        return "empty" if not value else "something else"
    return "empty" if value == "" else "something else"
