"""Stand-in clouds: serve them, plant drift in them, list what is left, start anew."""

# ruff: noqa: T201, PLC0415 - a command line prints, and each command imports only what it needs

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder of clouds.sqlite")
    serve = commands.add_parser("serve", parents=[state], help="serve until SIGTERM or SIGINT")
    serve.add_argument("--faults", type=Path, metavar="FILE", help="fault plan (YAML); its form: sandbox/faults.py")
    serve.add_argument("--clusters", choices=("schema", "api-server"), default="schema")
    serve.add_argument("--follow", type=int, default=0, metavar="PID", help="end when this process is gone")
    drift = commands.add_parser("drift", parents=[state], help="change things behind the engine's back")
    drift.add_argument("--type", help="type token; default: one thing of every type")
    drift.add_argument("--id", help="id of the thing")
    drift.add_argument("--path", help="property path, or (deleted); default: a property that can be changed in place")
    commands.add_parser("left", parents=[state], help="list what exists; exit 5 when anything does")
    commands.add_parser("reset", parents=[state], help="forget everything that exists")
    faults = commands.add_parser("faults", help="check a fault plan; exit 2 when it is none")
    faults.add_argument("file", type=Path)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command. Exit codes: 0, 2 for wrong input, 5 when `left` finds something."""
    options = _parser().parse_args(argv)
    command = {"serve": _serve, "drift": _drift, "left": _left, "reset": _reset, "faults": _faults}[options.command]
    return command(options)


def _serve(options: argparse.Namespace) -> int:
    from sandbox.faults import BadPlan, read_plan
    from sandbox.serve import run
    from sandbox.stage import Stage

    try:
        plan = read_plan(options.faults)
    except BadPlan as problem:
        print(problem, file=sys.stderr)
        return 2
    return run(options.state, Stage(plan), options.clusters, options.follow)


def _faults(options: argparse.Namespace) -> int:
    from sandbox.faults import BadPlan, read_plan

    try:
        plan = read_plan(options.file)
    except BadPlan as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"{options.file}: {len(plan.faults)} faults")
    return 0


def _drift(options: argparse.Namespace) -> int:
    from sandbox.drift import NothingToDrift, plant

    try:
        planted = plant(options.state / "clouds.sqlite", options.type, options.id, options.path)
    except NothingToDrift as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps([item.to_json() for item in planted], indent=1))
    return 0


def _left(options: argparse.Namespace) -> int:
    from sandbox.state import list_left

    left = list_left(options.state / "clouds.sqlite")
    for kind, id_, owner in left:
        print(f"{kind}\t{id_}\t{owner}")
    return 5 if left else 0


def _reset(options: argparse.Namespace) -> int:
    if (options.state / "endpoints.json").exists():
        print(f"{options.state}: a server runs on this folder (endpoints.json): stop it first", file=sys.stderr)
        return 2
    for name in ("clouds.sqlite", "clouds.sqlite-wal", "clouds.sqlite-shm", "server.log", "faults.json"):
        (options.state / name).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
