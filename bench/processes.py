"""What each process of a run used: the tree below a command is looked at while it lives."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

PAUSE: Final = 0.5
"""Seconds between two looks: what a process uses after the last one is not told apart, only counted in the sum."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """A command that ran: its exit code and words, CPU seconds of all its processes and of each."""

    code: int
    said: str
    errors: str
    total: float
    each: Mapping[str, float]
    """By command line; of several processes with the same one, the sum."""

    def of(self, *words: str) -> float:
        """Return the CPU seconds of the processes whose command line holds one of the words."""
        return sum(spent for line, spent in self.each.items() if any(word in line for word in words))


def run(command: Sequence[str], folder: Path) -> Used:
    """Run a command to its end and look at its processes meanwhile."""
    lines: dict[psutil.Process, str] = {}
    spent: dict[psutil.Process, float] = {}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=errors, text=True)
        root, done = psutil.Process(process.pid), 0
        while not done:
            for one in (root, *root.children(recursive=True)):
                try:
                    spent[one] = sum(one.cpu_times()[:2])
                    lines[one] = " ".join(one.cmdline()) or lines.get(one, "")
                except psutil.Error:  # it ended
                    continue
            time.sleep(PAUSE)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors.seek(0)
        words = said.read(), errors.read()
    each: Counter[str] = Counter()
    for one, seconds in spent.items():
        each[lines.get(one, "")] += seconds  # type: ignore[assignment]  # a counter counts seconds as well
    total = max(usage.ru_utime + usage.ru_stime, sum(each.values()))
    return Used(code=process.returncode, said=words[0], errors=words[1], total=total, each=dict(each))


if __name__ == "__main__":
    used = run(sys.argv[1:], Path.cwd())
    for line, seconds in sorted(used.each.items(), key=lambda one: -one[1])[:20]:
        sys.stdout.write(f"{seconds:8.2f} {line[:160]}\n")
    sys.stdout.write(f"{used.total:8.2f} CPU seconds in all; exit {used.code}\n")
