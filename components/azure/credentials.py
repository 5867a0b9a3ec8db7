"""How a program reaches an AKS cluster: its address, its authority, and a command that fetches a token."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import yaml

ENTRA_SERVER: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The application that stands for every AKS API server in Entra.

Source: https://learn.microsoft.com/azure/aks/kubelogin-authentication, 2026-11-21.
"""

INSTALL: Final = "kubelogin is needed to reach AKS: https://azure.github.io/kubelogin/install.html"


def address_and_authority(encoded: str) -> tuple[str, str]:
    """Take the server and the CA out of what Azure hands out, and nothing else: users and tokens stay behind."""
    found: Mapping[str, Any] = yaml.load(b64decode(encoded), Loader=yaml.CSafeLoader)
    cluster = found["clusters"][0]["cluster"]
    return str(cluster["server"]), str(cluster["certificate-authority-data"])


def kubeconfig(name: str, server: pulumi.Input[str], authority: pulumi.Input[str]) -> pulumi.Output[str]:
    """Write a kubeconfig whose user is a command: no secret is ever in it, so it need not be one.

    The command logs in as the Azure CLI does; where a run has a federated identity instead (CI), the environment
    variable AAD_LOGIN_METHOD=workloadidentity overrides the flag, and the kubeconfig stays the same for everyone.
    """
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": {"exec": _command()}}],
        },
        sort_keys=True,
    )


def _command() -> dict[str, Any]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": [
            "get-token",
            "--environment",
            "AzurePublicCloud",
            "--server-id",
            ENTRA_SERVER,
            "--login",
            "azurecli",
        ],
        "env": None,
        "installHint": INSTALL,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
