"""`python -m toolchain.cluster build|run`: exit code 0; 1 when a build failed; 2 and one sentence: do that."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from toolchain.build import BuildError, exit_code, say
from toolchain.cluster.plane import ControlPlane, ControlPlaneError
from toolchain.cluster.recipe import recipe


def _run(options: argparse.Namespace) -> None:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: over.set())
    with ControlPlane(scheduler=options.scheduler, kwok=options.kwok) as plane:
        sys.stdout.write(f"{plane.kubeconfig}\n")
        sys.stdout.flush()
        over.wait(options.seconds)


def main() -> int:
    """Build the programs, or run a control plane for a while."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build etcd, the Kubernetes programs, kubectl and kwok")
    run = commands.add_parser("run", help="start a control plane and print the path of its kubeconfig")
    run.add_argument("--seconds", type=float, default=None, help="how long; without it until Ctrl-C")
    run.add_argument("--scheduler", action="store_true", help="bind pods to nodes")
    run.add_argument("--kwok", action="store_true", help="make nodes and pods look alive")
    options = parser.parse_args()
    try:
        if options.command == "build":
            recipe().build()
        else:
            _run(options)
    except BuildError as error:
        say(str(error))
        return exit_code(error)
    except ControlPlaneError as error:
        say(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
