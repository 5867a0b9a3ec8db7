"""Reads measured use over time: answers of Prometheus range queries, or a CSV of totals per workload."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

COLUMNS: Final = ("time", "workload", "pods", "cpu_milli", "memory_mib")
KINDS: Final = ("cpu", "memory", "pods")
NAMED: Final[Mapping[str, str]] = {
    "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_irate": "cpu",
    "container_memory_working_set_bytes": "memory",
    "node_namespace_pod_container:container_memory_working_set_bytes": "memory",
    "kube_deployment_status_replicas": "pods",
    "kube_deployment_spec_replicas": "pods",
    "kube_statefulset_replicas": "pods",
}
"""What a query of that name measures, where the file does not say (kube-state-metrics, cAdvisor, kubernetes-mixin)."""
MOST: Final = 1e15
"""No workload uses more bytes, cores or pods."""
OWNERS: Final = (
    "workload",
    "deployment",
    "statefulset",
    "owner_name",
    "created_by_name",
    "app_kubernetes_io_name",
    "app",
)
_SAFE: Final = "[bcdfghjklmnpqrstvwxz2456789]"
HASHED: Final = re.compile(rf"(-{_SAFE}{{6,10}})?-{_SAFE}{{5}}$|-\d+$")
"""What a replica set and its pod, or a stateful set, put behind the workload's name; the letters are Kubernetes' own
(apimachinery/pkg/util/rand)."""
WANTED: Final = (
    'an object {"cpu": ANSWER, "memory": ANSWER, "pods": ANSWER} of answers to /api/v1/query_range: cores, bytes and '
    "pods, each series with a label `workload` (or deployment, statefulset, app, pod)"
)


@dataclass
class Use:
    """What a workload took: samples of one pod's milli-CPU and MiB, and of how many pods ran at once."""

    cpu_milli: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    pods: list[float] = field(default_factory=list)


def quantile(samples: list[float], level: float) -> float:
    """The `level` quantile with linear interpolation; ValueError without samples."""
    if not samples:
        raise ValueError("no samples")
    ranked = sorted(samples)
    place = (len(ranked) - 1) * level
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def is_series(made: Any) -> bool:
    """Whether a JSON document is an answer of Prometheus, or several by name."""
    return isinstance(made, dict) and ("data" in made or "status" in made or bool(set(KINDS) & set(made)))


def of_prometheus(made: Mapping[str, Any]) -> dict[str, Use]:
    """Use by workload; ValueError says what is wrong and what is wanted."""
    answers = {key: made[key] for key in KINDS if key in made} or {"": made}
    unknown = sorted(set(made) - set(KINDS)) if "" not in answers else []
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not a measure: {WANTED}")
    totals: dict[str, dict[str, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
    single: dict[str, dict[str, dict[str, dict[float, float]]]] = defaultdict(lambda: defaultdict(dict))
    for key, answer in answers.items():
        for number, labels, points in _matrix(key, answer):
            kind = key or _kind(labels)
            workload, pod = _owner(labels, f"{key or 'result'}[{number}]")
            held = totals[workload][kind] if pod is None else single[workload][kind].setdefault(pod, {})
            for time, value in points:  # containers of a pod, or parts of a workload, add up
                held[time] = held.get(time, 0.0) + value
    return {name: _use(name, totals.get(name, {}), single.get(name, {})) for name in sorted({*totals, *single})}


def _matrix(key: str, answer: Any) -> Iterator[tuple[int, Mapping[str, str], list[tuple[float, float]]]]:
    where = f"`{key}`" if key else "the answer"
    if not isinstance(answer, dict) or answer.get("status", "success") != "success":
        said = answer.get("error", "") if isinstance(answer, dict) else ""
        raise ValueError(f"{where} is no success of Prometheus{f' ({said})' if said else ''}: ask again")
    data = answer.get("data") or {}
    if data.get("resultType") != "matrix":
        raise ValueError(f"{where} is a {data.get('resultType')!r}, not a matrix: use /api/v1/query_range with a step")
    if not data.get("result"):
        raise ValueError(f"{where} holds no series: widen the query")
    for number, one in enumerate(data["result"]):
        points = [(float(time), float(value)) for time, value in one["values"]]
        fine = [(time, value) for time, value in points if math.isfinite(value)]
        if any(value > MOST for _, value in fine):
            raise ValueError(f"{where}, series {number}: a value above {MOST:g}; CPU is in cores, memory in bytes")
        if any(value < 0 for _, value in fine):
            raise ValueError(f"{where}, series {number}: a negative value; use and pods are not negative")
        name = one["metric"].get("__name__", "")
        if name.endswith("_total"):
            raise ValueError(f"{where}, series {number}: {name} is a counter: ask for rate({name}[5m])")
        yield number, one["metric"], fine


def _kind(labels: Mapping[str, str]) -> str:
    name = labels.get("__name__", "")
    if name not in NAMED:
        raise ValueError(f"what {name or 'a series without a name'} measures is not known: give {WANTED}")
    return NAMED[name]


def _owner(labels: Mapping[str, str], where: str) -> tuple[str, str | None]:
    """The workload, and the pod where the series is one pod's."""
    pod = labels.get("pod")
    named = next((labels[key] for key in OWNERS if labels.get(key)), None)
    if named is None and pod is None:
        raise ValueError(f"{where} has none of the labels {', '.join(OWNERS)}, pod: group by one of them")
    return (named or HASHED.sub("", pod or "")).lower(), pod


def _use(name: str, totals: Mapping[str, dict[float, float]], single: Mapping[str, Any]) -> Use:
    made = Use(pods=list(totals.get("pods", {}).values()))
    running: dict[float, set[str]] = defaultdict(set)
    for kind, scale, into in (("cpu", 1000.0, made.cpu_milli), ("memory", 1 / 2**20, made.memory_mib)):
        for pod, points in single.get(kind, {}).items():
            into += [value * scale for value in points.values()]
            for time in points:
                running[time].add(pod)
        for time, value in totals.get(kind, {}).items():
            pods = totals.get("pods", {}).get(time)
            if pods is None:
                raise ValueError(f"workload {name}: its {kind} is a total, so `pods` must say how many at that time")
            if pods > 0:
                into.append(value * scale / pods)
    made.pods = made.pods or [float(len(pods)) for pods in running.values()]
    missing = [kind for kind, got in (("cpu", made.cpu_milli), ("memory", made.memory_mib)) if not got]
    if missing:
        raise ValueError(f"workload {name}: no {' and no '.join(missing)} in the file: give {WANTED}")
    return made


def of_table(lines: list[tuple[int, str]]) -> dict[str, Use]:
    """Use by workload from `time,workload,pods,cpu_milli,memory_mib`, totals of all its pods at that time."""
    made: dict[str, Use] = defaultdict(Use)
    wrong: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in lines[1:]:
        try:
            time, name, pods, cpu, memory = _sample(cells(line))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
            continue
        if (time, name) in seen:
            wrong.append(f"line {number}: {name} at {time} stands on line {seen[time, name]} already")
        seen[time, name] = number
        use = made[name]
        use.pods.append(pods)
        if pods > 0:
            use.cpu_milli.append(cpu / pods)
            use.memory_mib.append(memory / pods)
    if wrong:
        raise ValueError("\n".join(wrong))
    idle = [name for name, use in made.items() if not use.cpu_milli]
    if idle or not made:
        raise ValueError(f"no pod of {', '.join(idle) or 'any workload'} ever ran: leave such workloads out")
    return dict(made)


def cells(line: str) -> list[str]:
    """Cells of one line of CSV; ValueError for a quote that does not end on it."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as wrong:
        raise ValueError(f"is no line of CSV ({wrong}): every quote ends on its own line") from None


def _sample(row: list[str]) -> tuple[str, str, float, float, float]:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} cells, but the table has {len(COLUMNS)} columns")
    time, name, *numbers = (cell.strip() for cell in row)
    if not re.fullmatch(r"\d+(\.\d+)?", time):
        try:
            datetime.fromisoformat(time)
        except ValueError:
            raise ValueError(f"time {time!r} is neither seconds nor ISO 8601") from None
    values = []
    for column, text in zip(COLUMNS[2:], numbers, strict=True):
        if not re.fullmatch(r"\d{1,12}(\.\d+)?", text):
            raise ValueError(f"{column} must be a number that is not negative")
        values.append(float(text))
    return time, name, values[0], values[1], values[2]


def parse(text: str) -> Mapping[str, Any] | None:
    """A JSON text that is a series, else None; ValueError when it is no JSON at all."""
    made = json.loads(text)
    return made if is_series(made) else None
