"""Twenty faults for a good stack, each in the first resource of a kind: what every door must see alike."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

EVERYBODY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
    }
)
EVERYTHING: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
FAULTS: Final[tuple[tuple[str, str, str, Any], ...]] = (
    ("AWS-NET-02", "aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", True),
    ("AWS-KMS-01", "aws:kms/key:Key", "enableKeyRotation", False),
    ("AWS-EKS-02", "aws:eks/cluster:Cluster", "enabledClusterLogTypes", ["api"]),
    ("AWS-NOD-02", "aws:ec2/launchTemplate:LaunchTemplate", "metadataOptions.httpTokens", "optional"),
    ("AWS-IAM-03", "aws:iam/role:Role", "assumeRolePolicy", EVERYBODY),
    ("AWS-IAM-01", "aws:iam/policy:Policy", "policy", EVERYTHING),
    ("AWS-LOG-01", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 7),
    ("AWS-NET-01", "aws:ec2/flowLog:FlowLog", "", None),
    ("GCP-NET-01", "gcp:compute/network:Network", "autoCreateSubnetworks", True),
    ("GCP-GKE-02", "gcp:container/cluster:Cluster", "enableLegacyAbac", True),
    ("GCP-IAM-01", "gcp:projects/iAMMember:IAMMember", "role", "roles/owner"),
    ("GCP-IAM-03", "gcp:projects/iAMAuditConfig:IAMAuditConfig", "", None),
    ("AZ-AKS-02", "azure-native:containerservice:ManagedCluster", "disableLocalAccounts", False),
    ("AZ-KV-01", "azure-native:keyvault:Vault", "properties.enablePurgeProtection", None),
    ("AZ-STO-01", "azure-native:storage:StorageAccount", "minimumTlsVersion", "TLS1_0"),
    ("K8S-NS-01", "kubernetes:core/v1:Namespace", "metadata.labels", {"team": "a"}),
    ("K8S-NS-04", "kubernetes:core/v1:LimitRange", "", None),
    ("K8S-NS-03", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "", None),
    ("CH-08", "aws:ec2/vpc:Vpc", "tags.owner", None),
    ("CH-04", "pulumi:providers:aws", "allowedAccountIds", ["000000000000"]),
)
"""Rule, kind, path, value; no value takes away the property, no path the resource."""


def planted(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the graph with every fault in it; raise LookupError when a kind is not there."""
    made = copy.deepcopy([dict(each) for each in entries])
    for rule, kind, path, value in FAULTS:
        host = next((each for each in made if each["type"] == kind), None)
        if host is None:
            raise LookupError(f"{rule}: the graph holds no {kind}")
        if path:
            _put(host["inputs"], path, value)
        else:
            made = _without(made, host["urn"])
    return made


def _put(target: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        target = target[0] if isinstance(target[step], list) else target[step]
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value


def _without(entries: list[dict[str, Any]], urn: str) -> list[dict[str, Any]]:
    kept = [each for each in entries if each["urn"] != urn]
    for each in kept:
        each["dependencies"] = [one for one in each["dependencies"] if one != urn]
        each["propertyDependencies"] = {
            key: left for key, urns in each["propertyDependencies"].items() if (left := [u for u in urns if u != urn])
        }
    return kept
