"""What the stand-in engine knows of the clouds: answers of look-ups, and outputs that a cloud computes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

PEM: Final = b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()
GROUP: Final = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/bench/providers"


def kubeconfig(name: str) -> str:
    """Return what Azure hands out for the cluster `name`, in base64."""
    text = (
        "apiVersion: v1\nkind: Config\ncurrent-context: bench\n"
        f"clusters: [{{name: bench, cluster: {{server: 'https://{name}.example.org', "
        f"certificate-authority-data: {PEM}}}}}]\n"
        "contexts: [{name: bench, context: {cluster: bench, user: bench}}]\nusers: [{name: bench, user: {}}]\n"
    )
    return b64encode(text.encode()).decode()


Answer = Callable[[Mapping[str, Any]], dict[str, Any]]

LOOK_UPS: Final[Mapping[str, Answer]] = {
    "pulumi:pulumi:readStackOutputs": lambda args: {"name": args["name"], "outputs": {}, "secretOutputNames": []},
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
        "accountId": "123456789012",
        "arn": "arn:aws:sts::123456789012:assumed-role/deployer/run",
        "id": "123456789012",
        "userId": "AROAEXAMPLE:run",
    },
    "gcp:organizations/getProject:getProject": lambda args: {
        "id": f"projects/{args.get('projectId', 'example-bench')}",
        "projectId": args.get("projectId", "example-bench"),
        "number": "100000000000",
        "name": "bench",
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda _: {
        "id": (email := "service-100000000000@gs-project-accounts.iam.gserviceaccount.com"),
        "emailAddress": email,
        "member": f"serviceAccount:{email}",
    },
    "azure-native:authorization:getClientConfig": lambda _: {
        "clientId": "00000000-0000-4000-8000-0000000000c1",
        "objectId": "00000000-0000-4000-8000-0000000000b1",
        "subscriptionId": "00000000-0000-4000-8000-000000000001",
        "tenantId": "00000000-0000-4000-8000-0000000000aa",
    },
    "azure-native:containerservice:listManagedClusterUserCredentials": lambda args: {
        "kubeconfigs": [{"name": "clusterUser", "value": kubeconfig(str(args.get("resourceName", "bench")))}],
    },
}
"""By token: the few look-ups that the program makes. Any other one fails, and names itself."""


def _eks(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "endpoint": f"https://{inputs.get('name', name)}.eks.example.org",
        "certificateAuthority": {"data": PEM},
        "certificateAuthorities": [{"data": PEM}],
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.example.org/id/{name}"}]}],
        "vpcConfig": {"clusterSecurityGroupId": f"{name}-sg", **(inputs.get("vpcConfig") or {})},
    }


def _gke(_name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "endpoint": "10.0.0.2",
        "masterAuth": {"clusterCaCertificate": PEM},
    }


def _aks(name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fqdn": f"{name}.example.org",
        "privateFQDN": f"{name}.private.example.org",
        "nodeResourceGroup": f"{name}-nodes",
        "oidcIssuerProfile": {"enabled": True, "issuerURL": f"https://oidc.example.org/{name}/"},
    }


COMPUTED: Final[Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]]] = {
    "aws:eks/cluster:Cluster": _eks,
    "aws:ec2/launchTemplate:LaunchTemplate": lambda *_: {"latestVersion": 1},
    "aws:kms/key:Key": lambda name, _: {"keyId": str(uuid5(NAMESPACE_URL, f"key {name}"))},
    "aws:rds/instance:Instance": lambda name, _: {
        "address": f"{name}.rds.example.org",
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!{name}"}],
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": lambda name, _: {
        "primaryEndpointAddress": f"{name}.cache.example.org",
    },
    "aws:ec2/vpnConnection:VpnConnection": lambda *_: {
        "tunnel1Address": "203.0.113.1",
        "tunnel2Address": "203.0.113.2",
    },
    "gcp:compute/haVpnGateway:HaVpnGateway": lambda *_: {
        "vpnInterfaces": [{"id": place, "ipAddress": f"203.0.113.{place + 10}"} for place in range(2)],
    },
    "azure-native:network:PublicIPAddress": lambda *_: {"ipAddress": "203.0.113.20"},
    "pulumi-python:dynamic/links:PresharedKeys": lambda _, inputs: {
        "keys": [f"key-{place}" for place in range(int(inputs.get("tunnels", 2)))],
    },
    "gcp:container/cluster:Cluster": _gke,
    "gcp:memorystore/instance:Instance": lambda *_: {
        "endpoints": [{"connections": [{"pscAutoConnection": {"ipAddress": "10.1.2.3", "port": 6379}}]}],
    },
    "azure-native:containerservice:ManagedCluster": _aks,
    "azure-native:keyvault:Key": lambda name, _: {
        "keyUri": f"https://bench.vault.azure.net/keys/{name}",
        "keyUriWithVersion": f"https://bench.vault.azure.net/keys/{name}/0123456789abcdef0123456789abcdef",
    },
    "azure-native:dbforpostgresql:Server": lambda name, _: {
        "fullyQualifiedDomainName": f"{name}.postgres.example.org",
    },
    "azure-native:redisenterprise:RedisEnterprise": lambda name, _: {"hostName": f"{name}.redis.example.org"},
    "azure-native:managedidentity:UserAssignedIdentity": lambda name, _: {
        "principalId": str(uuid5(NAMESPACE_URL, f"principal of {name}")),  # Entra takes nothing else
        "clientId": str(uuid5(NAMESPACE_URL, f"client of {name}")),
    },
}
"""By type: outputs that other resources of the program are made of."""


def identity(kind: str, name: str) -> str:
    """Return the id that a cloud would give; where the program or the law reads what it says, of the cloud's form."""
    if kind.startswith("azure-native:"):
        _, module, last = kind.split(":")
        return f"{GROUP}/Microsoft.{module}/{last}/{name}"
    if kind == "gcp:secretmanager/secret:Secret":
        return f"projects/example-bench/secrets/{name}"
    return f"{name}-id"


def outputs(kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs beside the inputs."""
    found: dict[str, Any] = {} if "name" in inputs else {"name": name}
    if kind.startswith("aws:"):
        service = kind.split(":")[1].partition("/")[0]
        found["arn"] = f"arn:aws:{service}:eu-west-1:123456789012:{name}"
    if kind.startswith("gcp:"):
        found["selfLink"] = f"https://www.googleapis.com/compute/v1/{name}"
        found["email"] = f"{name}@example-bench.iam.gserviceaccount.com"
        if "member" not in inputs:
            found["member"] = f"serviceAccount:{found['email']}"
    users = (inputs.get("identity") or {}) if kind.startswith("azure-native:") else {}
    if isinstance(ids := users.get("userAssignedIdentities"), list):  # a list goes in, a map comes out
        known = {one: {"clientId": "c", "principalId": "p"} for one in ids}
        found["identity"] = {**users, "userAssignedIdentities": known}
    computed = COMPUTED.get(kind)
    return found | (computed(name, inputs) if computed else {})
