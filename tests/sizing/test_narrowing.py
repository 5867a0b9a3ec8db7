"""From a free mix to the slots: few types are left, by one or by several at once, and no more points than asked for."""

from __future__ import annotations

import numpy as np
import pytest

from sizing import narrowing
from sizing.columns import Columns, generate, prepare
from sizing.compiled import Compiled, compile_problem
from sizing.portfolio import EFFORTS
from sizing.problem import PoolWish
from tests.sizing.factory import job, kind, problem

POOL = PoolWish(name="general", max=60, arch=("amd64", "arm64"), slots=2)
SHAPES = tuple(job(f"w{i}", 150 + 370 * i, 300 + (2900 * i) % 17_000, 2 + i % 5) for i in range(14))
TYPES = tuple(
    kind(f"{family}5.{n}x", 4 * n, gib * n, price * n)
    for family, gib, price in (("c", 8, 0.17), ("m", 16, 0.2), ("r", 32, 0.25))
    for n in (1, 2, 4)
)


@pytest.fixture
def columns() -> Columns:
    compiled = compile_problem(problem(pools=(POOL,), workloads=SHAPES, zones=1, types=TYPES))
    assert isinstance(compiled, Compiled)
    made = prepare(compiled, [])
    generate(made, EFFORTS["fast"].columns)
    return made


@pytest.mark.parametrize("many", [300, 0])
def test_every_starting_point_keeps_the_slots_and_holds_every_pod(
    many: int, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.array(columns.rows[: len(columns.used)])
    assert len({int(columns.kind[r]) for r, n in zip(rows, columns.used, strict=True) if n > narrowing.TRACE}) > 2
    monkeypatch.setattr(narrowing, "MANY", many)
    found = narrowing.starts(columns, 3)
    assert found
    for wanted, nodes in found:
        assert len(nodes[0]) <= POOL.slots
        assert wanted.sum() == pytest.approx(columns.counts.sum())


def test_no_more_starting_points_than_asked_for(columns: Columns) -> None:
    assert len(narrowing.starts(columns, 3, most=1)) == 1
