"""Charter: what holds data can be brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from charter.copies import KINDS, classified, elsewhere, far
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, Finding, Found, Resource, apart, located, stack_rule
from charter.rules.aws_watch import region_of
from charter.selectors import selects
from charter.values import Reader, Undetermined, hazy

SELECTED = (
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
    "aws:dynamodb/table:Table",
    "aws:efs/fileSystem:FileSystem",
    "aws:ebs/volume:Volume",
)
"""What AWS Backup selects."""
SELECTION = "aws:backup/selection:Selection"
PLAN = "aws:backup/plan:Plan"
FILES, FILES_POLICY = "aws:efs/fileSystem:FileSystem", "aws:efs/backupPolicy:BackupPolicy"
VOLUME, LIFECYCLE = "aws:ebs/volume:Volume", "aws:dlm/lifecyclePolicy:LifecyclePolicy"
SERVICES = {"rds": "rds", "docdb": "rds", "neptune": "rds", "dynamodb": "dynamodb"} | {
    "efs": "elasticfilesystem",
    "ebs": "ec2",
}
"""How ARNs call the services of what AWS Backup selects, by module of the package."""
RESTORES = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
FIRESTORE = "gcp:firestore/database:Database"
FIRESTORE_BACKUP = "gcp:firestore/backupSchedule:BackupSchedule"
DISK = "gcp:compute/disk:Disk"
DISK_POLICY = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment"
SHARE, SHARE_BACKUP = "gcp:filestore/instance:Instance", "gcp:filestore/backup:Backup"
AZURE_DISK, AZURE_BACKUP = "azure-native:compute:Disk", "azure-native:dataprotection:BackupInstance"
CLAIMS = ("kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim")


def _cache(reader: Reader) -> bool:
    return reader.number("snapshotRetentionLimit") >= 1


def _sql(reader: Reader) -> bool:
    return reader.has("masterInstanceName") or reader.inside("settings").flag("backupConfiguration.enabled")


def _server(reader: Reader) -> bool:
    return reader.number("backup.backupRetentionDays", 7) >= 7  # noqa: PLR2004  what Azure keeps at least


def _table(reader: Reader) -> bool:
    return reader.flag("pointInTimeRecovery.enabled")


BY_ITSELF: dict[str, Callable[[Reader], bool]] = {
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:dynamodb/table:Table": _table,
    "gcp:sql/databaseInstance:DatabaseInstance": _sql,
    "azure-native:dbforpostgresql:Server": _server,
    "azure-native:dbformysql:Server": _server,
}
"""Stores that make copies by themselves, and how they say so."""


@stack_rule(
    "CH-24",
    "What holds data has a backup somewhere.",
    CRITICAL,
    [*SELECTED, *BY_ITSELF, *(kind for kind in KINDS if kind not in BY_ITSELF), DISK, SHARE, AZURE_DISK, *CLAIMS],
    remediation="Select it in a backup (by ARN or tag), or a Velero Schedule; copy confidential data; test restoring.",
)
def backups(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Selections are computed: by reference, by tag, by namespace; stores that copy themselves say so.

    Confidential data has a copy in another region, which the evidence may name where another stack keeps it, and in
    production somebody tries to restore.
    """
    selections = graph.of(SELECTION)
    for store in graph.of(*SELECTED):
        for found in apart(_selected(graph, store, selections)):
            yield located(found, store.urn)
    yield from _elsewhere(graph, facts)
    for kind, keeps in BY_ITSELF.items():
        for store in graph.of(kind) if kind not in SELECTED else ():
            for found in apart(_keeps(store.reader, keeps)):
                yield located(found, store.urn)
    yield from _referred(graph, FIRESTORE, FIRESTORE_BACKUP, "database", "no BackupSchedule names this database")
    yield from _referred(graph, DISK, DISK_POLICY, "disk", "no snapshot schedule is attached to this disk")
    yield from _referred(graph, SHARE, SHARE_BACKUP, "sourceInstance", "no Backup names this file share")
    yield from _referred(graph, AZURE_DISK, AZURE_BACKUP, "properties", "no BackupInstance names this disk")
    for claim in graph.of(*CLAIMS):
        for found in apart(_scheduled(graph, claim)):
            yield located(found, claim.urn)
    if facts.production and selections and not graph.of(RESTORES):
        yield Finding("", "nobody tries whether the backups can be restored: no RestoreTestingPlan", selections[0].urn)


def _elsewhere(graph: Graph, facts: Facts) -> Iterator[Found]:
    for store in graph.of(*KINDS):
        for found in apart(elsewhere(graph, store, facts)):
            yield located(found, store.urn)


def _selected(graph: Graph, store: Resource, selections: list[Resource]) -> Iterator[Found]:
    keeps = BY_ITSELF.get(store.type)
    if (keeps and keeps(store.reader)) or _copied(graph, store):
        return
    chosen = [one for one in selections if graph.refers(one, store, "resources") or _chosen(one, store)]
    unclear = hazy(store.props.get("tags")) or any(hazy(one.props.get("selectionTags")) for one in selections)
    if not chosen and unclear:
        raise Undetermined("tags")
    if not chosen:
        yield Finding("", "no backup selects it")
        return
    if classified(store):
        plans = [plan for one in chosen for plan in graph.named(one, "planId", PLAN)]
        if plans and not any(far(graph, plan, region_of(store)) for plan in plans):
            yield Finding("", "is confidential, and its backup has no copy in another place")


def _copied(graph: Graph, store: Resource) -> bool:
    """Say whether a store is copied by a service of its own kind, or is itself a copy of another one."""
    if store.type == FILES:
        policies = graph.referrers(store, FILES_POLICY, "fileSystemId")
        return any(each.reader.text("backupPolicy.status") == "ENABLED" for each in policies)
    if store.type == VOLUME:
        return any(_lives(each.reader, store.props.get("tags")) for each in graph.of(LIFECYCLE))
    return store.reader.has("replicateSourceDb") or store.reader.has("replicationSourceIdentifier")


def _lives(policy: Reader, tags: Any) -> bool:
    """Say whether a policy of snapshots is on and meant for volumes with one of a volume's tags."""
    wanted = policy.inside("policyDetails").map("targetTags")
    held = tags if isinstance(tags, dict) else {}
    meant = "VOLUME" in policy.inside("policyDetails").texts("resourceTypes")
    return policy.text("state", "ENABLED") == "ENABLED" and meant and any(held.get(k) == v for k, v in wanted.items())


def _keeps(reader: Reader, keeps: Callable[[Reader], bool]) -> Iterator[Found]:
    if not keeps(reader):
        yield Finding("", "makes no copies of itself")


def _referred(graph: Graph, kind: str, by: str, prop: str, missing: str) -> Iterator[Found]:
    for store in graph.of(kind):
        if not graph.referrers(store, by, prop) and not store.reader.has("resourcePolicies"):
            yield Finding("", missing, store.urn)


def _chosen(selection: Resource, store: Resource) -> bool:
    """Say whether a selection means a store: by one of its tags, or by a pattern of ARNs under all conditions.

    Source: docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html, 2026-11.
    """
    tags = store.props.get("tags")
    held = tags if isinstance(tags, dict) else {}
    wanted = selection.props.get("selectionTags")
    if any(_tag(one, held, "key", "value") for one in (wanted if isinstance(wanted, list) else [])):
        return True
    patterns = selection.props.get("resources")
    meant = [each for each in (patterns if isinstance(patterns, list) else []) if _covers(each, store)]
    spared = selection.props.get("notResources")
    if any(_covers(each, store) for each in (spared if isinstance(spared, list) else [])):
        return False
    return bool(meant) and all(_tag(one, held, "key", "value") for one in _conditions(selection))


def _tag(one: Any, held: dict[str, Any], key: str, value: str) -> bool:
    name = str(one.get(key)).removeprefix("aws:ResourceTag/") if isinstance(one, dict) else ""
    return name in held and held[name] == one.get(value)


def _conditions(selection: Resource) -> Iterator[Any]:
    for condition in selection.reader.each("conditions"):
        yield from condition.values("stringEquals")


def _covers(pattern: Any, store: Resource) -> bool:
    if pattern == "*":
        return True
    parts = pattern.split(":") if isinstance(pattern, str) else []
    service = SERVICES.get(store.type.split(":")[1].partition("/")[0])
    return len(parts) > 5 and parts[2] == service and parts[-1].endswith("*") and _kind_in(parts, store)  # noqa: PLR2004  arn:partition:service:region:account:what


def _kind_in(parts: list[str], store: Resource) -> bool:
    """Say whether what stands last in an ARN's pattern is the kind of a store: `volume/*`, `db:*`, or anything."""
    kind = parts[5].partition("/")[0].rstrip("*")
    return kind in ("", {"Instance": "db", "FileSystem": "file-system"}.get(store.kind, store.kind.lower()))


def _scheduled(graph: Graph, claim: Resource) -> Iterator[Found]:
    if claim.kind == "StatefulSet" and not claim.reader.has("spec.volumeClaimTemplates"):
        return
    namespace = claim.reader.read("metadata.namespace")
    schedules = [one for one in graph.of("kubernetes:velero.io/v1:Schedule") if graph.same_provider(one, claim)]
    if any(_includes(one, namespace) and _meets(one, claim) for one in schedules):
        return
    if any(hazy(one.reader.raw("spec.template.includedNamespaces")) for one in schedules):
        raise Undetermined("spec.template.includedNamespaces")
    yield Finding("", "no Velero Schedule includes its namespace")


def _meets(schedule: Resource, claim: Resource) -> bool:
    """Say whether a schedule copies a claim: no list leaves claims out, and its labels are the ones asked for."""
    template = schedule.reader.inside("spec").inside("template")
    left_out = set(map(str, _listed(template.raw("excludedResources"))))
    only = set(map(str, _listed(template.raw("includedResources")))) or {"*"}
    if left_out & VOLUMES or not only & {*VOLUMES, "*"} or _without_data(template):
        return False
    labels = claim.reader.map("metadata.labels")
    if claim.kind == "StatefulSet":  # its claims bear the labels of their template, and those that it selects by
        inner = [one.map("metadata.labels") for one in claim.reader.each("spec.volumeClaimTemplates")]
        labels = {**claim.reader.map("spec.selector.matchLabels"), **(inner[0] if inner else {})}
    return not template.has("labelSelector") or selects(template.raw("labelSelector"), labels, "spec.template")


def _without_data(template: Reader) -> bool:
    """Say whether only claims are copied and not what is on their volumes."""
    return template.raw("snapshotVolumes") is False and not template.flag("defaultVolumesToFsBackup")


VOLUMES = frozenset({"persistentvolumeclaims", "persistentvolumes", "pvc", "pv"})


def _includes(schedule: Resource, namespace: Any) -> bool:
    template = schedule.reader
    if template.raw("spec.paused") is True or namespace in _listed(template.raw("spec.template.excludedNamespaces")):
        return False
    named = template.raw("spec.template.includedNamespaces")
    return not named or namespace in _listed(named) or "*" in _listed(named)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
