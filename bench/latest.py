"""Measure everything, print a table and write `bench/latest.json`: `python -m bench.latest [--only P1,P4]`.

Nothing here fails by the clock: a missed goal is printed and recorded. With `--only`, other figures stay as they are.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final

from bench import figure
from bench.alone import Alone
from bench.figure import Figure
from bench.program import HERE, Engine

LATEST: Final = HERE / "latest.json"
Measure = Callable[[], Iterable[Figure]]


def measures(engine: Engine) -> dict[str, Measure]:
    """Return each figure's measurement, by the name that `--only` takes."""
    from bench import law, whole  # noqa: PLC0415 - both reach into other rooms

    alone = Alone(engine)
    return {
        "P1": alone.p1, "P2": alone.p2, "P3": alone.p3, "P4": alone.p4, "P5": alone.p5, "P6": alone.p6,
        "P7": alone.p7, "P8": lambda: law.p8(alone), "P9": alone.p9, "P9-automation": whole.p9, "P10": whole.p10,
        "P11": alone.p11, "preview": lambda: whole.lives("preview"),
        "rehearse": lambda: whole.lives("rehearse"),
    }  # fmt: skip


def taken(name: str, measure: Measure) -> list[Figure]:
    """Measure; what cannot be measured here becomes a figure without value that says why."""
    sys.stderr.write(f"measuring {name}\n")
    try:
        return list(measure())
    except Exception as error:  # noqa: BLE001 - one broken room must not hide the other figures
        reason = " ".join(str(error).split())
        return [Figure(name, "", None, f"not measured: {type(error).__name__}: {reason[:300]}")]


def write(figures: list[Figure], path: Path, kept: list[dict[str, object]]) -> None:
    """Write the JSON form; figures that were not measured this time stay."""
    made = [one.as_json() for one in figures]
    names = {one["id"] for one in made}
    merged = sorted([*made, *(one for one in kept if one["id"] not in names)], key=_order)
    content = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": figure.machine(),
        "versions": figure.versions(),
        "figures": merged,
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _order(one: dict[str, object]) -> tuple[int, str]:
    head = str(one["id"]).partition("-")[0]
    return (int(head[1:]), str(one["id"])) if head[1:].isdigit() else (99, str(one["id"]))


def arguments(description: str | None, output: Path) -> argparse.ArgumentParser:
    """Read the command line of every benchmark: which figures, and where they are written."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", default="", help="names of figures, separated by commas; default: all")
    parser.add_argument("--output", type=Path, default=output)
    return parser


def asked(parser: argparse.ArgumentParser, only: str, known: Collection[str]) -> list[str]:
    """Return the figures that `--only` names, or all; ends the program with the known ones where one is not known."""
    names = [name for name in only.split(",") if name] or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"--only {','.join(sorted(unknown))} is unknown: choose of {', '.join(known)}")
    return names


def publish(figures: list[Figure], chosen: argparse.Namespace) -> None:
    """Print the figures and write them; with `--only`, the others stay."""
    figure.table(figures)
    old = json.loads(chosen.output.read_text())["figures"] if chosen.only and chosen.output.exists() else []
    write(figures, chosen.output, old)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__, LATEST)
    chosen = parser.parse_args()
    with Engine() as engine:
        known = measures(engine)
        figures = [one for name in asked(parser, chosen.only, known) for one in taken(name, known[name])]
    publish(figures, chosen)


if __name__ == "__main__":
    main()
