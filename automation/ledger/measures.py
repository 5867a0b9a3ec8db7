"""Key figures from the ledger: computed, each with the number of runs behind it; nothing is assumed where none ran."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from statistics import median
from typing import Any, Final

from automation.ledger.entry import Entry
from automation.signing.keys import moment

DEPLOYS: Final = frozenset({"up", "deploy"})
GOOD: Final = frozenset({"ok"})
BAD: Final = frozenset({"failed", "rolled-back"})


def _figure(value: float | None, unit: str, runs: int) -> dict[str, Any]:
    return {"value": None if value is None else round(value, 4), "unit": unit, "runs": runs}


def _seconds(entries: Iterable[dict[str, Any]]) -> list[float]:
    return [float(entry["seconds"]) for entry in entries if entry.get("outcome") in GOOD and "seconds" in entry]


def _repair(deploys: list[tuple[Any, dict[str, Any]]]) -> list[float]:
    """Seconds from a stack's first failure to its next success."""
    broken: dict[str, Any] = {}
    times = []
    for at, content in deploys:
        stack = str(content.get("stack", ""))
        if content.get("outcome") in BAD:
            broken.setdefault(stack, at)
        elif content.get("outcome") in GOOD and stack in broken:
            times.append((at - broken.pop(stack)).total_seconds())
    return times


def measures(entries: Iterable[Entry], window: timedelta | None = None) -> dict[str, Any]:
    """Build and deploy time, success rates, time to repair, deploys a day; refused runs are counted apart.

    `window` counts back from the newest entry, so that the same ledger gives the same figures at any time.
    """
    read = [(moment(entry.at), entry.content) for entry in entries]
    if window and read:
        read = [(at, content) for at, content in read if at > read[-1][0] - window]
    builds = [content for _, content in read if content.get("action") == "pipeline"]
    deploys = [(at, content) for at, content in read if content.get("action") in DEPLOYS]
    ended = [content for _, content in deploys if content.get("outcome") in GOOD | BAD]
    built = [content for content in builds if content.get("outcome") in GOOD | BAD]
    good = [at for at, content in deploys if content.get("outcome") in GOOD]
    days = (good[-1] - good[0]).total_seconds() / 86400 if len(good) > 1 else 0.0
    repairs, build_times, deploy_times = _repair(deploys), _seconds(builds), _seconds(c for _, c in deploys)
    return {
        "build_seconds_median": _figure(median(build_times) if build_times else None, "s", len(build_times)),
        "deploy_seconds_median": _figure(median(deploy_times) if deploy_times else None, "s", len(deploy_times)),
        "build_success_rate": _figure(
            sum(c["outcome"] in GOOD for c in built) / len(built) if built else None, "share", len(built)
        ),
        "deploy_success_rate": _figure(
            sum(c["outcome"] in GOOD for c in ended) / len(ended) if ended else None, "share", len(ended)
        ),
        "time_to_repair_mean": _figure(sum(repairs) / len(repairs) if repairs else None, "s", len(repairs)),
        "deploys_per_day": _figure((len(good) - 1) / days if days else None, "1/day", len(good)),
        "refused": _figure(
            float(sum(content.get("outcome") == "refused" for _, content in deploys)), "runs", len(deploys)
        ),
        "degraded": _figure(float(sum(c.get("outcome") == "degraded" for c in builds)), "runs", len(builds)),
        "break_glass": _figure(float(sum(bool(c.get("break_glass")) for _, c in deploys)), "runs", len(deploys)),
    }
