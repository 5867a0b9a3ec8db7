"""Agents of services take room of every node, and each pod of a service is demand."""

from __future__ import annotations

import json

import sizing
from sizing.allocatable import NO_AGENTS, Room
from sizing.catalogue import load
from sizing.plan import Plan
from sizing.problem import Problem
from sizing.stack_problem import from_stack, node_agents
from sizing.verify import verify
from stacks.services import TABLE
from stacks.services.table import pods_of
from tests.sizing.factory import TINY, job, problem
from tests.stacks.test_services import ALL, PROJECT, stack

AGENTS = Room(100, 352, 0, 4)


def test_agents_shrink_every_node_and_survive_the_json() -> None:
    bare, loaded = problem(types=TINY), problem(types=TINY, agents=AGENTS)
    for before, after in zip(bare.types, loaded.types, strict=True):
        assert tuple(a - b for a, b in zip(before.room, after.room, strict=True)) == AGENTS
    back = Problem.from_object(json.loads(json.dumps(loaded.to_compact())))
    assert [t.room for t in back.types] == [t.room for t in sorted(loaded.types, key=lambda t: t.name)]
    assert back.input_hash == loaded.input_hash != bare.input_hash


def test_a_pod_that_only_fits_without_agents_needs_a_larger_node() -> None:
    room = TINY[0].room
    jobs = (job("snug", room.cpu_milli, room.memory_mib, 1),)
    plans = [sizing.solve(problem(types=TINY, workloads=jobs, agents=agents)) for agents in (NO_AGENTS, AGENTS)]
    assert all(isinstance(plan, Plan) for plan in plans)
    small, large = (plan for plan in plans if isinstance(plan, Plan))
    assert {p.instance_type for p in small.pools if p.pool == "general" and p.min} == {"m5.large"}
    assert "m5.large" not in {p.instance_type for p in large.pools if p.pool == "general" and p.min}
    assert verify(problem(types=TINY, workloads=jobs).to_object(), large.to_object()) == []
    smaller = problem(types=TINY, workloads=jobs, agents=AGENTS).to_object()
    assert any("exceeds" in wrong for wrong in verify(smaller, small.to_object()))


def test_every_pod_of_every_service_is_demand_or_an_agent() -> None:
    assert set(ALL) <= set(TABLE)
    wished = stack(ALL)
    for cluster, made in from_stack(wished, PROJECT, load()).items():
        agents = node_agents(wished, cluster)
        assert made.agents == agents
        assert agents.pods
        jobs = {w.name: w for w in made.workloads}
        taken = Room(0, 0, 0, 0)
        for service, shapes in pods_of(wished.services, wished.region_of(cluster)[0]).items():
            for each in shapes:
                name = f"service.{service}.{each.name}"
                if not each.replicas:
                    assert name not in jobs  # it waits for nothing; its namespace's quota holds its peak
                elif each.per_node:
                    assert name not in jobs
                    taken = Room(taken[0] + each.cpu_milli, taken[1] + each.memory_mib, 0, taken[3] + 1)
                else:
                    asked = (jobs[name].cpu_milli, jobs[name].memory_mib, jobs[name].replicas)
                    assert asked == (each.cpu_milli, each.memory_mib, each.replicas)
        assert taken == agents
