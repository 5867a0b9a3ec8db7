"""Another demand: which node pools would change, against what is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from automation import modes as modes_
from automation import places, runs, statefile
from automation.exits import Ending, Exit
from automation.session import Options, Session, check_demand, opened, read_stack

if TYPE_CHECKING:
    from rich.console import Console

WATCHED: Final = ("instance_type", "min", "desired", "max", "spot", "nodes_cost_usd", "evidence")


@contextmanager
def against_deployed(name: str, options: Options, console: Console) -> Iterator[Session]:
    """A session whose backend holds a deployed stack.

    Offline with nothing deployed the base (without the new demand) is first brought up, in a backend that is gone
    afterwards: a preview leaves nothing behind.
    """
    import os  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    read_stack(name, options)
    check_demand(options)
    mode = modes_.decide(offline=options.offline, real=options.real, environ=dict(os.environ), home=Path.home())
    place = places.of(options.project, name, mode.name, dict(os.environ))
    if not mode.offline or _has_state(place, options, name):
        with opened(name, options, console) as session:
            yield session
        return
    with places.temporary() as fresh:
        base = replace(options, demand=None, quality=None, offline=True)
        quick = {"PULUMI_SKIP_CHECKPOINTS": "true"}
        with opened(name, base, console, place=fresh, extra_env=quick) as session:
            made = runs.up(session)
            if made["refused"]:
                raise Ending(
                    Exit.REFUSED, "base", "the stack without the new demand is refused already: preview it first"
                )
        with opened(name, replace(options, offline=True), console, place=fresh) as session:
            session.notes.append("nothing was deployed offline: the base was brought up in the sandbox first")
            yield session


def _has_state(place: places.Place, options: Options, name: str) -> bool:
    import yaml  # noqa: PLC0415

    project = yaml.safe_load((options.project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    path = statefile.path_of(place.backend, project, name)
    if not path.exists():
        return False
    import json  # noqa: PLC0415

    try:
        latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
    except (ValueError, KeyError):
        return True  # a broken state is the session's to name
    return len(latest.get("resources") or ()) > 1


def pool_diff(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Slots whose part of the plan differs, before and after."""

    def by_slot(rows: list[dict[str, Any]]) -> dict[tuple[str, str, int], dict[str, Any]]:
        return {(r["cluster"], r["pool"], r["slot"]): r for r in rows}

    was, now = by_slot(report["sizing_before"]), by_slot(report["sizing"])
    changed = []
    for key in sorted(set(was) | set(now)):
        old, new = was.get(key), now.get(key)
        fields = [name for name in WATCHED if (old or {}).get(name) != (new or {}).get(name)]
        if fields:
            cluster, pool, slot = key
            changed.append(
                {
                    "cluster": cluster,
                    "pool": pool,
                    "slot": slot,
                    "before": {name: (old or {}).get(name) for name in fields},
                    "after": {name: (new or {}).get(name) for name in fields},
                }
            )
    return changed
