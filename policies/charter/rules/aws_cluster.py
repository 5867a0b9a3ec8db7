"""Rules over EKS clusters and their nodes."""

from __future__ import annotations

from collections.abc import Iterator

from charter.facts import Facts
from charter.network import is_world
from charter.rule import Finding, Resource, Severity, resource_rule

CLUSTER = "aws:eks/cluster:Cluster"
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@resource_rule(
    "AWS-EKS-01",
    "A cluster's API server is reached from inside, or from named networks.",
    Severity.CRITICAL,
    [CLUSTER],
    controls=("CIS EKS 5.4.1", "CIS EKS 5.4.2", "PCI 1.3.1", "ISO A.8.1"),
    remediation="Set control_plane_access.mode to private, or to restricted with allowed_cidrs.",
    good=({"vpcConfig": {"endpointPrivateAccess": True, "endpointPublicAccess": False}},),
    bad=({"vpcConfig": {"endpointPrivateAccess": True}},),
)
def private_endpoint(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """AWS opens the endpoint to everybody unless told otherwise."""
    access = resource.reader.inside("vpcConfig")
    if not access.flag("endpointPrivateAccess"):
        yield Finding(access.at("endpointPrivateAccess"), "the private endpoint is off; it must be on")
    if access.flag("endpointPublicAccess", default=True):
        allowed = list(access.items("publicAccessCidrs"))
        if not allowed:
            yield Finding(access.at("publicAccessCidrs"), "the API server answers the whole internet")
        for path, value in allowed:
            if is_world(value):
                yield Finding(path, f"{value} may reach the API server")


@resource_rule(
    "AWS-EKS-02",
    "The control plane logs all it can.",
    Severity.HIGH,
    [CLUSTER],
    controls=("CIS EKS 2.1.1", "PCI 10.2.1", "ISO A.8.15"),
    remediation="Set enabled_cluster_log_types to " + ", ".join(LOG_TYPES) + ".",
    good=({"enabledClusterLogTypes": list(LOG_TYPES)},),
    bad=({"enabledClusterLogTypes": ["api"]},),
)
def all_logs(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """All five types are named."""
    missing = sorted(set(LOG_TYPES) - {value for _, value in resource.reader.items("enabledClusterLogTypes")})
    if missing:
        yield Finding("enabledClusterLogTypes", f"{', '.join(missing)} not logged")


@resource_rule(
    "AWS-EKS-03",
    "Secrets in a cluster are encrypted with a key of one's own.",
    Severity.HIGH,
    [CLUSTER],
    controls=("CIS EKS 5.3.1", "PCI 3.5.1", "HIPAA 312(a)(2)(iv)", "ISO A.8.24"),
    remediation="Set encryption_config with resources=['secrets'] and a KMS key.",
    good=({"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu:1:key/k"}}},),
    bad=({},),
)
def envelope_encryption(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """A key that only an update tells counts as set: the property is there."""
    encryption = resource.reader.inside("encryptionConfig")
    covered = {value for _, value in encryption.items("resources")}
    if "secrets" not in covered:
        yield Finding(encryption.at("resources"), "does not hold 'secrets'")
    elif encryption.raw("provider.keyArn") is None:
        yield Finding(encryption.at("provider.keyArn"), "no key is named")


@resource_rule(
    "AWS-EKS-04",
    "Who may use a cluster is written in access entries, and nobody gets in by having made it.",
    Severity.HIGH,
    [CLUSTER, "aws:eks/accessEntry:AccessEntry"],
    controls=("CIS EKS 4.1.7", "CIS EKS 5.5.1"),
    remediation="Set authentication_mode=API and bootstrap_cluster_creator_admin_permissions=False; never root.",
    good=({"accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}},),
    bad=({"accessConfig": {"authenticationMode": "CONFIG_MAP"}},),
)
def access_entries(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge the cluster's mode, and each entry's principal and groups."""
    reader = resource.reader
    if resource.type == CLUSTER:
        access = reader.inside("accessConfig")
        if access.read("authenticationMode") != "API":
            yield Finding(access.at("authenticationMode"), f"is {access.read('authenticationMode')}; it must be API")
        if access.flag("bootstrapClusterCreatorAdminPermissions", default=True):
            yield Finding(
                access.at("bootstrapClusterCreatorAdminPermissions"), "whoever makes the cluster becomes its admin"
            )
        return
    if str(reader.read("principalArn", "")).endswith(":root"):
        yield Finding("principalArn", "is the root of the account")
    for path, group in reader.items("kubernetesGroups"):
        if group == "system:masters":
            yield Finding(path, "system:masters cannot be taken away again")


@resource_rule(
    "AWS-NOD-02",
    "Nodes guard their metadata and encrypt their disks.",
    Severity.HIGH,
    ["aws:ec2/launchTemplate:LaunchTemplate"],
    controls=("CIS AWS 6.7", "CIS AWS 6.1.1", "NIST AC-6", "NIST SC-28", "PCI 8.2.8", "ISO A.8.24"),
    remediation="Set http_tokens=required, http_put_response_hop_limit=1 and encrypted volumes with a key.",
    good=(
        {
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "blockDeviceMappings": [{"ebs": {"encrypted": "true", "kmsKeyId": "arn:aws:kms:eu:1:key/k"}}],
        },
    ),
    bad=({"metadataOptions": {"httpTokens": "optional"}},),
)
def nodes_guarded(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """IMDSv2 with one hop, and every volume encrypted with a named key."""
    metadata = resource.reader.inside("metadataOptions")
    if metadata.read("httpTokens") != "required":
        yield Finding(metadata.at("httpTokens"), "must be required (IMDSv2)")
    if metadata.read("httpPutResponseHopLimit", 1) != 1:
        yield Finding(metadata.at("httpPutResponseHopLimit"), "must be 1, so that pods cannot ask")
    for mapping in resource.reader.each("blockDeviceMappings"):
        disk = mapping.inside("ebs")
        if not disk.flag("encrypted"):
            yield Finding(disk.at("encrypted"), "the volume is not encrypted")
        elif disk.raw("kmsKeyId") is None:
            yield Finding(disk.at("kmsKeyId"), "no key of one's own is named")
