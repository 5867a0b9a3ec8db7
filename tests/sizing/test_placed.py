"""A stack file with placements, end to end: judged, shared out, sized, written down, judged again without solving."""

from __future__ import annotations

import copy
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from automation.cli import app
from automation.exits import Ending, Exit
from automation.pipeline import commands
from automation.size_placement import read as read_account
from automation.size_placement import show
from sizing import catalogue
from sizing.canonical import canonical
from sizing.evidence import problems_json, sizing_outputs
from sizing.placement import PlacementRefused
from sizing.recheck import SEAL, recheck, sealed
from sizing.stack_problem import Sized, from_stack, sized
from stacks.judge import judge
from stacks.model import Stack
from stacks.services.propagation import divided
from stacks.split import off_hours_of, parts, services_of, undecided
from stacks.yaml_core import read

assert commands  # the command line knows them all
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "placement.yaml"


def data() -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(
        read(EXAMPLE.read_text(encoding="utf-8")).data["config"]["cloud-ecosystem:stack"]
    )
    return made


def small(placement: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """Two clusters, one zone each, three workloads: what a test sizes in a second."""
    made = data()
    made["clouds"] = {
        "aws": {"account": "123456789012", "regions": {"eu-west-1": {"zones": 1}}},
        "gcp": {"project": "example-shared", "regions": {"europe-west1": {"zones": 1}}},
    }
    made["clusters"]["pools"]["general"]["slots"] = 1
    made["workloads"] = [
        {"name": "shop", "cpu": "1", "memory": "2Gi", "replicas": 5, "pools": ["general"]},
        {"name": "ledger", "cpu": "500m", "memory": "1Gi", "replicas": 2, "pools": ["general"]},
    ]
    if placement is not None:
        made["workloads"][0]["placement"] = placement
    return {**made, "data": {}, **more}


def judged(made: dict[str, Any], folder: Path = ROOT) -> Stack:
    stack, problems = judge(made, folder)
    assert stack is not None, [problem.line() for problem in problems]
    return stack


def decided(made: dict[str, Any], before: Any = None, folder: Path = ROOT) -> Sized:
    return sized(judged(made, folder), folder, catalogue.load(), before)


@pytest.fixture(scope="module")
def example() -> Sized:
    return decided(data())


def pods(made: Sized, name: str) -> dict[str, int]:
    return {
        cluster: job.replicas for cluster, one in made.problems.items() for job in one.workloads if job.name == name
    }


def test_the_example_keeps_residency_and_resilience_and_sizes_each_cluster_for_its_part(example: Sized) -> None:
    account = example.placement
    assert account is not None
    shop = pods(example, "shop")
    assert sum(shop.values()) == 12
    assert len(shop) >= 2
    assert all(3 <= each <= 8 for each in shop.values())
    assert "aws-us-east-1" not in shop
    assert all(cluster.startswith("aws-") for cluster in pods(example, "reports"))
    assert sum(pods(example, "reports").values()) == 4
    assert account["split"] == {"shop": shop, "reports": pods(example, "reports")} == parts(example.stack)
    assert pods(example, "ledger") == dict.fromkeys(example.problems, 3)  # not placed: in each cluster, as before
    assert account["next_best_usd_month"] >= account["total_usd_month"] - 0.01
    assert account["bound_usd_month"] <= account["total_usd_month"]
    assert {line["kind"] for line in account["egress"]} >= {"internet", "zone"}
    assert all(line["source_date"] >= "2024-05-31" for line in account["egress"])


def test_the_evidence_holds_the_account_and_is_judged_again_without_solving(example: Sized) -> None:
    made = sizing_outputs(problems_json(example.problems), None, canonical(example.placement))
    document = json.loads(made["document"])
    assert document["placement"] == json.loads(canonical(example.placement))
    assert recheck(document) == []
    again = sizing_outputs(problems_json(example.problems), made["document"], canonical(example.placement))
    assert again == made
    for path, value, told in (
        (("egress", 0, "usd_month"), 1.0, "egress lines are not those of its traffic"),
        (("egress_usd_month",), 1.0, "is not the sum of its lines"),
        (("split", "shop"), {"aws-eu-west-1": 12}, "does not keep the wishes"),
        (("split", "reports"), {"aws-us-east-1": 3, "aws-eu-west-1": 1}, "was sized for"),
        (("total_usd_month",), 99999.0, "is not nodes and egress together"),
        (("considered", 0, "total_usd_month"), 1.0, "less than the chosen"),
        (("question",), {}, "is not an account of one"),
    ):
        wrong = copy.deepcopy(document)
        held = wrong["placement"]
        for step in path[:-1]:
            held = held[step]
        held[path[-1]] = value
        wrong[SEAL] = sealed(wrong)
        assert any(told in sentence for sentence in recheck(wrong)), (path, recheck(wrong))


def test_a_person_reads_what_was_chosen_why_and_what_traffic_costs(example: Sized) -> None:
    text = StringIO()
    show(example.placement or {}, Console(file=text, width=200), explain=True)
    said = text.getvalue()
    for part in ("Who runs where", "(12 in all)", "the next best split looked at costs", "Why not otherwise",
                 "internet egress, first 10 TB", "no split costs less than", "shop in "):  # fmt: skip
        assert part in said


def test_the_account_is_read_back_from_each_of_its_homes(example: Sized, tmp_path: Path) -> None:
    account = json.loads(canonical(example.placement))
    file = tmp_path / "account.json"
    for home in (account, {"placement": account}, {"placement": canonical(account), "sizing": {}}):
        file.write_text(json.dumps(home))
        assert read_account(file) == account
    assert read_account(None) is None
    for wrong in ("[]", "{}", "{", '{"placement": {"split": 3}}', '{"split": {"shop": 3}}',
                  '{"split": {"shop": {"aws-eu-west-1": 1.5}}}'):  # fmt: skip
        file.write_text(wrong)
        with pytest.raises(Ending, match="holds no account of a placement") as caught:
            read_account(file)
        assert caught.value.code == Exit.WRONG_INPUT


def test_without_placement_nothing_changes() -> None:
    stack = judged(small(None))
    made = sized(stack, ROOT, catalogue.load())
    assert made.stack is stack
    assert made.placement is None
    assert made.problems == from_stack(stack, ROOT, catalogue.load())
    document = json.loads(
        sizing_outputs(problems_json({"aws-eu-west-1": made.problems["aws-eu-west-1"]}), None)["document"]
    )
    assert "placement" not in document


def test_same_inputs_are_answered_from_what_runs_and_a_change_keeps_it_while_little_is_saved() -> None:
    wish = {"min_per_cluster": 2, "traffic": [{"peer": "internet", "sends_gb": 100}]}
    first = decided(small(wish)).placement
    assert first is not None
    as_state = json.loads(json.dumps(first), parse_int=float)  # the engine keeps numbers as floats
    again = decided(small(wish), as_state)
    assert again.placement == as_state
    assert pods(again, "shop") == first["split"]["shop"]
    other = {**first, "input_hash": "of another day", "split": {"shop": {"aws-eu-west-1": 2, "gcp-europe-west1": 3}}}
    kept = decided(small(wish, sizing={"quality": "fast", "threshold": 0.9}), other)
    assert kept.placement is not None
    assert kept.placement["kept"]
    assert pods(kept, "shop") == {"aws-eu-west-1": 2, "gcp-europe-west1": 3}
    free = decided(small(wish, sizing={"quality": "fast", "threshold": 0.0}), other)
    assert free.placement is not None
    assert pods(free, "shop") == first["split"]["shop"]


def test_measured_pods_are_the_total_too_and_numbers_that_do_not_share_out_are_refused(tmp_path: Path) -> None:
    rows = "workload,pool,cpu_milli,memory_mib,gpu,replicas,spread,spot\nshop,general,1200,2048,0,{},none,never\n"
    (tmp_path / "measured.csv").write_text(rows.format(4))
    wish = {"min_clusters": 2, "min_per_cluster": 2}
    made = decided(small(wish, demand={"file": "measured.csv"}), folder=tmp_path)
    assert pods(made, "shop") == {"aws-eu-west-1": 2, "gcp-europe-west1": 2}
    assert {job.cpu_milli for one in made.problems.values() for job in one.workloads if job.name == "shop"} == {1200}
    (tmp_path / "measured.csv").write_text(rows.format(3))
    stack, problems = judge(small(wish, demand={"file": "measured.csv"}), tmp_path)
    assert stack is None
    assert [p.place() for p in problems] == ["stack.demand.file"]
    assert "row shop of 3 pods do not share out over 2 to 2 clusters" in problems[0].line()


@pytest.mark.parametrize(
    ("wish", "more", "told"),
    [
        ({"traffic": [{"peer": "workload/ledger", "sends_gb": 1}]}, {"ledger_in": ["gcp-europe-west1"], "min": 2},
         r"stack.workloads.0.placement: .*aws-eu-west-1 does not reach workload ledger in gcp-europe-west1"),
        ({"max_per_cluster": 4}, {"quota": 6}, r"stack.workloads.0.placement: none of the \d+ splits .*quota"),
        ({}, {"cpu": "400"}, r"stack.workloads.0.placement: .*left out: .*pod_too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_with_its_path_and_what_stands_in_the_way(
    wish: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    made = small({**wish, "min_clusters": more.get("min", 1)})
    if "ledger_in" in more:
        made["workloads"][1]["clusters"] = more["ledger_in"]
    if "quota" in more:
        made["sizing"] = {"quality": "fast", "vcpu_quota": {"aws-eu-west-1": more["quota"]}}
    made["workloads"][0]["cpu"] = more.get("cpu", "1")
    with pytest.raises(PlacementRefused, match=rf"(?s)no plan: {told}"):
        decided(made)


def test_bounds_of_autoscalers_and_pods_that_rest_are_shared_out_as_the_pods_are() -> None:
    services = {
        "external_secrets": {}, "cert_manager": {},
        "monitoring": {"receivers": {"hook": {"kind": "webhook", "to": "https://hooks.example.org"}}},
        "scaling": {"workloads": {
            "shop": {"namespace": "platform", "horizontal": {"min": 5, "max": 30, "requests_per_second": None}},
        }},
    }  # fmt: skip
    hours = {"time_zone": "Europe/Berlin", "workloads": {"shop": {"namespace": "platform", "pods": 3}}}
    wish = {"min_clusters": 2, "min_per_cluster": 2, "max_per_cluster": 4}
    made = decided(small(wish, services=services, off_hours=hours))
    held = pods(made, "shop")
    assert sorted(held.values()) == [2, 3]
    bounds = {}
    for cluster, count in held.items():
        scaling = services_of(made.stack, cluster).scaling
        assert scaling is not None
        horizontal = scaling.workloads["shop"].horizontal
        assert horizontal is not None
        assert 2 <= horizontal.min <= count <= horizontal.max
        bounds[cluster] = (horizontal.min, horizontal.max)
    assert sum(least for least, _ in bounds.values()) == 5
    assert sum(most for _, most in bounds.values()) == 30
    rest = [off_hours_of(made.stack, cluster) for cluster in held]
    assert sum(each.workloads["shop"].pods for each in rest if each is not None) == 3
    assert not undecided(made.stack)
    assert services_of(replace_workloads(made.stack), "aws-eu-west-1") is made.stack.services


def replace_workloads(stack: Stack) -> Stack:
    """The same stack without workloads: nothing is placed."""
    return stack.model_copy(update={"workloads": ()})


def test_karmada_is_told_the_split_as_weights_that_it_meets(tmp_path: Path) -> None:
    both = ["aws-eu-west-1", "gcp-europe-west1"]
    services = {
        "external_secrets": {}, "cert_manager": {}, "mesh": {"gateway": True},
        "gitops": {"propagation": {
            "shop": {"namespace": "platform", "clusters": both, "registries": {"gcp-europe-west1": "x.pkg.dev"}},
            "ledger": {"namespace": "platform", "clusters": both},
        }},
    }  # fmt: skip
    wish = {"min_clusters": 2, "min_per_cluster": 2}
    config = {"config": {"cloud-ecosystem:stack": small(wish, services=services)}}
    (tmp_path / "Pulumi.small.yaml").write_text(yaml.safe_dump(config))
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["propagation", "small", "--out", str(out), "--project", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    policy, override = yaml.safe_load_all((out / "shop.yaml").read_text())
    chosen = policy["spec"]["placement"]
    listed = chosen["replicaScheduling"]["weightPreference"]["staticWeightList"]
    weights = {each["targetCluster"]["clusterNames"][0]: each["weight"] for each in listed}
    assert sorted(weights.values()) == [2, 3]
    assert divided(5, weights) == weights
    assert chosen["clusterAffinity"]["clusterNames"] == sorted(weights)
    assert override["kind"] == "OverridePolicy"
    other = next(yaml.safe_load_all((out / "ledger.yaml").read_text()))
    assert other["spec"]["placement"]["replicaScheduling"]["weightPreference"] == {"dynamicWeight": "AvailableReplicas"}


def test_the_answer_is_the_same_from_every_order_of_the_file() -> None:
    wish = {"min_clusters": 2, "min_per_cluster": 2, "traffic": [{"peer": "internet", "sends_gb": 500}]}
    one = small(wish)
    other = copy.deepcopy(one)
    other["workloads"] = other["workloads"][::-1]
    other["clouds"] = dict(reversed(other["clouds"].items()))
    first, second = decided(one), decided(other)
    assert first.placement is not None
    assert second.placement is not None
    assert first.placement["split"] == second.placement["split"]
    assert first.placement["total_usd_month"] == second.placement["total_usd_month"]
