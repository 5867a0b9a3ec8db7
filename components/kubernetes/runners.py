"""Runners of GitHub Actions: one controller, sets of runners, and a pod for one job only."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.grants import Grant, Holder, ReadPrices, ReadSecrets
from components.kubernetes.delivery_flows import RUNNER, RUNNERS_CONTROLLER, RUNNERS_LISTENER
from components.kubernetes.restricted import LOCKED, NON_ROOT
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services import lock
from stacks.services.runners import Runners as Wish
from stacks.services.runners import RunnerSet

APP: Final = "runners-app"
KEYS: Final = {
    "github_app_id": "runners-app-id",
    "github_app_installation_id": "runners-app-installation-id",
    "github_app_private_key": "runners-app-private-key",
}
"""Key of the secret, as the chart reads it, and name in the store."""
CONTROLLER: Final = "runners-controller"
LISTENER: Final = "ghcr.io/actions/gha-runner-scale-set-controller"
DISK: Final = "20Gi"
HOME: Final = "/home/runner"
IMAGE: Final = "ghcr.io/actions/actions-runner"
METRICS: Final = ":8080"
RIGHTS: Final[dict[str, Grant]] = {"read-prices": ReadPrices(), "read-secrets": ReadSecrets()}
CLOSED: Final = {**LOCKED, **NON_ROOT}


class Runners(Service):
    """The controller and this cluster's sets; a runner takes one job, with an identity of its own, and is gone."""

    SERVICE: ClassVar[str] = "runners"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.runners
        assert wish is not None  # noqa: S101 - only made when it is on
        namespace = self.facts.namespace
        self.namespace()
        self.last = [*self.last, self.custom(APP, external(ground, APP, KEYS), namespace=namespace)]
        self.release("gha-runner-scale-set-controller", controller(ground), name=CONTROLLER)
        installed = list(self.last)
        for key, each in wish.sets.items():
            if ground.cluster.name not in each.clusters:
                continue
            self.last = list(installed)  # sets do not wait for one another
            values = runner_set(ground, wish, key, self._account(key, each))
            self.made.append(self.release("gha-runner-scale-set", values, name=registered(ground, key, each)))
        self.done()

    def _account(self, key: str, wish: RunnerSet) -> dict[str, str]:
        """Make the account of a set's runners, with the cloud's identity where it has rights; labels of its pods."""
        namespace, name = self.facts.namespace, f"runner-{key}"
        annotations: dict[str, pulumi.Input[str]] = {}
        labels: dict[str, str] = {}
        if wish.rights:
            held = self.ground.cluster.identity_for(Holder(namespace, name), [RIGHTS[each] for each in wish.rights])
            annotations, labels = dict(held.annotations), dict(held.labels)
            self.last = [*self.last, *held.ready]
        made = ServiceAccount(
            f"{self.named}-serviceaccount-{name}",
            metadata=ObjectMetaArgs(name=name, namespace=namespace, annotations=annotations or None),
            automount_service_account_token=False,
            opts=self.options(),
        )
        self.last = [*self.last, made]
        return labels


def registered(ground: Ground, key: str, wish: RunnerSet) -> str:
    """Name of a set at GitHub: its own in the first of its clusters, with the cluster's in the others."""
    return key if ground.cluster.name == wish.clusters[0] else f"{key}-{ground.cluster.name}"


def controller(ground: Ground) -> dict[str, Any]:
    """Values of the controller, which looks at its own namespace only."""
    room = ground.room("runners")["controller"]
    return {
        "replicaCount": room.replicas,
        "resources": resources(room),
        "serviceAccount": {"create": True, "name": CONTROLLER},
        "podLabels": dict(RUNNERS_CONTROLLER.labels),
        "podSecurityContext": NON_ROOT,
        "securityContext": CLOSED,
        "priorityClassName": "system-cluster-critical",
        "topologySpreadConstraints": spread(RUNNERS_CONTROLLER.labels),
        "metrics": {"controllerManagerAddr": METRICS, "listenerAddr": METRICS, "listenerEndpoint": "/metrics"},
        "flags": {
            "logLevel": "info",
            "logFormat": "json",
            "watchSingleNamespace": "runners",
            "updateStrategy": "eventual",
        },
    }


def runner_set(ground: Ground, wish: Wish, key: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Values of one set; nothing of a job outlives its pod, and a job has no token of the cluster.

    The runner writes beside its own programs, so it works on a copy of its home and its image stays as it is. The
    controller gives a listener an account of its own whatever its template says (actions-runner-controller,
    controllers/actions.github.com/resourcebuilder.go, 2026-11).
    """
    room, each = ground.room("runners"), wish.sets[key]
    version = lock.find("gha-runner-scale-set-controller", wish.version).app
    listener = {
        "name": "listener",
        "image": f"{LISTENER}:{version}",
        "resources": resources(room[f"listener-{key}"]),
        "securityContext": CLOSED,
    }
    runner = {
        "name": "runner",
        "image": f"{IMAGE}:{wish.runner_version}",
        "command": ["/home/runner/run.sh"],
        "resources": {
            **resources(room[f"runner-{key}"]),
            "limits": {"memory": f"{room[f'runner-{key}'].memory_mib * 2}Mi", "ephemeral-storage": DISK},
        },
        "securityContext": CLOSED,
        "volumeMounts": [{"name": "home", "mountPath": HOME}, {"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108
    }
    copied = {
        **{part: runner[part] for part in ("image", "resources", "securityContext")},
        "name": "home",
        "command": ["cp", "-a", f"{HOME}/.", "/copied/"],
        "volumeMounts": [{"name": "home", "mountPath": "/copied"}],
    }
    return {
        "githubConfigUrl": each.url,
        "githubConfigSecret": APP,
        "runnerScaleSetName": registered(ground, key, each),
        "runnerGroup": each.group,
        "minRunners": each.min,
        "maxRunners": each.max,
        "controllerServiceAccount": {"namespace": "runners", "name": CONTROLLER},
        "listenerTemplate": {
            "metadata": {"labels": dict(RUNNERS_LISTENER.labels)},
            "spec": {
                "containers": [listener],
                "serviceAccountName": "runners-listener",
                "automountServiceAccountToken": False,
                "securityContext": NON_ROOT,
            },
        },
        "template": {
            "metadata": {"labels": {**RUNNER.labels, **(labels or {})}},
            "spec": {
                "serviceAccountName": f"runner-{key}",
                "automountServiceAccountToken": False,
                "restartPolicy": "Never",
                "securityContext": {"runAsUser": 1001, "runAsGroup": 1001, "fsGroup": 1001, "runAsNonRoot": True},
                "initContainers": [copied],
                "containers": [runner],
                "volumes": [
                    {"name": "home", "emptyDir": {"sizeLimit": DISK}},
                    {"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}},
                ],
            },
        },
    }
