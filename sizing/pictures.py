"""Pictures of a plan as plain SVG: how full the nodes of each type are, and its cost beside the bound and others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from sizing.methods import seat, words

LABEL: Final = 380
BARS: Final = 520  # beside the labels: the longest bar and its words
WIDTH: Final = LABEL + BARS
LETTER: Final = 7.0  # of 13 px sans-serif, on the safe side
HEAD: Final = 62
BESIDE: Final = 95  # room for the words beside a bar
ROW: Final = 26
CPU, MEMORY, GPU, OURS, OTHER, LIMIT = "#1f77b4", "#ff7f0e", "#9467bd", "#2ca02c", "#9aa0a6", "#d62728"
FILLS: Final = (("cpu_milli", CPU, "CPU"), ("memory_mib", MEMORY, "memory"), ("gpu", GPU, "GPUs"))
Bar = tuple[str, float, str, str]  # label, value, colour, what stands beside it


def bars(title: str, said: str, rows: Sequence[Bar], top: float, mark: tuple[float, str] | None = None) -> str:
    """Horizontal bars from 0 to `top`, each with its figure in words; `mark`: a dashed line and what it means."""
    height = HEAD + ROW * len(rows) + (26 if mark else 8)
    left = max([LABEL, *(math.ceil(len(label) * LETTER) + 8 for label, *_ in rows)])
    width = left + BARS
    scale = (BARS - 140) / max(top, 1e-9)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(said)}</desc>",
        '<g font-family="sans-serif" font-size="13" fill="#202124">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
        f'<text x="12" y="44" fill="#5f6368">{escape(said)}</text>',
    ]
    for number, (label, value, colour, beside) in enumerate(rows):
        end = max(1.0, value * scale)
        if mark and mark[0] * scale - BESIDE < end < mark[0] * scale + 2:
            end = mark[0] * scale + 2  # the line must not cross the words
        y = HEAD - 6 + ROW * number
        drawn += [
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{left}" y="{y + 2}" width="{max(1.0, value * scale):.1f}" height="{ROW - 8}" fill="{colour}"/>',
            f'<text x="{left + end + 6:.1f}" y="{y + 15}">{escape(beside)}</text>',
        ]
    if mark:
        x, foot = left + mark[0] * scale, HEAD - 6 + ROW * len(rows)
        line = f'<line x1="{x:.1f}" y1="{HEAD - 8}" x2="{x:.1f}" y2="{foot + 4}"'
        drawn += [
            f'{line} stroke="{LIMIT}" stroke-dasharray="4 3"/>',
            f'<text x="{x:.1f}" y="{foot + 18}" text-anchor="middle" fill="{LIMIT}">{escape(mark[1])}</text>',
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
        for dimension, colour, word in FILLS if room["gpu"] else FILLS[:2]:
            load = sum(
                jobs[name][dimension] * sum(blocks.values()) for node in nodes for name, blocks in node["pods"].items()
            )
            share = load / (room[dimension] * len(nodes))
            spare = f", {row['spare']} spare" if row["spare"] else ""
            name = f"{row['pool']}-{row['slot']}: {len(nodes)} x {row['instance_type']}{spare}"
            idle = " (no pods are asked for)" if not any(node["pods"] for node in nodes) else ""
            rows.append((name if word == "CPU" else "", share, colour, f"{word} {share:.0%}{idle}"))
    said = "requests of all pods over the room that the nodes leave for pods; spare nodes count as empty"
    return bars(f"{plan['cluster']}: how full the nodes are", said, rows, 1.0, (1.0, "full"))


def cost(plan: Mapping[str, Any], others: Mapping[str, float]) -> str:
    """The plan between its proven bounds and what other methods and autoscalers would cost, USD a month."""
    free = plan["notes"].get("bound_free_mixing", 0.0)
    named = [
        ("no plan below this, any mix of types (proven)", free, LIMIT),
        ("no plan below this (proven)", plan["bound_usd_month"], LIMIT),
        (f"this plan: {words(plan['winner'])}", plan["cost_usd_month"], OURS),
        *((words(name), value, OTHER) for name, value in _others(plan, others)),
    ]
    top = max(value for _, value, _ in named)
    rows = [(name, value, colour, f"{value:,.0f} USD") for name, value, colour in named]
    said = "USD a month for the same demand and rules; spot is marked up by its risk"
    return bars(f"{plan['cluster']}: what it costs, beside proven bounds and other ways", said, rows, top)


def _others(plan: Mapping[str, Any], others: Mapping[str, float]) -> list[tuple[str, float]]:
    """Other ways, cheapest first, each cost once: methods that ended alike share a bar."""
    fine = sorted((value, *seat(name)) for name, value in others.items() if value < float("inf"))
    made: dict[float, list[str]] = {}
    for value, *_, name in fine:
        if name != plan["winner"]:
            made.setdefault(round(value, 2), []).append(name)
    return [(n[0] if len(n) == 1 else f"{words(n[0])} (and {len(n) - 1} more)", value) for value, n in made.items()]


def gap(plan: Mapping[str, Any]) -> str:
    """How far the best plan so far lies above the bound, method by method in the order in which they run."""
    bound = max(float(plan["bound_usd_month"]), 1e-9)
    rows: list[Bar] = []
    best = float("inf")
    for name in sorted(plan["candidates"], key=seat):
        before, best = best, min(best, plan["candidates"][name])
        over = max(0.0, best / bound - 1)
        rows.append((words(name), over, OURS if best < before else OTHER, f"{over:.1%}"))
    said = "best plan so far over the proven bound, after each method in turn; green where the method improved it"
    return bars(f"{plan['cluster']}: gap to the proven bound", said, rows, max([r[1] for r in rows] or [1.0]))
