"""The rivals: as published they break limits, on equal terms the verifier accepts them; their algorithms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sizing import autoscaler, karpenter
from sizing.baselines import Rival, baselines, rivals
from sizing.compiled import Compiled, compile_problem, parts
from sizing.karpenter import Fleet
from sizing.problem import PoolWish, Problem
from tests.sizing.factory import JOBS, job, kind, problem

SMALL, LARGE = kind("m5.large", 2, 8, 0.1), kind("m5.4xlarge", 16, 64, 0.9)
FIVE = (job("a", 1000, 1024, 5),)


@pytest.fixture(scope="module")
def found() -> dict[str, Rival]:
    return {rival.name: rival for rival in rivals(problem())}


def one_pool(**more: object) -> Compiled:
    given: dict[str, object] = {
        "pools": (PoolWish(name="general", max=40),), "types": (SMALL, LARGE), "workloads": FIVE, "zones": 1
    }  # fmt: skip
    made = compile_problem(parts(problem(**(given | more)))[0])
    assert isinstance(made, Compiled)
    return made


def test_as_published_they_break_the_limits_that_they_do_not_know(found: dict[str, Rival]) -> None:
    for rival in found.values():
        assert "N+1" in rival.breaks
        assert "30 % on demand" in rival.breaks


def test_on_equal_terms_the_verifier_accepts_them(found: dict[str, Rival]) -> None:
    for rival in found.values():
        assert not rival.why
        assert math.isfinite(rival.equal_terms)
    assert found["karpenter_sized"].equal_terms <= found["karpenter"].equal_terms
    assert baselines(problem()) == {name: rival.equal_terms for name, rival in found.items()}


def test_no_demand_costs_the_minimum() -> None:
    assert baselines(problem(workloads=()))["karpenter"] < baselines(problem(workloads=JOBS))["karpenter"]


def test_a_quota_that_they_do_not_keep_leaves_no_rival_plan() -> None:
    tight: Problem = problem(vcpu_quota=16)
    for rival in rivals(tight):
        assert rival.equal_terms == float("inf")
        assert "quota" in rival.why or any("pending" in word for word in rival.why)


def test_karpenter_fills_one_node_and_launches_the_cheapest_type_that_holds_it() -> None:
    compiled = one_pool()
    fleet = Fleet(compiled, 0)
    part = compiled.pools[0]
    assert karpenter.provision(fleet, compiled.counts, np.arange(len(part.types)))
    assert [part.types[k].name for k in fleet.kinds] == ["m5.4xlarge"]
    made = karpenter.consolidate(fleet, np.arange(len(part.types)))
    assert made.cost == fleet.cost  # five small nodes are cheaper, but one node becomes at most one other


def test_karpenter_removes_nodes_whose_pods_fit_on_the_others() -> None:
    compiled = one_pool(workloads=(job("a", 1000, 1024, 2),))
    fleet = Fleet(compiled, 0)
    types = [t.name for t in compiled.pools[0].types]
    for _ in range(2):
        fleet.add(types.index("m5.4xlarge"), np.array([1]))
    made = karpenter.consolidate(fleet, np.arange(len(types)))
    assert len(made.kinds) <= 2
    assert made.cost < fleet.cost
    assert made.held().sum() == 2


def test_karpenter_puts_a_pod_on_the_new_node_with_fewest_pods() -> None:
    compiled = one_pool(
        types=(LARGE,), workloads=(job("a", 9000, 1024, 2), job("b", 1000, 512, 2))
    )  # fmt: skip
    fleet = Fleet(compiled, 0)
    assert karpenter.provision(fleet, compiled.counts, np.arange(1))
    assert [pods.tolist() for pods in fleet.pods] == [[1, 1], [1, 1]]


def test_the_autoscaler_has_a_second_group_only_where_a_pod_needs_it() -> None:
    usual = one_pool(types=(SMALL, LARGE, kind("m5.2xlarge", 8, 32, 0.4)))
    names = [usual.pools[0].types[t].name for t in autoscaler.groups(usual, 0, usual.counts)]
    assert names == ["m5.2xlarge"]
    large = one_pool(types=(LARGE, kind("m5.2xlarge", 8, 32, 0.4)), workloads=(job("a", 12000, 1024, 1), *FIVE[:0]))
    names = [large.pools[0].types[t].name for t in autoscaler.groups(large, 0, large.counts)]
    assert names == ["m5.2xlarge", "m5.4xlarge"]
    fleet = Fleet(large, 0)
    assert autoscaler.scale_up(fleet, large.counts, autoscaler.groups(large, 0, large.counts))
    assert [large.pools[0].types[k].name for k in fleet.kinds] == ["m5.4xlarge"]


def test_by_hand_one_type_is_chosen_for_all_pools_and_its_spare_is_of_that_type_too() -> None:
    usual, arm = kind("m5.2xlarge", 8, 32, 0.4), replace(kind("m6g.2xlarge", 8, 32, 0.3), arch="arm64")
    both = problem(
        types=(usual, arm, kind("m6i.2xlarge", 8, 32, 0.5), kind("c6a.large", 2, 4, 0.05), SMALL, LARGE),
        workloads=FIVE,
        pools=(PoolWish(name="general", max=40, arch=("amd64", "arm64")),),
    )
    found = {rival.name: rival for rival in rivals(both)}
    hours = 730 * 2  # a node for the five pods, and its spare
    assert found["cluster_autoscaler"].equal_terms == pytest.approx(0.4 * hours)
    assert found["cluster_autoscaler_by_pool"].equal_terms == pytest.approx(0.3 * hours)


def test_pools_that_cannot_have_that_type_keep_their_own() -> None:
    arm, gpu = replace(kind("m6g.2xlarge", 8, 32, 0.3), arch="arm64"), replace(kind("g5.2xlarge", 8, 32, 1.2), gpu=1)
    given = problem(
        types=(kind("m5.2xlarge", 8, 32, 0.4), arm, gpu),
        workloads=(),
        pools=(
            PoolWish(name="arm", max=9, arch=("arm64",)),
            PoolWish(name="both", max=9, arch=("amd64", "arm64")),
            PoolWish(name="gpu", max=9, gpu=True),
        ),
    )
    made = autoscaler.one_type(given)
    assert {p.name: p.arch for p in made.pools} == {"arm": ("arm64",), "both": ("amd64",), "gpu": ("amd64",)}
    assert [t.name for t in made.types] == [t.name for t in given.types]
    only = replace(given, types=(arm,), pools=given.pools[:1])
    assert autoscaler.one_type(only) is only


def test_a_pod_that_fits_nowhere_is_no_plan() -> None:
    compiled = one_pool()
    fleet = Fleet(compiled, 0)
    assert not karpenter.provision(fleet, np.array([1.0]), np.array([], dtype=np.int64))
