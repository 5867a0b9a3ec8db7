"""Sixty faults, as people make them, each planted in another place of the estate, with the rule that must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.policies.estate import CELLS, Graph, document

Change = Callable[[Graph, str], None]


@dataclass(frozen=True)
class Fault:
    """One fault: the part of a cell it is made in, what is changed, and who must tell where."""

    rule: str
    part: str
    change: Change
    at: str = ""
    """The part at which it is told, when that is another one."""
    also: tuple[str, ...] = ()
    """Rules that may tell of the same fault too."""


def puts(path: str, value: Any) -> Change:
    """Set a property; the path's steps are parted by a slash, numbers are places in a list."""

    def change(graph: Graph, name: str) -> None:
        target: Any = graph[name]["props"]
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            target = target[step] if isinstance(target, list) else target.setdefault(step, {})
        if value is None:
            target.pop(last)
        else:
            target[last] = value

    return change


def drops(graph: Graph, name: str) -> None:
    """Take the whole resource away."""
    graph.pop(name)


def allows(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


POD: Final = "spec/template/spec/containers/0"
JOB: Final = "spec/jobTemplate/spec/template/spec"
OWNER: Final = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
WHOLE: Final = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}'
ANY_ROLE: Final = {"name": "a", "policy": document(allows("iam:PassRole", "arn:aws:iam::210987654321:role/*"))}
STRANGER: Final = {"Effect": "Allow", "Principal": {"AWS": "998877665544"}, "Action": "sts:AssumeRole"}
PULLS: Final = {"Effect": "Allow", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer"}
BINDS: Final = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}


def _opens_wall(graph: Graph, name: str) -> None:
    graph[name]["props"].update(sourceRanges=["::/0"], allows=[{"protocol": "tcp", "ports": ["20-30"]}])


def _opens_group(graph: Graph, name: str) -> None:
    (rule,) = graph[name]["props"]["securityRules"]
    rule.update(sourceAddressPrefix="Internet", destinationPortRange=None, destinationPortRanges=["80", "3380-3390"])


def _owns(graph: Graph, name: str) -> None:
    graph[name]["props"].update(scope="/subscriptions/6a1f", roleDefinitionId=OWNER)


def _skips(graph: Graph, name: str) -> None:
    graph[name]["props"]["rules"].append({"action": "skip", "expression": "(not false)"})


FAULTS: Final = (
    Fault("AWS-NET-01", "flow", puts("trafficType", "ACCEPT"), at="vpc"),
    Fault("AWS-NET-02", "subnet", puts("mapPublicIpOnLaunch", "true")),
    Fault("AWS-NET-03", "group", puts("ingress/0/ipv6CidrBlocks", ["::/0"]), also=("CH-28",)),
    Fault("AWS-NET-03", "older", puts("cidrBlocks", ["0.0.0.0/1", "128.0.0.0/1"])),
    Fault("AWS-NET-03", "rule", puts("cidrIpv4", "0.0.0.0/0")),
    Fault("AWS-NET-04", "group", puts("egress/0/protocol", "-1")),
    Fault("AWS-NET-05", "born", drops, at="vpc"),
    Fault("AWS-NET-07", "to-kms", puts("policy", WHOLE)),
    Fault("AWS-KMS-01", "key", puts("enableKeyRotation", value=False)),
    Fault("AWS-KMS-02", "key", puts("policy", document(allows("kms:Decrypt", Principal={"AWS": ["*"]})))),
    Fault("AWS-S3-01", "bucket-block", puts("restrictPublicBuckets", value=False), at="bucket"),
    Fault(
        "AWS-S3-01",
        "journal-policy",
        puts("policy", document(allows("s3:GetObject", Principal="*"))),
        also=("AWS-S3-03",),
    ),
    Fault(
        "AWS-S3-02",
        "bucket-sse",
        puts("rules/0/applyServerSideEncryptionByDefault/sseAlgorithm", "AES256"),
        at="bucket",
    ),
    Fault("AWS-S3-03", "bucket-policy", drops, at="bucket"),
    Fault(
        "AWS-S3-04",
        "journal-versions",
        puts("versioningConfiguration/status", "Suspended"),
        at="journal",
        also=("AWS-S3-05",),
    ),
    Fault("AWS-S3-05", "bucket-log", drops, at="bucket"),
    Fault("AWS-S3-06", "journal-lock", puts("rule/defaultRetention/days", 30), at="journal"),
    Fault("AWS-RDS-01", "database", puts("publiclyAccessible", "true")),
    Fault("AWS-RDS-02", "database", puts("backupRetentionPeriod", 1)),
    Fault("AWS-RDS-03", "database", puts("password", "hunter2hunter2"), also=("CH-26",)),
    Fault("AWS-RDS-04", "settings", puts("parameters/0/value", "0"), at="database"),
    Fault("AWS-RED-01", "cache", puts("transitEncryptionEnabled", value=False)),
    Fault("AWS-SEC-01", "rotation", puts("rotationRules/automaticallyAfterDays", 180), at="secret"),
    Fault("AWS-LOG-01", "logs", puts("retentionInDays", 30)),
    Fault("AWS-IAM-01", "rights", puts("policy", document(allows(["ec2:*"])))),
    Fault("AWS-IAM-02", "role", puts("inlinePolicies", [ANY_ROLE])),
    Fault("AWS-IAM-03", "role", puts("assumeRolePolicy", document(STRANGER))),
    Fault("AWS-ECR-01", "images", puts("imageTagMutability", None)),
    Fault("AWS-ECR-02", "pulls", puts("policy", document(PULLS))),
    Fault("AWS-NOD-02", "template", puts("metadataOptions/httpTokens", "optional")),
    Fault("GCP-NET-01", "net", puts("autoCreateSubnetworks", None)),
    Fault("GCP-NET-03", "wall", _opens_wall),
    Fault("GCP-NET-03", "out", drops, at="net"),
    Fault("GCP-KMS-01", "lock", puts("rotationPeriod", "31536000s")),
    Fault("GCP-STO-01", "readers", puts("members", ["group:auditors@pay.example", "allAuthenticatedUsers"])),
    Fault("GCP-STO-01", "store", puts("publicAccessPrevention", "inherited")),
    Fault("GCP-IAM-01", "grant", puts("role", "roles/editor")),
    Fault("GCP-SEC-01", "hidden", puts("rotation", None)),
    Fault("GCP-DNS-01", "zone", puts("dnssecConfig/state", "off")),
    Fault("AZ-NET-01", "nsg", _opens_group, also=("CH-28",)),
    Fault("AZ-NET-02", "nodes", puts("networkSecurityGroup", None)),
    Fault("AZ-STO-01", "disk", puts("minimumTlsVersion", "TLS1_0")),
    Fault("AZ-STO-02", "disk", puts("publicNetworkAccess", "Enabled")),
    Fault("AZ-KV-01", "vault", puts("properties/enablePurgeProtection", value=False)),
    Fault("AZ-IAM-01", "assigned", _owns),
    Fault("CF-TLS-01", "set-min-tls-version", puts("value", "1.0")),
    Fault("CF-DNS-02", "www", puts("proxied", value=False)),
    Fault("CF-WAF-01", "waf", _skips),
    Fault("CF-WAF-02", "slow", puts("rules/0/expression", 'starts_with(http.request.uri.path, "/api/")'), at="site"),
    Fault("K8S-POD-01", "api", puts(f"{POD}/securityContext/privileged", value=True)),
    Fault("K8S-POD-02", "job", puts(f"{JOB}/hostNetwork", value=True)),
    Fault("K8S-POD-06", "job", puts(f"{JOB}/volumes/0", {"name": "root", "hostPath": {"path": "/"}})),
    Fault("K8S-POD-12", "api", puts(f"{POD}/args", ["--db-password", "hunter2"])),
    Fault("CH-01", "api", puts(f"{POD}/image", "registry.pay.example/api:latest")),
    Fault("K8S-NS-03", "deny", drops, at="space", also=("CH-25",)),
    Fault("K8S-NET-02", "service", puts("spec/type", "NodePort")),
    Fault("K8S-RBC-01", "bound", puts("roleRef", {"kind": "ClusterRole", "name": "cluster-admin"})),
    Fault("K8S-RBC-03", "reader", puts("rules/0", BINDS)),
    Fault("K8S-IST-01", "strict", puts("spec/mtls/mode", "PERMISSIVE"), also=("CH-25",)),
    Fault("CH-08", "subnet", puts("tags/owner", None)),
)


@dataclass(frozen=True)
class Score:
    """How many faults were found, and what was said that is no fault."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    alarms: tuple[str, ...]


def plant(graph: Graph) -> dict[tuple[str, str], Fault]:
    """Plant every fault in a cell of its own as far as there are cells; return them by rule and resource that tells."""
    labels = {}
    for number, fault in enumerate(FAULTS):
        cell = f"cell{number % CELLS}"
        fault.change(graph, f"{cell}-{fault.part}")
        labels[fault.rule, f"{cell}-{fault.at or fault.part}"] = fault
    return labels


def score(labels: Mapping[tuple[str, str], Fault], told: set[tuple[str, str]]) -> Score:
    """Compare findings, as rule and resource, with the faults that were planted."""
    cells = {(name.partition("-")[0], rule) for (_, name), fault in labels.items() for rule in fault.also}
    alarms = [
        f"{rule} {name}" for rule, name in sorted(told - set(labels)) if (name.partition("-")[0], rule) not in cells
    ]
    missed = [f"{rule} {name}" for rule, name in sorted(set(labels) - told)]
    return Score(tuple(f"{rule} {name}" for rule, name in sorted(set(labels) & told)), tuple(missed), tuple(alarms))
