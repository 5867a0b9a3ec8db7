"""Charter: what is secret is marked so, and what is locked is locked with a key of this stack."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from charter.facts import Facts
from charter.graph import Graph
from charter.hiding import HIDING
from charter.leaves import SECRET
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, resource_rule, stack_rule
from charter.secrets import harmless, refers, secret_path
from charter.tables import taggable
from charter.values import UNKNOWN, hazy, walk

KEYS: dict[str, tuple[str, ...]] = {
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:rds/instance:Instance": ("kmsKeyId",),
    "aws:rds/cluster:Cluster": ("kmsKeyId",),
    "aws:secretsmanager/secret:Secret": ("kmsKeyId",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("kmsKeyId",),
    "gcp:container/cluster:Cluster": ("databaseEncryption",),
    "aws:eks/cluster:Cluster": ("encryptionConfig",),
    "aws:docdb/cluster:Cluster": ("kmsKeyId",),
    "aws:efs/fileSystem:FileSystem": ("kmsKeyId",),
    "aws:ebs/volume:Volume": ("kmsKeyId",),
    "aws:sns/topic:Topic": ("kmsMasterKeyId",),
    "aws:sqs/queue:Queue": ("kmsMasterKeyId",),
    "aws:cloudtrail/trail:Trail": ("kmsKeyId",),
    "aws:ecr/repository:Repository": ("encryptionConfigurations",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ("rules",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("encryptionKeyName",),
    "gcp:storage/bucket:Bucket": ("encryption",),
    "gcp:secretmanager/secret:Secret": ("replication",),
    "azure-native:containerservice:ManagedCluster": ("diskEncryptionSetID",),
    "azure-native:compute:DiskEncryptionSet": ("activeKey",),
    "azure-native:storage:StorageAccount": ("encryption",),
    "aws:neptune/cluster:Cluster": ("kmsKeyArn",),
    "aws:redshift/cluster:Cluster": ("kmsKeyId",),
    "aws:memorydb/cluster:Cluster": ("kmsKeyArn",),
    "aws:elasticache/serverlessCache:ServerlessCache": ("kmsKeyId",),
    "aws:backup/vault:Vault": ("kmsKeyArn",),
    "aws:dynamodb/table:Table": ("serverSideEncryption.kmsKeyArn",),
    "aws:kinesis/stream:Stream": ("kmsKeyId",),
    "aws:msk/cluster:Cluster": ("encryptionInfo.encryptionAtRestKmsKeyArn",),
    "aws:opensearch/domain:Domain": ("encryptAtRest.kmsKeyId",),
    "aws:elasticsearch/domain:Domain": ("encryptAtRest.kmsKeyId",),
    "gcp:alloydb/cluster:Cluster": ("encryptionConfig.kmsKeyName",),
    "gcp:bigquery/dataset:Dataset": ("defaultEncryptionConfiguration.kmsKeyName",),
    "gcp:filestore/instance:Instance": ("kmsKeyName",),
    "gcp:firestore/database:Database": ("cmekConfig.kmsKeyName",),
    "gcp:pubsub/topic:Topic": ("kmsKeyName",),
    "gcp:redis/instance:Instance": ("customerManagedKey",),
    "gcp:spanner/database:Database": ("encryptionConfig",),
    "azure-native:cosmosdb:DatabaseAccount": ("keyVaultKeyUri",),
    "azure-native:dbformysql:Server": ("dataEncryption",),
    "azure-native:dbforpostgresql:Server": ("dataEncryption",),
}
UNASKED = frozenset(
    [
        "aws:docdb/cluster:Cluster",
        "aws:efs/fileSystem:FileSystem",
        "aws:ebs/volume:Volume",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "aws:backup/vault:Vault",
        "aws:dynamodb/table:Table",
        "aws:kinesis/stream:Stream",
        "aws:msk/cluster:Cluster",
        "aws:opensearch/domain:Domain",
        "aws:elasticsearch/domain:Domain",
        "gcp:alloydb/cluster:Cluster",
        "gcp:bigquery/dataset:Dataset",
        "gcp:filestore/instance:Instance",
        "gcp:firestore/database:Database",
        "gcp:redis/instance:Instance",
        "gcp:spanner/database:Database",
        "azure-native:cosmosdb:DatabaseAccount",
        "azure-native:dbformysql:Server",
        "azure-native:dbforpostgresql:Server",
    ]
)
"""Stores that no rule of their own asks for a key."""
KEY_NAMES = re.compile(r"(kmsMasterKeyId|kmsKey|kmsKeyName|defaultKmsKeyName|keyVaultProperties|keyUrl|keyArn|keyName)")
KEPT_NAME = re.compile(r"[a-z]+(-[a-z0-9]+){2,}")
"""A name of three words or more, as managers of secrets and Kubernetes take them."""
KEY_KINDS = ("kms/", "keyvault:Key", "compute:DiskEncryptionSet")


@resource_rule(
    "CH-26",
    "What is secret is marked secret, wherever it stands.",
    CRITICAL,
    ["*"],
    remediation="Take the value from a secret configuration key or a secret output; mark outputs with Output.secret.",
    needs=lambda kind: 0 if kind in HIDING else SECRET,
)
def secrets_marked(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Only an exported state shows which values are secret: elsewhere a plain one is left open."""
    if resource.type.startswith(("pulumi:providers:", "ecosystem:")):
        return
    for path, text in resource.texts:
        if secret_path(path) and not refers(path) and not harmless(text) and not _kept_under(resource, path, text):
            yield _plain(path, facts)
    for path in HIDING[resource.type](resource) if resource.type in HIDING else ():
        yield _plain(path, facts)


def _kept_under(resource: Resource, path: str, text: str) -> bool:
    """Say whether a ConfigMap tells the name under which something is kept: `secret: postgres-orders-gateway`."""
    return resource.kind == "ConfigMap" and path == "data.secret" and KEPT_NAME.fullmatch(text) is not None


def _plain(path: str, facts: Facts) -> Found:
    return Finding(path, "is plain; it must be secret") if facts.secrets_visible else Open(path)


@stack_rule(
    "CH-27",
    "Each store is locked with a key of this stack, of its own class.",
    HIGH,
    [*KEYS],
    remediation="Give the key's Output; use a key of the same data classification.",
)
def own_keys(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A key that is named by a text is a key that nobody here rotates; a restricted one locks one store only."""
    users: dict[str, set[str]] = defaultdict(set)
    for kind, props in KEYS.items():
        for store in graph.of(kind):
            for prop in props:
                yield from _locked(graph, store, prop, users)
    for urn, stores in users.items():
        if _class(graph.by_urn[urn]) == "restricted" and len(stores) > 1:
            yield Finding("", "is restricted, and locks more than one store", urn)


def _locked(graph: Graph, store: Resource, prop: str, users: dict[str, set[str]]) -> Iterator[Found]:
    value = store.reader.raw(prop)
    fed = graph.feeds(store, prop.partition(".")[0])
    if value is None:
        if store.type in UNASKED and not any(map(_is_key, fed)):
            yield Finding(prop, "is absent: the cloud's own key locks it", store.urn)
        return  # for the others the store's own rule asks
    keys = [key for key in (*fed, *graph.called(_texts(value))) if _is_key(key)]
    if not keys and hazy(value):
        yield Open(prop, store.urn)
    elif not keys and _names_key(store, value):
        yield Finding(prop, "is no key of this stack", store.urn)
    for key in keys:
        users[key.urn].add(store.urn)
        if _class(key) and _class(store) and _class(key) != _class(store):
            yield Finding(prop, "is a key of another data classification", store.urn)


def _is_key(resource: Resource) -> bool:
    return any(word in resource.type for word in KEY_KINDS)


def _texts(value: Any) -> list[str]:
    return [leaf for _, leaf in walk(value) if isinstance(leaf, str)]


def _names_key(store: Resource, value: Any) -> bool:
    """Say whether a block of settings names a key at all: one that only says how to encrypt names none."""
    return (
        not isinstance(value, dict | list)
        or any(KEY_NAMES.search(path) for path, _ in walk(value))
        or (store.type in ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster"))
    )


def _class(resource: Resource) -> Any:
    where = taggable(resource.type)
    held = resource.props.get(where) if where else None
    value = held.get("data-classification") if isinstance(held, dict) else None
    return None if value is UNKNOWN else value
