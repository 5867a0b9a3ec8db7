"""One thread that lives as long as the process, for libraries that must not outlive the thread that loaded them.

qiskit 2.6 dies with a segmentation fault in QuantumCircuit when it was first loaded in a thread that has ended since
and another thread uses it. Whoever solves in worker threads (the engine's dynamic provider does, four of them) would
meet that by chance; so all circuits are built and run in here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
NAME = "sizing-circuits"


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """A forked child has no threads of its parent: it gets its own."""
    _ = pid
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=NAME)


def resident(work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in the thread that stays."""
    if threading.current_thread().name.startswith(NAME):
        return work()
    return _pool(os.getpid()).submit(work).result()
