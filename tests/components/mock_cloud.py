"""A cloud that remembers what it was asked for: the stand-in of every component test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pulumi
import pulumi.runtime
from pulumi.runtime import MockCallArgs, MockResourceArgs

T = TypeVar("T")

Answer = Mapping[str, Any] | Callable[[MockCallArgs], Mapping[str, Any]]
Computed = Mapping[str, Any] | Callable[[MockResourceArgs], Mapping[str, Any]]

PROVIDER = "pulumi:providers:"
ARM = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/mock/providers"
PEM = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"  # the first line of a certificate, in base64


def attach(cloud: Cloud, stack: str = "test") -> Cloud:
    """Attach a cloud of memory to this process; whoever ran a loop of its own before has left none behind."""
    policy = asyncio.get_event_loop_policy()
    try:
        policy.get_event_loop()
    except RuntimeError:
        policy.set_event_loop(policy.new_event_loop())
    pulumi.runtime.set_mocks(cloud, project="cloud-ecosystem", stack=stack, preview=False)
    return cloud


def kubeconfig(name: str) -> str:
    """What a cloud hands out for a cluster called `name`, in base64."""
    from base64 import b64encode  # noqa: PLC0415  (only this answer needs it)

    text = (
        "apiVersion: v1\nkind: Config\ncurrent-context: mock\n"
        f"clusters: [{{name: mock, cluster: {{server: 'https://{name}.example.org', "
        f"certificate-authority-data: {PEM}}}}}]\n"
        "contexts: [{name: mock, context: {cluster: mock, user: mock}}]\nusers: [{name: mock, user: {}}]\n"
    )
    return b64encode(text.encode()).decode()


ANSWERS: dict[str, Answer] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": "123456789012",
        "arn": "arn:aws:sts::123456789012:assumed-role/deployer/run",
        "id": "123456789012",
        "userId": "AROAEXAMPLE:run",
    },
    "aws:index/getPartition:getPartition": {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "gcp:organizations/getProject:getProject": lambda args: {
        "id": f"projects/{args.args.get('projectId', 'example-prod')}",
        "projectId": args.args.get("projectId", "example-prod"),
        "number": "100000000000",
        "name": "example",
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "id": "service-100000000000@gs-project-accounts.iam.gserviceaccount.com",
        "emailAddress": "service-100000000000@gs-project-accounts.iam.gserviceaccount.com",
        "member": "serviceAccount:service-100000000000@gs-project-accounts.iam.gserviceaccount.com",
    },
    "azure-native:authorization:getClientConfig": {
        "clientId": "00000000-0000-0000-0000-0000000000c1",
        "objectId": "00000000-0000-0000-0000-0000000000b1",
        "subscriptionId": "00000000-0000-0000-0000-000000000000",
        "tenantId": "00000000-0000-0000-0000-0000000000a1",
    },
    "azure-native:containerservice:listManagedClusterUserCredentials": lambda args: {
        "kubeconfigs": [{"name": "clusterUser", "value": kubeconfig(str(args.args.get("resourceName", "mock")))}],
    },
}
"""What the look-ups of components answer: by token, a value or a function of the call. A test may add to `answers`."""

COMPUTED: dict[str, Computed] = {
    "aws:eks/cluster:Cluster": lambda args: {
        "endpoint": f"https://{args.inputs.get('name', args.name)}.eks.example.org",
        "certificateAuthority": {"data": PEM},
        "certificateAuthorities": [{"data": PEM}],
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.example.org/id/{args.name}"}]}],
        "vpcConfig": {"clusterSecurityGroupId": f"{args.name}-sg", **(args.inputs.get("vpcConfig") or {})},
    },
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:eks/nodeGroup:NodeGroup": lambda args: {
        "status": "ACTIVE",
        "resources": [{"autoscalingGroups": [{"name": f"eks-{args.name}"}], "remoteAccessSecurityGroupId": ""}],
    },
    "gcp:container/cluster:Cluster": lambda args: {
        "endpoint": "10.0.0.2",
        "masterAuth": {"clusterCaCertificate": PEM},
        "selfLink": f"https://container.googleapis.com/v1/{args.name}",
    },
    "azure-native:containerservice:ManagedCluster": lambda args: {
        "fqdn": f"{args.name}.example.org",
        "privateFQDN": f"{args.name}.private.example.org",
        "nodeResourceGroup": f"{args.name}-nodes",
        "oidcIssuerProfile": {"enabled": True, "issuerURL": f"https://oidc.example.org/{args.name}/"},
    },
    "azure-native:managedidentity:UserAssignedIdentity": lambda args: {
        "principalId": f"{args.name}-principal",
        "clientId": f"{args.name}-client",
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": lambda args: {
        "primaryEndpointAddress": f"{args.name}.cache.example.org"
    },
    "aws:ec2/vpnConnection:VpnConnection": lambda args: {
        "tunnel1Address": f"{args.name}-outside-1",
        "tunnel2Address": f"{args.name}-outside-2",
    },
    "gcp:compute/haVpnGateway:HaVpnGateway": lambda args: {
        "vpnInterfaces": [{"id": place, "ipAddress": f"{args.name}-outside-{place}"} for place in range(2)]
    },
    "azure-native:network:PublicIPAddress": lambda args: {"ipAddress": f"{args.name}-outside"},
    "pulumi-python:dynamic/links:PresharedKeys": lambda args: {
        "keys": [f"{args.name}-{place}" for place in range(int(args.inputs["tunnels"]))]
    },
    "aws:kms/key:Key": lambda args: {"keyId": f"{args.name}-key"},
    "aws:rds/instance:Instance": lambda args: {
        "address": f"{args.name}.rds.example.org",
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!{args.name}"}],
    },
    "azure-native:dbforpostgresql:Server": lambda args: {
        "fullyQualifiedDomainName": f"{args.name}.postgres.example.org"
    },
    "azure-native:keyvault:Key": lambda args: {"keyUriWithVersion": f"https://vault.example.org/{args.name}/1"},
    "azure-native:redisenterprise:RedisEnterprise": lambda args: {"hostName": f"{args.name}.redis.example.org"},
    "gcp:memorystore/instance:Instance": {
        "endpoints": [{"connections": [{"pscAutoConnection": {"ipAddress": "10.1.2.3", "port": 6379}}]}]
    },
    "gcp:serviceaccount/account:Account": lambda args: {
        "email": (email := f"{args.inputs.get('accountId', args.name)}@example-test.iam.gserviceaccount.com"),
        "member": f"serviceAccount:{email}",
    },
}
"""Outputs that a cloud adds to the inputs: by type, a value or a function of the registration. A test may add."""


@dataclass
class Cloud(pulumi.runtime.Mocks):
    """A cloud that remembers what it was asked for, and answers the look-ups that components really make."""

    asked: list[MockResourceArgs] = field(default_factory=list)
    registered: set[tuple[str, str]] = field(default_factory=set)
    looked_up: list[MockCallArgs] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=lambda: dict(ANSWERS))
    computed: dict[str, Computed] = field(default_factory=lambda: dict(COMPUTED))

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Give the inputs back as outputs, with what this type computes, `arn` (AWS) and `name` where absent."""
        assert (args.typ, args.name) not in self.registered, f"the engine refuses the duplicate URN of {args.name}"
        self.registered.add((args.typ, args.name))
        self.asked.append(args)
        found: dict[str, Any] = {"name": args.name}
        identity = f"{args.name}-id"
        if args.typ.startswith("aws:"):
            service = args.typ.split(":")[1].split("/")[0]
            found["arn"] = f"arn:aws:{service}:eu-west-1:123456789012:{args.name}"
        if args.typ.startswith("azure-native:"):
            _, module, kind = args.typ.split(":")
            identity = f"{ARM}/Microsoft.{module}/{kind}/{args.name}"
        found |= args.inputs
        computed = self.computed.get(args.typ, {})
        found |= computed(args) if callable(computed) else computed
        return identity, found

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        """Answer a look-up that is in the table; any other one is an error that names it."""
        self.looked_up.append(args)
        answer = self.answers.get(args.token)
        if answer is None:
            raise AssertionError(f"looked up {args.token}: put its answer into Cloud.answers or drop the look-up")
        return dict(answer(args) if callable(answer) else answer)

    def run(self, program: Callable[[], pulumi.Output[T]]) -> T:
        """Run to completion and hand back the value, so that assertions live outside apply."""
        self.registered.clear()
        resolved: list[T] = []
        pulumi.runtime.test(lambda: program().apply(resolved.append))()  # type: ignore[no-untyped-call]
        (value,) = resolved  # nothing here means an unknown swallowed the program
        return value

    def build(self, program: Callable[[], object]) -> Cloud:
        """Run a program for its registrations only and hand back this cloud."""

        def ended() -> pulumi.Output[None]:
            program()
            return pulumi.Output.from_input(None)

        self.run(ended)
        return self

    def of_type(self, typ: str) -> dict[str, dict[str, Any]]:
        """Inputs of every resource of a type, by logical name."""
        return {asked.name: asked.inputs for asked in self.asked if asked.typ == typ}

    def counts(self) -> dict[str, int]:
        """How many of each type were registered."""
        found: dict[str, int] = {}
        for asked in self.asked:
            found[asked.typ] = found.get(asked.typ, 0) + 1
        return found

    def without_provider(self) -> list[str]:
        """Names of custom resources that would land in a default provider."""
        return [
            f"{asked.typ} {asked.name}"
            for asked in self.asked
            if asked.custom and not asked.typ.startswith((PROVIDER, "pulumi:pulumi:")) and not asked.provider
        ]
