"""Runs as a process of its own: starts the programs it is told to, and ends them when its parent stops or dies.

Argument: the folder of the programs, removed at the end. Standard input: one JSON object per line, `{"name", "command",
"log"}`, or `{"keep": true}` to leave the logs. Its end is the order to stop, so that a parent killed with SIGKILL stops
its programs too. Standard output: one JSON object per program that ended, `{"name", "code"}`.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys

PAUSE_SECONDS = 0.2
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(keeper: int) -> None:
    """Ask the kernel (Linux only) to kill us, a program to be, when the keeper is killed; end if it was already."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)


def _start(order: dict[str, object]) -> subprocess.Popen[bytes]:
    with open(str(order["log"]), "ab") as log:  # noqa: PTH123 - this process starts in 20 ms without pathlib
        return subprocess.Popen(  # one thread here: a function before exec is safe
            [str(word) for word in order["command"]],  # type: ignore[attr-defined]
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=functools.partial(die_with, os.getpid()),  # noqa: PLW1509 - see above
        )


def _report_ended(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in list(running.items()):
        code = process.poll()
        if code is not None:
            del running[name]
            with contextlib.suppress(OSError):
                sys.stdout.write(json.dumps({"name": name, "code": code}) + "\n")
                sys.stdout.flush()


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        process.kill()  # their data is thrown away: nothing to save
    for process in running.values():
        process.wait()


def _clear(folder: str, *, logs_too: bool) -> None:
    if logs_too:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif not entry.name.endswith(".log"):
            os.unlink(entry.path)  # noqa: PTH108 - secrets go, logs stay


def main() -> None:
    """Keep until standard input ends, the parent is another one, or SIGTERM comes."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    parent = os.getppid()
    told_to_stop: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: told_to_stop.append(number))
    pending, kept = b"", False
    try:
        while not told_to_stop and os.getppid() == parent:
            ready, _, _ = select.select([0], [], [], PAUSE_SECONDS)
            if ready:
                piece = os.read(0, 65536)
                if not piece:
                    return
                *lines, pending = (pending + piece).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    if "keep" in order:
                        kept = True
                    else:
                        running[order["name"]] = _start(order)
            _report_ended(running)
    finally:
        _stop(running)
        _clear(sys.argv[1], logs_too=not kept)


if __name__ == "__main__":
    main()
