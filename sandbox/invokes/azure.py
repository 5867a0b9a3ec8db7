"""Look-ups of Microsoft."""

from __future__ import annotations

import base64
import json
from typing import Any

import grpc

from sandbox.certificates import authority
from sandbox.errors import Refused
from sandbox.invokes.table import Question, serves
from sandbox.state import Thing

_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Application id of the AKS Entra server (learn.microsoft.com/azure/aks/kubelogin-authentication, 2026-11)."""


@serves("azure-native:authorization:getClientConfig")
def client(asked: Question) -> dict[str, Any]:
    """Who am I."""
    return {
        "clientId": "22222222-2222-4222-8222-222222222222",
        "objectId": "33333333-3333-4333-8333-333333333333",
        "subscriptionId": asked.connection.scope,
        "tenantId": asked.connection.text("tenantId") or "11111111-1111-1111-1111-111111111111",
    }


@serves("azure-native:authorization:getClientToken")
def token(asked: Question) -> dict[str, Any]:
    """A token that opens nothing."""
    del asked
    return {"token": "offline"}


def _cluster(asked: Question) -> Thing:
    group, name = str(asked.args["resourceGroupName"]), str(asked.args["resourceName"])
    id_ = f"/subscriptions/{asked.connection.scope}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"  # noqa: E501 - one message, one line
    found = asked.database.get("azure-native:containerservice:ManagedCluster", id_, asked.connection.scope)
    if found is None:
        raise Refused("ResourceNotFound", f"The Resource 'Microsoft.ContainerService/managedClusters/{name}' under resource "  # noqa: E501 - one message, one line
                      f"group '{group}' was not found.", grpc.StatusCode.NOT_FOUND)  # fmt: skip
    return found


@serves("azure-native:containerservice:listManagedClusterUserCredentials")
def user_credentials(asked: Question) -> dict[str, Any]:
    """The kubeconfig that AKS gives a user of an Entra cluster: it runs kubelogin."""
    cluster = _cluster(asked)
    host = _host(cluster)
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--environment", "AzurePublicCloud", "--server-id", _SERVER, "--client-id",
                 "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", asked.connection.text("tenantId"), "--login", "devicecode"],  # noqa: E501 - one message, one line
        "env": None,
        "provideClusterInfo": False,
    }  # fmt: skip
    return _kubeconfig(
        cluster, host, f"clusterUser_{asked.args['resourceGroupName']}_{cluster.name}", {"exec": command}, "clusterUser"
    )


@serves("azure-native:containerservice:listManagedClusterAdminCredentials")
def admin_credentials(asked: Question) -> dict[str, Any]:
    """The kubeconfig of a local account, unless those are switched off."""
    cluster = _cluster(asked)
    if cluster.inputs.get("disableLocalAccounts") is True:
        raise Refused(
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )
    host = _host(cluster)
    name = f"clusterAdmin_{asked.args['resourceGroupName']}_{cluster.name}"
    return _kubeconfig(cluster, host, name, {"token": "offline"}, "clusterAdmin")


def _host(cluster: Thing) -> str:
    """Name of the API server: the private one where the cluster has no other."""
    private = (cluster.inputs.get("apiServerAccessProfile") or {}).get("enablePrivateCluster") is True
    return str(cluster.outputs["privateFQDN" if private else "fqdn"])


def _kubeconfig(cluster: Thing, host: Any, user: str, credential: dict[str, Any], kind: str) -> dict[str, Any]:
    text = json.dumps(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": cluster.name,
            "clusters": [{"name": cluster.name, "cluster": {
                "server": f"https://{host}:443",
                "certificate-authority-data": authority(f"{cluster.urn}#{cluster.generation}")}}],
            "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
            "users": [{"name": user, "user": credential}],
        },
        indent=1,
    )  # fmt: skip
    return {"kubeconfigs": [{"name": kind, "value": base64.b64encode(text.encode()).decode()}]}
