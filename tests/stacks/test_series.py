"""Series of use become demand; every wrong one is refused with its place and what to give instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import series
from stacks.demand import DemandFileError, read_demand, read_use
from stacks.judge import judge
from stacks.workloads import demand
from tests.stacks.corpus import PROJECT


def answer(*rows: tuple[dict[str, str], list[tuple[float, str]]], kind: str = "matrix") -> dict[str, Any]:
    result = [{"metric": labels, "values": [list(point) for point in points]} for labels, points in rows]
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def flat(value: float, steps: int = 3) -> list[tuple[float, str]]:
    return [(300.0 * step, str(value)) for step in range(steps)]


TOTALS = {
    "cpu": answer(({"workload": "web"}, [(0.0, "1"), (300.0, "4"), (600.0, "NaN")]), ({"app": "db"}, flat(0.5))),
    "memory": answer(({"workload": "web"}, flat(2**30)), ({"app": "db"}, flat(2**31))),
    "pods": answer(({"workload": "web"}, [(0.0, "2"), (300.0, "4"), (600.0, "2")]), ({"app": "db"}, flat(1))),
}


def written(folder: Path, made: Any, name: str = "use.json") -> Path:
    path = folder / name
    path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    return path


def test_totals_are_shared_over_the_pods_that_ran(tmp_path: Path) -> None:
    db, web = read_demand(written(tmp_path, TOTALS))
    assert (db.name, db.cpu_milli, db.memory_mib, db.replicas) == ("db", 500, 2048, 1)
    assert (web.name, web.cpu_milli, web.memory_mib) == ("web", 975, 512)  # 500 to 1000 m a pod, at 95 %
    assert web.replicas == 4


def test_series_of_pods_need_no_number_of_pods(tmp_path: Path) -> None:
    names = ("web-6d5f7c9b8d-x2x4z", "web-6d5f7c9b8d-b7k9q")
    cpu = answer(*(({"pod": name, "container": c}, flat(0.1)) for name in names for c in ("main", "side")))
    made = {"cpu": cpu, "memory": answer(*(({"pod": name}, flat(2**28)) for name in names))}
    (web,) = read_demand(written(tmp_path, made))
    assert (web.name, web.cpu_milli, web.memory_mib, web.replicas) == ("web", 200, 256, 2)


@pytest.mark.parametrize(
    ("pod", "workload"), [("web-6d5f7c9b8d-x2x4z", "web"), ("db-0", "db"), ("job-x2x4z", "job"), ("alone", "alone")]
)
def test_the_workload_of_a_pod(pod: str, workload: str) -> None:
    assert series.HASHED.sub("", pod) == workload


def test_one_answer_with_known_names(tmp_path: Path) -> None:
    cpu, memory = (name for name, kind in series.NAMED.items() if kind in {"cpu", "memory"} and ":" in name)
    rows = (({"__name__": name, "pod": "db-0"}, flat(value)) for name, value in ((cpu, 0.25), (memory, 2**29)))
    (db,) = read_demand(written(tmp_path, answer(*rows)))
    assert (db.name, db.cpu_milli, db.memory_mib) == ("db", 250, 512)


def test_a_table_of_totals(tmp_path: Path) -> None:
    lines = [
        "# source: test",
        ",".join(series.COLUMNS),
        "0,web,2,1000,2048",
        "2026-11-01T00:05:00+00:00,web,4,2000,4096",
    ]
    (web,) = read_demand(written(tmp_path, "\n".join(lines), "use.csv"))
    assert (web.cpu_milli, web.memory_mib, web.replicas) == (500, 1024, 4)


COUNTER = answer(({"__name__": "container_cpu_usage_seconds_total", "pod": "a-0"}, flat(1)))
WRONG: dict[str, tuple[Any, str]] = {
    "an error of Prometheus": ({"status": "error", "error": "query timed out"}, "query timed out"),
    "an instant vector": (answer(kind="vector"), "query_range"),
    "an empty answer": (answer(), "no series"),
    "a counter": (COUNTER, "rate"),
    "an unknown name": (answer(({"__name__": "up", "pod": "a-0"}, flat(1))), "what up measures is not known"),
    "no name": (answer(({"pod": "a-0"}, flat(1))), "without a name"),
    "an unknown measure": ({**TOTALS, "disk": answer()}, "disk is not a measure"),
    "no label": ({"cpu": answer(({"job": "x"}, flat(1)))}, "none of the labels"),
    "totals without pods": ({"cpu": TOTALS["cpu"], "memory": TOTALS["memory"]}, "`pods` must say how many"),
    "no memory": ({"cpu": TOTALS["cpu"], "pods": TOTALS["pods"]}, "no memory"),
    "a negative value": ({"cpu": answer(({"pod": "a-0"}, flat(-1)))}, "negative"),
    "a value beyond all measure": ({"cpu": answer(({"pod": "a-0"}, flat(1e308)))}, "a value above 1e+15"),
    "a quote that stays open": ('time,workload,pods,cpu_milli,memory_mib\n0,"web,1,1,1', "line 2: is no line of CSV"),
    "a name that is none": (
        {"cpu": answer(({"app": "Big Web!"}, flat(1))), "memory": answer(({"app": "Big Web!"}, flat(1))),
         "pods": answer(({"app": "Big Web!"}, flat(1)))}, "no Kubernetes name",
    ),
    "no points": ({"cpu": {"data": {"resultType": "matrix", "result": [{"metric": {}}]}}}, "KeyError"),
    "a time that is none": ("time,workload,pods,cpu_milli,memory_mib\nnoon,web,1,1,1", "line 2: time 'noon'"),
    "too few cells": ("time,workload,pods,cpu_milli,memory_mib\n0,web,1,1", "line 2: 4 cells"),
    "a number that is none": ("time,workload,pods,cpu_milli,memory_mib\n0,web,many,1,1", "line 2: pods"),
    "a line twice": ("time,workload,pods,cpu_milli,memory_mib\n0,web,1,1,1\n0,web,1,1,1", "stands on line 2"),
    "a workload that never ran": ("time,workload,pods,cpu_milli,memory_mib\n0,web,0,0,0", "ever ran"),
    "another table": ("a,b,c\n1,2,3", "or of a series"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_series_is_refused_with_a_hint(name: str, tmp_path: Path) -> None:
    made, says = WRONG[name]
    path = written(tmp_path, made, "use.csv" if isinstance(made, str) else "use.json")
    with pytest.raises(DemandFileError) as caught:
        read_demand(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(path.name)


def test_what_is_no_series_cannot_be_read_as_use(tmp_path: Path) -> None:
    for text in ('{"items": []}', "a,b\n1,2"):
        with pytest.raises(DemandFileError, match="is no series"):
            read_use(written(tmp_path, text, "x"))
    with pytest.raises(DemandFileError, match="cannot be read"):
        read_use(tmp_path / "nothing")


def pod(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}]
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"containers": containers, **spec},
        "status": {"phase": "Running"},
    }


def test_pods_of_our_services_are_not_counted_twice_and_apart_is_one_a_host(tmp_path: Path) -> None:
    apart = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
        }
    }
    items = [pod("shop", "cart", affinity=apart), pod("cert-manager", "cert-manager-webhook")]
    path = written(tmp_path, {"items": items})
    cart = next(row for row in read_demand(path) if row.name == "cart")
    assert cart.spread == "host"
    text = (PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)["config"]["cloud-ecosystem:stack"]
    alone = {key: held for key, held in data.items() if key != "links"}  # they want a mesh
    found, wrong = judge({**alone, "services": {"cert_manager": {}}, "demand": {"file": str(path)}}, PROJECT)
    assert found is not None, [problem.line() for problem in wrong]
    for jobs in demand(found).values():
        names = {w.name for w in jobs}
        assert "cart" in names
        assert "cert-manager-webhook" not in names
        assert any(name.startswith("service.cert_manager.") for name in names)
