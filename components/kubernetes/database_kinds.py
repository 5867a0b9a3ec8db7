"""One database in the cluster as its operator reads it: servers, users, the way of what is logged into the bucket."""

from __future__ import annotations

from typing import Any, Final

import pulumi

from components.contracts import HeldBucket
from components.grants import PodIdentity
from components.kubernetes.crds import cloudnative_pg as pg
from components.kubernetes.crds.external_secrets import (
    ExternalSecret,
    ExternalSecretSpecTargetTemplate,
    ExternalSecretSpecTargetTemplateMetadata,
)
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, resources
from stacks.clouds import Cloud
from stacks.quantities import memory_mib
from stacks.services import lock
from stacks.services.databases import Database, password
from stacks.services.facts import Pods

OWNER: Final = "app"
"""Role and database that a cluster starts with; nobody logs in as it, users are its members."""
PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
FOLDER: Final = "databases"
CRITICAL: Final = "system-cluster-critical"
RELOAD: Final = {"cnpg.io/reload": "true"}
"""Label of a secret whose change the operator takes up (cloudnative-pg.io/docs/1.30/declarative_role_management,
2026-11)."""
PLAIN_REFUSED: Final = "hostnossl all all all reject"
"""Stands before the operator's own last line, which takes passwords without TLS too."""
ALWAYS: Final = {"max_connections": "200", "log_lock_waits": "on", "log_checkpoints": "on", "archive_timeout": "5min"}


def login(user: str) -> str:
    """Role of a user: no name of Kubernetes has a dot in it, so no two users share one."""
    return user.replace("/", ".")


def secret(database: str, user: str) -> str:
    """Name of the secret in the databases' namespace with which the operator sets a password."""
    return f"{database}-user-{login(user)}"


def image() -> str:
    """REGISTRY/NAME:TAG, with the digest once it is known: the operator learns the version from the tag."""
    held = lock.images()["postgresql"]
    return f"{held.image}@{held.digest}" if held.resolved else held.image


def cluster(ground: Ground, name: str, wish: Database, held: PodIdentity) -> pg.Cluster:
    """Servers spread over zones; one confirms what the primary writes, as long as there is one."""
    room = ground.room("cloudnative_pg")[f"postgres-{name}"]
    buffers = memory_mib(wish.memory) // 4
    followed = pg.ClusterSpecPostgresqlSynchronous(method="any", number=1, data_durability="preferred")
    zones = pg.ClusterSpecTopologySpreadConstraints(
        max_skew=1,
        topology_key="topology.kubernetes.io/zone",
        when_unsatisfiable="ScheduleAnyway",
        label_selector=pg.ClusterSpecTopologySpreadConstraintsLabelSelector(match_labels={"cnpg.io/cluster": name}),
    )
    return pg.Cluster(
        spec=pg.ClusterSpec(
            instances=wish.instances,
            image_name=image(),
            enable_superuser_access=False,
            enable_pdb=wish.instances > 1,
            primary_update_method="switchover" if wish.instances > 1 else "restart",
            priority_class_name=CRITICAL,
            bootstrap=pg.ClusterSpecBootstrap(
                initdb=pg.ClusterSpecBootstrapInitdb(database=OWNER, owner=OWNER, data_checksums=True)
            ),
            storage=pg.ClusterSpecStorage(size=wish.storage, storage_class=ground.storage_class),
            resources=pg.ClusterSpecResources(**_exactly(room)),
            affinity=pg.ClusterSpecAffinity(
                enable_pod_anti_affinity=True,
                pod_anti_affinity_type="preferred",
                topology_key="kubernetes.io/hostname",
            ),
            topology_spread_constraints=[zones],
            postgresql=pg.ClusterSpecPostgresql(
                enable_alter_system=False,
                parameters={**ALWAYS, "shared_buffers": f"{buffers}MB"},
                pg_hba=[PLAIN_REFUSED],
                synchronous=followed if wish.instances > 1 else None,
            ),
            managed=pg.ClusterSpecManaged(roles=[_role(name, user) for user in sorted(wish.users)]),
            plugins=[
                pg.ClusterSpecPlugins(
                    name=PLUGIN, is_wal_archiver=True, parameters={"barmanObjectName": name, "serverName": name}
                )
            ],
            service_account_template=pg.ClusterSpecServiceAccountTemplate(
                metadata=pg.ClusterSpecServiceAccountTemplateMetadata(annotations=dict(held.annotations))
            ),
            inherited_metadata=pg.ClusterSpecInheritedMetadata(labels=dict(held.labels)) if held.labels else None,
        )
    )


def _exactly(room: Pods) -> dict[str, Any]:
    """A server has the memory that it asks for: what it may take beyond, nobody keeps free."""
    found = resources(room)
    return {**found, "limits": {**found["limits"], "memory": f"{room.memory_mib}Mi"}}


def _role(database: str, user: str) -> pg.ClusterSpecManagedRoles:
    return pg.ClusterSpecManagedRoles(
        name=login(user),
        ensure="present",
        login=True,
        inherit=True,
        in_roles=[OWNER],
        password_secret=pg.ClusterSpecManagedRolesPasswordSecret(name=secret(database, user)),
    )


def credentials(ground: Ground, database: str, user: str) -> ExternalSecret:
    """Name and password of a user, in the form that the operator reads."""
    template = ExternalSecretSpecTargetTemplate(
        type="kubernetes.io/basic-auth",
        metadata=ExternalSecretSpecTargetTemplateMetadata(labels=RELOAD),
        data={"username": login(user), "password": "{{ .password }}"},
    )
    return external(ground, secret(database, user), {"password": password(database, user)}, template)


def store(ground: Ground, name: str, bucket: HeldBucket) -> pg.ObjectStore:
    """Where a database writes to, as its own identity."""
    wish = ground.services.cloudnative_pg
    assert wish is not None  # noqa: S101 - only made when it is on
    room = resources(ground.room("cloudnative_pg")[f"archiver-{name}"])
    how: dict[Cloud, dict[str, Any]] = {
        "aws": {"s3_credentials": pg.ObjectStoreSpecConfigurationS3Credentials(inherit_from_iam_role=True)},
        "gcp": {"google_credentials": pg.ObjectStoreSpecConfigurationGoogleCredentials(gke_environment=True)},
        "azure": {
            "azure_credentials": pg.ObjectStoreSpecConfigurationAzureCredentials(use_default_azure_credentials=True)
        },
    }
    cloud = ground.cluster.cloud
    return pg.ObjectStore(
        spec=pg.ObjectStoreSpec(
            configuration=pg.ObjectStoreSpecConfiguration(
                destination_path=_path(cloud, bucket),
                wal=pg.ObjectStoreSpecConfigurationWal(compression="gzip", max_parallel=4),
                data=pg.ObjectStoreSpecConfigurationData(compression="gzip"),
                **how[cloud],
            ),
            retention_policy=f"{wish.retention_days}d",
            instance_sidecar_configuration=pg.ObjectStoreSpecInstanceSidecarConfiguration(
                env=_region(cloud, bucket), resources=pg.ObjectStoreSpecInstanceSidecarConfigurationResources(**room)
            ),
        )
    )


def _region(cloud: Cloud, bucket: HeldBucket) -> list[pg.ObjectStoreSpecInstanceSidecarConfigurationEnv] | None:
    """Say where the bucket is: a pod of EKS is told the region of its cluster, and boto3 believes it."""
    told = pg.ObjectStoreSpecInstanceSidecarConfigurationEnv(name="AWS_DEFAULT_REGION", value=bucket.region)
    return [told] if cloud == "aws" else None


def _path(cloud: Cloud, bucket: HeldBucket) -> pulumi.Output[str]:
    starts: dict[Cloud, pulumi.Input[str]] = {
        "aws": "s3:/",
        "gcp": "gs:/",
        "azure": pulumi.Output.concat("https://", bucket.host),
    }
    return pulumi.Output.concat(starts[cloud], "/", bucket.name, "/", FOLDER)


def nightly(name: str, hour: int) -> pg.ScheduledBackup:
    """A base backup each day and one at once: what is logged afterwards brings back any moment."""
    return pg.ScheduledBackup(
        spec=pg.ScheduledBackupSpec(
            cluster=pg.ScheduledBackupSpecCluster(name=name),
            schedule=f"0 0 {hour} * * *",
            immediate=True,
            backup_owner_reference="cluster",
            method="plugin",
            plugin_configuration=pg.ScheduledBackupSpecPluginConfiguration(name=PLUGIN),
            target="prefer-standby",
        )
    )
