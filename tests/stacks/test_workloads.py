"""Quantities, demand files, and what each cluster has to carry."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.clouds import REGION_SLOTS
from stacks.demand import COLUMNS, DemandFileError, read_demand
from stacks.load import read_file, read_text, with_demand
from stacks.problems import StackFileError
from stacks.quantities import cpu_milli, memory_mib
from stacks.workloads import WorkloadDemand, demand
from tests.stacks.corpus import FILES, PROJECT, SHARED

HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("text", "milli"),
    [
        ("500m", 500),
        ("2", 2000),
        ("0.5", 500),
        (".1", 100),
        ("1.0001", 1001),
        ("100u", 1),
        ("1k", 1_000_000),
        ("1e1", 10_000),
    ],
)
def test_cpu(text: str, milli: int) -> None:
    assert cpu_milli(text) == milli


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("1Gi", 1024),
        ("512Mi", 512),
        ("1G", 954),
        ("1025Ki", 2),
        ("1048576", 1),
        ("1Ti", 1048576),
        ("1E", 953674316407),
        ("1e9", 954),
    ],
)
def test_memory(text: str, mebibytes: int) -> None:
    assert memory_mib(text) == mebibytes


@pytest.mark.parametrize("text", ["", "1 Gi", "1gb", "-1", "Gi", "1Gi ", "0x10", "1mi", "one", "1c", "--"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity"):
        memory_mib(text)


@given(st.integers(1, 10**6))
def test_rounding_is_upwards(kibibytes: int) -> None:
    assert memory_mib(f"{kibibytes}Ki") == -(-kibibytes // 1024)
    assert cpu_milli(f"{kibibytes}u") == int((Decimal(kibibytes) / 1000).to_integral_value("ROUND_CEILING"))


def written(tmp_path: Path, text: str, name: str = "demand.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_table_with_comments_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, f"# source: a test\n\n{HEADER}\nweb,a|b,100,64,0,3,zone,tolerant\nbatch,,50,32,1,2,,\n")
    web, batch = read_demand(path)
    assert (web.name, web.pools, web.cpu_milli, web.replicas, web.spread, web.spot) == (
        "web",
        ("a", "b"),
        100,
        3,
        "zone",
        "tolerant",
    )
    assert (batch.pools, batch.gpu, batch.spread, batch.spot) == ((), 1, None, None)


def test_every_wrong_line_of_a_table_is_listed(tmp_path: Path) -> None:
    rows = ["a,p,0,64,0,1,none,never", "b,p,1,64,0,1.5,none,never", "C_,p,1,1,0,1,none,never", "d,p,1,1,0,1,rack,never",
            "e,p,1,1,0,1,none,maybe", "f,p,1", "g,p,1,1,0,1,none,never", "g,p,1,1,0,1,none,never"]  # fmt: skip
    with pytest.raises(DemandFileError) as caught:
        read_demand(written(tmp_path, "\n".join([HEADER, *rows])))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [f"line {n}" for n in (2, 3, 4, 5, 6, 7, 9)]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "workload,cpu\na,1\n"])
def test_a_table_without_its_header_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DemandFileError, match="its first line that is no comment must be"):
        read_demand(written(tmp_path, text))


def pod(
    name: str, *, owner: tuple[str, str] | None = None, labels: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    containers = spec.pop("containers", [{"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}])
    metadata: dict[str, Any] = {"name": name, "namespace": spec.pop("namespace", "shop"), "labels": labels or {}}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1]}]
    return {
        "metadata": metadata,
        "status": {"phase": spec.pop("phase", "Running")},
        "spec": {"containers": containers, **spec},
    }


def test_a_list_of_pods_is_grouped_by_what_owns_them(tmp_path: Path) -> None:
    hashed = {"pod-template-hash": "5d4f"}
    zone = [{"topologyKey": "topology.kubernetes.io/zone"}]
    gpu = [{"resources": {"requests": {"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": "1"}}}, {}]
    init = [
        {"resources": {"requests": {"cpu": "3"}}},
        {"restartPolicy": "Always", "resources": {"requests": {"memory": "1Gi"}}},
    ]
    items = [
        pod("web-5d4f-a", owner=("ReplicaSet", "web-5d4f"), labels=hashed, topologySpreadConstraints=zone),
        pod("web-5d4f-b", owner=("ReplicaSet", "web-5d4f"), labels=hashed),
        pod("db-0", owner=("StatefulSet", "db")),
        pod("agent-x", owner=("DaemonSet", "agent")),
        pod("job-1", owner=("Job", "job"), phase="Succeeded"),
        pod("train", containers=gpu, initContainers=init, overhead={"cpu": "10m"}),
        pod("db-0", owner=("StatefulSet", "db"), namespace="blog"),
    ]
    rows = {row.name: row for row in read_demand(written(tmp_path, json.dumps({"items": items}), "pods.json"))}
    assert set(rows) == {"web", "shop-db", "blog-db", "train"}
    assert (rows["web"].replicas, rows["web"].spread) == (2, "zone")
    assert (rows["train"].cpu_milli, rows["train"].memory_mib, rows["train"].gpu) == (3010, 2048, 1)


def test_static_pods_stand_on_nodes_anyway_and_a_pod_may_ask_as_a_whole(tmp_path: Path) -> None:
    whole = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2"}}
    items = [
        pod("kube-proxy-n1", owner=("Node", "n1"), namespace="kube-system"),
        pod("one", resources=whole, overhead={"cpu": "50m"}),
        pod("cpu-only", resources={"requests": {"cpu": "20m"}}),
    ]
    rows = {row.name: row for row in read_demand(written(tmp_path, json.dumps({"items": items}), "pods.json"))}
    assert {name: (row.cpu_milli, row.memory_mib) for name, row in rows.items()} == {
        "one": (1050, 2048),
        "cpu-only": (20, 64),
    }


def test_no_workload_of_a_list_is_lost_by_its_name(tmp_path: Path) -> None:
    where = (("a", "web"), ("b", "web"), ("c", "a-web"), ("d", "api"))
    items = [pod(name, owner=("StatefulSet", name), namespace=namespace) for namespace, name in where]
    rows = read_demand(written(tmp_path, json.dumps({"items": items}), "pods.json"))
    assert sorted(row.name for row in rows) == ["a-web", "api", "b-web", "c-a-web"]


@pytest.mark.parametrize("cell", ['"web', 'we"b', "we\0b", '"web"x'])
def test_a_cell_that_is_no_cell_is_told_with_its_line(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DemandFileError, match=r"line 3: "):
        read_demand(written(tmp_path, f"{HEADER}\nfine,,1,1,0,1,,\n{cell},,1,1,0,1,,\nmore,,1,1,0,1,,\n"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": [{}]}', '{"items": 3}', '{"a": ' + "[" * 99_999])
def test_what_is_no_list_of_pods_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DemandFileError, match="kubectl get pods -A -o json"):
        read_demand(written(tmp_path, text, "pods.json"))


def stack_with(rows: str, tmp_path: Path, extra: str = "") -> dict[str, tuple[WorkloadDemand, ...]]:
    text = (FILES / "happy.three-clouds.yaml").read_text().replace("    workloads:\n", f"    workloads:\n{extra}")
    return demand(with_demand(read_text(text, "test.yaml"), written(tmp_path, rows)))


def test_a_measured_row_overrides_and_adds(tmp_path: Path) -> None:
    carried = stack_with(f"{HEADER}\ngateway,,300,300,0,9,,\nnew,burst,1,1,0,1,none,only\nplain,,1,1,0,1,,\n", tmp_path)
    one = {workload.name: workload for workload in carried["aws-eu-west-1"]}
    assert list(one) == ["gateway", "new", "plain", "worker"]
    assert (one["gateway"].cpu_milli, one["gateway"].replicas, one["gateway"].pools) == (300, 9, ("general",))
    assert (one["worker"].cpu_milli, one["worker"].memory_mib, one["worker"].spot) == (1000, 1024, "tolerant")
    assert one["plain"].pools == ("general",), "a row without a pool runs in the general on-demand pools"
    assert carried["aws-eu-west-1"] == carried["gcp-europe-west1"]


def test_a_workload_of_one_cluster_stays_there(tmp_path: Path) -> None:
    extra = "      - {name: local, cpu: 1, memory: 1Gi, replicas: 1, pools: [general], clusters: [gcp-europe-west1]}\n"
    carried = stack_with(f"{HEADER}\nlocal,general,5,5,0,4,none,never\n", tmp_path, extra)
    counts = {cluster: [w.replicas for w in workloads if w.name == "local"] for cluster, workloads in carried.items()}
    assert counts == {"aws-eu-west-1": [], "gcp-europe-west1": [4], "azure-westeurope": []}


def test_production_carries_a_few_hundred_pods_in_each_cluster() -> None:
    carried = demand(read_file(PROJECT / "Pulumi.prod.yaml"))
    assert all(200 <= sum(workload.replicas for workload in workloads) <= 400 for workloads in carried.values())
    assert [line[:2] for line in (PROJECT / "demand/prod.csv").read_text().splitlines()[:2]] == ["# ", "# "]


def test_productions_requests_are_those_of_the_shared_data() -> None:
    shared = SHARED / "data" / "workload_demand.csv"
    if not shared.exists():
        pytest.skip(f"{shared} is not there: set SHARED")
    source = {line.split(",")[1]: tuple(line.split(",")[2:5]) for line in shared.read_text().splitlines()[1:]}
    rows = read_demand(PROJECT / "demand" / "prod.csv")
    assert {row.name: (str(row.cpu_milli), str(row.memory_mib), str(row.gpu)) for row in rows} == source


def test_a_demand_file_given_by_hand_is_judged_against_the_pools(tmp_path: Path) -> None:
    stack = read_file(FILES / "happy.three-clouds.yaml")
    path = written(tmp_path, f"{HEADER}\nweb,nowhere,1,1,0,1,none,never\n")
    with pytest.raises(StackFileError, match=r"row web, pools: is not a pool of aws-eu-west-1"):
        with_demand(stack, path)
    with pytest.raises(StackFileError, match="cannot be read"):
        with_demand(stack, tmp_path / "missing.csv")


def test_the_priced_regions_are_those_of_the_catalogue() -> None:
    """A region has a slot in the address plan when it has prices, and the other way round."""
    table = PROJECT / "sizing" / "data" / "instance_prices.csv"
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    priced = {(row["cloud"], row["region"]) for row in rows}
    assert priced == {(cloud, region) for cloud, regions in REGION_SLOTS.items() for region in regions}
    assert {row["arch"] for row in rows if row["gpu"] != "0"} == {"amd64"}, "the check of GPU pools relies on it"


def test_a_cluster_that_a_placement_leaves_out_carries_nothing_of_it() -> None:
    stack = read_file(FILES / "happy.placement-leaves-out-a-cluster.yaml")
    names = {cluster: {each.name for each in jobs} for cluster, jobs in demand(stack).items()}
    assert names["gcp-europe-west1"] == {"worker"}
    assert names["aws-eu-west-1"] == names["aws-us-east-1"] == {"gateway", "worker"}


def test_demand_with_a_byte_order_mark_or_nulls_is_read(tmp_path: Path) -> None:
    table = tmp_path / "demand.csv"
    table.write_text(
        "\ufeffworkload,pool,cpu_milli,memory_mib,gpu,replicas,spread,spot\na,general,5,6,0,1,none,never\n",
        encoding="utf-8",
    )
    assert [(row.name, row.cpu_milli) for row in read_demand(table)] == [("a", 5)]
    nulls = {"containers": [{"resources": None}], "initContainers": None, "topologySpreadConstraints": None}
    pods = tmp_path / "pods.json"
    pods.write_text(json.dumps({"items": [{"metadata": {"name": "b", "labels": None}, "spec": nulls}]}))
    assert [row.name for row in read_demand(pods)] == ["b"]
    table.write_text(table.read_text(encoding="utf-8").replace(",1,none", ",9999999999,none"), encoding="utf-8")
    with pytest.raises(DemandFileError, match="replicas must be a whole number from 1 to 999999999"):
        read_demand(table)
