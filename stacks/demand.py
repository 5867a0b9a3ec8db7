"""Reads a file of measured demand: our CSV, the JSON of `kubectl get pods -A -o json`, or a series of use."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from stacks import series
from stacks.quantities import cpu_milli, memory_mib

COLUMNS: Final = ("workload", "pool", "cpu_milli", "memory_mib", "gpu", "replicas", "spread", "spot")
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
SPREADS: Final = ("none", "zone", "host")
SPOTS: Final = ("never", "tolerant", "only")
GPU: Final = "nvidia.com/gpu"
CPU_LEVEL: Final = 0.95
"""Of a series: what a pod's CPU stays under 95 % of the time; the rest is throttled or bursts."""
MEMORY_LEVEL: Final = 0.99
PODS_LEVEL: Final = 0.99


class DemandFileError(ValueError):
    """The demand file is wrong; `problems` names every line and what to do."""

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path.name}: {problem}" for problem in self.problems))


@dataclass(frozen=True, kw_only=True)
class DemandRow:
    """One measured workload; None and () mean that the file does not say."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpu: int
    replicas: int
    spread: Literal["none", "zone", "host"] | None
    spot: Literal["never", "tolerant", "only"] | None
    pools: tuple[str, ...]
    namespace: str | None = None


def read_demand(path: Path) -> tuple[DemandRow, ...]:
    """Rows in the order of the file. Raises DemandFileError with every problem of the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DemandFileError(path, [f"cannot be read ({error.strerror}): check `demand.file`"]) from error
    except UnicodeDecodeError as error:
        raise DemandFileError(path, ["is not UTF-8 text: save it as UTF-8"]) from error
    if text.lstrip()[:1] in {"{", "["} or path.suffix == ".json":
        return _pods(path, text)
    return _table(path, text)


def read_use(path: Path) -> dict[str, series.Use]:
    """Measured use by workload, from a series; DemandFileError when the file is no series."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip()[:1] == "{":
            made = series.parse(text)
            if made is not None:
                return series.of_prometheus(made)
        lines = _lines(text)
        if lines and tuple(lines[0][1].split(",")) == series.COLUMNS:
            return series.of_table(lines)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DemandFileError(path, _told(error)) from error
    raise DemandFileError(path, [f"is no series: it must be CSV `{','.join(series.COLUMNS)}`, or {series.WANTED}"])


def _told(error: Exception) -> list[str]:
    if isinstance(error, OSError):
        return [f"cannot be read ({error.strerror})"]
    if type(error) is ValueError:
        return str(error).split("\n")
    return [f"is not what Prometheus answers ({type(error).__name__}: {error}): it must be {series.WANTED}"]


def _of_use(path: Path, use: Mapping[str, series.Use]) -> tuple[DemandRow, ...]:
    wrong = [f"{name!r} is no Kubernetes name (lower case, digits, dashes)" for name in use if not NAME.fullmatch(name)]
    if wrong:
        raise DemandFileError(path, wrong)
    return tuple(
        DemandRow(
            name=name,
            cpu_milli=max(1, math.ceil(series.quantile(one.cpu_milli, CPU_LEVEL))),
            memory_mib=max(1, math.ceil(series.quantile(one.memory_mib, MEMORY_LEVEL))),
            gpu=0,
            replicas=max(1, math.ceil(series.quantile(one.pods, PODS_LEVEL))),
            spread=None,
            spot=None,
            pools=(),
        )
        for name, one in sorted(use.items())
    )


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]


def _table(path: Path, text: str) -> tuple[DemandRow, ...]:
    lines = _lines(text)
    if lines and tuple(lines[0][1].split(",")) == series.COLUMNS:
        return _of_use(path, read_use(path))
    if not lines or tuple(lines[0][1].split(",")) != COLUMNS:
        wanted = f"`{','.join(COLUMNS)}`, or of a series `{','.join(series.COLUMNS)}`"
        raise DemandFileError(path, [f"its first line that is no comment must be {wanted}"])
    rows: list[DemandRow] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for number, line in lines[1:]:
        try:
            row = _row(series.cells(line))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if row.name in seen:
            problems.append(f"line {number}: {row.name} stands on line {seen[row.name]} already: add the replicas up")
        seen[row.name] = number
        rows.append(row)
    if problems:
        raise DemandFileError(path, problems)
    return tuple(rows)


def _row(cells: list[str]) -> DemandRow:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} cells, but the table has {len(COLUMNS)} columns")
    cell = dict(zip(COLUMNS, (text.strip() for text in cells), strict=True))
    if not NAME.fullmatch(cell["workload"]):
        raise ValueError("workload must be a Kubernetes name (lower case, digits, dashes, at most 63)")
    pools = tuple(name for name in cell["pool"].split("|") if name)
    spread: Any = cell["spread"] or None
    spot: Any = cell["spot"] or None
    if spread not in (None, *SPREADS):
        raise ValueError(f"spread must be one of {', '.join(SPREADS)}")
    if spot not in (None, *SPOTS):
        raise ValueError(f"spot must be one of {', '.join(SPOTS)}")
    return DemandRow(
        name=cell["workload"],
        cpu_milli=_count(cell, "cpu_milli", 1),
        memory_mib=_count(cell, "memory_mib", 1),
        gpu=_count(cell, "gpu", 0),
        replicas=_count(cell, "replicas", 1),
        spread=spread,
        spot=spot,
        pools=pools,
    )


def _count(cell: Mapping[str, str], column: str, least: int) -> int:
    if not re.fullmatch(r"\d{1,9}", cell[column]) or int(cell[column]) < least:
        raise ValueError(f"{column} must be a whole number from {least} to 999999999")
    return int(cell[column])


def _pods(path: Path, text: str) -> tuple[DemandRow, ...]:
    try:
        made = json.loads(text)
        if series.is_series(made):
            return _of_use(path, read_use(path))
        items = made["items"]
        pods = [pod for pod in items if _counts(pod)]
        owners = [(pod["metadata"].get("namespace", "default"), _owner(pod)) for pod in pods]
        shapes: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for owner, pod in zip(owners, pods, strict=True):
            shapes.setdefault(owner, []).append(pod)
        namespaces = Counter(name for _, name in shapes)
        alone = {name for name, often in namespaces.items() if often == 1}
        pairs = Counter(f"{namespace}-{name}" for namespace, name in shapes if name not in alone)
        alone -= pairs.keys()  # a-web may be web of namespace a, or the whole name
        return tuple(
            _shape(name if name in alone else f"{namespace}-{name}", namespace, group)
            for (namespace, name), group in sorted(shapes.items())
        )
    except DemandFileError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        wanted = f"export it again; of a series it must be {series.WANTED}"
        raise DemandFileError(
            path, [f"is not what `kubectl get pods -A -o json` prints ({type(error).__name__}): {wanted}"]
        ) from error


def _counts(pod: Mapping[str, Any]) -> bool:
    """Finished pods need no room; what stands on every node (daemon sets, static pods) is counted by the sizing."""
    owners = pod["metadata"].get("ownerReferences") or [{}]
    ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return not ended and owners[0].get("kind") not in {"DaemonSet", "Node"}


def _owner(pod: Mapping[str, Any]) -> str:
    """Deployment, stateful set or bare pod: a replica set's name ends with a hash of its template."""
    name: str = pod["metadata"]["name"]
    owners = pod["metadata"].get("ownerReferences")
    if not owners:
        return name
    owner: str = owners[0]["name"]
    template = (pod["metadata"].get("labels") or {}).get("pod-template-hash")
    return owner.removesuffix(f"-{template}") if template else owner


def _shape(name: str, namespace: str, pods: list[Mapping[str, Any]]) -> DemandRow:
    """Return the largest of the group's requests: a roll-out leaves pods of two templates."""
    return DemandRow(
        name=name,
        cpu_milli=max(1, *(_requests(pod, "cpu", cpu_milli) for pod in pods)),
        memory_mib=max(1, *(_requests(pod, "memory", memory_mib) for pod in pods)),
        gpu=max(_requests(pod, GPU, int) for pod in pods),
        replicas=len(pods),
        spread=_spread(pods[0]),
        spot=None,
        pools=(),
        namespace=namespace,
    )


def _requests(pod: Mapping[str, Any], resource: str, parse: Any) -> int:
    """Return requests of the containers and sidecars, or of the hungriest init container, plus the pod's overhead.

    Where the pod asks for itself as a whole, that counts instead of what its containers ask for.
    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/ (Kubernetes 1.34, 2026-11-22)
    """

    def asked(container: Mapping[str, Any]) -> int:
        return int(parse(str(((container.get("resources") or {}).get("requests") or {}).get(resource, "0"))))

    spec = pod["spec"]
    overhead = int(parse(str((spec.get("overhead") or {}).get(resource, "0"))))
    if resource in ((spec.get("resources") or {}).get("requests") or {}):
        return asked(spec) + overhead
    running = sum(asked(container) for container in spec["containers"])
    starting = 0
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            running += asked(container)
        else:
            starting = max(starting, asked(container))
    return max(running, starting) + overhead


def _spread(pod: Mapping[str, Any]) -> Literal["zone", "host"] | None:
    keys = {c["topologyKey"] for c in pod["spec"].get("topologySpreadConstraints") or []}
    apart = (pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    rules = apart.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    if "topology.kubernetes.io/zone" in keys:
        return "zone"
    alone = "kubernetes.io/hostname" in keys | {rule["topologyKey"] for rule in rules}
    return "host" if alone else None
