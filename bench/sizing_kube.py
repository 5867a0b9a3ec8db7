"""The plan before the real kube-scheduler: its nodes as node objects, its demand as pods; how many stay pending."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolchain.cluster import ControlPlane

POOL = "pool.example.org/name"
PATIENCE = 240  # seconds for the scheduler; what is unscheduled then counts as pending


def nodes(problem: dict[str, Any], plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of the plan, spares included, with the room its type leaves for pods."""
    types = {t["name"]: t for t in problem["types"]}
    made = []
    for row in plan["pools"]:
        room = types[row["instance_type"]]["allocatable"]
        offered = {"cpu": f"{room['cpu_milli']}m", "memory": f"{room['memory_mib']}Mi", "pods": str(room["pods"])}
        for number, node in enumerate(plan["assignment"].get(f"{row['pool']}-{row['slot']}", [])):
            name = f"{row['pool']}-{row['slot']}-{number}"
            labels = {
                POOL: row["pool"],
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": f"z{node['zone']}",
            }
            taints = [{"key": "spot", "value": "true", "effect": "NoSchedule"}] if row["spot"] else []
            made.append(
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "labels": labels},
                    "spec": {"taints": taints},
                    "status": {
                        "capacity": offered,
                        "allocatable": offered,
                        "conditions": [{"type": "Ready", "status": "True", "reason": "Sized"}],
                    },
                }
            )
    return made


def pods(problem: dict[str, Any], plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The demand, largest pods first; a pod is bound to the pool that the plan gave its block, never to a node."""
    jobs = {w["name"]: w for w in problem["workloads"]}
    share: dict[tuple[str, str, str], int] = {}
    for key, held in plan["assignment"].items():
        for node in held:
            for name, blocks in node["pods"].items():
                for block, count in blocks.items():
                    at = (name, block, key.rsplit("-", 1)[0])
                    share[at] = share.get(at, 0) + count

    def size(at: tuple[str, str, str]) -> tuple[Any, ...]:
        job = jobs[at[0]]
        cpu, memory = job["cpu_milli"], job["memory_mib"]
        return (-job["gpu"], -max(cpu, memory / 4), -cpu, -memory, at)

    for name, block, pool in sorted(share, key=size):
        for number in range(share[name, block, pool]):
            yield _pod(jobs[name], block, pool, number)


def _pod(job: dict[str, Any], block: str, pool: str, number: int) -> dict[str, Any]:
    labels = {"app": job["name"], "part": f"{job['name']}-{block}-{pool}"}
    spec: dict[str, Any] = {
        "containers": [
            {
                "name": "main",
                "image": "example.org/none",
                "resources": {"requests": {"cpu": f"{job['cpu_milli']}m", "memory": f"{job['memory_mib']}Mi"}},
            }
        ],
        "nodeSelector": {POOL: pool},
        "tolerations": [{"operator": "Exists"}],
    }
    if job["spread"] == "zone":
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"part": labels["part"]}},
            }
        ]
    if job["spread"] == "host":
        spec["affinity"] = {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"app": job["name"]}},
                    }
                ]
            }
        }
    meta = {
        "name": f"{job['name']}-{block}-{pool}-{number}".replace("_", "-"),
        "namespace": "default",
        "labels": labels,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def pending(plane: ControlPlane, problem: dict[str, Any], plan: dict[str, Any]) -> tuple[int, int]:
    """(pods left pending, pods in all) on a plane of its own."""
    _create(plane, nodes(problem, plan))
    asked = list(pods(problem, plan))
    _create(plane, asked)
    end = time.monotonic() + PATIENCE
    while True:
        text = plane.kubectl("get", "pods", '--output=jsonpath={range .items[*]}{.spec.nodeName}{"\\n"}{end}')
        waiting = len(asked) - sum(1 for line in text.splitlines() if line.strip())
        if not waiting or time.monotonic() > end or (waiting and _settled(plane, waiting)):
            return waiting, len(asked)
        time.sleep(2)


def _settled(plane: ControlPlane, waiting: int) -> bool:
    """Whether the scheduler has tried every pod that waits, and said no."""
    path = '{range .items[*]}{.status.conditions[?(@.reason=="Unschedulable")].type}{"\\n"}{end}'
    text = plane.kubectl("get", "pods", "--field-selector=spec.nodeName=", f"--output=jsonpath={path}")
    return sum(1 for line in text.splitlines() if line.strip()) >= waiting


def _create(plane: ControlPlane, objects: list[dict[str, Any]]) -> None:
    for start in range(0, len(objects), 200):
        made = {"apiVersion": "v1", "kind": "List", "items": objects[start : start + 200]}
        plane.kubectl("create", "-f", "-", stdin=json.dumps(made))
