"""Pods of Elasticsearch and Kibana: confined, on TLS, with files that only they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs, StatefulSetSpecArgs
from pulumi_kubernetes.batch.v1 import CronJobSpecArgs, JobSpecArgs, JobTemplateSpecArgs
from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    KeyToPathArgs,
    PersistentVolumeClaimArgs,
    PersistentVolumeClaimSpecArgs,
    PodSecurityContextArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecretKeySelectorArgs,
    SecretVolumeSourceArgs,
    SecurityContextArgs,
    ServicePortArgs,
    ServiceSpecArgs,
    TCPSocketActionArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudgetSpecArgs

from components.kubernetes.elk_files import ADDRESS, PASSWORDS, READY, SEARCH, TLS
from components.kubernetes.service import Ground, resources
from stacks.services import lock
from stacks.services.facts import Pods
from stacks.services.searching import Elk as Wish

PARTS: Final = ("elasticsearch", "kibana", "retention")
USER: Final = 1000
"""Of Elastic's images."""
HOME: Final = "/usr/share/elasticsearch"
HEAP: Final = "-Xms1g -Xmx1g"
"""Half of what a node asks for: the rest is the page cache's."""


def labels(part: str) -> dict[str, str]:
    """By these the network, the mesh and the budgets know the pods."""
    return {"app.kubernetes.io/name": "elasticsearch" if part == SEARCH else part}


def service(name: str, port: int, *, headless: bool) -> ServiceSpecArgs:
    """A door of pods; the headless one is how nodes find each other before they are ready."""
    return ServiceSpecArgs(
        type="ClusterIP",
        cluster_ip="None" if headless else None,
        publish_not_ready_addresses=headless,
        selector=labels(name),
        ports=[ServicePortArgs(name="transport" if headless else "https", port=port, target_port=port)],
    )


def budget(part: str) -> PodDisruptionBudgetSpecArgs:
    """One pod at a time may go."""
    return PodDisruptionBudgetSpecArgs(
        max_unavailable=1,
        selector=LabelSelectorArgs(match_labels=labels(part)),
        unhealthy_pod_eviction_policy="AlwaysAllow",
    )


def search(ground: Ground, wish: Wish, room: Pods) -> StatefulSetSpecArgs:
    """Nodes of Elasticsearch; their settings are copied where the program may write beside them."""
    image = lock.images()["elasticsearch"].reference
    config = VolumeMountArgs(name="config", mount_path=f"{HOME}/config")
    files = [
        VolumeMountArgs(name="settings", mount_path=f"{HOME}/config/{file}", sub_path=file, read_only=True)
        for file in ("elasticsearch.yml", "roles.yml", "users_roles")
    ]
    users = VolumeMountArgs(name="users", mount_path=f"{HOME}/config/users", sub_path="users", read_only=True)
    certificates = VolumeMountArgs(name="certificates", mount_path=f"{HOME}/config/certs", read_only=True)
    written = [VolumeMountArgs(name=each, mount_path=place) for each, place in
               (("data", f"{HOME}/data"), ("logs", f"{HOME}/logs"), ("scratch", "/tmp"))]  # noqa: S108  # fmt: skip
    copied = _container(
        "copy", image, Pods(name="copy", cpu_milli=10, memory_mib=64),
        command=["sh", "-c", f"cp -a {HOME}/config/. /config/"],
        mounts=[VolumeMountArgs(name="config", mount_path="/config")],
    )  # fmt: skip
    node = _container(
        "elasticsearch", image, room,
        env=[EnvVarArgs(name="ES_JAVA_OPTS", value=HEAP)],
        mounts=[config, *files, users, certificates, *written],
        ports={"https": 9200, "transport": 9300, "ready": READY},
        ready=READY, alive=9300,
    )  # fmt: skip
    claim = PersistentVolumeClaimArgs(
        metadata=ObjectMetaArgs(name="data"),
        spec=PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=ground.storage_class,
            resources=VolumeResourceRequirementsArgs(requests={"storage": wish.storage}),
        ),
    )
    volumes = [
        *(_scratch(each) for each in ("config", "logs", "scratch")),
        VolumeArgs(name="settings", config_map=ConfigMapVolumeSourceArgs(name="elasticsearch")),
        _secret("users", PASSWORDS, "users"),
        _secret("certificates", TLS),
    ]
    return StatefulSetSpecArgs(
        service_name=SEARCH,
        replicas=wish.nodes,
        pod_management_policy="Parallel",
        selector=LabelSelectorArgs(match_labels=labels("elasticsearch")),
        template=_template("elasticsearch", [node], volumes, first=[copied]),
        volume_claim_templates=[claim],
    )


def page(room: Pods) -> DeploymentSpecArgs:
    """Kibana: it asks Elasticsearch as a user of its own, and answers over TLS."""
    told = {
        "SERVER_NAME": "kibana",
        "SERVER_HOST": "0.0.0.0",  # noqa: S104 - the network policy says who reaches it
        "SERVER_SSL_ENABLED": "true",
        "SERVER_SSL_KEY": "/certificates/tls.key",
        "SERVER_SSL_CERTIFICATE": "/certificates/tls.crt",
        "ELASTICSEARCH_HOSTS": ADDRESS,
        "ELASTICSEARCH_USERNAME": "kibana",
        "ELASTICSEARCH_SSL_CERTIFICATEAUTHORITIES": "/certificates/ca.crt",
        "TELEMETRY_OPTIN": "false",
    }
    kept = {"ELASTICSEARCH_PASSWORD": "kibana", "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": "saved-objects"}
    env = [EnvVarArgs(name=name, value=value) for name, value in told.items()]
    env += [EnvVarArgs(name=name, value_from=_key(key)) for name, key in kept.items()]
    mounts = [
        VolumeMountArgs(name="certificates", mount_path="/certificates", read_only=True),
        VolumeMountArgs(name="data", mount_path="/usr/share/kibana/data"),
        VolumeMountArgs(name="scratch", mount_path="/tmp"),  # noqa: S108
    ]
    kibana = _container(
        "kibana", lock.images()["kibana"].reference, room, env=env, mounts=mounts, ports={"https": 5601},
        ready=5601, alive=5601,
    )  # fmt: skip
    volumes = [_secret("certificates", TLS), _scratch("data"), _scratch("scratch")]
    return DeploymentSpecArgs(
        replicas=room.replicas,
        selector=LabelSelectorArgs(match_labels=labels("kibana")),
        template=_template("kibana", [kibana], volumes),
    )


def retention(wish: Wish, room: Pods) -> CronJobSpecArgs:
    """Each hour the policy of logs is what the stack file says; the password is read from a file."""
    asked = [
        "curl", "--config", "/secret/curl", "--cacert", "/authority/ca.crt", "--fail", "--silent", "--show-error",
        "--max-time", "60", "--retry", "3", "--request", "PUT", "--header", "Content-Type: application/json",
        "--data", "@/policy/retention.json", f"{ADDRESS}/_ilm/policy/logs",
    ]  # fmt: skip
    mounts = [
        VolumeMountArgs(name="secret", mount_path="/secret", read_only=True),
        VolumeMountArgs(name="authority", mount_path="/authority", read_only=True),
        VolumeMountArgs(name="policy", mount_path="/policy", read_only=True),
    ]
    image = lock.images()["elasticsearch"].reference
    curl = _container("retention", image, room, command=asked, mounts=mounts)
    policy = ConfigMapVolumeSourceArgs(
        name="elasticsearch", items=[KeyToPathArgs(key="retention.json", path="retention.json")]
    )
    volumes = [
        _secret("secret", PASSWORDS, "curl"),
        _secret("authority", TLS, "ca.crt"),
        VolumeArgs(name="policy", config_map=policy),
    ]
    return CronJobSpecArgs(
        schedule="17 * * * *",
        concurrency_policy="Forbid",
        starting_deadline_seconds=600,
        successful_jobs_history_limit=1,
        failed_jobs_history_limit=3,
        job_template=JobTemplateSpecArgs(
            metadata=ObjectMetaArgs(annotations={"days": str(wish.retention_days)}),
            spec=JobSpecArgs(
                backoff_limit=2,
                active_deadline_seconds=600,
                ttl_seconds_after_finished=86400,
                template=_template("retention", [curl], volumes, restart="Never"),
            ),
        ),
    )


def _container(  # noqa: PLR0913 - what a container has
    name: str,
    image: str,
    room: Pods,
    *,
    command: Sequence[str] = (),
    env: Sequence[EnvVarArgs] = (),
    mounts: Sequence[VolumeMountArgs] = (),
    ports: dict[str, int] | None = None,
    ready: int = 0,
    alive: int = 0,
) -> ContainerArgs:
    asked = resources(room)
    return ContainerArgs(
        name=name,
        image=image,
        command=list(command) or None,
        env=list(env) or None,
        volume_mounts=list(mounts),
        ports=[ContainerPortArgs(name=each, container_port=port) for each, port in (ports or {}).items()] or None,
        resources=ResourceRequirementsArgs(requests=asked["requests"], limits=asked["limits"]),
        readiness_probe=_probe(ready, every=10, patience=3) if ready else None,
        liveness_probe=_probe(alive, every=20, patience=15) if alive else None,
        security_context=SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            capabilities=CapabilitiesArgs(drop=["ALL"]),
        ),
    )


def _probe(port: int, *, every: int, patience: int) -> ProbeArgs:
    return ProbeArgs(
        tcp_socket=TCPSocketActionArgs(port=port), period_seconds=every, failure_threshold=patience, timeout_seconds=5
    )


def _template(
    part: str,
    containers: list[ContainerArgs],
    volumes: list[VolumeArgs],
    *,
    first: list[ContainerArgs] | None = None,
    restart: str | None = None,
) -> PodTemplateSpecArgs:
    zones = TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key="topology.kubernetes.io/zone",
        when_unsatisfiable="ScheduleAnyway",
        label_selector=LabelSelectorArgs(match_labels=labels(part)),
    )
    return PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(labels=labels(part)),
        spec=PodSpecArgs(
            service_account_name=part,
            automount_service_account_token=False,
            priority_class_name="system-cluster-critical" if part == "elasticsearch" else None,
            restart_policy=restart,
            security_context=PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=USER,
                run_as_group=USER,
                fs_group=USER,
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
            ),
            topology_spread_constraints=None if restart else [zones],
            init_containers=first,
            containers=containers,
            volumes=volumes,
        ),
    )


def _key(key: str) -> EnvVarSourceArgs:
    return EnvVarSourceArgs(secret_key_ref=SecretKeySelectorArgs(name=PASSWORDS, key=key))


def _scratch(name: str) -> VolumeArgs:
    return VolumeArgs(name=name, empty_dir=EmptyDirVolumeSourceArgs(size_limit="1Gi"))


def _secret(name: str, secret: str, *keys: str) -> VolumeArgs:
    items = [KeyToPathArgs(key=key, path=key) for key in keys] or None
    return VolumeArgs(name=name, secret=SecretVolumeSourceArgs(secret_name=secret, items=items, default_mode=0o440))
