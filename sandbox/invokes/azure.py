"""Look-ups of Azure."""

from __future__ import annotations

import base64
from typing import Any

import grpc
import yaml

from sandbox.certificates import authority
from sandbox.errors import Refused
from sandbox.invokes.table import Question, serves


@serves("azure-native:authorization:getClientConfig")
def client_config(question: Question) -> dict[str, Any]:
    """Who asks: the subscription and tenant of the provider, and an identity that nobody real has."""
    return {
        "clientId": "00000000-0ff1-0000-0000-00000000c11e",
        "objectId": "00000000-0ff1-0000-0000-0000000000b1",
        "subscriptionId": question.connection.scope,
        "tenantId": question.connection.text("tenantId"),
    }


@serves("azure-native:containerservice:listManagedClusterUserCredentials")
def user_credentials(question: Question) -> dict[str, Any]:
    """The kubeconfig of a cluster, as AKS writes it for people who sign in with Entra ID."""
    group, name = question.args["resourceGroupName"], question.args["resourceName"]
    wanted = f"/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}".lower()
    found = question.database.find(
        "type='azure-native:containerservice:ManagedCluster' AND scope=?", (question.connection.scope,)
    )
    cluster = next((thing for thing in found if thing.id.lower().endswith(wanted)), None)
    if cluster is None:
        raise Refused(
            "",
            f"Code=\"ResourceNotFound\" Message=\"The Resource 'Microsoft.ContainerService/managedClusters/{name}' "
            f"under resource group '{group}' was not found.\"",
            grpc.StatusCode.NOT_FOUND,
        )
    host = cluster.outputs.get("privateFQDN") or cluster.outputs["fqdn"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": f"https://{host}:443", "certificate-authority-data": authority(cluster.id)},
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"clusterUser_{group}_{name}"}}],
        "current-context": name,
        "users": [
            {
                "name": f"clusterUser_{group}_{name}",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": ["get-token", "--login", "devicecode"],
                    }
                },
            }
        ],
    }
    text = base64.b64encode(yaml.safe_dump(config).encode()).decode()
    return {"kubeconfigs": [{"name": "clusterUser", "value": text}]}
