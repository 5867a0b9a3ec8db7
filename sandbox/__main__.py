"""Command line of the stage: serve, reset, drift, left."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the stand-in clouds until SIGTERM or SIGINT")
    serve.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder of clouds.sqlite")
    serve.add_argument("--faults", type=Path, metavar="FILE", help="fault plan (YAML, docs/sandbox-faults.md)")
    serve.add_argument("--clusters", choices=("schema", "api-server"), default="schema")
    serve.add_argument("--follow", type=int, default=0, metavar="PID", help="end when this process is gone")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(argv)
    if options.command == "serve":
        from sandbox.faults import Plan, Stage
        from sandbox.serve import run

        return run(options.state, Stage(Plan(), "2026-11-21T00:00:00Z"), options.clusters, options.follow)
    return 2


if __name__ == "__main__":
    sys.exit(main())
