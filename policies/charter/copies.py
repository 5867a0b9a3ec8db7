"""Copies in another place: how each kind of store says that it has one, for data that must survive its region."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from charter.facts import Facts
from charter.graph import Graph
from charter.rule import Finding, Found, Open, Resource
from charter.tables import taggable
from charter.values import UNKNOWN, Reader, Undetermined

CLASSES: Final = frozenset({"confidential", "restricted"})
"""Classes of data that need a copy in another region."""
BROAD: Final = re.compile(r"^(US|EU|ASIA|NAM\d+|EUR\d+|ASIA\d+)$", re.IGNORECASE)
"""Places of Google Cloud that are more than one region (cloud.google.com/storage/docs/locations, 2026-11)."""
GEO: Final = re.compile(r"_(RA)?GZ?RS$")
"""Storage of Azure that is kept in the paired region too (learn.microsoft.com/azure/storage/common, 2026-11)."""
BUCKET: Final = "aws:s3/bucket:Bucket"
REPLICATIONS: Final = (
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:s3/bucketReplicationConfiguration:BucketReplicationConfiguration",
)
TRANSFER: Final = "gcp:storage/transferJob:TransferJob"
VAULT: Final = "aws:backup/vault:Vault"


LABELS: Final = {"gcp:sql/databaseInstance:DatabaseInstance": "settings.userLabels"}
"""Where labels stand that are not among the properties themselves."""


def classified(store: Resource) -> bool:
    """Say whether a store holds data that need a copy; raise Undetermined when its class is not known."""
    where = LABELS.get(store.type) or taggable(store.type)
    held = store.reader.map(where) if where else {}
    if held.get("data-classification") is UNKNOWN:
        raise Undetermined(f"{where}.data-classification")
    return held.get("data-classification") in CLASSES


def _sql(graph: Graph, store: Resource) -> bool:
    """Without a location of its own a backup goes to the nearest of the places that are several regions.

    Source: cloud.google.com/sql/docs/postgres/backup-recovery/backups, 2026-11.
    """
    reader = store.reader
    place = reader.inside("settings").text("backupConfiguration.location")
    replicas = graph.referrers(store, store.type, "masterInstanceName")
    far = any(each.reader.raw("region") != reader.raw("region") for each in replicas)
    return far or not place or place.lower() != reader.text("region").lower()


def _located(_graph: Graph, store: Resource) -> bool:
    reader = store.reader
    return bool(BROAD.match(reader.text("location", reader.text("locationId"))))


def _gcs(graph: Graph, store: Resource) -> bool:
    return _located(graph, store) or bool(graph.referrers(store, TRANSFER, "transferSpec"))


def _server(graph: Graph, store: Resource) -> bool:
    reader = store.reader
    place = reader.raw("location")
    replicas = graph.referrers(store, store.type, "sourceServerResourceId")
    replicated = any(each.reader.raw("location") != place for each in replicas)
    return replicated or reader.text("backup.geoRedundantBackup").lower() == "enabled"


def _account(_graph: Graph, store: Resource) -> bool:
    return bool(GEO.search(store.reader.text("sku.name").upper()))


def _azure_sql(_graph: Graph, store: Resource) -> bool:
    return store.reader.text("requestedBackupStorageRedundancy", "Geo").lower() in ("geo", "geozone")


def _s3(graph: Graph, store: Resource) -> bool:
    beside = any(graph.referrers(store, kind, "bucket") for kind in REPLICATIONS)
    return beside or store.reader.has("replicationConfiguration")


KINDS: Final[dict[str, Callable[[Graph, Resource], bool]]] = {
    BUCKET: _s3,
    "gcp:sql/databaseInstance:DatabaseInstance": _sql,
    "gcp:storage/bucket:Bucket": _gcs,
    "gcp:firestore/database:Database": _located,
    "azure-native:dbforpostgresql:Server": _server,
    "azure-native:dbformysql:Server": _server,
    "azure-native:storage:StorageAccount": _account,
    "azure-native:sql:Database": _azure_sql,
}
"""Stores that say by themselves, or by what stands beside them, where else their data are."""


def elsewhere(graph: Graph, store: Resource, facts: Facts) -> Iterator[Found]:
    """Judge whether data that need it have a copy in another place, here or by what the evidence names."""
    if not classified(store) or KINDS[store.type](graph, store):
        return
    named = facts.evidence.get("copies")
    if named is None:
        yield Open("evidence.copies")
    elif not (isinstance(named, dict) and named.get(store.package)):
        yield Finding("", "is confidential, and nothing keeps a copy in another place")


def far(graph: Graph, plan: Resource, region: Any) -> bool:
    """Say whether a plan of AWS Backup copies out of a region, as far as it is known where it copies to."""
    actions = [action for rule in plan.reader.each("rules") for action in rule.each("copyActions")]
    if not actions:
        return False
    vaults = [each for each in graph.feeds(plan, "rules") if each.type == VAULT]
    places = {_region(vault.reader.raw("region"), vault.provider_props) for vault in vaults}
    places = places or {_of_arn(Reader(action.props).raw("destinationVaultArn")) for action in actions}
    return not isinstance(region, str) or places - {region} != set()


def _region(own: Any, provider: Any) -> Any:
    found = own if own is not None else Reader(provider).raw("region")
    return found if isinstance(found, str) else None


def _of_arn(arn: Any) -> Any:
    parts = str(arn).split(":")
    return parts[3] if len(parts) > 3 else None  # noqa: PLR2004  arn:partition:service:region:...
