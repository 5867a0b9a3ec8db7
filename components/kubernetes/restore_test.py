"""The proof of backups: what is written before each of them is restored afterwards, elsewhere, and compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.kubernetes.crds.velero import Restore, RestoreSpec
from components.kubernetes.restricted import LOCKED, owner
from components.kubernetes.service import Service, resources
from components.kubernetes.shapes import plain
from stacks.services import lock
from stacks.services.backup import CANARY, RESTORED
from stacks.services.backup import Backup as Wish

DAILY: Final = "daily"
NAME: Final = "restore-test"
READER: Final = "reader"
THING: Final = "canary"
KUBECTL: Final = "kubectl"
SHELL: Final = "busybox"
"""Images of charts.lock."""
HOURS_AFTER: Final = 3
TOKEN: Final = "restored-as-it-was"  # noqa: S105 - what the canary's settings say
NOBODY: Final = 65532
WRITE: Final = (
    "set -eu; cd /data; head -c 1048576 /dev/urandom > payload; sha256sum payload > payload.sha256; "
    "date +%s > written; sync"
)
READ: Final = (
    "set -eu; cd /data; sha256sum -c payload.sha256; test $(($(date +%s) - $(cat written))) -lt 172800"  # two days
)
CONFINED: Final = owner(NOBODY)
LEFT_OUT: Final = (
    "cronjobs.batch",
    "jobs.batch",
    "limitranges",
    "networkpolicies.networking.k8s.io",
    "pods",
    "resourcequotas",
    "serviceaccounts",
)
"""What is not restored: it would run and write again, or stands in the other namespace already."""
CURRENT: Final = ("delete", "get", "list", "watch")


class RestoreTest:
    """A canary that writes before each backup, and a job that restores it into another namespace and compares."""

    def __init__(self, owner: Service, wish: Wish, after: Sequence[pulumi.Resource]) -> None:
        self._owner, self._wish = owner, wish
        room = owner.ground.room(owner.SERVICE)
        self._canary, self._steps = resources(room[THING]), resources(room[NAME])
        closed = [owner.namespace(name=each, room=[room[THING]]) for each in (CANARY, RESTORED)]
        self._opts = owner.options(*after, *closed)
        self._write()
        self._restore(self._account())
        owner.last = [*after, *closed]

    def _write(self) -> None:
        """The canary: a setting, a volume, and what is written there half an hour before each backup."""
        self._settings(THING, CANARY, {"proof": TOKEN})
        account = self._service_account(THING, CANARY, token=False)
        claim = PersistentVolumeClaim(
            f"{self._owner.named}-{THING}",
            metadata=ObjectMetaArgs(
                name=THING,
                namespace=CANARY,
                annotations={"pulumi.com/skipAwait": "true"},  # bound by its first pod
            ),
            spec={
                "access_modes": ["ReadWriteOnce"],
                "storage_class_name": self._owner.ground.storage_class,
                "resources": {"requests": {"storage": "1Gi"}},
            },
            opts=self._opts,
        )
        half = f"30 {(self._wish.hour - 1) % 24} * * *"
        job = {"backoffLimit": 2, "activeDeadlineSeconds": 900, "template": {"spec": self._pod(WRITE, THING)}}
        self._cron(THING, CANARY, half, job, [account, claim])

    def _restore(self, needed: Sequence[pulumi.Resource]) -> None:
        """The test: empty, restore, read, compare, empty; a step that fails leaves what it found for whoever looks."""
        reader = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": READER, "namespace": RESTORED},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": 7200,
                "template": {"spec": self._pod(READ, "default")},
            },
        }
        texts = {"restore.json": order(), "reader.json": reader}
        orders = self._settings(
            NAME, self._owner.facts.namespace, {name: json.dumps(text, sort_keys=True) for name, text in texts.items()}
        )
        hour = (self._wish.hour + HOURS_AFTER) % 24
        steps = [self._step(name, arguments) for name, arguments in STEPS]
        pod = {
            "serviceAccountName": NAME,
            "automountServiceAccountToken": True,
            "restartPolicy": "Never",
            "securityContext": CONFINED,
            "initContainers": steps[:-1],
            "containers": steps[-1:],
            "volumes": [
                {"name": "orders", "configMap": {"name": NAME}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        }
        job = {"backoffLimit": 0, "activeDeadlineSeconds": 10800, "template": {"spec": pod}}
        self._cron(NAME, self._owner.facts.namespace, f"0 {hour} * * *", job, [orders, *needed])

    def _step(self, name: str, arguments: Sequence[str]) -> dict[str, Any]:
        return {
            "name": name,
            "image": lock.images()[KUBECTL].reference,
            "command": ["/bin/kubectl", *arguments],
            "env": [{"name": "HOME", "value": "/scratch"}],
            "resources": self._steps,
            "securityContext": LOCKED,
            "volumeMounts": [
                {"name": "orders", "mountPath": "/orders", "readOnly": True},
                {"name": "scratch", "mountPath": "/scratch"},
            ],
        }

    def _pod(self, script: str, account: str) -> dict[str, Any]:
        """A pod with the canary's volume and nothing else."""
        container = {
            "name": THING,
            "image": lock.images()[SHELL].reference,
            "command": ["/bin/sh", "-c", script],
            "resources": self._canary,
            "securityContext": LOCKED,
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        return {
            "serviceAccountName": account,
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "securityContext": CONFINED,
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": THING}}],
        }

    def _account(self) -> list[pulumi.Resource]:
        """Who tests: restores of Velero in its namespace, and the leavings in the other one; nothing else."""
        here = self._owner.facts.namespace
        rules = {
            here: [PolicyRuleArgs(api_groups=["velero.io"], resources=["restores"], verbs=["create", *CURRENT])],
            RESTORED: [
                PolicyRuleArgs(
                    api_groups=[""], resources=["configmaps", "persistentvolumeclaims", "pods"], verbs=list(CURRENT)
                ),
                PolicyRuleArgs(api_groups=["batch"], resources=["jobs"], verbs=["create", *CURRENT]),
            ],
        }
        made: list[pulumi.Resource] = [self._service_account(NAME, here, token=True)]
        for namespace, held in rules.items():
            name = f"{self._owner.named}-{NAME}-{namespace}"
            named = ObjectMetaArgs(name=NAME, namespace=namespace)
            role = Role(name, metadata=named, rules=held, opts=self._opts)
            binding = RoleBinding(
                name,
                metadata=named,
                role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=NAME),
                subjects=[SubjectArgs(kind="ServiceAccount", name=NAME, namespace=here)],
                opts=pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=[role])),
            )
            made += [role, binding]
        return made

    def _service_account(self, name: str, namespace: str, *, token: bool) -> ServiceAccount:
        return ServiceAccount(
            f"{self._owner.named}-serviceaccount-{name}",
            metadata=ObjectMetaArgs(name=name, namespace=namespace),
            automount_service_account_token=token,
            opts=self._opts,
        )

    def _settings(self, name: str, namespace: str, data: dict[str, str]) -> ConfigMap:
        return ConfigMap(
            f"{self._owner.named}-settings-{name}",
            metadata=ObjectMetaArgs(name=name, namespace=namespace),
            data=data,
            opts=self._opts,
        )

    def _cron(
        self, name: str, namespace: str, when: str, job: dict[str, Any], needed: Sequence[pulumi.Resource]
    ) -> None:
        made = CronJob(
            f"{self._owner.named}-cronjob-{name}",
            metadata=ObjectMetaArgs(name=name, namespace=namespace),
            spec={
                "schedule": when,
                "time_zone": "Etc/UTC",
                "concurrency_policy": "Forbid",
                "starting_deadline_seconds": 1800,
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 1,
                "job_template": {"spec": job},
            },
            opts=pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=list(needed))),
        )
        self._owner.made.append(made)


def order() -> dict[str, Any]:
    """The restore of the canary's namespace from the newest backup that is complete, into the other namespace."""
    what = Restore(
        spec=RestoreSpec(
            schedule_name=DAILY,
            included_namespaces=[CANARY],
            namespace_mapping={CANARY: RESTORED},
            excluded_resources=list(LEFT_OUT),
            include_cluster_resources=False,
            restore_p_vs=True,
            item_operation_timeout="1h",
        )
    )
    whole = {"apiVersion": what.API_VERSION, "kind": what.KIND, "metadata": {"name": NAME, "namespace": "velero"}}
    return {**whole, **plain(what)}


_MINE: Final = ("--namespace=velero", f"restores.velero.io/{NAME}")
_THEIRS: Final = (f"--namespace={RESTORED}", "--ignore-not-found", "--timeout=10m")
_FORGET: Final = ("delete", *_MINE, "--ignore-not-found", "--timeout=10m")
_DISMISS: Final = ("delete", *_THEIRS, f"job/{READER}")
_EMPTY: Final = (
    "delete",
    *_THEIRS,
    "pods,persistentvolumeclaims,configmaps",
    f"--selector=velero.io/restore-name={NAME}",
)
STEPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("forget", _FORGET),
    ("dismiss", _DISMISS),
    ("empty", _EMPTY),
    ("restore", ("create", "--filename=/orders/restore.json")),
    ("read", ("create", "--filename=/orders/reader.json")),
    ("restored", ("wait", *_MINE, "--for=jsonpath={.status.phase}=Completed", "--timeout=90m")),
    (
        "settings",
        (
            "wait",
            f"--namespace={RESTORED}",
            f"configmap/{THING}",
            f"--for=jsonpath={{.data.proof}}={TOKEN}",
            "--timeout=1m",
        ),
    ),
    ("volume", ("wait", f"--namespace={RESTORED}", f"job/{READER}", "--for=condition=Complete", "--timeout=30m")),
    ("dismissed", _DISMISS),
    ("emptied", _EMPTY),
    ("forgotten", _FORGET),
)
"""One call of kubectl each, in this order; the first that fails ends the test."""
