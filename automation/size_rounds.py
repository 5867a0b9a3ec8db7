"""`size STACK --rounds N`: solve again and again, with the demand read anew each time, and measure what that brings."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from automation.session import Options
    from sizing.rounds import Round


def run(
    name: str, options: Options, rounds: int, every: float, told: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """All rounds and what they add up to; `told` hears of each as it ends. A demand without a plan ends with 4.

    `every`: seconds from the start of one round to the next; a round that takes longer is followed at once.
    """
    from automation.size import sized  # noqa: PLC0415
    from sizing.plan import Infeasible  # noqa: PLC0415
    from sizing.rounds import Memory, once  # noqa: PLC0415

    memories: dict[str, Memory] = {}
    rows: list[dict[str, Any]] = []
    before: Mapping[str, Any] | None = None
    for number in range(rounds):
        began = time.monotonic()
        asked = sized(name, options, before)
        before = asked.placement  # of the next round, so that a split changes only when that pays
        for cluster, problem in asked.problems.items():
            start = time.monotonic()
            made = once(problem, number, memories.setdefault(cluster, Memory()))
            if isinstance(made, Infeasible):
                raise Ending(Exit.REFUSED, "sizing", f"round {number + 1}: no plan for {cluster}", made.lines())
            row = _row(made, time.monotonic() - start)
            rows.append(row)
            told(row)
        if number < rounds - 1:
            time.sleep(max(0.0, every - (time.monotonic() - began)))
    return {"stack": name, "rounds": rows, "summary": summary(rows)}


def _row(made: Round, seconds: float) -> dict[str, Any]:
    return {
        **asdict(made),
        "regret": round(made.regret, 4),
        "gap": round(made.gap, 6),
        "seconds": round(seconds, 3),
    }


def show(name: str, options: Options, rounds: int, every: float, *, as_json: bool) -> Exit:
    """Run the rounds and write each as it ends, or one JSON document at the end."""
    made = run(name, options, rounds, every, lambda row: None if as_json else _say(line(row)))
    if as_json:
        _say(json.dumps(made, indent=1))
    else:
        _say("\n".join(closing(made)))
    return Exit.OK


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Over all rounds and clusters: interval, regret, nodes changed, and the circuit beside chance."""
    seconds = sorted(row["seconds"] for row in rows)
    later = [row for row in rows if row["number"]]
    return {
        "clusters": len({row["cluster"] for row in rows}),
        "rounds": max(row["number"] for row in rows) + 1,
        "seconds_mean": round(sum(seconds) / len(seconds), 3),
        "seconds_max": seconds[-1],
        "regret_mean_usd_month": round(sum(row["regret"] for row in rows) / len(rows), 4),
        "regret_max_usd_month": max(row["regret"] for row in rows),
        "gap_max": max(row["gap"] for row in rows),
        "nodes_changed": sum(row["changed_nodes"] for row in rows),
        "kept": sum(row["kept"] == "kept" for row in later),
        "kept_of": len(later),
        "subproblems": sum(row["subproblems"] for row in rows),
        "circuit_found": sum(row["circuit_found"] for row in rows),
        "chance_found": sum(row["chance_found"] for row in rows),
        "circuit_cheaper": sum(row["circuit_cheaper"] for row in rows),
        "chance_cheaper": sum(row["chance_cheaper"] for row in rows),
    }


def line(row: dict[str, Any]) -> str:
    """One round of one cluster."""
    return (
        f"round {row['number'] + 1} {row['cluster']}: {row['seconds']:.1f} s, {row['cost']:,.0f} USD a month, "
        f"{row['gap']:.1%} above the bound {row['bound']:,.0f}, regret {row['regret']:,.0f}, "
        f"{row['changed_nodes']} nodes changed ({row['kept']}); circuit {row['circuit_found']}, chance "
        f"{row['chance_found']} of {row['subproblems']} optima"
    )


def closing(made: dict[str, Any]) -> Iterator[str]:
    """What the rounds add up to."""
    s = made["summary"]
    yield (
        f"{s['rounds']} rounds of {s['clusters']} clusters: {s['seconds_mean']:.1f} s a cluster (at most "
        f"{s['seconds_max']:.1f}); mean regret {s['regret_mean_usd_month']:,.2f} USD a month, at most "
        f"{s['regret_max_usd_month']:,.2f}; never more than {s['gap_max']:.1%} above the bound"
    )
    yield f"the plan was kept in {s['kept']} of {s['kept_of']} later rounds; {s['nodes_changed']} nodes changed"
    yield (
        f"circuit beside random draws, {s['subproblems']} subproblems: optimum met {s['circuit_found']} to "
        f"{s['chance_found']} times; cheaper {s['circuit_cheaper']} to {s['chance_cheaper']} times"
    )
