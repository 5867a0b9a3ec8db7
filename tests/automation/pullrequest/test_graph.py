"""What follows from the graph of a change: values, dependants, availability, ways in; each from planted resources."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from automation.events import Step
from automation.pullrequest import availability, blast, graph, reach, values

ROOT = Path(__file__).resolve().parents[3]
UNKNOWN = values.UNKNOWN


def written(name: str, type_: str, *needs: str, **inputs: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::{type_}::{name}", "type": type_, "inputs": inputs, "dependencies": list(needs)}


def picture(*resources: dict[str, Any]) -> graph.Picture:
    return graph.before({"version": 3, "deployment": {"resources": list(resources)}})


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:s::p::{type_}::{name}"


@pytest.mark.parametrize(
    ("path", "old", "new", "before", "after"),
    [
        ("tags.owner", {"tags": {"owner": "a"}}, {"tags": {"owner": "b"}}, "a", "b"),
        ('tags["a.b"]', {"tags": {"a.b": 1}}, {"tags": {}}, "1", "(none)"),
        ("rules[1].port", {"rules": [{}, {"port": 1}]}, {"rules": [{}]}, "1", "(none)"),
        ("vpcId", {"vpcId": "vpc-1"}, {"vpcId": UNKNOWN}, "vpc-1", "(known after the update)"),
        ("masterPassword", {"masterPassword": "hunter2"}, {"masterPassword": "x"}, "[secret]", "[secret]"),
        ("env", {"env": {"API_TOKEN": "t0ken", "A": "b"}}, {"env": {}}, '{"A": "b", "API_TOKEN": "[secret]"}', "{}"),
        ("spec.secretName", {"spec": {"secretName": "tls"}}, {}, "tls", "(none)"),
        ("url", {"url": "postgres://u:pw@h/db"}, {"url": "x"}, "postgres://[secret]@h/db", "x"),
        ("x", {"x": {values.SPECIAL: "1b47", "ciphertext": "v1:abc"}}, {"x": None}, "[secret]", "null"),
        ("pem", {"pem": "-----BEGIN RSA PRIVATE KEY-----\nMII"}, {"pem": "n"}, "[secret]", "n"),
        ("connectionString.value", {"connectionString": {"value": "s3cr3t"}}, {}, "[secret]", "(none)"),
    ],
)
def test_values(path: str, old: Any, new: Any, before: str, after: str) -> None:
    assert values.differences("t", old, new, [path]) == [{"path": path, "before": before, "after": after}]


def test_a_kubernetes_secret_shows_nothing() -> None:
    old, new = {"data": {"a": "QUJD"}, "stringData": {"b": "plain"}}, {"data": {"a": "REVG"}}
    rows = values.differences("kubernetes:core/v1:Secret", old, new, ["data.a", "stringData.b", "data"])
    assert {one["before"] for one in rows} == {"[secret]"}


def test_long_values_are_cut_and_noise_is_folded() -> None:
    (row,) = values.differences("t", {"a": "x" * 500}, {"a": "y"}, ["a", "tags.optimizer-evidence"])
    assert len(row["before"]) < 150
    assert "500 characters" in row["before"]


def test_dependants_follow_the_graph() -> None:
    made = picture(
        written("net", "t"), written("subnet", "t", urn("t", "net")), written("pool", "t", urn("t", "subnet")),
        written("alone", "t"),
    )  # fmt: skip
    rows = blast.rows(made, [urn("t", "net"), urn("t", "alone"), urn("t", "subnet")])
    assert [(row["name"], row["count"], row["names"]) for row in rows] == [
        ("net", 2, "pool, subnet"),
        ("subnet", 1, "pool"),
    ]


def test_dependants_agree_with_a_plain_walk_and_end_in_circles() -> None:
    chance = random.Random(7)
    resources = [
        written(f"r{n}", "t", *{urn("t", f"r{chance.randrange(n)}") for _ in range(3) if n}) for n in range(120)
    ]
    made = picture(*resources)
    followers: dict[str, set[str]] = {}
    for one in made.nodes.values():
        for need in one.needs:
            followers.setdefault(need, set()).add(one.urn)

    def walk(start: str) -> set[str]:
        found, waiting = set[str](), [start]
        while waiting:
            for following in followers.get(waiting.pop(), ()):
                if following not in found:
                    found.add(following)
                    waiting.append(following)
        return found

    assert blast.dependants(made, made.nodes) == {one: walk(one) for one in made.nodes}
    circle = picture(written("a", "t", urn("t", "b")), written("b", "t", urn("t", "a")))
    assert blast.rows(circle, [urn("t", "a")])


def test_thousands_are_no_trouble() -> None:
    made = picture(*[written(f"r{n}", "t", *[urn("t", f"r{n // 2}")] if n else []) for n in range(3000)])
    assert len(blast.rows(made, made.nodes)) > 1000


CLUSTER, POOL, NAT = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:ec2/natGateway:NatGateway"


def eks(zones: int, nodes: int, nats: int, *more: dict[str, Any]) -> graph.Picture:
    cluster = written("eu", CLUSTER, region="r")
    pool = written(
        "eu-pool", POOL, cluster["urn"], subnetIds=[f"s{n}" for n in range(zones)], scalingConfig={"minSize": nodes}
    )
    return picture(cluster, pool, *(written(f"nat-{n}", NAT, region="r") for n in range(nats)), *more)


def only(made: graph.Picture) -> float:
    (cluster,) = availability.clusters(made)
    return availability.of(cluster)


def test_availability_of_one_zone_is_the_product() -> None:
    expected = availability.REGION * availability.REGIONAL_CONTROL * availability.ZONE * availability.INSTANCE
    assert only(eks(1, 1, 1)) == pytest.approx(expected)


def test_zones_nodes_and_ways_out_count() -> None:
    assert only(eks(1, 1, 1)) < only(eks(1, 3, 1)) < only(eks(3, 3, 3))
    assert only(eks(3, 3, 1)) < only(eks(3, 3, 3))
    assert only(eks(3, 3, 3)) == only(eks(3, 3, 0))  # no way out is nothing that fails
    assert only(eks(3, 1, 3)) < only(eks(3, 3, 3))  # three zones help nobody with one node


def test_the_least_spread_workload_counts() -> None:
    spec = {"replicas": 1, "template": {"spec": {}}}
    spread = {"topologySpreadConstraints": [{"topologyKey": availability.ZONE_KEY}]}
    wide = {"replicas": 3, "template": {"spec": spread}}
    lone = written("web", availability.WORKLOADS[0], urn(CLUSTER, "eu"), spec=spec)
    three = written("web", availability.WORKLOADS[0], urn(CLUSTER, "eu"), spec=wide)
    assert only(eks(3, 3, 3, lone)) < only(eks(3, 3, 3, three)) == only(eks(3, 3, 3))
    found = availability.report(eks(3, 3, 3), eks(3, 3, 1, lone), 0.999)
    assert found["after"] < found["before"]
    assert found["shared"] == [
        "eu: one NAT gateway carries the way out of 3 zones",
        "eu: 1 workloads of the platform run one pod",
    ]


def test_the_other_clouds() -> None:
    gke, gke_pool, aks, aks_pool = (
        *availability.CLUSTERS[1:2],
        *availability.POOLS[1:2],
        *availability.CLUSTERS[2:],
        *availability.POOLS[2:],
    )
    zonal = picture(
        written("g", gke, location="europe-west1-b"),
        written("p", gke_pool, urn(gke, "g"), autoscaling={"totalMinNodeCount": 3}),
    )
    regional = picture(
        written("g", gke, location="europe-west1", nodeLocations=["a", "b", "c"]),
        written("p", gke_pool, urn(gke, "g"), autoscaling={"totalMinNodeCount": 3}),
    )
    assert only(zonal) < availability.ZONAL_CONTROL < only(regional)
    free = picture(
        written("a", aks), written("p", aks_pool, urn(aks, "a"), minCount=3, availabilityZones=["1", "2", "3"])
    )
    paid = picture(
        written("a", aks, sku={"tier": "Standard"}),
        written("p", aks_pool, urn(aks, "a"), minCount=3, availabilityZones=["1", "2", "3"]),
    )
    assert only(free) < only(paid)
    both = availability.report(
        picture(), picture(*(dict(n.written) for p in (zonal, paid) for n in p.nodes.values())), 0.9
    )
    assert both["before"] is None
    assert both["any"] > both["after"]


def step(name: str, type_: str, op: str = "same", **inputs: Any) -> Step:
    return Step(op, urn(type_, name), type_, "", {}, inputs, {}, {}, "", "", True, False, False, {}, ())  # noqa: FBT003


def test_the_picture_after_takes_inputs_of_steps_and_dependencies_of_the_plan() -> None:
    plan = {"resourcePlans": {urn("t", "b"): {"goal": {"dependencies": [urn("t", "a")]}}}}
    made = graph.after([step("a", "t"), step("b", "t", "create", x=1), step("c", "t", "delete")], plan)
    assert [one.name for one in made.nodes.values()] == ["a", "b"]
    assert made.nodes[urn("t", "b")].needs == {urn("t", "a")}
    assert made.nodes[urn("t", "b")].inputs == {"x": 1}


GROUP, RULE, DATABASE = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:rds/instance:Instance",
)


def open_to(cidr: str) -> graph.Picture:
    rule = written("way-in", RULE, urn(GROUP, "web"), cidrIpv4=cidr, ipProtocol="tcp", fromPort=5432, toPort=5432)
    rule |= {"propertyDependencies": {"securityGroupId": [urn(GROUP, "web")]}}
    database = written("orders", DATABASE, urn(GROUP, "web"), vpcSecurityGroupIds=[UNKNOWN])
    database |= {"propertyDependencies": {"vpcSecurityGroupIds": [urn(GROUP, "web")]}}
    return picture(written("web", GROUP), rule, database)


def test_the_law_says_what_becomes_reachable() -> None:
    made = reach.compare(open_to("10.0.0.0/8"), open_to("0.0.0.0/0"), ROOT)
    assert [(one["from"], one["to"]) for one in made["new"]] == [("internet", "web")]
    assert "5432" in made["new"][0]["how"]
    (way,) = made["stores"]
    assert way.startswith("internet")
    assert "orders" in way
    back = reach.compare(open_to("0.0.0.0/0"), open_to("10.0.0.0/8"), ROOT)
    assert (back["new"], back["stores"], len(back["gone"])) == ([], [], 1)


def test_silence_of_the_law_is_no_answer(tmp_path: Path) -> None:
    assert "no solver" in reach.compare(picture(), picture(), tmp_path)["problem"]
    pack = tmp_path / "policies" / "charter"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text("")
    (pack / "reachable.py").write_text("raise SystemExit(3)")
    assert "ended with 3" in reach.compare(picture(), picture(), tmp_path)["problem"]
    (pack / "reachable.py").write_text("print('{}')")
    assert "no answer" in reach.compare(picture(), picture(), tmp_path)["problem"]
