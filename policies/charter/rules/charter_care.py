"""Charter: records, guards, budgets, backups, secrets, keys and identities over the whole stack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from charter.documents import Malformed, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, resource_rule, stack_rule
from charter.rules.aws_buckets import audit_buckets
from charter.secrets import harmless, refers, secret_path
from charter.tables import taggable
from charter.values import UNKNOWN, Undetermined, hazy
from charter.words import shown

TRAIL = "aws:cloudtrail/trail:Trail"
SINKS = {
    "aws": (TRAIL,),
    "gcp": ("gcp:projects/iAMAuditConfig:IAMAuditConfig",),
    "azure-native": ("azure-native:monitor:DiagnosticSetting",),
    "cloudflare": ("cloudflare:index/logpushJob:LogpushJob",),
}
"""What records what is done in an account, by provider package."""
BUDGETS = {
    "aws": "aws:budgets/budget:Budget",
    "gcp": "gcp:billing/budget:Budget",
    "azure-native": "azure-native:consumption:Budget",
}
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
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": frozenset({"spec"}),
    "kubernetes:core/v1:Namespace": frozenset({"metadata"}),
}
"""Properties that rules judge: whoever ignores their changes ignores the law."""
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
)
"""What cannot be made again once it is gone: data, keys, records."""
DATABASES = ("aws:rds/instance:Instance", "aws:rds/cluster:Cluster")
KEYS: dict[str, tuple[str, ...]] = {
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:rds/instance:Instance": ("kmsKeyId",),
    "aws:rds/cluster:Cluster": ("kmsKeyId",),
    "aws:secretsmanager/secret:Secret": ("kmsKeyId",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("kmsKeyId",),
    "gcp:container/cluster:Cluster": ("databaseEncryption",),
    "aws:eks/cluster:Cluster": ("encryptionConfig",),
}
KEY_KINDS = ("kms/", "keyvault:Key")
SECRET_READERS = frozenset({"get", "list", "watch", "*"})
SELF_CHANGE = (
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:CreatePolicyVersion",
)
DEPLOYS, APPROVES = (
    ("codepipeline:StartPipelineExecution", "eks:UpdateClusterConfig"),
    ("codepipeline:PutApprovalResult",),
)


@stack_rule(
    "CH-11",
    "Wherever the stack builds, somebody writes down what is done there.",
    CRITICAL,
    ["pulumi:providers:*"],
    remediation="Add the cloud's audit sink to the stack, or name the one that exists in evidence.sinks.",
)
def sinks(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Per provider; a sink that another stack keeps is named in the evidence, and undetermined until it is."""
    named = facts.evidence.get("sinks")
    for provider in graph.of("pulumi:providers:*"):
        package = provider.kind
        if package not in SINKS or not graph.of(f"{package}:*"):
            continue
        if graph.of(*SINKS[package]) or (isinstance(named, dict) and named.get(package)):
            continue
        if named is None:
            yield Open("evidence.sinks", provider.urn)
        else:
            yield Finding("", "nothing records what is done in this account", provider.urn)


@stack_rule(
    "CH-12",
    "Records are kept where nobody of the stack can delete them.",
    CRITICAL,
    [TRAIL, "aws:s3/bucket:Bucket", "gcp:logging/projectBucketConfig:ProjectBucketConfig"],
    remediation="Set protect on sinks in production; lock log buckets; part writing from deleting.",
)
def immutable(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Sinks are protected in production, and log buckets locked."""
    for sink in (*graph.of(TRAIL), *audit_buckets(graph)):
        if facts.production and not sink.protect:
            yield Finding("protect", "is off on a sink of records", sink.urn)
    for bucket in graph.of("gcp:logging/projectBucketConfig:ProjectBucketConfig"):
        locked = bucket.props.get("locked")
        if locked is UNKNOWN:
            yield Open("locked", bucket.urn)
        elif locked is not True:
            yield Finding("locked", "is off: records can be deleted before their time", bucket.urn)


@resource_rule(
    "CH-13",
    "Nobody looks away from what the law judges, and what cannot be made again is protected.",
    HIGH,
    ["*"],
    remediation="Drop the property from ignore_changes; set protect on data, keys and records in production.",
    applies=lambda resource: bool(resource.ignore_changes) or resource.type in STATEFUL,
)
def options(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Options are judged like properties."""
    watched = GUARDED.get(resource.type, frozenset())
    for path in resource.ignore_changes:
        first = path.replace("[", ".").partition(".")[0]
        if path == "*" or first in watched or first == taggable(resource.type):
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


@stack_rule(
    "CH-23",
    "For each cloud somebody hears of costs before the month is over.",
    HIGH,
    ["pulumi:providers:*"],
    remediation="Add the cloud's budget to the stack, or name the one that exists in evidence.budgets.",
)
def budgets(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A budget that another stack keeps is named in the evidence, and undetermined until it is."""
    named = facts.evidence.get("budgets")
    for provider in graph.of("pulumi:providers:*"):
        package = provider.kind
        if package not in BUDGETS or not graph.of(f"{package}:*") or graph.of(BUDGETS[package]):
            continue
        if named is None:
            yield Open("evidence.budgets", provider.urn)
        elif not (isinstance(named, dict) and named.get(package)):
            yield Finding("", "no budget for this cloud", provider.urn)


@stack_rule(
    "CH-24",
    "What holds data has a backup somewhere.",
    CRITICAL,
    [*DATABASES, "kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim"],
    remediation="Add a backup selection for the database (by ARN or tag) and a Velero Schedule for the namespace.",
)
def backups(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Selections are computed: by reference, by tag, by namespace."""
    selections = graph.of("aws:backup/selection:Selection")
    schedules = graph.of("kubernetes:velero.io/v1:Schedule")
    for database in graph.of(*DATABASES):
        if any(graph.refers(one, database, "resources") or _tagged(one, database) for one in selections):
            continue
        if hazy(database.props.get("tags")) or any(hazy(one.props.get("selectionTags")) for one in selections):
            yield Open("tags", database.urn)
        else:
            yield Finding("", "no backup selects it", database.urn)
    for resource in graph.of("kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim"):
        if resource.kind == "StatefulSet" and not resource.reader.has("spec.volumeClaimTemplates"):
            continue
        namespace = resource.reader.raw("metadata.namespace")
        if namespace is UNKNOWN:
            yield Open("metadata.namespace", resource.urn)
        elif any(hazy(each.reader.raw("spec.template.includedNamespaces")) for each in schedules):
            yield Open("spec.template.includedNamespaces", resource.urn)
        elif not any(_includes(each, namespace) for each in schedules if graph.same_provider(each, resource)):
            yield Finding("", "no Velero Schedule includes its namespace", resource.urn)


def _tagged(selection: Resource, database: Resource) -> bool:
    tags = database.props.get("tags")
    wanted = selection.props.get("selectionTags")
    held = tags if isinstance(tags, dict) else {}
    return isinstance(wanted, list) and any(
        isinstance(one, dict)
        and isinstance(one.get("key"), str)
        and one["key"] in held
        and held[one["key"]] == one.get("value")
        for one in wanted
    )


def _includes(schedule: Resource, namespace: Any) -> bool:
    named = schedule.reader.raw("spec.template.includedNamespaces")
    return not named or (isinstance(named, list) and (namespace in named or "*" in named))


@resource_rule(
    "CH-26",
    "What is secret is marked secret, wherever it stands.",
    CRITICAL,
    ["*"],
    remediation="Take the value from a secret configuration key or a secret output; mark outputs with Output.secret.",
)
def secrets_marked(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Only an exported state shows which values are secret: elsewhere a plain one is left open."""
    if resource.type.startswith(("pulumi:providers:", "ecosystem:")):
        return
    for path, text in resource.texts:
        if secret_path(path) and not refers(path) and not harmless(text):
            yield Finding(path, "is plain; it must be secret") if facts.secrets_visible else Open(path)


@stack_rule(
    "CH-27",
    "Each store is locked with a key of this stack, of its own class.",
    HIGH,
    [*KEYS],
    remediation="Give the key's Output; use a key of the same data classification.",
)
def own_keys(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A key that is named by a text is a key that nobody here rotates."""
    for kind, props in KEYS.items():
        for store in graph.of(kind):
            for prop in props:
                value = store.props.get(prop)
                keys = [each for each in graph.feeds(store, prop) if any(word in each.type for word in KEY_KINDS)]
                if value is None:
                    continue  # the store's own rule asks for the key
                if not keys and value is UNKNOWN:
                    yield Open(prop, store.urn)
                elif not keys:
                    yield Finding(prop, "is no key of this stack", store.urn)
                for key in keys:
                    if _class(key) and _class(store) and _class(key) != _class(store):
                        yield Finding(prop, "is a key of another data classification", store.urn)


def _class(resource: Resource) -> Any:
    where = taggable(resource.type)
    held = resource.props.get(where) if where else None
    value = held.get("data-classification") if isinstance(held, dict) else None
    return None if value is UNKNOWN else value


@stack_rule(
    "CH-29",
    "Nobody can give himself more, nor both deploy and approve, nor read another's secrets.",
    HIGH,
    ["aws:iam/role:Role", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"],
    remediation="Part the permissions between two identities; bind accounts in their own namespace.",
)
def identities(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The union of all that is attached to a role; bindings over namespaces for accounts."""
    for role in graph.of("aws:iam/role:Role"):
        held: dict[str, bool] = defaultdict(bool)
        try:
            for policy in _attached(graph, role):
                for statement in statements(policy.reader.raw("policy"), "policy"):
                    if statement.allows:
                        held["self"] |= any(statement.may(action) for action in SELF_CHANGE) and not statement.condition
                        held["deploys"] |= any(statement.may(action) for action in DEPLOYS)
                        held["approves"] |= any(statement.may(action) for action in APPROVES)
        except Undetermined as unknown:
            yield Open(unknown.path, role.urn)
            continue
        except Malformed:
            continue  # AWS-IAM-01 tells
        if held["self"]:
            yield Finding("", "may change what it may do", role.urn)
        if held["deploys"] and held["approves"]:
            yield Finding("", "may both deploy and approve", role.urn)
    yield from _foreign_readers(graph)


def _attached(graph: Graph, role: Resource) -> Iterator[Resource]:
    yield from graph.referrers(role, "aws:iam/rolePolicy:RolePolicy", "role")
    for attachment in graph.referrers(role, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role"):
        yield from (each for each in graph.feeds(attachment, "policyArn") if each.type == "aws:iam/policy:Policy")


def _foreign_readers(graph: Graph) -> Iterator[Found]:
    rbac = "kubernetes:rbac.authorization.k8s.io/v1:"
    reading = {
        (each.provider_urn, each.kind, str(each.reader.raw("metadata.name")))
        for each in graph.of(f"{rbac}Role", f"{rbac}ClusterRole")
        if _reads_secrets(each.props.get("rules"))
    }
    for binding in graph.of(f"{rbac}RoleBinding"):
        ref, namespace = binding.reader, binding.reader.raw("metadata.namespace")
        if (binding.provider_urn, str(ref.raw("roleRef.kind")), str(ref.raw("roleRef.name"))) not in reading:
            continue
        subjects = binding.props.get("subjects")
        for index, subject in enumerate(subjects if isinstance(subjects, list) else []):
            if (
                isinstance(subject, dict)
                and namespace is not UNKNOWN
                and subject.get("namespace") not in (None, namespace, UNKNOWN)
            ):
                yield Finding(f"subjects[{index}].namespace", f"reads the secrets of {shown(namespace)}", binding.urn)


def _words(value: Any) -> set[str]:
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()


def _reads_secrets(rules: Any) -> bool:
    return isinstance(rules, list) and any(
        isinstance(rule, dict)
        and {"secrets", "*"} & _words(rule.get("resources"))
        and SECRET_READERS & _words(rule.get("verbs"))
        for rule in rules
    )
