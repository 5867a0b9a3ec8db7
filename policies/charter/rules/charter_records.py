"""Charter: records, what guards them, and the law's own account of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from charter.documents import Malformed, Statement
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import holds_pods
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, located, resource_rule, stack_rule
from charter.rules.aws_buckets import audit_buckets
from charter.rules.aws_identity import ATTACHMENTS, POLICIES, ROLE, granted
from charter.rules.charter_origin import SCOPES, ids
from charter.tables import taggable
from charter.values import UNKNOWN, Reader, Undetermined, hazy

TRAIL = "aws:cloudtrail/trail:Trail"
LOG_BUCKETS = tuple(
    f"gcp:logging/{kind[0].lower()}{kind[1:]}BucketConfig:{kind}BucketConfig"
    for kind in ("Project", "Folder", "Organization", "BillingAccount")
)
LOG_SINKS = tuple(
    f"gcp:logging/{kind[0].lower()}{kind[1:]}Sink:{kind}Sink"
    for kind in ("Project", "Folder", "Organization", "BillingAccount")
)
GCP_BUCKET = "gcp:storage/bucket:Bucket"
POLICY = "aws:iam/policy:Policy"
YEAR = 365
SINKS = {
    "aws": (TRAIL,),
    "gcp": ("gcp:projects/iAMAuditConfig:IAMAuditConfig",),
    "azure-native": ("azure-native:monitor:DiagnosticSetting",),
    "cloudflare": ("cloudflare:index/logpushJob:LogpushJob",),
}
"""What records what is done in an account, by provider package."""
RDS = frozenset({"deletionProtection", "kmsKeyId", "storageEncrypted"})
GUARDED: dict[str, frozenset[str]] = {
    "aws:eks/cluster:Cluster": frozenset({"vpcConfig", "encryptionConfig", "accessConfig", "enabledClusterLogTypes"}),
    "aws:kms/key:Key": frozenset({"policy", "enableKeyRotation"}),
    "aws:iam/role:Role": frozenset({"assumeRolePolicy", "permissionsBoundary"}),
    "aws:iam/policy:Policy": frozenset({"policy"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset({"ingress", "egress"}),
    "gcp:container/cluster:Cluster": frozenset(
        {"privateClusterConfig", "masterAuthorizedNetworksConfig", "databaseEncryption", "workloadIdentityConfig"}
    ),
    "gcp:compute/firewall:Firewall": frozenset({"allows", "sourceRanges", "disabled"}),
    "azure-native:containerservice:ManagedCluster": frozenset(
        {"apiServerAccessProfile", "aadProfile", "disableLocalAccounts", "securityProfile"}
    ),
    "azure-native:network:NetworkSecurityGroup": frozenset({"securityRules"}),
    "azure-native:keyvault:Vault": frozenset({"properties"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": frozenset(
        {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": frozenset({"policy"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"policy"}),
    "aws:rds/instance:Instance": frozenset({"publiclyAccessible", *RDS}),
    "aws:rds/cluster:Cluster": RDS,
    "gcp:storage/bucket:Bucket": frozenset({"publicAccessPrevention", "uniformBucketLevelAccess", "encryption"}),
    "azure-native:storage:StorageAccount": frozenset(
        {
            "allowBlobPublicAccess",
            "enableHttpsTrafficOnly",
            "minimumTlsVersion",
            "networkRuleSet",
            "publicNetworkAccess",
        }
    ),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": frozenset({"spec"}),
    "kubernetes:core/v1:Namespace": frozenset({"metadata"}),
    "kubernetes:core/v1:Service": frozenset({"spec.type", "spec.externalIPs", "spec.loadBalancerSourceRanges"}),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": frozenset({"rules"}),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": frozenset({"rules"}),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": frozenset({"subjects", "roleRef"}),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": frozenset({"subjects", "roleRef"}),
    "kubernetes:security.istio.io/v1:AuthorizationPolicy": frozenset({"spec"}),
    "kubernetes:security.istio.io/v1:PeerAuthentication": frozenset({"spec"}),
    "aws:ec2/launchTemplate:LaunchTemplate": frozenset({"metadataOptions", "blockDeviceMappings", "networkInterfaces"}),
    "aws:ec2/securityGroupRule:SecurityGroupRule": frozenset({"cidrBlocks", "ipv6CidrBlocks", "fromPort", "toPort"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": frozenset({"cidrIpv4", "cidrIpv6", "ipProtocol"}),
    "aws:cloudtrail/trail:Trail": frozenset(
        {"isMultiRegionTrail", "enableLogFileValidation", "enableLogging", "kmsKeyId", "s3BucketName"}
    ),
    "aws:ecr/repository:Repository": frozenset({"imageTagMutability", "imageScanningConfiguration"}),
    "gcp:kms/cryptoKey:CryptoKey": frozenset({"rotationPeriod"}),
    "azure-native:network:SecurityRule": frozenset({"access", "sourceAddressPrefix", "destinationPortRange"}),
}
"""Properties that rules judge: whoever ignores their changes ignores the law."""
PODS = re.compile(r"^spec(\.(template|jobTemplate)(\.(spec|metadata)(\..+)?)?)?$")
"""What of a kind with pods rules judge: its copies may be an autoscaler's, its pods are nobody else's."""
SIDECARS = re.compile(r"^spec\.template\.metadata\.annotations")
"""Notes on pods, which controllers add to: the time of a restart by hand, hashes of what was injected."""
STATEFUL = (
    "aws:kms/key:Key",
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:s3/bucket:Bucket",
    TRAIL,
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:storage/bucket:Bucket",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "azure-native:keyvault:Vault",
    "azure-native:keyvault:Key",
    "azure-native:storage:StorageAccount",
    "aws:dynamodb/table:Table",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
    "aws:efs/fileSystem:FileSystem",
    "gcp:firestore/database:Database",
    "azure-native:dbforpostgresql:Server",
    "azure-native:dbformysql:Server",
    "azure-native:sql:Database",
    "aws:opensearch/domain:Domain",
    "aws:elasticsearch/domain:Domain",
    "aws:redshift/cluster:Cluster",
    "aws:kms/externalKey:ExternalKey",
    "aws:backup/vault:Vault",
    "gcp:alloydb/cluster:Cluster",
    "gcp:bigquery/dataset:Dataset",
    "gcp:bigtable/instance:Instance",
    "gcp:filestore/instance:Instance",
    "gcp:spanner/database:Database",
    "gcp:spanner/instance:Instance",
    "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:documentdb:DatabaseAccount",
    "azure-native:keyvault:ManagedHsm",
    "azure-native:recoveryservices:Vault",
    "cloudflare:index/r2Bucket:R2Bucket",
)
"""What cannot be made again once it is gone: data, keys, records."""
LASTING = frozenset(STATEFUL)
WRITES = ("s3:PutObject",)
UNWRITES = (
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:DeleteBucket",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutBucketPolicy",
)
"""What lets its holder take records away, shorten their life, or lock them with another key."""


@stack_rule(
    "CH-11",
    "Wherever the stack builds, somebody writes down what is done there.",
    CRITICAL,
    ["pulumi:providers:*"],
    remediation="Add the cloud's audit sink to the stack, or name the one that exists in evidence.sinks.",
    implies=("AWS-TRL-01", "GCP-IAM-03"),
)
def sinks(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Per provider and account; a sink that another stack keeps is named in the evidence, and undetermined until it is.

    A sink records its own account, or all of them where it is the organisation's.
    """
    named = facts.evidence.get("sinks")
    for provider in graph.of("pulumi:providers:*"):
        package = provider.kind
        if package not in SINKS or not graph.of(f"{package}:*"):
            continue
        held = [each for each in graph.of(*SINKS[package]) if _records(each)]
        if any(_covers(sink, provider) for sink in held) or (isinstance(named, dict) and named.get(package)):
            continue
        if named is None:
            yield Open("evidence.sinks", provider.urn)
        else:
            yield Finding("", "nothing records what is done in this account", provider.urn)


def _records(sink: Resource) -> bool:
    """Say whether a sink is on; one that only an update tells is."""
    raw = sink.reader.raw("enabled" if sink.package == "cloudflare" else "enableLogging")
    return raw is None or raw is UNKNOWN or str(raw).lower() != "false"


def _covers(sink: Resource, provider: Resource) -> bool:
    """Say whether a sink may record a provider's account; two that do not say theirs may be the same."""
    account, other = (_account(props, sink.package) for props in (sink.provider_props, provider.props))
    wide = str(sink.props.get("isOrganizationTrail")).lower() == "true"
    return wide or None in (account, other) or account == other


def _account(props: Mapping[str, Any], package: str) -> Any:
    value = props.get(SCOPES[package]) if package in SCOPES else None
    told = ids(value) if isinstance(value, str | list) and not hazy(value) else []
    return told or None


@stack_rule(
    "CH-12",
    "Records are kept where nobody of the stack can delete them.",
    CRITICAL,
    [TRAIL, "aws:s3/bucket:Bucket", *LOG_BUCKETS, *LOG_SINKS],
    remediation="Set protect on sinks in production; lock log buckets; part writing from deleting.",
)
def immutable(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Sinks are protected in production, log buckets locked for a year, and no policy both writes and takes away."""
    sinks = (*graph.of(TRAIL), *audit_buckets(graph))
    for sink in sinks:
        if facts.production and not sink.protect:
            yield Finding("protect", "is off on a sink of records", sink.urn)
    yield from _lasting(graph, facts)
    yield from _both(graph)


def _lasting(graph: Graph, facts: Facts) -> Iterator[Found]:
    for bucket in graph.of(*LOG_BUCKETS):
        for found in apart(_locked(bucket.reader), _kept(bucket.reader, facts)):
            yield located(found, bucket.urn)
    for bucket in _sunk_into(graph):
        for found in apart(_retained(bucket.reader)):
            yield located(found, bucket.urn)


def _both(graph: Graph) -> Iterator[Found]:
    names = {str(each.props.get("bucket") or each.name) for each in audit_buckets(graph)}
    ceilings = _ceilings(graph) if names else set()
    for policy in graph.of(*POLICIES) if names else ():
        if policy.urn in ceilings:
            continue  # it grants nothing
        try:
            told = list(granted(policy))
        except (Undetermined, Malformed):
            continue  # AWS-IAM-01 and AWS-IAM-02 tell
        if _any(told, WRITES, names) and _any(told, UNWRITES, names):
            yield Finding("policy", "both writes records and may take them away", policy.urn)


def _sunk_into(graph: Graph) -> list[Resource]:
    """Return the buckets that sinks of Google's logs write into."""
    sinks = graph.of(*LOG_SINKS)
    fed = {each.urn: each for sink in sinks for each in graph.feeds(sink, "destination") if each.type == GCP_BUCKET}
    told = {str(sink.props.get("destination")).rpartition("/")[2] for sink in sinks}
    fed |= {each.urn: each for each in graph.of(GCP_BUCKET) if each.props.get("name") in told}
    return list(fed.values())


def _retained(bucket: Reader) -> Iterator[Found]:
    if not bucket.flag("retentionPolicy.isLocked"):
        yield Finding("retentionPolicy.isLocked", "is off: records can be deleted before their time")
    elif bucket.number("retentionPolicy.retentionPeriod") < YEAR * 86_400:
        yield Finding("retentionPolicy.retentionPeriod", f"is less than {YEAR} days")


def _ceilings(graph: Graph) -> set[str]:
    """Return the policies that are a boundary of roles and attached to nobody."""
    boundaries = {
        each.urn: each for role in graph.of(ROLE) for each in graph.named(role, "permissionsBoundary", POLICY)
    }
    return {
        urn
        for urn, policy in boundaries.items()
        if not any(graph.referrers(policy, kind, "policyArn") for kind in ATTACHMENTS)
    }


def _locked(bucket: Reader) -> Iterator[Found]:
    if not bucket.flag("locked"):
        yield Finding("locked", "is off: records can be deleted before their time")


def _kept(bucket: Reader, facts: Facts) -> Iterator[Found]:
    if facts.production and bucket.raw("retentionDays") is not None and bucket.number("retentionDays") < YEAR:
        yield Finding("retentionDays", f"is less than {YEAR}")


def _any(told: list[Statement], actions: tuple[str, ...], buckets: set[str]) -> bool:
    """Say whether statements allow one of the actions on a bucket of records, by its name or on everything."""
    return any(
        statement.may(action) and (statement.on_everything or _about(statement, buckets))
        for statement in told
        for action in actions
    )


def _about(statement: Statement, buckets: set[str]) -> bool:
    held = [each.partition(":::")[2].partition("/")[0] for each in statement.resources]
    return any(fnmatchcase(bucket, each) for bucket in buckets for each in held)


INDEX = re.compile(r"\[(\d+|\*)\]")


def _dotted(path: str) -> str:
    """Return a path without places in lists, and with dots before names in brackets: `a["b"][0].c` is `a.b.c`."""
    return INDEX.sub("", path).replace('["', ".").replace('"]', "").lstrip(".") if "[" in path else path


@resource_rule(
    "CH-13",
    "Nobody looks away from what the law judges, and what cannot be made again is protected.",
    HIGH,
    ["*"],
    remediation="Drop the property from ignore_changes; set protect on data, keys and records in production.",
    applies=lambda resource: bool(resource.ignore_changes) or resource.type in LASTING,
)
def options(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Options are judged like properties."""
    watched = GUARDED.get(resource.type, frozenset())
    for path in map(_dotted, resource.ignore_changes):
        first = path.partition(".")[0]
        named = any(f"{path}.".startswith(f"{one}.") or one.startswith(f"{path}.") for one in watched)
        of_pods = PODS.match(path) and not SIDECARS.match(path) and holds_pods(resource)
        if path == "*" or of_pods or named or first == taggable(resource.type):
            yield Finding("ignoreChanges", "holds a property that the law judges")
    if facts.production and resource.type in STATEFUL and not resource.protect:
        yield Finding("protect", "is off; data, keys and records are protected in production")


@stack_rule(
    "CH-14",
    "A waiver has an owner, a reason, a ticket and an end.",
    HIGH,
    [],
    remediation="Drop what is over or not used; never waive critical rules in production.",
    applies=lambda _resource: False,
)
def waivers(_graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The judge asks charter.waivers once all findings are known: over, too long, not used, too bold."""
    return iter(())


@stack_rule(
    "CH-30",
    "The law attests itself: it ran, it was not weakened, and it left little open.",
    HIGH,
    [],
    remediation="Keep the policy charter-mandatory on; give the pack its facts; look at the undetermined list.",
    applies=lambda _resource: False,
)
def attested(_graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The judge counts what is left open; the dispatcher notices a mandatory policy that never ran."""
    return iter(())
