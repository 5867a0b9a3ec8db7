"""Pictures of a plan as plain SVG: how full the nodes of each type are, and its cost beside the bound and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH: Final = 820
LABEL: Final = 300
ROW: Final = 26
CPU, MEMORY, OURS, OTHER, LIMIT = "#1f77b4", "#ff7f0e", "#2ca02c", "#9aa0a6", "#d62728"
Bar = tuple[str, float, str, str]  # label, value, colour, what stands beside it


def bars(title: str, rows: Sequence[Bar], top: float) -> str:
    """Horizontal bars from 0 to `top`, each with its figure in words."""
    height = 46 + ROW * len(rows)
    scale = (WIDTH - LABEL - 130) / max(top, 1e-9)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">',
        '<g font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (label, value, colour, beside) in enumerate(rows):
        y = 40 + ROW * number
        drawn += [
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{LABEL}" y="{y + 2}" width="{max(1.0, value * scale):.1f}" height="{ROW - 8}" fill="{colour}"/>',
            f'<text x="{LABEL + max(1.0, value * scale) + 6:.1f}" y="{y + 15}">{escape(beside)}</text>',
        ]
    return "\n".join([*drawn, "</g></svg>"]) + "\n"


def fill(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Mean fill of the nodes of each slot, CPU and memory; the spare is empty and counted."""
    types = {t["name"]: t for t in problem["types"]}
    jobs = {w["name"]: w for w in problem["workloads"]}
    rows: list[Bar] = []
    for row in plan["pools"]:
        nodes = plan["assignment"].get(f"{row['pool']}-{row['slot']}", [])
        if not nodes:
            continue
        room = types[row["instance_type"]]["allocatable"]
        for dimension, colour, word in (("cpu_milli", CPU, "CPU"), ("memory_mib", MEMORY, "memory")):
            load = sum(
                jobs[name][dimension] * sum(blocks.values()) for node in nodes for name, blocks in node["pods"].items()
            )
            share = load / (room[dimension] * len(nodes))
            label = f"{row['pool']}-{row['slot']}: {len(nodes)} x {row['instance_type']}" if word == "CPU" else ""
            rows.append((label, share, colour, f"{word} {share:.0%}"))
    return bars(f"{plan['cluster']}: how full the nodes are (spare nodes included)", rows, 1.0)


def cost(plan: Mapping[str, Any], others: Mapping[str, float]) -> str:
    """The plan between its proven bounds and what other methods and autoscalers would cost, USD a month."""
    free = plan["notes"].get("bound_free_mixing", 0.0)
    named = [
        ("proven bound, any mix of types", free, LIMIT),
        ("proven bound", plan["bound_usd_month"], LIMIT),
        (f"this plan ({plan['winner']})", plan["cost_usd_month"], OURS),
        *((name, value, OTHER) for name, value in sorted(others.items(), key=lambda o: o[1]) if value < float("inf")),
    ]
    top = max(value for _, value, _ in named)
    rows = [(name, value, colour, f"{value:,.0f} USD") for name, value, colour in named]
    return bars(f"{plan['cluster']}: cost a month (spot marked up by its risk)", rows, top)


def gap(plan: Mapping[str, Any]) -> str:
    """How far each method of the portfolio ends above the bound, in the order in which they run."""
    bound = max(float(plan["bound_usd_month"]), 1e-9)
    order = ("greedy", "fluid", "columns", "descent", "search, exhaustive", "search, qaoa")
    seat = {name: min((i for i, key in enumerate(order) if key in name), default=9) for name in plan["candidates"]}
    seat = {name: 3 if "descent" in name else place for name, place in seat.items()}
    rows: list[Bar] = []
    best = float("inf")
    for name in sorted(plan["candidates"], key=lambda n: (seat[n], n)):
        best = min(best, plan["candidates"][name])
        over = max(0.0, best / bound - 1)
        rows.append((f"after {name}", over, OURS, f"{over:.1%}"))
    return bars(f"{plan['cluster']}: gap to the bound as the methods run", rows, max([r[1] for r in rows] or [1.0]))
