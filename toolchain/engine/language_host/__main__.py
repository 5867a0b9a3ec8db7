"""Start the host: `language_host SHIM [-tracing ENDPOINT] [-use-executor SHIM] [-version] [ENGINE_ADDRESS]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import VERSION
from .ending import Ending
from .processes import Processes

_WITH_VALUE = ("tracing", "use-executor", "root", "typechecker", "toolchain", "virtualenv", "v", "verbose")


def main(arguments: list[str]) -> int:
    """Serve until told to stop; returns 1 when something is missing to start with."""
    shim, flags, engine = _parse(arguments)
    if "version" in flags:
        sys.stdout.write(f"v{VERSION}\n")
        return 0
    shim = flags.get("use-executor") or shim
    if not Path(shim).is_file():
        sys.stderr.write(f"{shim} is missing: build the engine again\n")
        return 1
    outer = dict(os.environ)  # children get what we got, without what we set for ourselves
    os.environ["GRPC_VERBOSITY"] = "NONE"
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    processes = Processes()
    ending = Ending(processes)
    ending.listen()

    from .run import Programs  # noqa: PLC0415 - after the signals are ours: gRPC takes 0.1 s to load
    from .server import LanguageHost, serve  # noqa: PLC0415

    programs = Programs(processes, shim, outer, flags.get("tracing", ""))
    server, port = serve(LanguageHost(engine, programs, processes, outer))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ending.watch(engine, programs.hush)
    ending.wait(server)
    return 0


def _parse(arguments: list[str]) -> tuple[str, dict[str, str], str]:
    """Return the shim, the flags (one or two dashes, as Go programs take them) and the engine's address."""
    shim, *rest = arguments
    flags: dict[str, str] = {}
    engine = ""
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            engine = engine or word
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals and name in _WITH_VALUE and rest:
            value = rest.pop(0)
        flags[name] = value
    return shim, flags, engine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
