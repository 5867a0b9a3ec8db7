"""Backups of a cluster: Velero, which copies every object and every volume into a bucket of another region."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

import pulumi

from components.contracts import HeldBucket
from components.grants import Holder, PodIdentity
from components.kubernetes.crds.velero import Schedule, ScheduleSpec, ScheduleSpecTemplate
from components.kubernetes.restore_test import CONFINED, DAILY, KUBECTL, RestoreTest
from components.kubernetes.restricted import LOCKED
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources
from components.kubernetes.snapshots import VolumeSnapshotClass, snapshot_class
from stacks.services import lock
from stacks.services.backup import Backup as Wish
from stacks.services.facts import Pods

ACCOUNT: Final = "velero"
LOCATION: Final = "default"
PLUGINS: Final = {
    "aws": "velero-plugin-for-aws",
    "gcp": "velero-plugin-for-gcp",
    "azure": "velero-plugin-for-microsoft-azure",
}
"""Images of charts.lock; those of 1.14 belong to Velero 1.18 (README of each plugin, 2026-11)."""
PASSWORD: Final = "velero-repository-password"  # noqa: S105 - a name
REPOSITORY: Final = "velero-repo-credentials"
"""Secret from which Velero takes the password of its repository of volumes: without it, everybody knows the password
(velero.io/docs/v1.18/file-system-backup, 2026-11)."""
SETTINGS: Final = "node-agent-config"
QUEUE: Final = 8
"""Copies of volumes that wait for a node; each holds a volume made of a snapshot."""
BASELINE: Final = {"pod-security.kubernetes.io/enforce": "baseline"}
"""A copy of a volume is read by root, whoever owns the files (velero pkg/exposer/csi_snapshot.go, 2026-11); nothing of
the node is mounted."""
CLASS: Final = "velero"
CRITICAL: Final = "system-cluster-critical"


class Backup(Service):
    """Velero with its identity, the class of its snapshots, its schedule, and a restore each day that proves it."""

    SERVICE: ClassVar[str] = "backup"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish, bucket = ground.services.backup, ground.backups
        assert wish is not None  # noqa: S101 - only made when it is on
        assert bucket is not None  # noqa: S101 - made beside it
        namespace = self.facts.namespace
        self.namespace(labels=BASELINE)
        holder = Holder(namespace, ACCOUNT)
        held = ground.cluster.identity_for(holder, [bucket.use("backups")])
        password = self.custom(
            REPOSITORY, external(ground, REPOSITORY, {"repository-password": PASSWORD}), namespace=namespace
        )
        told = self.settings(SETTINGS, namespace, {f"{SETTINGS}.json": json.dumps(agents(ground), sort_keys=True)})
        self.last = [*self.last, *held.ready, bucket.ready, password, told]
        self.release("velero", values(ground, wish, bucket, held))
        offer = ground.cluster.offer
        parameters = dict(offer.snapshot_parameters) or None
        how = VolumeSnapshotClass(driver=offer.volumes, deletion_policy="Delete", parameters=parameters)
        snapshots = snapshot_class(f"{name}-volumesnapshotclass", CLASS, how, self.options())
        daily = self.custom(DAILY, schedule(wish), namespace=namespace, after=[*self.last, snapshots])
        RestoreTest(self, wish, [*self.last, daily])
        self.done()


def schedule(wish: Wish) -> Schedule:
    """Everything of the cluster, each night; volumes by snapshots whose contents are moved into the bucket."""
    return Schedule(
        spec=ScheduleSpec(
            schedule=f"0 {wish.hour} * * *",
            skip_immediately=False,
            use_owner_references_in_backup=False,
            template=ScheduleSpecTemplate(
                included_namespaces=["*"],
                include_cluster_resources=True,
                storage_location=LOCATION,
                snapshot_move_data=True,
                default_volumes_to_fs_backup=False,
                csi_snapshot_timeout="10m",
                item_operation_timeout="4h",
                ttl=f"{wish.retention_days * 24}h0m0s",
            ),
        )
    )


def agents(ground: Ground) -> dict[str, Any]:
    """What the agents of the nodes are told: one copy at a time on each node, and what it may take."""
    return {
        "loadConcurrency": {"globalConfig": 1, "prepareQueueLength": QUEUE},
        "podResources": _pod(ground.room("backup")["mover"]),
    }


def _pod(room: Pods) -> dict[str, str]:
    limit = {"memoryLimit": f"{room.memory_mib * 2}Mi"}
    return {"cpuRequest": f"{room.cpu_milli}m", "memoryRequest": f"{room.memory_mib}Mi", "cpuLimit": "0", **limit}


def location(ground: Ground, bucket: HeldBucket, held: PodIdentity) -> dict[str, Any]:
    """Where backups go, in the words of the cloud's plugin (README of each, 2026-11)."""
    config: dict[str, dict[str, pulumi.Input[str]]] = {
        "aws": {"region": bucket.region},
        "gcp": {"serviceAccount": held.principal},
        "azure": {
            "storageAccount": bucket.host.apply(lambda host: host.partition(".")[0]),
            "storageAccountURI": pulumi.Output.concat("https://", bucket.host),
            "useAAD": "true",
        },
    }
    cloud = ground.cluster.cloud
    return {
        "name": LOCATION,
        "provider": cloud,
        "bucket": bucket.name,
        "prefix": ground.cluster.name,
        "default": True,
        "accessMode": "ReadWrite",
        "validationFrequency": "1h",
        "config": config[cloud],
    }


def values(ground: Ground, wish: Wish, bucket: HeldBucket, held: PodIdentity) -> dict[str, Any]:
    """Values of the chart: no secret in them, nothing of the node, definitions that go with it."""
    room = ground.room("backup")
    home = [{"name": "HOME", "value": "/scratch"}]
    plugin, kubectl = (lock.images()[each] for each in (PLUGINS[ground.cluster.cloud], KUBECTL))
    repository, _, tag = kubectl.image.rpartition(":")
    called = {"digest": kubectl.digest} if kubectl.resolved else {"tag": tag}
    return {
        "fullnameOverride": "velero",
        "resources": resources(room["server"]),
        "priorityClassName": CRITICAL,
        "podSecurityContext": CONFINED,
        "containerSecurityContext": LOCKED,
        "podLabels": dict(held.labels),
        "initContainers": [
            {
                "name": "plugin",
                "image": plugin.reference,
                "resources": resources(room["restore-test"]),
                "securityContext": LOCKED,
                "volumeMounts": [{"mountPath": "/target", "name": "plugins"}],
            }
        ],
        "kubectl": {
            "image": {"repository": repository, **called},
            "containerSecurityContext": LOCKED,
            "resources": resources(room["restore-test"]),
        },
        "upgradeCRDs": True,
        "cleanUpCRDs": True,
        "upgradeJobResources": resources(room["restore-test"]),
        "credentials": {"useSecret": False},
        "serviceAccount": {"server": {"name": ACCOUNT, "annotations": dict(held.annotations)}},
        "backupsEnabled": True,
        "snapshotsEnabled": False,
        "deployNodeAgent": True,
        "configuration": {
            "backupStorageLocation": [location(ground, bucket, held)],
            "uploaderType": "kopia",
            "features": "EnableCSI",
            "defaultSnapshotMoveData": True,
            "defaultBackupTTL": f"{wish.retention_days * 24}h",
            "defaultRepoMaintainFrequency": "24h",
            "logFormat": "json",
            "extraEnvVars": home,
            "repositoryMaintenanceJob": {
                "repositoryConfigData": {
                    "global": {"keepLatestMaintenanceJobs": 1, "podResources": _pod(room["mover"])}
                }
            },
        },
        "nodeAgent": {
            "disableHostPath": True,
            "podSecurityContext": CONFINED,
            "containerSecurityContext": LOCKED,
            "podLabels": dict(held.labels),
            "resources": resources(room["agent"]),
            "priorityClassName": CRITICAL,
            "tolerations": [{"operator": "Exists"}],
            "extraArgs": [f"--node-agent-configmap={SETTINGS}"],
            "extraEnvVars": home,
        },
    }
