"""When an object is live."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes.ready import reason_not_ready
from sandbox.kubernetes.waiting import seconds_for


def found(api: str, kind: str, spec: Any = None, status: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"generation": 2},
        "spec": spec or {},
        "status": status or {},
        **more,
    }


SEEN = {"observedGeneration": 2}
TRUE = [{"type": "Ready", "status": "True"}, {"type": "Complete", "status": "True"}]


@pytest.mark.parametrize(
    ("waiting", "live"),
    [
        (
            found("v1", "ResourceQuota", {"hard": {"pods": "5"}}),
            found("v1", "ResourceQuota", {"hard": {}}, {"hard": {}}),
        ),
        (
            found("apps/v1", "Deployment", {"replicas": 2}, {**SEEN, "updatedReplicas": 2, "availableReplicas": 1}),
            found("apps/v1", "Deployment", {"replicas": 2}, {**SEEN, "updatedReplicas": 2, "availableReplicas": 2}),
        ),
        (
            found("apps/v1", "Deployment", {"replicas": 0}, {"observedGeneration": 1}),
            found("apps/v1", "Deployment", {"replicas": 0}, SEEN),
        ),
        (
            found("apps/v1", "StatefulSet", {"replicas": 1}, SEEN),
            found("apps/v1", "StatefulSet", {"replicas": 1}, {**SEEN, "readyReplicas": 1}),
        ),
        (found("apps/v1", "DaemonSet", {}, {}), found("apps/v1", "DaemonSet", {}, SEEN)),
        (found("batch/v1", "Job"), found("batch/v1", "Job", {}, {"conditions": TRUE})),
        (found("v1", "Pod", {}, {"phase": "Pending"}), found("v1", "Pod", {}, {"conditions": TRUE})),
        (
            found("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}),
            found("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}),
        ),
        (found("v1", "Service", {"type": "LoadBalancer"}), found("v1", "Service", {"type": "ClusterIP"})),
        (
            found("networking.k8s.io/v1", "Ingress"),
            found("networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        ),
        (found("v1", "Secret", type="kubernetes.io/service-account-token"), found("v1", "Secret", type="Opaque")),
    ],
)
def test_kinds_that_are_waited_for(waiting: dict[str, Any], live: dict[str, Any]) -> None:
    assert reason_not_ready(waiting)
    assert reason_not_ready(live) is None


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("v1", "Namespace"), ("v1", "ConfigMap"), ("networking.k8s.io/v1", "NetworkPolicy"),
        ("storage.k8s.io/v1", "StorageClass"),
        ("rbac.authorization.k8s.io/v1", "Role"), ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("serving.example.dev/v1", "Service"), ("batch.example.dev/v1", "Job"),
    ],
)  # fmt: skip
def test_kinds_that_are_live_at_once(api: str, kind: str) -> None:
    assert reason_not_ready(found(api, kind, {"type": "LoadBalancer"})) is None


def test_a_program_may_say_what_to_wait_for() -> None:
    def asking(wish: str, status: Any) -> dict[str, Any]:
        body = found("example.org/v1", "Thing", {}, status)
        return {**body, "metadata": {"annotations": {"pulumi.com/waitFor": wish}}}

    assert reason_not_ready(asking("condition=Ready", {}))
    assert reason_not_ready(asking("condition=Ready", {"conditions": TRUE})) is None
    assert reason_not_ready(asking("jsonpath={.status.phase}=Running", {"phase": "Pending"}))
    assert reason_not_ready(asking("jsonpath={.status.phase}=Running", {"phase": "Running"})) is None
    assert reason_not_ready(asking('["condition=Ready", "jsonpath={.status.items[0].up}=true"]', {"conditions": TRUE}))
    both = {"conditions": TRUE, "items": [{"up": True}]}
    assert reason_not_ready(asking('["condition=Ready", "jsonpath={.status.items[0].up}=true"]', both)) is None
    with pytest.raises(ValueError, match="neither jsonpath"):
        reason_not_ready(asking("soon", {}))


def test_who_decides_how_long() -> None:
    assert seconds_for("Deployment", {}, 0) == 600
    assert seconds_for("ResourceQuota", {}, 0) == 60
    assert seconds_for("Deployment", {}, 5) == 5
    assert seconds_for("Deployment", {"pulumi.com/timeoutSeconds": "7"}, 5) == 7
