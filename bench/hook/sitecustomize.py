"""Write the names of all loaded modules when a measured program ends, if BENCH_MODULES names a file."""

import atexit
import os
import sys


def _write() -> None:
    with open(os.environ["BENCH_MODULES"], "w") as file:  # noqa: PTH123 - loads nothing more
        file.write("\n".join(sys.modules))


if "BENCH_MODULES" in os.environ:
    atexit.register(_write)
