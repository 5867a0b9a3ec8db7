"""Where pods go: against every split of tiny problems, one by one, with costs from the portfolio and by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizing import placement_choice
from sizing.decide import within_budget
from sizing.egress import Site, Tariff
from sizing.placement import PlacementRefused, Question, Split, Talk, Wish
from sizing.placement_choice import Effort, choose
from sizing.placement_costs import Costs
from sizing.plan import Plan
from sizing.problem import PoolWish, Problem
from tests.sizing.factory import AS_OF, job, kind, problem

PLACES = {"aws-eu-west-1": ("aws", "eu-west-1"), "gcp-europe-west1": ("gcp", "europe-west1"),
          "azure-eastus": ("azure", "eastus")}  # fmt: skip
PER_GB = {"aws-eu-west-1": 0.09, "gcp-europe-west1": 0.12, "azure-eastus": 0.087}  # the first tiers
SITES = {name: Site(cluster=name, cloud=cloud, region=region, zones=1) for name, (cloud, region) in PLACES.items()}
NAMES = tuple(sorted(PLACES))
TARIFF = Tariff(AS_OF, 1000)
KNOWN: dict[str, float] = {}
TOLERANCE = 0.05  # of the search, where there are too many splits to look at each


def base(cluster: str, price: float, jobs: tuple[Any, ...], most: int = 12) -> Problem:
    """One pool of two types in one zone, at a price of its own."""
    cloud, region = PLACES[cluster]
    types = tuple(
        replace(kind(name, vcpu, memory, one * price), cloud=cloud, region=region)
        for name, vcpu, memory, one in (("m5.large", 2, 8, 0.1), ("m5.xlarge", 4, 16, 0.19))
    )
    pools = (PoolWish(name="general", min=1, max=most, slots=2),)
    return problem(cluster=cluster, cloud=cloud, region=region, zones=1, pools=pools, workloads=jobs, types=types)


def asked(wish: Wish, prices: Mapping[str, float], *others: Wish, most: int = 12) -> Costs:
    wishes = (wish, *others)
    jobs = {
        name: (job("resident", 700, 900, 1), *(job(w.name, 900, 1500, w.pods) for w in wishes if name in w.clusters))
        for name in NAMES
    }
    question = Question(sites=SITES, wishes=wishes, joined=frozenset(), tariff=TARIFF)
    return Costs(question, {name: base(name, prices[name], jobs[name], most) for name in NAMES})


def wish(pods: int, gb: float = 0.0, **more: Any) -> Wish:
    talks = (Talk(peer="internet", kind="internet", sends_gb=gb, receives_gb=0.0),) if gb else ()
    fields: dict[str, Any] = {
        "name": "api", "path": "stack.workloads.0.placement", "pods": pods, "clusters": NAMES, "least": 1,
        "most": pods, "min_clusters": 1, "min_clouds": 1, "talks": talks,
    }  # fmt: skip
    return Wish(**(fields | more))


def nodes(one: Problem) -> float:
    if one.input_hash not in KNOWN:
        made = within_budget(one)
        KNOWN[one.input_hash] = made.cost_usd_month if isinstance(made, Plan) else float("inf")
    return KNOWN[one.input_hash]


def every(costs: Costs, one: Wish, gb: float) -> Iterator[tuple[float, Split]]:
    """Every split, found by counting, each with its cost: the portfolio's nodes, and traffic worked out by hand."""
    for counts in product(range(one.pods + 1), repeat=len(NAMES)):
        held = {name: n for name, n in zip(NAMES, counts, strict=True) if n}
        if sum(counts) != one.pods or not held.keys() <= set(one.clusters) or len(held) < one.min_clusters:
            continue
        if any(not one.least <= n <= one.most for n in held.values()):
            continue
        total = sum(gb * n / one.pods * PER_GB[name] for name, n in held.items())
        for name in NAMES:
            jobs = tuple(
                replace(w, replicas=held[name]) if w.name == one.name else w
                for w in costs.base[name].workloads
                if w.name != one.name or name in held
            )
            total += nodes(replace(costs.base[name], workloads=jobs))
        yield total, {one.name: held}


PRICES = st.fixed_dictionaries({name: st.sampled_from((0.8, 1.0, 1.3)) for name in NAMES})


@settings(max_examples=5, deadline=None)
@given(
    prices=PRICES,
    pods=st.integers(1, 5),
    gb=st.sampled_from((0.0, 400.0, 3000.0)),
    least=st.integers(1, 2),
    clusters=st.integers(1, 2),
)
def test_of_few_splits_the_cheapest_is_chosen(
    prices: dict[str, float], pods: int, gb: float, least: int, clusters: int
) -> None:
    one = wish(pods, gb, least=least, min_clusters=clusters)
    costs = asked(one, prices)
    every_one = list(every(costs, one, gb))
    if not every_one:
        with pytest.raises(PlacementRefused, match=r"stack.workloads.0.placement: .* allow more clusters"):
            choose(costs, "fast", 0.0)
        return
    made = choose(costs, "fast", 0.0)
    assert made.chosen.total == pytest.approx(min(total for total, _ in every_one), abs=0.02)
    assert made.bound is not None
    assert made.bound <= min(total for total, _ in every_one) + 0.02
    mine = next(total for total, split in every_one if split == made.chosen.split)
    assert made.chosen.total == pytest.approx(mine, abs=0.02)  # by hand: nodes and traffic of what was chosen


@settings(max_examples=3, deadline=None)
@given(prices=PRICES, pods=st.integers(3, 5), gb=st.sampled_from((0.0, 3000.0)))
def test_the_search_comes_near_where_splits_are_too_many(prices: dict[str, float], pods: int, gb: float) -> None:
    one = wish(pods, gb, min_clusters=2)
    costs = asked(one, prices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(placement_choice.EFFORTS, "fast", Effort(1, 1, 40, 4, 3))
        made = choose(costs, "fast", 0.0)
    assert made.bound is None  # nothing is claimed
    assert made.chosen.total <= min(total for total, _ in every(costs, one, gb)) * (1 + TOLERANCE)


def test_more_choice_is_never_dearer() -> None:
    prices = {"aws-eu-west-1": 1.0, "gcp-europe-west1": 0.9, "azure-eastus": 1.2}
    narrow = choose(asked(wish(4, 1000.0, clusters=NAMES[:1]), prices), "fast", 0.0).chosen.total
    wider = choose(asked(wish(4, 1000.0, clusters=NAMES[:2]), prices), "fast", 0.0).chosen.total
    free = choose(asked(wish(4, 1000.0), prices), "fast", 0.0).chosen.total
    firm = choose(asked(wish(4, 1000.0, min_clusters=3), prices), "fast", 0.0).chosen.total
    assert free <= wider + 0.01 <= narrow + 0.02
    assert free <= firm + 0.01


def test_egress_decides_where_nodes_cost_the_same() -> None:
    same = dict.fromkeys(NAMES, 1.0)
    made = choose(asked(wish(2, 50_000.0), same), "fast", 0.0).chosen
    assert made.split == {"api": {"azure-eastus": 2}}
    assert made.egress == pytest.approx(10_240 * 0.087 + 39_760 * 0.083, abs=1e-3)


def test_a_split_that_runs_stays_unless_another_saves_more_than_the_threshold() -> None:
    prices = {"aws-eu-west-1": 1.0, "gcp-europe-west1": 1.02, "azure-eastus": 1.3}
    costs = asked(wish(3), prices)
    best = choose(costs, "fast", 0.0).chosen
    runs = {"api": {"gcp-europe-west1": 3}} if "gcp-europe-west1" not in best.split["api"] else {"api": {NAMES[0]: 3}}
    saved = 1 - best.total / costs.sized(runs, "fast").total
    assert saved > 0
    kept, moved = (choose(costs, "fast", saved + step, runs) for step in (0.01, -0.001))
    assert (kept.kept, kept.chosen.split) == (True, runs)
    assert (moved.kept, moved.chosen.split) == (False, best.split)


def test_a_split_that_runs_is_scaled_to_the_pods_asked_for_now() -> None:
    costs = asked(wish(6), dict.fromkeys(NAMES, 1.0))
    made = choose(costs, "fast", 0.9, {"api": {"aws-eu-west-1": 2, "azure-eastus": 1, "aws-gone": 4}})
    assert (made.kept, made.chosen.split) == (True, {"api": {"aws-eu-west-1": 4, "azure-eastus": 2}})


def test_where_one_cluster_is_too_small_the_rest_goes_elsewhere_and_no_room_at_all_is_refused() -> None:
    cheap = {"aws-eu-west-1": 0.1, "gcp-europe-west1": 1.0, "azure-eastus": 1.0}
    made = choose(asked(wish(9), cheap, most=3), "fast", 0.0)
    assert 0 < made.chosen.split["api"]["aws-eu-west-1"] < 9
    with pytest.raises(PlacementRefused, match=r"none of the \d+ splits .* can be had: .*raise the max of pools"):
        choose(asked(wish(60), cheap, most=3), "fast", 0.0)


def test_a_peer_is_called_in_its_own_cluster_or_where_it_is_cheapest() -> None:
    at = {"aws-eu-west-1": 2, "azure-eastus": 2}
    talk = Talk(peer="ledger", kind="workload", sends_gb=1000.0, receives_gb=1000.0, at=at)
    pairs = frozenset(pair for pair in product(NAMES, repeat=2) if pair[0] != pair[1])
    question = Question(sites=SITES, wishes=(wish(4, talks=(talk,)),), joined=pairs, tariff=TARIFF)
    flows = question.flows({"api": {"aws-eu-west-1": 1, "gcp-europe-west1": 3}})
    # the pods on aws stay there (one zone: nothing is charged); those on gcp call azure, whose answers cost less
    assert [(flow.sender, flow.kind, flow.gb) for flow in flows] == [
        ("gcp-europe-west1", "internet", 750.0),
        ("azure-eastus", "internet", 750.0),
    ]
    apart = replace(question, joined=frozenset())
    assert apart.egress({"api": {"aws-eu-west-1": 4}}) == []
    with pytest.raises(ValueError, match="gcp-europe-west1 does not reach workload ledger in aws-eu-west-1"):
        apart.flows({"api": {"gcp-europe-west1": 4}})


def test_two_placed_workloads_that_talk_are_put_together() -> None:
    prices = {"aws-eu-west-1": 1.0, "gcp-europe-west1": 1.0, "azure-eastus": 0.9}
    talk = Talk(peer="db", kind="workload", sends_gb=5000.0, receives_gb=5000.0)
    api, db = wish(2, talks=(talk,)), wish(2, name="db", clusters=NAMES[:2], path="stack.workloads.1.placement")
    costs = asked(api, prices, db)
    pairs = frozenset(pair for pair in product(NAMES, repeat=2) if pair[0] != pair[1])
    costs.question = replace(costs.question, joined=pairs)
    made = choose(costs, "fast", 0.0).chosen
    assert made.split["api"].keys() <= made.split["db"].keys()
    assert made.egress == 0


def test_residency_resilience_and_shares_are_kept_by_every_split() -> None:
    question = asked(
        wish(7, clusters=NAMES, least=2, most=4, min_clusters=2, min_clouds=2), dict.fromkeys(NAMES, 1.0)
    ).question
    found = question.splits(1000)
    assert found
    assert all(question.allows(split) for split in found)
    assert len({repr(split) for split in found}) == len(found)
    by_hand = [c for c in product(range(8), repeat=3) if sum(c) == 7 and all(n == 0 or 2 <= n <= 4 for n in c)]
    assert len(found) == len(by_hand)
    assert question.splits(len(found) - 1) is None
    huge = wish(10**6, clusters=NAMES, least=1, most=10**6, min_clusters=3, min_clouds=3)
    assert replace(question, wishes=(huge,)).splits(2000) is None  # said soon, though most ways keep no wish
    assert Question.from_object(question.to_object()) == question
