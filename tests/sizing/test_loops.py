"""The loops in machine code do what one would do by hand, pod by pod."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizing.machine_code import machine_code
from sizing.packing import Classes, first_fit, spread_fit
from sizing.scheduler import Kind, once, schedule

CLASS = st.tuples(
    st.integers(0, 11), st.integers(0, 11), st.sampled_from([0, 0, 0, 1]), st.sampled_from([-1, -1, 0, 1, 2]),
    st.sampled_from([-1, -1, 3, 8]), st.integers(0, 5),
)  # fmt: skip
NODE = st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 2), st.integers(0, 12))


class Hand:
    """Nodes filled by hand."""

    def __init__(self, nodes: list[tuple[int, ...]]) -> None:
        self.whole = [list(node) for node in nodes]
        self.free = [list(node) for node in nodes]
        self.groups: list[set[int]] = [set() for _ in nodes]

    def fits(self, n: int, size: tuple[int, ...], zone: int, host: int) -> bool:
        return (
            (zone < 0 or zone == n % 3)
            and (host < 0 or host not in self.groups[n])
            and all(need <= free for need, free in zip(size, self.free[n], strict=True))
        )

    def put(self, n: int, size: tuple[int, ...], host: int) -> None:
        self.free[n] = [free - need for free, need in zip(self.free[n], size, strict=True)]
        self.groups[n] |= {host} - {-1}

    def spread(self, n: int, size: tuple[int, ...]) -> float:
        cpu, memory = ((self.free[n][d] - size[d]) / max(self.whole[n][d], 1e-9) for d in (0, 1))
        return (cpu + memory) / 2 + 1 - abs(cpu - memory) / 2


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=st.lists(CLASS, min_size=1, max_size=6),
    nodes=st.lists(NODE, min_size=1, max_size=9),
    spreads=st.booleans(),
    stop=st.booleans(),
)
def test_pods_stand_where_one_would_put_them_by_hand(
    *, rows: list[tuple[int, ...]], nodes: list[tuple[int, ...]], spreads: bool, stop: bool
) -> None:
    sizes = np.array([[cpu, memory, gpu, 1] for cpu, memory, gpu, *_ in rows], dtype=float)
    classes = Classes(sizes, np.array([row[3] for row in rows]), np.array([row[4] for row in rows]))
    counts = np.array([[row[5] for row in rows]] * 2, dtype=float)
    capacity = np.repeat(np.array(nodes, dtype=float).T[:, None], 2, axis=1)
    zones, order = np.arange(len(nodes)) % 3, np.arange(len(rows))
    fit = spread_fit if spreads else first_fit
    made = fit(classes, counts, capacity, zones, order, keep=True, stop=stop)
    hand = Hand(nodes)
    left = []
    for cpu, memory, gpu, zone, host, count in rows:
        size, waiting = (cpu, memory, gpu, 1), count
        while waiting and not (stop and any(left)):
            ready = [n for n in range(len(nodes)) if hand.fits(n, size, zone, host)]
            if spreads:
                ready.sort(key=lambda n, size=size: -round(hand.spread(n, size), 9))  # type: ignore[misc]
            chosen = ready[:waiting] if spreads else ready[:1]
            if not chosen:
                break
            for n in chosen:
                hand.put(n, size, host)
            waiting -= len(chosen)
        left.append(waiting)
    assert made.placed is not None
    if stop and any(left):
        assert made.left.any(axis=1).all()
        return
    assert made.left.tolist() == [left] * 2
    assert made.free[:, 0].T.tolist() == hand.free
    assert made.free[:, 1].T.tolist() == hand.free
    assert (
        made.last.tolist() == [max((n + 1 for n in range(len(nodes)) if hand.free[n] != hand.whole[n]), default=0)] * 2
    )
    assert (made.placed.sum(axis=1) == [row[5] - waits for row, waits in zip(rows, left, strict=True)]).all()


def test_a_pod_waits_until_the_zones_are_even_again() -> None:
    room, zones = np.array([[1000, 1000, 0, 10]] * 2, dtype=float), np.array([0, 1])
    blocked = [Kind(np.array([900, 900, 0, 1.0]), 1, spread=False, host=-1, zone=0)]
    even = Kind(np.array([300, 300, 0, 1.0]), 3, spread=True, host=-1)
    assert once([even], room, zones)
    assert not once([*blocked, even], room, zones)
    assert schedule([*blocked, even], room, zones, 4, 7) == 2  # one goes to zone 1, then it is zone 0's turn


def test_without_a_file_to_keep_it_beside_a_loop_is_compiled_all_the_same() -> None:
    made: dict[str, object] = {}
    exec(compile("def twice(x):\n    return 2 * x\n", "<nowhere>", "exec"), made)
    assert machine_code(made["twice"])(21) == pytest.approx(42)  # type: ignore[arg-type]
